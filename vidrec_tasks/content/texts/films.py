"""Films: looked into and heard by processes of their own, so that a hostile one costs itself."""

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.content.decoding.process import ask_all, passing
from vidrec_tasks.settings import ContentSettings, TextSettings

WORKER: Final = (sys.executable, "-m", "vidrec_tasks.content.texts.worker")
LOOKING: Final = "reading"
HEARING: Final = "hearing"
PASSING: Final = passing(LOOKING, HEARING)


@dataclass(frozen=True)
class FilmFile:
    """A film's file.

    Attributes:
        path: on this machine.
        stamp: of the file that was hashed; empty: not known.
        film_s: how long it is; 0: not known.
    """

    path: Path
    stamp: tuple[int, ...] = ()
    film_s: float = 0.0


def look_into(
    files: Mapping[str, FilmFile], content: ContentSettings, *, n_processes: int = 1
) -> dict[str, dict[str, Any]]:
    """Key -> what a film has (`worker.look_into`)."""
    command = [*WORKER, str(content.decode_memory_mb)]
    common = {"max_pixels": content.max_pixels, "timeout_s": content.decode_timeout_s}
    requests = [_request(key, file, common) for key, file in files.items()]
    return _asked(requests, command, content.decode_timeout_s, LOOKING, n_processes)


def hear(
    files: Mapping[str, FilmFile],
    folder: Path,
    settings: TextSettings,
    *,
    max_pixels: int,
    n_processes: int = 1,
) -> dict[str, dict[str, Any]]:
    """Key -> what is said in a film (`worker.hearing`), by the model in a folder."""
    command = [*WORKER, str(settings.speech_memory_mb), str(folder), settings.speech_language]
    timeout_s = settings.speech_timeout_s
    common = {"max_pixels": max_pixels, "timeout_s": timeout_s, "most_s": settings.max_speech_s}
    requests = [_request(key, file, common) for key, file in files.items()]
    return _asked(requests, command, timeout_s, HEARING, n_processes)


def _request(key: str, file: FilmFile, common: Mapping[str, Any]) -> dict[str, Any]:
    path, stamp = str(file.path.absolute()), list(file.stamp)
    return {"key": key, "path": path, "stamp": stamp, "film_s": file.film_s, **common}


def _asked(
    requests: Sequence[dict[str, Any]],
    command: Sequence[str],
    timeout_s: float,
    doing: str,
    n_processes: int,
) -> dict[str, dict[str, Any]]:
    answers: dict[str, dict[str, Any]] = {}

    def take(answer: dict[str, Any]) -> None:
        answers[answer["key"]] = answer

    ask_all(
        deque(requests), command, take, timeout_s=timeout_s, doing=doing, n_processes=n_processes
    )
    return answers
