"""The worker that looks into films for their texts and hears them.

``python -m vidrec_tasks.content.texts.worker MIB`` finds streams of text, and whether there is
sound; with the folder of a model and a language behind it, it hears what is said. It holds to what
`decoding.sandbox` says, and where the system allows it leaves the network first.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# a film a process
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from vidrec_tasks.content.decoding.process import CHANGED
from vidrec_tasks.content.decoding.sandbox import failure_of, leave_network, opened, serve
from vidrec_tasks.content.texts.speech import RATE, Segment, SpeechModel, kept
from vidrec_tasks.content.texts.streams import look, sound, windows
from vidrec_tasks.stamps import ChangedError

HEARS: Final = 4
"""Arguments of the command that hears: the module, MiB, the model's folder, the language."""


def look_into(request: dict[str, Any]) -> dict[str, Any]:
    """What a film has: see `streams.look`.

    Args:
        request: key, path, stamp, max_pixels, timeout_s.

    Returns:
        ``key``, with what was found or ``failure``: why nothing was.
    """
    return _answered(request, _look)


def hearing(model: SpeechModel) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What answers requests to hear: as `look_into`, with ``film_s`` and ``most_s``.

    It answers with ``cues`` (``[at_s, until_s, text, confidence]``), ``language``, ``heard_s``.
    """

    def hear(file: Any, request: dict[str, Any]) -> dict[str, Any]:
        segments: list[Segment] = []
        languages: list[str] = []
        heard_s = 0.0
        parts = windows(request["film_s"], request["most_s"])
        for at_s, samples in sound(file, parts, max_pixels=request["max_pixels"]):
            found, language = model.hear(samples, at_s)
            heard_s += len(samples) / RATE
            segments += found
            languages += [language] * len(found)
        cues = kept(segments)
        language = max(languages, key=languages.count) if cues else ""
        rows = [[cue.at_s, cue.until_s, cue.text, cue.confidence] for cue in cues]
        return {"cues": rows, "language": language, "heard_s": round(heard_s, 2)}

    return lambda request: _answered(request, hear)


def _look(file: Any, request: dict[str, Any]) -> dict[str, Any]:
    return look(file, max_pixels=request["max_pixels"])


def _answered(
    request: dict[str, Any], read: Callable[[Any, dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    answer = {"key": request["key"]}
    try:
        with opened(Path(request["path"]), request["stamp"]) as file:
            return {**answer, **read(file, request)}
    except ChangedError:
        return {**answer, "failure": CHANGED}
    except Exception as error:  # whatever a film brings about costs that film alone
        return {**answer, "failure": failure_of(error, "cannot be read")}


def main() -> None:
    """Answer requests until standard input ends."""
    leave_network()  # while there is one thread; where it is refused, nothing here asks a network
    if len(sys.argv) < HEARS:
        serve(look_into, megabytes=int(sys.argv[1]))
        return
    model = SpeechModel(sys.argv[2], language=sys.argv[3])
    model.warm_up()
    serve(hearing(model), megabytes=int(sys.argv[1]))


if __name__ == "__main__":
    main()
