"""The worker: ``python -m vidrec_tasks.content.decoding.worker`` decodes films that it is told of.

It reads one JSON request a line and writes one JSON answer a line. It limits its own memory, so a
hostile film costs this process and nothing else; `keyframes` starts it, times it and replaces it.
"""

import contextlib
import json
import os
import resource
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

# a film a thread; threads that wait for work cost 60 ms of processor a film in `choose`
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
from av.error import FFmpegError

from vidrec_tasks.content.decoding.containers import OpeningError
from vidrec_tasks.content.decoding.diagnosis import diagnose
from vidrec_tasks.content.decoding.grabbing import PIXELS_A_SECOND, Candidates, Limits, grab
from vidrec_tasks.content.decoding.process import CHANGED
from vidrec_tasks.content.decoding.selection import choose, frame_hash, frame_luma
from vidrec_tasks.content.decoding.sounds import loudness
from vidrec_tasks.errors import MediaError
from vidrec_tasks.stamps import ChangedError, refuse_changed

JPEG_QUALITY: Final = 85
READING_SHARE: Final = 0.95
"""Share of the processor's time for reading; the rest is for choosing and writing."""

CANDIDATES_A_KEYFRAME: Final = 4
SCENE_CANDIDATES: Final = 240
STILL: Final = 24.0
"""Difference that the grey values (0..255) of a still picture may have after compression: measured
are 1 for covers under sound, 70 and more for the stillest of 91 clips that move."""
ORPHAN_SHARE: Final = 12.0
"""Time limits after which a process whose parent is gone ends itself, in the middle of a film: more
than `decoding.WALL_SHARE`."""


def decode(request: dict[str, Any]) -> dict[str, Any]:
    """Decode one film and write its thumbnails.

    Args:
        request: key, path, stamp (what the file system said of the file that was hashed, see
            `stamp_of`; empty: not known), folder (for the thumbnails), n_keyframes, mode,
            max_pixels, thumbnail_px, timeout_s.

    Returns:
        ``key`` with ``frames`` (a dict each), ``failure`` (why the film gave none), or ``trouble``
        (why this machine cannot keep what it gave).
    """
    answer = {"key": request["key"]}
    try:
        with _opened(Path(request["path"]), request["stamp"]) as file:
            found, reason = _look(file, request)
            sound = _sound(file, found, request["max_pixels"])
    except ChangedError:
        return {**answer, "failure": CHANGED}
    except Exception as error:  # whatever a film brings about costs that film alone
        return {**answer, "failure": f"cannot be decoded: {_first_line(error)}"}
    if not found.images:
        return {**answer, "failure": reason}
    try:
        return {**answer, "frames": _write(found, request, sound)}
    except OSError as error:
        return {**answer, "trouble": _first_line(error)}


@contextlib.contextmanager
def _opened(path: Path, stamp: list[int]) -> Iterator[BinaryIO]:
    """The file that was hashed, open; it is decoded whatever its name leads to meanwhile.

    Raises:
        ChangedError: it is another file now, or was written to while it was read.
        MediaError: it is no file.
        OSError: it cannot be opened.
    """
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(number, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            message = "is not a file"
            raise MediaError(message)
        refuse_changed(number, stamp)
        try:
            yield file
        finally:  # whatever was found of a file that changed is not said of the one that was hashed
            refuse_changed(number, stamp)


def _look(file: BinaryIO, request: dict[str, Any]) -> tuple[Candidates, str]:
    """Candidate frames, or the reason why there are none."""
    is_scene = request["mode"] == "scene"
    limits = Limits(
        max_pixels=request["max_pixels"],
        pixel_budget=int(request["timeout_s"] * PIXELS_A_SECOND),
        deadline=time.process_time() + request["timeout_s"] * READING_SHARE,
        longer_side=request["thumbnail_px"],
        max_candidates=max(
            SCENE_CANDIDATES if is_scene else 0, CANDIDATES_A_KEYFRAME * request["n_keyframes"]
        ),
    )
    try:
        found = grab(file, n_wanted=request["n_keyframes"], mode=request["mode"], limits=limits)
    except OpeningError:
        found = Candidates()
    return found, "" if found.images else diagnose(file, max_pixels=limits.max_pixels)


def _sound(file: BinaryIO, found: Candidates, max_pixels: int) -> str:
    """What a film of one still picture sounds like; others tell themselves apart."""
    greys = [look.grey for look in found.looks if not look.is_poor]
    if not greys or any(np.abs(grey - greys[0]).max() >= STILL for grey in greys):
        return ""
    try:
        return loudness(file, max_pixels=max_pixels)
    except (MediaError, FFmpegError, MemoryError, OSError):  # its pictures are worth keeping
        return ""


def _write(found: Candidates, request: dict[str, Any], sound: str) -> list[dict[str, Any]]:
    folder = Path(request["folder"])
    looks = found.looks
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    places = choose(looks, request["n_keyframes"], by_scene=request["mode"] == "scene")
    for number, place in enumerate(places):
        name = f"{number}.jpg"
        image = found.images[place]
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        (folder / name).write_bytes(data.tobytes())
        frames.append(
            {
                "frame_num": number,
                "at_s": round(looks[place].at_s, 3),
                "path": f"{folder.name}/{name}",
                "sharpness": round(looks[place].sharpness, 3),
                "frame_hash": frame_hash(image),
                "frame_luma": frame_luma(image),
                "sound": sound,
            }
        )
    return frames


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _limit_memory(megabytes: int) -> None:
    """Let films take so much beyond what Python and its libraries take (about 0.5 GiB)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = _addressed() + (megabytes << 20)
    with contextlib.suppress(ValueError, OSError):  # a lower hard limit is set already
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _addressed() -> int:
    """Bytes this process addresses now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # native code that prints spoils no answer
    cv2.setNumThreads(1)
    np.ones((256, 256)) @ np.ones((256, 256))  # what OpenBLAS keeps for itself is no film's
    _limit_memory(int(sys.argv[1]))
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, ORPHAN_SHARE * request["timeout_s"])
        signal.setitimer(signal.ITIMER_PROF, request["timeout_s"])  # processor, not the clock
        answer = decode(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
