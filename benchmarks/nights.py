"""Two nights over one catalogue: what an unchanged one costs, and how large the processes grow.

Small films, each another one, go through the content jobs of two nights in a row, each night in a
process of its own; nothing changes in between. ``python -m benchmarks.nights STORE NIGHT JSON
TEXTS`` is such a night, with settings of what is said and written as JSON.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.peaks import own_peak_gib, watched_children
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

NIGHT: Final = date(2026, 9, 1)
LAST_JOB: Final = "build_content_index"
CONTENT_JOBS: Final = (
    "extract_keyframes", "read_texts", "embed_videos", "find_duplicates", LAST_JOB,
)  # fmt: skip

WIDTH, HEIGHT, RATE = 320, 180, 4
N_SCENES: Final = 8
FRAMES_A_SCENE: Final = 2
SEED: Final = 7

HOW: Final = {
    "second_night_share": "seconds of the content jobs' receipts on the second night over those on "
    "the first; nothing changed, each night in a process of its own",
    "peak_gib": "largest resident memory of any process: the night's own, and the decoding ones",
}


def measure(n_films: int) -> dict[str, Any]:
    """Make films, run two nights over them, and compare."""
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        store = Path(name) / "store"
        _make_catalogue(store, n_films)
        nights = []
        for night in (NIGHT, NIGHT + timedelta(days=1)):
            nights.append(in_a_process(store, night))
            count_as_published(store, night)
            log.info("night %s: %s", night, json.dumps(nights[-1]))
    first, second = (sum(said["seconds"].values()) for said in nights)
    return {
        "second_night_share": round(second / first, 4),
        "peak_gib": max(said[name] for said in nights for name in ("night_gib", "decoder_gib")),
        "n_films": n_films,
        "first": nights[0],
        "second": nights[1],
        "how": HOW,
    }


def _make_catalogue(store: Path, n: int) -> None:
    media = store / "inputs" / "media"
    media.mkdir(parents=True)
    _make_films(media, n)
    files = sorted(path.name for path in media.iterdir())
    words = [f"{num * 7919 % 1000} ways to see film {num}" for num in range(n)]
    catalogue = {"video_id": [file.removesuffix(".mp4") for file in files], "title": words}
    pd.DataFrame({**catalogue, "uri": files}).to_csv(store / "inputs" / "videos.csv", index=False)


def _make_films(folder: Path, n: int) -> None:
    """One stream of random scenes, cut into films by the encoder: a process for all of them."""
    length_s = N_SCENES * FRAMES_A_SCENE / RATE
    command = [
        "ffmpeg", "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "bgr24",
        "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "pipe:0", "-c:v", "libx264",
        "-preset", "ultrafast", "-crf", "28", "-pix_fmt", "yuv420p", "-g", str(FRAMES_A_SCENE),
        "-keyint_min", str(FRAMES_A_SCENE), "-f", "segment", "-segment_time", str(length_s),
        "-segment_time_delta", "0.05", "-reset_timestamps", "1", str(folder / "f%05d.mp4"),
    ]  # fmt: skip
    rng = np.random.default_rng(SEED)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for _ in range(n * N_SCENES):
            encoder.stdin.write(_scene(rng).tobytes() * FRAMES_A_SCENE)
        encoder.stdin.close()
    found = len(list(folder.iterdir()))
    if encoder.returncode or found != n:
        message = f"benchmark: ffmpeg made {found} of {n} films (exit {encoder.returncode})"
        raise ValueError(message)


def _scene(rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    grid = rng.integers(0, 255, (5, 8, 3), dtype=np.uint8)
    large = cv2.resize(grid, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.uint8)


def in_a_process(
    store: Path, night: date, texts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run the content jobs of a night in a process of its own; what `main` writes of them.

    Args:
        store: a folder.
        night: the day.
        texts: settings of that group.
    """
    out = store / f"{night}.json"
    command = [sys.executable, "-m", "benchmarks.nights", str(store), night.isoformat(), str(out),
               json.dumps(dict(texts or {}))]  # fmt: skip
    begin = time.monotonic()
    subprocess.run(command, check=True)
    said: dict[str, Any] = json.loads(out.read_text())
    return {**said, "process_seconds": round(time.monotonic() - begin, 2)}


def count_as_published(store: Path, night: date) -> None:
    """Let a night count as finished: the next one builds on it."""
    run = Runs(Store(str(store))).of_night(night)
    run.remember(run.artefacts.write("publication", "0" * 20, {"said": {}}))


def main() -> None:
    """Run the content jobs of one night and write what they took."""
    store, night, out = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), Path(sys.argv[3])
    inputs = {"need_interactions": False}
    settings = Settings(store_url=str(store), inputs=inputs, texts=json.loads(sys.argv[4]))
    with watched_children() as peaks:
        receipts = run_night(night, settings, until=LAST_JOB)
    seconds = {
        job: round(sum(r["seconds"] for r in receipts if r["job"] == job), 3)
        for job in CONTENT_JOBS
    }
    said = {
        "seconds": seconds,
        "counts": {r["job"]: r["counts"] for r in receipts if r["job"] in CONTENT_JOBS},
        "night_gib": round(own_peak_gib(), 3),
        "decoder_gib": round(max(peaks.values(), default=0) / 2**20, 3),
        "n_decoders": len(peaks),
    }
    out.write_text(json.dumps(said))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
