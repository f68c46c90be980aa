"""The decoding process: ``python -m vidrec_tasks.content.decoder`` decodes films it is told of.

It reads one JSON request a line and writes one JSON answer a line. It limits its own memory, so a
hostile film costs this process and nothing else; `keyframes` starts it, times it and replaces it.
"""

import contextlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2

from vidrec_tasks.content.diagnosis import diagnose
from vidrec_tasks.content.grabbing import grab
from vidrec_tasks.content.selection import choose, frame_hash, look_at
from vidrec_tasks.errors import MediaError

JPEG_QUALITY: Final = 85
READING_SHARE: Final = 0.4
"""Share of the time limit for each of the two looks; the rest is for choosing and writing."""


def decode(request: dict[str, Any]) -> dict[str, Any]:
    """Decode one film and write its thumbnails.

    Args:
        request: key, path, folder (for the thumbnails), n_keyframes, mode, max_pixels,
            thumbnail_px, timeout_s.

    Returns:
        ``key`` with ``frames`` (a dict each) or ``failure`` (the reason).
    """
    path, folder = Path(request["path"]), Path(request["folder"])
    deadline = time.monotonic() + request["timeout_s"] * READING_SHARE
    try:
        if path.stat().st_size == 0:
            return {"key": request["key"], "failure": "file is empty (0 bytes)"}
        found = grab(
            path,
            n_wanted=request["n_keyframes"],
            max_pixels=request["max_pixels"],
            longer_side=request["thumbnail_px"],
            deadline=deadline,
            mode=request["mode"],
        )
        if not found.images:
            return {"key": request["key"], "failure": diagnose(path)}
        return {"key": request["key"], "frames": _write(found, folder, request["n_keyframes"])}
    except (MediaError, OSError, cv2.error, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return {"key": request["key"], "failure": f"cannot be decoded: {reason}"}


def _write(found: Any, folder: Path, n_keyframes: int) -> list[dict[str, Any]]:
    looks = [look_at(image, at_s) for image, at_s in zip(found.images, found.times, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for number, place in enumerate(choose(looks, n_keyframes)):
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
            }
        )
    return frames


def _limit_memory(megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # a lower hard limit is set already
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # native code that prints spoils no answer
    cv2.setNumThreads(1)
    _limit_memory(int(sys.argv[1]))
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(decode(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
