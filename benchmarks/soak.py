"""Soak: many nights in a row in one process, over a catalogue and a log that change every day.

``python -m benchmarks.soak --nights 30 --json PATH``. What must not grow: the store beyond what
retention keeps, the memory of the process, the time of a night. Each day brings that day's log, an
edited title, and in turn a new video, an expired one, a withdrawn one and a replaced film.
"""

import argparse
import ctypes
import gc
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.one_line_errors import run
from vidrec_tasks.demo.size import LAST_NIGHT, Size
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.errors import GateError
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.soak")

BEFORE_DAYS: Final = 6
"""Days of logs before the first night."""
SEED: Final = 7

HOW: Final = {
    "store_growth": "bytes of the store after the last night over those after the night from which "
    "retention drops runs; without inputs, reports and the weights that come with packages",
    "memory_growth": "median resident memory of the last third of the nights over the middle third",
    "seconds_growth": "median processor seconds a night, last third over middle third",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--json", type=Path, help="where the figures go")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    log.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        found = measure(Path(name) / "store", asked.nights, asked.videos, asked.users)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    short = {name: value for name, value in found["figures"].items() if name != "nights_in_turn"}
    log.info("%s", json.dumps({"ratios": found["ratios"], "figures": short}))


def measure(store: Path, n_nights: int, n_videos: int, n_users: int) -> dict[str, Any]:
    """Run the nights; the world is rendered into the store first."""
    size = Size(n_videos, n_users, n_nights + BEFORE_DAYS, SEED, films=n_videos // 2)
    render_world(store, size)
    waiting = store.parent / "days to come"
    waiting.mkdir()
    for path in (store / "inputs" / "interactions").iterdir():
        path.rename(waiting / path.name)
    settings = Settings(
        store_url=str(store), threads=1, results_url=f"sqlite:///{store}/results.sqlite",
        recommending={"max_epochs": 4},
        # of 40 users a lift says nothing, and what is refused is kept for a person to look at
        evaluation={"n_bootstrap": 50, "min_lift": 0},
        insights={"k_anonymity": 2}, language={"max_sentences": 5},
    )  # fmt: skip
    nights = []
    for num in range(n_nights):
        night = LAST_NIGHT - timedelta(days=n_nights - 1 - num)
        change_catalogue(store, night, num)
        for path in waiting.iterdir():
            if date.fromisoformat(path.stem) < night:
                path.rename(store / "inputs" / "interactions" / path.name)
        nights.append(_night(store, night, settings))
        log.info("%s", json.dumps(nights[-1]))
    return _figures(nights, settings.publishing.retained_runs)


def change_catalogue(store: Path, night: date, num: int) -> None:
    """What a day does to a catalogue."""
    path, media = store / "inputs" / "videos.csv", store / "inputs" / "media"
    videos: Any = pd.read_csv(path, dtype=str, keep_default_na=False)
    rng = np.random.default_rng([SEED, num])
    moment = f"{night - timedelta(days=1)}T12:00:00Z"
    edited = int(rng.integers(len(videos)))
    videos.loc[edited, "title"] += f" ({num})"
    videos.loc[edited, "updated_at"] = moment
    with_film = [row for row in videos.index if (media / (videos.loc[row, "uri"] or "-")).is_file()]
    if num % 4 == 0:
        new = videos.loc[rng.choice(with_film)].copy()
        shutil.copyfile(media / new["uri"], media / f"n{num:03d}.mp4")
        new["video_id"], new["uri"] = f"n{num:03d}", f"n{num:03d}.mp4"
        new["published_at"], new["expires_at"], new["status"] = moment, "", "active"
        with (media / new["uri"]).open("ab") as film:
            film.write(b"\0" * (1 + num))  # another film to the store, the same to a decoder
        videos = pd.concat([videos, new.to_frame().T], ignore_index=True)
    elif num % 4 == 1:
        videos.loc[rng.integers(len(videos)), ["expires_at", "updated_at"]] = moment
    elif num % 4 == 2:
        videos = videos.drop(index=rng.integers(len(videos)))
    else:
        source, target = rng.choice(with_film, 2, replace=False)
        replaced = media / str(videos.loc[target, "uri"])
        shutil.copyfile(media / str(videos.loc[source, "uri"]), replaced)
        with replaced.open("ab") as film:
            film.write(b"\0" * (1 + num))
    videos.to_csv(path, index=False)


def _night(store: Path, night: date, settings: Settings) -> dict[str, Any]:
    begin, worked = time.monotonic(), time.process_time()
    state = "published"
    try:
        receipts = run_night(night, settings)
    except GateError as error:
        state, receipts = str(error)[:160], []
    seconds, worked = time.monotonic() - begin, time.process_time() - worked
    run_of = Runs(Store(str(store))).of_night(night)
    is_there = run_of.find("metrics") is not None
    metrics: dict[str, Any] = run_of.read_json("metrics", "metrics") if is_there else {}
    sizes = {
        folder.name: _bytes_of(folder) for folder in sorted(store.iterdir())
        if folder.name not in ("inputs", "demo_truth")
    }  # fmt: skip
    return {
        "night": night.isoformat(),
        "state": state,
        "seconds": round(seconds, 2),
        "processor_seconds": round(worked, 2),
        "resident_mib": round(_resident_mib(), 1),
        "jobs": len(receipts),
        "runs_in_store": len(list(Runs(Store(str(store))))),
        "store_bytes": sum(sizes[name] for name in sizes if name not in ("reports", "models")),
        "by_folder": sizes,
        "replay_users": metrics.get("replay", {}).get("n_users"),
        "replay_in_report": _report_names_replay(store, night),
    }


def _bytes_of(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _resident_mib() -> float:
    """What is still held once freed pages are given back (by glibc)."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _report_names_replay(store: Path, night: date) -> bool:
    reports = [path.read_text() for path in (store / "reports").rglob(f"*{night}*.html")]
    return any("replay" in text.lower() for text in reports)


def _figures(nights: list[dict[str, Any]], retained: int) -> dict[str, Any]:
    settled = nights[min(retained + 1, len(nights) - 1)]
    third = max(1, len(nights) // 3)
    middle, last = nights[-2 * third : -third] or nights, nights[-third:]

    def growth(name: str) -> float:
        before, after = (float(np.median([n[name] for n in part])) for part in (middle, last))
        return round(after / before, 3)

    return {
        "ratios": {
            "store_growth": round(nights[-1]["store_bytes"] / settled["store_bytes"], 3),
            "memory_growth": growth("resident_mib"),
            "seconds_growth": growth("processor_seconds"),
        },
        "figures": {
            "nights": len(nights),
            "published": sum(n["state"] == "published" for n in nights),
            "runs_in_store": max(n["runs_in_store"] for n in nights),
            "nights_with_replay": sum(n["replay_users"] is not None for n in nights),
            "reports_with_replay": sum(n["replay_in_report"] for n in nights),
            "seconds_a_night": float(np.median([n["seconds"] for n in nights])),
            "resident_mib": nights[-1]["resident_mib"],
            "nights_in_turn": nights,
            "how": HOW,
        },
    }


if __name__ == "__main__":
    run(main)
