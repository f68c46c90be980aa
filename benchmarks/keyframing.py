"""Keyframes of a batch of films: the night's own job, the naive loops, and ffmpeg's own limit."""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import cv2
import pandas as pd

from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.duplicates import find_duplicates
from vidrec_tasks.hardware import cores
from vidrec_tasks.running.runner import Order, run_job, run_night
from vidrec_tasks.settings import ContentSettings, Settings

NIGHT: Final = date(2026, 9, 1)
N_KEYFRAMES: Final = 8
N_NAIVE: Final = 2
N_SOUGHT: Final = 16
"""Positions sought: as many as the intra frames that up to 8 are chosen among here, and one."""

HOW: Final = {
    "job": "seconds of extract_keyframes over the whole batch, checksums, decoding processes, "
    "choice and JPEG writing included, divided by the films",
    "extract": "likewise without reading the files for their checksums and without the store, "
    "which none of the others does: the ratios are with this, those of the job are in whole_job",
    "read": "cv2.VideoCapture reading every frame of two of the films, the mean of both",
    "seek": "cv2.VideoCapture set to 16 frame numbers of the same two films, a frame read at each: "
    "as many candidates as the job looks at",
    "ffmpeg": "ffmpeg -skip_frame nokey into nothing, over the whole batch, one file at a time",
}


def measure(films: Sequence[Path], round_number: int) -> dict[str, float]:
    """Seconds a film of each way, one after the other; the naive ones on two films of the batch."""
    some = [films[(N_NAIVE * round_number + number) % len(films)] for number in range(N_NAIVE)]
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as folder:
        return {
            "job": _job_seconds(films, Path(folder) / "store") / len(films),
            "extract": _extract_seconds(films, Path(folder) / "frames") / len(films),
            "ffmpeg": sum(_seconds(_skip_with_ffmpeg, film) for film in films) / len(films),
            "read": sum(_seconds(_read_all, film) for film in some) / len(some),
            "seek": sum(_seconds(_seek, film) for film in some) / len(some),
        }


def measure_clips(clips: Sequence[Path]) -> dict[str, Any]:
    """Seconds over real clips of all kinds, and the near-duplicates found among them."""
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as folder:
        begin = time.monotonic()
        films = {clip.name: clip for clip in clips}
        found = extract_keyframes(
            films, ContentSettings(), workspace=Path(folder), n_processes=cores()
        )
        ours = time.monotonic() - begin
    read = sum(_seconds(_read_all, clip) for clip in clips)
    keyframes = found.frames.rename(columns={"checksum": "video_id"})
    videos = pd.DataFrame({"video_id": sorted(films), "published_at": pd.NaT})
    no_vectors = pd.DataFrame({"video_id": [], "frame_num": []})
    duplicates = find_duplicates(videos, keyframes, no_vectors, _no_rows(), ContentSettings())
    return {
        "n": len(clips),
        "failed": found.failures,
        "seconds": round(ours, 2),
        "seconds_reading_every_frame": round(read, 2),
        "vs_read": round(read / ours, 2),
        "duplicates": sorted(
            sorted(rows["video_id"]) for _, rows in duplicates.groupby("group_id")
        ),
    }


def _no_rows() -> Any:
    import numpy as np

    return np.zeros((0, 1), dtype=np.float32)


def _job_seconds(films: Sequence[Path], store: Path) -> float:
    """What the job's own receipt says."""
    inputs = store / "inputs"
    inputs.mkdir(parents=True)
    catalogue = pd.DataFrame(
        {
            "video_id": [film.stem for film in films],
            "title": "",
            "uri": [film.name for film in films],
            "published_at": "2026-08-01T00:00:00Z",
        }
    )
    catalogue.to_csv(inputs / "videos.csv", index=False)
    settings = Settings(
        store_url=str(store),
        inputs={"need_interactions": False},
        content={"media_root": str(films[0].parent), "n_keyframes": N_KEYFRAMES},
    )
    run_night(NIGHT, settings, until="validate_inputs")
    receipt = run_job(Order("extract_keyframes", NIGHT, "0"), settings)
    counts = receipt["counts"]
    if counts["decoded"] != len(films) or counts["quarantined"] or not counts["frames"]:
        message = f"benchmark: {counts} instead of {len(films)} decoded films"
        raise ValueError(message)
    return float(receipt["seconds"])


def _extract_seconds(films: Sequence[Path], workspace: Path) -> float:
    named = {film.stem: film for film in films}
    begin = time.monotonic()
    extract_keyframes(named, ContentSettings(), workspace=workspace, n_processes=cores())
    return time.monotonic() - begin


def _seconds(work: Any, film: Path) -> float:
    begin = time.monotonic()
    work(film)
    return time.monotonic() - begin


def _read_all(film: Path) -> None:
    capture = cv2.VideoCapture(str(film))
    is_there = True
    while is_there:
        is_there, _ = capture.read()
    capture.release()


def _seek(film: Path) -> None:
    capture = cv2.VideoCapture(str(film))
    n_frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    for number in range(N_SOUGHT):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int((number + 0.5) * n_frames / N_SOUGHT))
        capture.read()
    capture.release()


def _skip_with_ffmpeg(film: Path) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-skip_frame", "nokey", "-i", str(film), "-an",
         "-fps_mode", "passthrough", "-f", "null", "-"],
        check=True,
    )  # fmt: skip
