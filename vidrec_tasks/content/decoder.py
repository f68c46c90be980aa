"""The decoding process: ``python -m vidrec_tasks.content.decoder`` decodes films it is told of.

It reads one JSON request a line and writes one JSON answer a line. It limits its own memory, so a
hostile film costs this process and nothing else; `keyframes` starts it, times it and replaces it.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
# a film a thread; threads that wait for work cost 60 ms of processor a film in `choose`
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import cv2

from vidrec_tasks.content.diagnosis import diagnose
from vidrec_tasks.content.grabbing import PIXELS_A_SECOND, Candidates, Limits, grab
from vidrec_tasks.content.selection import choose, frame_hash, frame_luma, look_at
from vidrec_tasks.errors import MediaError

JPEG_QUALITY: Final = 85
READING_SHARE: Final = 0.6
"""Share of the time limit for reading; the rest is for choosing and writing."""

CANDIDATES_A_KEYFRAME: Final = 6
SCENE_CANDIDATES: Final = 240
ORPHAN_SHARE: Final = 3.0
"""Time limits after which a process whose parent is gone ends itself, in the middle of a film."""


def decode(request: dict[str, Any]) -> dict[str, Any]:
    """Decode one film and write its thumbnails.

    Args:
        request: key, path, folder (for the thumbnails), n_keyframes, mode, max_pixels,
            thumbnail_px, timeout_s, n_threads.

    Returns:
        ``key`` with ``frames`` (a dict each), ``failure`` (why the film gave none), or ``trouble``
        (why this machine cannot keep what it gave).
    """
    answer = {"key": request["key"]}
    try:
        found, reason = _look(Path(request["path"]), request)
    except (MediaError, OSError, cv2.error, MemoryError) as error:
        return {**answer, "failure": f"cannot be decoded: {_first_line(error)}"}
    if not found.images:
        return {**answer, "failure": reason}
    try:
        return {**answer, "frames": _write(found, request)}
    except OSError as error:
        return {**answer, "trouble": _first_line(error)}


def _look(path: Path, request: dict[str, Any]) -> tuple[Candidates, str]:
    """Candidate frames, or the reason why there are none."""
    if path.stat().st_size == 0:
        return Candidates(), "file is empty (0 bytes)"
    is_scene = request["mode"] == "scene"
    limits = Limits(
        max_pixels=request["max_pixels"],
        pixel_budget=int(request["timeout_s"] * PIXELS_A_SECOND),
        deadline=time.monotonic() + request["timeout_s"] * READING_SHARE,
        longer_side=request["thumbnail_px"],
        max_candidates=max(
            SCENE_CANDIDATES if is_scene else 0, CANDIDATES_A_KEYFRAME * request["n_keyframes"]
        ),
        n_threads=request["n_threads"],
    )
    found = grab(path, n_wanted=request["n_keyframes"], mode=request["mode"], limits=limits)
    return found, "" if found.images else diagnose(path)


def _write(found: Candidates, request: dict[str, Any]) -> list[dict[str, Any]]:
    folder = Path(request["folder"])
    looks = [look_at(image, at_s) for image, at_s in zip(found.images, found.times, strict=True)]
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
            }
        )
    return frames


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _limit_memory(megabytes: int) -> None:
    """Let films take so much beyond what Python and OpenCV take themselves (about 0.5 GiB)."""
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
    _limit_memory(int(sys.argv[1]))
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, ORPHAN_SHARE * request["timeout_s"])
        answers.write(json.dumps(decode(request)) + "\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
