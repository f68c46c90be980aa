"""Candidates by ``f(v)`` side by side with implicit's recommend, on the same vectors and users.

``implicit`` is a library for batch recommendations by matrix factors; its `recommend` multiplies
users with all items. It runs in the environment of the peers (`bench_venv`), which runs this file:
``python -m benchmarks.scale_peer FOLDER``.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

N_USERS: Final = 2_048
K: Final = 100
"""Candidates that a source brings."""
BLOCK: Final = 128
ROUNDS: Final = 3


def measure_peer(settings: Any, folder: Path) -> dict[str, Any]:
    """Users/s and recall of both, of a planted store.

    Args:
        settings: of the store.
        folder: where vectors are handed over.

    Returns:
        users_vs_implicit (None with a reason where the peer cannot be set up), and both sides.
    """
    from benchmarks.bench_venv import run_in_bench_venv

    vectors, users, index = _hand_over(settings, folder)
    exact = np.concatenate(
        [
            np.argpartition(-(users[first : first + BLOCK] @ vectors.T), K, axis=1)[:, :K]
            for first in range(0, len(users), BLOCK)
        ]
    )
    seconds, found = _best(lambda block: index.search(block, K)[1], users)
    own = {"users_per_s": round(len(users) / seconds, 1), "recall": _recall(found, exact)}
    try:
        run_in_bench_venv("benchmarks.scale_peer", str(folder))
    except (subprocess.CalledProcessError, OSError) as error:
        return {"users_vs_implicit": None, "peer": {"vidrec": own, "reason": str(error)}}
    said = json.loads((folder / "peer.json").read_text())
    peer = {"users_per_s": round(len(users) / said["seconds"], 1),
            "recall": _recall(np.load(folder / "peer.npy"), exact)}  # fmt: skip
    return {
        "users_vs_implicit": round(own["users_per_s"] / peer["users_per_s"], 3),
        "peer": {
            "vidrec": own, "implicit": peer, "version": said["version"],
            "videos": len(vectors), "dim": int(vectors.shape[1]), "k": K,
            "kind": index.info["kind"],
        },
    }  # fmt: skip


def _hand_over(settings: Any, folder: Path) -> tuple[Any, Any, Any]:
    """The vectors of videos and users, and the index; written where the peer reads them."""
    from benchmarks.scale_world import NIGHT
    from vidrec_tasks.content.index import Index
    from vidrec_tasks.store.runs import Runs
    from vidrec_tasks.store.store import Store

    run = Runs(Store(settings.store_url)).of_night(NIGHT)
    parts = run.parts("video_vectors")
    index = Index.from_parts(parts)
    vectors = parts.array("vectors")
    rng = np.random.default_rng(3)
    # a user is near a few videos, as g(u) is near what was liked; the last place is for `lately`
    liked = rng.integers(0, len(vectors), (N_USERS, 5))
    users = np.stack([vectors[row].mean(axis=0) for row in liked])
    users[:, -1] = 1.0
    np.save(folder / "peer-videos.npy", vectors)
    np.save(folder / "peer-users.npy", users)
    return vectors, users, index


def _best(search: Any, users: Any) -> tuple[float, Any]:
    best, found = float("inf"), users
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        parts = [search(users[first : first + BLOCK]) for first in range(0, len(users), BLOCK)]
        best = min(best, time.perf_counter() - begin)
        found = np.concatenate(parts)
    return best, found


def _recall(found: Any, exact: Any) -> float:
    shares = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, exact, strict=True)]
    return round(float(np.mean(shares)), 5)


def recommend(folder: Path) -> None:
    """What the peer does, in its own environment."""
    import implicit
    import scipy.sparse as sp
    from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase

    class Factors(MatrixFactorizationBase):  # type: ignore[misc]
        """Factors that are there already."""

        def fit(self, *_: Any, **__: Any) -> None:
            """Nothing to fit."""

        def save(self, *_: Any) -> None:
            """Nothing to keep."""

    model = Factors(num_threads=1)
    model.item_factors = np.load(folder / "peer-videos.npy")
    model.user_factors = np.load(folder / "peer-users.npy")
    n_users, n_items = len(model.user_factors), len(model.item_factors)
    nothing = sp.csr_matrix((n_users, n_items), dtype=np.float32)
    numbers = np.arange(n_users)

    def search(block: Any) -> Any:
        return model.recommend(block, nothing[block], N=K, filter_already_liked_items=False)[0]

    seconds, found = _best(search, numbers)
    np.save(folder / "peer.npy", found)
    said = {"seconds": seconds, "version": implicit.__version__}
    (folder / "peer.json").write_text(json.dumps(said))


if __name__ == "__main__":
    recommend(Path(sys.argv[1]))
