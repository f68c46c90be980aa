"""A whole night of a large catalogue, through a real Airflow: seconds and memory of every task.

``python -m benchmarks.whole_night --videos M --users N --json PATH`` writes the tables of a
platform whose videos have titles and no films (histories from a long tail, as `scale_draws` has
them), starts Airflow over a store of its own, triggers the night and waits. What is measured is in
the receipts: no job is planted, none left out. ``--store DIR`` keeps the store.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.one_line_errors import run
from benchmarks.scale_draws import SEED, Drawn, Ints, draw_plays
from benchmarks.scale_world import NIGHT, video_id
from vidrec_tasks.columns import (
    CREATOR_ID,
    DESCRIPTION,
    DURATION_S,
    EVENT_AT,
    EVENT_ID,
    EVENT_TYPE,
    LANGUAGE,
    PUBLISHED_AT,
    TAGS,
    TITLE,
    USER_ID,
    VIDEO_ID,
    WATCHED_S,
)  # fmt: skip
from vidrec_tasks.contracts.inputs import INTERACTIONS
from vidrec_tasks.evaluation.report_facts import sum_timings
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import PREFIX
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.whole_night")

ROOT: Final = Path(__file__).resolve().parents[1]
DAG_ID: Final = "vidrec_nightly"
WINDOW_DAYS: Final = 60
USERS_A_FILE: Final = 20_000
TARGET_GIB: Final = 3.0
ENDED: Final = ("success", "failed")
PLACED: Final = ("VIDREC_STORE", "VIDREC_RESULTS", "VIDREC_READER", "VIDREC_AIRFLOW")
"""Beginnings of settings that say where a night lies: it has a store and tables of its own."""

SUBJECTS: Final = (
    "bread", "sailing", "violins", "trains", "orchids", "chess", "volcanoes", "bicycles", "owls",
    "pottery", "tides", "comets", "beekeeping", "archery", "glaciers", "tango", "mosaics", "robots",
    "falconry", "cheese", "canyons", "puppets", "windmills", "jazz", "rowing", "fossils", "kites",
    "tea", "castles", "drumming", "otters", "welding", "origami", "deserts", "opera", "submarines",
    "gardening", "boxing", "lighthouses", "noodles", "astronomy", "knitting", "wolves", "bridges",
    "ballet", "mushrooms", "skiing", "calligraphy", "coral reefs", "harps", "rockets", "vineyards",
    "fencing", "parrots", "carpentry", "rivers", "karate", "photography", "dolphins", "tapestry",
    "surfing", "clocks", "horses", "sculpture",
)  # fmt: skip
"""One a topic of `scale_draws`."""
MANNERS: Final = (
    "A first look at", "The history of", "Ten mistakes with", "How to begin with", "A year of",
    "The science behind", "An evening with", "Travels through", "The masters of", "All about",
    "Slow days of", "The economics of", "Questions on", "Behind the scenes of", "A beginner and",
)  # fmt: skip
PLACES: Final = (
    "in Norway", "in the mountains", "by the sea", "at night", "in winter", "for children",
    "on a small budget", "in Japan", "in the city", "before dawn", "with friends", "in Peru",
    "at home", "in the rain", "a hundred years ago", "tomorrow",
)  # fmt: skip

HOW: Final = {
    "peak_gib": "largest resident memory of a task's process, or of one that it started",
    "hours": "from the start of the first task to the end of the last one",
    "task_hours": "the jobs' own seconds, added up; two tasks run at a time",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.whole_night", description=__doc__)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--store", type=Path, help="a folder that is kept")
    parser.add_argument("--longest-hours", type=float, default=12.0, help="then it is given up")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Airflow is stopped then too
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        folder = asked.store or Path(name)
        write_inputs(folder / "store" / "inputs", asked.videos, asked.users)
        hours, state = in_airflow(folder, asked.longest_hours)
        figures = figures_of(folder / "store") | {
            "videos": asked.videos, "users": asked.users, "hours": round(hours, 3), "state": state,
            "settings": settings_given(os.environ), "how": HOW,
        }  # fmt: skip
    found = {
        "ratios": {"peak_vs_limit": round(figures["peak_gib"] / TARGET_GIB, 3)},
        "figures": figures,
    }
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    log.info("%s", json.dumps(found))


def write_inputs(inputs: Path, n_videos: int, n_users: int) -> None:
    """Write the catalogue and a log of plays, the same for any number of users."""
    (inputs / INTERACTIONS.name).mkdir(parents=True)
    drawn = Drawn.of(n_videos)
    catalogue(drawn).to_parquet(inputs / "videos.parquet", index=False)
    for first in range(0, n_users, USERS_A_FILE):
        n = min(USERS_A_FILE, n_users - first)
        rng = np.random.default_rng([SEED, first // USERS_A_FILE])
        plays = draw_plays(drawn, rng, n, WINDOW_DAYS)
        oldest_s = age_days(n_videos)[plays.videos] * 86_400
        later_s = rng.uniform(0.05, 0.95, len(oldest_s)) * oldest_s
        ago_s = np.where(plays.ago_s > oldest_s, later_s, plays.ago_s)
        at = pd.Timestamp(NIGHT, tz="UTC") - pd.to_timedelta(ago_s, unit="s")
        table = pa.table(
            {
                USER_ID: [f"u{first + num:08d}" for num in plays.users],
                VIDEO_ID: [video_id(num) for num in plays.videos],
                EVENT_AT: pa.array(at.astype("datetime64[us, UTC]")),
                EVENT_TYPE: ["play"] * len(plays.users),
                WATCHED_S: plays.watched_s,
                EVENT_ID: [f"e{first}-{num}" for num in range(len(plays.users))],
            }
        )
        pq.write_table(table, inputs / INTERACTIONS.name / f"{first:08d}.parquet")
    log.info("wrote %d videos and the plays of %d users", n_videos, n_users)


def catalogue(drawn: Drawn) -> pd.DataFrame:
    """Videos with titles, descriptions and tags of their topic; one in ten has no tag."""
    n = len(drawn.topic_of)
    rng = np.random.default_rng([SEED, 6])
    n_series = int(drawn.series_of.max()) + 1  # a series has a manner, a place and a creator
    manners = rng.integers(0, len(MANNERS), n_series)[drawn.series_of]
    places = rng.integers(0, len(PLACES), n_series)[drawn.series_of]
    other = rng.integers(0, len(SUBJECTS), n)
    subjects = [SUBJECTS[topic] for topic in drawn.topic_of]
    night = pd.Timestamp(NIGHT, tz="UTC")
    return pd.DataFrame(
        {
            VIDEO_ID: [video_id(num) for num in range(n)],
            TITLE: [
                f"{MANNERS[manner]} {subject} {PLACES[place]}, part {num % 97}"
                for num, (manner, subject, place) in enumerate(
                    zip(manners, subjects, places, strict=True)
                )
            ],
            DESCRIPTION: [
                f"What {subject} have to do with {SUBJECTS[num]}."
                for subject, num in zip(subjects, other, strict=True)
            ],
            TAGS: [
                [subject] if is_tagged else []
                for subject, is_tagged in zip(subjects, rng.random(n) < 0.9, strict=True)
            ],
            CREATOR_ID: [f"c{series}" for series in drawn.series_of],
            LANGUAGE: "en",
            DURATION_S: drawn.duration_s,
            PUBLISHED_AT: night - pd.to_timedelta(age_days(n), unit="D"),
        }
    )


def age_days(n_videos: int) -> Ints:
    """``(n_videos,)`` days since each was published; nobody watches one before."""
    return np.random.default_rng([SEED, 8]).integers(1, 400, n_videos)


def in_airflow(folder: Path, longest_hours: float) -> tuple[float, str]:
    """Hours of the night and the state of its DAG run; Airflow is stopped again.

    Raises:
        TimeoutError: it did not end.
    """
    home = folder / "airflow"
    environment = _environment(home, folder / "store")
    subprocess.run(["scripts/up.sh"], cwd=ROOT, env=environment, check=True)
    conf = json.dumps({"night": NIGHT.isoformat()})
    try:
        _airflow(environment, "dags", "unpause", DAG_ID)
        _airflow(environment, "dags", "trigger", DAG_ID, "--conf", conf)
        return _wait(home / "airflow.db", time.monotonic() + 3600 * longest_hours)
    finally:
        subprocess.run(["scripts/down.sh"], cwd=ROOT, env=environment, check=False)


def settings_given(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of a night that are not the defaults, but for where it lies, and for keys."""
    return {
        name: value for name, value in sorted(environment.items())
        if name.startswith(PREFIX) and not name.startswith(PLACED)
        and not name.endswith(("_KEY", "_URL"))
    }  # fmt: skip


