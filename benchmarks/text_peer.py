"""The text peer: `SentenceTransformer.encode` as a user calls it; runs in ``.venv-bench``.

``python -m benchmarks.text_peer REQUEST ANSWER``: the request names the model's folder, the texts
and the rounds; the answer holds the seconds of each and the vectors of the first texts.
"""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Encode the texts and write how long it took."""
    from sentence_transformers import SentenceTransformer

    request = json.loads(Path(sys.argv[1]).read_text())
    model = SentenceTransformer(request["model"], device="cpu")
    texts = request["texts"]
    model.encode(texts[:64])  # nobody counts the first call
    begin = time.monotonic()
    vectors = model.encode(texts)
    seconds = time.monotonic() - begin
    answer = {"seconds": seconds, "vectors": vectors[: request["n_vectors"]].tolist()}
    Path(sys.argv[2]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
