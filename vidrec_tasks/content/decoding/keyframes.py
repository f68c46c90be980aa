"""Keyframes: the few frames that stand for a film, decoded where a hostile file cannot hurt.

Films are decoded by plain subprocesses (a Celery worker may not use multiprocessing): one process
decodes many films, and one that hangs or dies costs the film it was at.
"""

import logging
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    CHECKSUM,
    FRAME_HASH,
    FRAME_LUMA,
    FRAME_NUM,
    PATH,
    SHARPNESS,
    SOUND,
)
from vidrec_tasks.content.decoding.process import ask_all
from vidrec_tasks.errors import StoreError
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

LOG_EVERY: Final = 50

DECODER: Final = (sys.executable, "-m", "vidrec_tasks.content.decoding.worker")
"""The command that starts a decoding process; the memory it may take in MiB comes after it."""


@dataclass(frozen=True)
class Extraction:
    """Keyframes of films.

    Attributes:
        frames: checksum, frame_num (from 0, in order of time), at_s, path (relative to the
            workspace), sharpness, frame_hash (64 bits, hex), frame_luma (144 bytes, hex), sound
            (see `sounds`; of films that show one still picture, else empty).
        failures: checksum -> why the film gave no frame.
    """

    frames: pd.DataFrame
    failures: dict[str, str]


def extract_keyframes(
    films: Mapping[str, Path],
    settings: ContentSettings,
    *,
    workspace: Path,
    stamps: Mapping[str, list[int]] | None = None,
    n_processes: int = 1,
    command: Sequence[str] = DECODER,
) -> Extraction:
    """Decode films and write their thumbnails to ``workspace/<checksum>/<frame_num>.jpg``.

    Args:
        films: checksum -> file.
        settings: how many keyframes, and the limits of seconds, pixels and memory a film.
        workspace: an empty folder.
        stamps: checksum -> the stamp of the file that was hashed; a film that is another
            file by now is a failure.
        n_processes: films decoded at the same time, each on one thread: two films on a core each
            are quicker than one film on two.
        command: starts a decoding process.

    Raises:
        MediaError: the decoding process cannot be started at all.
        StoreError: the thumbnails cannot be written.
    """
    stamps = stamps or {}
    waiting = deque(
        _request(key, path, stamps.get(key, []), settings, workspace) for key, path in films.items()
    )
    answers: list[dict[str, Any]] = []

    def take(answer: dict[str, Any]) -> None:
        if "trouble" in answer:
            waiting.clear()
            message = f"keyframes: cannot be written ({answer['trouble']}); free some space"
            raise StoreError(message)
        answers.append(answer)
        if len(answers) % LOG_EVERY == 0:
            log.info("%d video files decoded, %d waiting", len(answers), len(waiting))

    ask_all(
        waiting, [*command, str(settings.decode_memory_mb)], take,
        timeout_s=settings.decode_timeout_s, n_processes=n_processes,
    )  # fmt: skip
    failures = {answer["key"]: answer["failure"] for answer in answers if "failure" in answer}
    frames = [{CHECKSUM: a["key"], **row} for a in answers for row in a.get("frames", ())]
    return Extraction(_frame_table(frames), dict(sorted(failures.items())))


def _request(
    key: str, path: Path, stamp: list[int], settings: ContentSettings, workspace: Path
) -> dict[str, Any]:
    return {
        "key": key,
        "path": str(path.absolute()),
        "stamp": stamp,
        "folder": str((workspace / key).absolute()),
        "n_keyframes": settings.n_keyframes,
        "mode": settings.keyframe_mode,
        "max_pixels": settings.max_pixels,
        "thumbnail_px": settings.thumbnail_px,
        "timeout_s": settings.decode_timeout_s,
    }


def _frame_table(frames: list[dict[str, Any]]) -> pd.DataFrame:
    kinds: dict[str, Any] = {
        CHECKSUM: str,
        FRAME_NUM: "int64",
        AT_S: "float64",
        PATH: str,
        SHARPNESS: "float64",
        FRAME_HASH: str,
        FRAME_LUMA: str,
        SOUND: str,
    }
    table = pd.DataFrame(frames, columns=list(kinds)).astype(kinds)
    return table.sort_values([CHECKSUM, FRAME_NUM], ignore_index=True)