def figures_of(store: Path) -> dict[str, Any]:
    """Seconds and memory of each job, from the receipts; rows of what was published."""
    found = Runs(Store(str(store))).of_night(NIGHT)
    timings = sum_timings(found.receipts())
    jobs = {
        timing.job: {
            "seconds": round(timing.seconds, 1), "shards": timing.n_shards,
            "peak_gib": None if timing.peak_mib is None else round(timing.peak_mib / 2**10, 3),
        }
        for timing in timings
    }  # fmt: skip
    peaks = [job["peak_gib"] for job in jobs.values() if job["peak_gib"] is not None]
    reader = Reader(f"sqlite:///{store}/results.sqlite")
    try:
        published = [row for row in reader.runs() if row["night"] == NIGHT]
        rows = reader.row_counts(published[0]["run_id"]) if published else {}
    finally:
        reader.close()
    gates = published[0]["gates"]["gates"] if published else []
    return {
        "peak_gib": max(peaks, default=None),
        "task_hours": round(sum(timing.seconds for timing in timings) / 3600, 3),
        "published": bool(published) and published[0]["state"] == "published",
        "gates_passed": sum(bool(gate["passed"]) for gate in gates),
        "gates": len(gates),
        "list_rows": rows.get("recommendations", 0),
        "jobs": jobs,
    }


