"""The worker: ``python -m vidrec_tasks.content.decoding.worker`` decodes films that it is told of.

What holds such a process is in `sandbox`; `keyframes` starts it, times it and replaces it.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

# a film a thread; threads that wait for work cost 60 ms of processor a film in `choose`
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import cv2
from av.error import FFmpegError

from vidrec_tasks.content.decoding.containers import OpeningError
from vidrec_tasks.content.decoding.diagnosis import diagnose
from vidrec_tasks.content.decoding.grabbing import PIXELS_A_SECOND, Candidates, Limits, grab
from vidrec_tasks.content.decoding.process import CHANGED
from vidrec_tasks.content.decoding.sandbox import failure_of, first_line, opened, serve
from vidrec_tasks.content.decoding.selection import (
    choose,
    frame_hash,
    frame_luma,
    is_one_picture,
)
from vidrec_tasks.content.decoding.sounds import loudness
from vidrec_tasks.errors import MediaError
from vidrec_tasks.stamps import ChangedError

JPEG_QUALITY: Final = 85
READING_SHARE: Final = 0.95
"""Share of the processor's time for reading; the rest is for choosing and writing."""

FEW_PICTURES: Final = 2
"""Keyframes up to which a film is told from others by its sound too: an intro and a cover."""

CANDIDATES_A_KEYFRAME: Final = 4
SCENE_CANDIDATES: Final = 240


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
        with opened(Path(request["path"]), request["stamp"]) as file:
            found, reason = _look(file, request)
            is_scene = request["mode"] == "scene"
            places = choose(found.looks, request["n_keyframes"], by_scene=is_scene)
            sound = _sound(file, found, places, request["max_pixels"])
    except ChangedError:
        return {**answer, "failure": CHANGED}
    except Exception as error:  # whatever a film brings about costs that film alone
        return {**answer, "failure": failure_of(error, "cannot be decoded")}
    if not found.images:
        return {**answer, "failure": reason}
    try:
        return {**answer, "frames": _write(found, places, request, sound)}
    except OSError as error:
        return {**answer, "trouble": first_line(error)}


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


def _sound(file: BinaryIO, found: Candidates, places: Sequence[int], max_pixels: int) -> str:
    """What a film of hardly any pictures sounds like; others tell themselves apart.

    Those are films of which one picture or two are kept, and those that show one picture alone.
    """
    shown = [look for look in found.looks if not look.is_poor]
    is_still = bool(shown) and all(is_one_picture(look, shown[0]) for look in shown)
    if not places or (len(places) > FEW_PICTURES and not is_still):
        return ""
    try:
        return loudness(file, max_pixels=max_pixels)
    except (MediaError, FFmpegError, MemoryError, OSError):  # its pictures are worth keeping
        return ""


def _write(
    found: Candidates, places: Sequence[int], request: dict[str, Any], sound: str
) -> list[dict[str, Any]]:
    folder = Path(request["folder"])
    looks = found.looks
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
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


def main() -> None:
    """Answer requests until standard input ends."""
    cv2.setNumThreads(1)
    serve(decode, megabytes=int(sys.argv[1]))


if __name__ == "__main__":
    main()