def _environment(home: Path, store: Path) -> dict[str, str]:
    others = ("AIRFLOW", *PLACED)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **kept,
        "AIRFLOW_HOME": str(home.resolve()),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # no night but the one that is triggered
        "VIDREC_STORE_URL": str(store.resolve()),
    }


def _airflow(environment: Mapping[str, str], *words: str) -> None:
    line = 'source scripts/airflow_env.sh; exec airflow "$@"'
    subprocess.run(
        ["bash", "-c", line, "airflow", *words], cwd=ROOT, env=dict(environment), check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _wait(database: Path, deadline: float) -> tuple[float, str]:
    done = -1
    while time.monotonic() < deadline:
        time.sleep(2.0)
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as c,
        ):
            (n_done,) = c.execute(
                "SELECT count(*) FROM task_instance WHERE dag_id = ? AND state = 'success'",
                (DAG_ID,),
            ).fetchone()
            if n_done > done:
                done = n_done
                log.info("%d tasks done", done)
            found = c.execute(
                "SELECT state, (julianday(end_date) - julianday(start_date)) * 24 FROM dag_run "
                "WHERE dag_id = ? AND run_type = 'manual'", (DAG_ID,),
            ).fetchone()  # fmt: skip
            if found is not None and found[0] in ENDED:
                return float(found[1]), str(found[0])
    message = "the night had not ended when its time was up; --longest-hours gives it more"
    raise TimeoutError(message)


if __name__ == "__main__":
    run(main)
