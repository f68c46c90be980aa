"""The page inside Airflow over a synthetic world of a million users: milliseconds a page.

``python -m benchmarks.page --json PATH [--users 1000000] [--into FOLDER]``. The rows are made by
SQLite itself and say nothing of quality; their number, their indexes, the size of a user shard and
the number of receipts are those of a real night. Each page is asked as a logged-in admin through
the whole app: first once (what a catalogue costs to open), then again and again.
"""

import argparse
import json
import logging
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.one_line_errors import run
from vidrec_tasks.night import NIGHT
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.page")

BOUND_MS = 300.0
N_VIDEOS = 20_000
N_POPULAR = 50  # videos that hold the first place of everybody's list
N_LIST = 10
N_CANDIDATES = 200
USERS_PER_SHARD = 10_000
VIDEOS_PER_SHARD = 2_000
REPEATS = 5
RUNS = {"2026-08-31-aaaaaaaa": date(2026, 8, 31), "2026-09-01-bbbbbbbb": date(2026, 9, 1)}
BEFORE, CURRENT = RUNS

_PER_USER_SHARD = (
    "build_profiles", "write_portraits", "embed_users", "find_candidates", "rank_candidates",
    "rerank_lists", "explain_lists",
)  # fmt: skip
_PER_VIDEO_SHARD = ("extract_keyframes", "embed_videos")

# A user's row number is n, their id u0000000n; a list's first video is a popular one.
_ROWS = f"""
WITH RECURSIVE users(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM users WHERE n + 1 < :users),
ranks(r) AS (SELECT 1 UNION ALL SELECT r + 1 FROM ranks WHERE r < {N_LIST})
INSERT INTO recommendations (run_id, user_id, rank, video_id, score, score_components, source,
  reason_code, explanation, evidence, explanation_verified, valid_until)
SELECT :run_id, printf('u%08d', n), r,
  printf('v%06d', CASE WHEN r = 1 THEN n % {N_POPULAR}
                  ELSE {N_POPULAR} + (n * 131 + r + :shift) % {N_VIDEOS - N_POPULAR} END),
  1.0 / r, '{{"dot": 0.75, "popular": 0.25}}', 'dot', 'popular_now',
  'Popular now: watched by 68 users in the last 28 days.', '{{"n_viewers": 68}}', 1,
  '2026-09-02 12:00:00.000000'
FROM users CROSS JOIN ranks
"""
_PROFILES = """
WITH RECURSIVE users(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM users WHERE n + 1 < :users)
INSERT INTO user_profiles (run_id, user_id, portrait, portrait_source, topics, behaviour, as_of,
  evidence)
SELECT :run_id, printf('u%08d', n), 'Watches videos about cats.', 'template', '[["cats", 0.5, 3]]',
  '{"n_plays": 12}', '2026-09-01 00:00:00.000000', '{"topics": [["cats", 3]]}' FROM users
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the world, ask every page, write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.page", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--into", type=Path, help="keep the world there, and use what is there")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory(prefix="vidrec-page-") as folder:
        store = asked.into or Path(folder) / "store"
        if not (store / "results.sqlite").exists():
            make_world(store, asked.users)
        figures = measure(store, Path(folder), asked.users)
    slowest = max(figures.values(), key=lambda found: found["ms"])
    ratios = {"slowest_page_vs_bound": round(BOUND_MS / slowest["ms"], 2)}
    said = {"ratios": ratios, "figures": {"users": asked.users, "pages": figures}}
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(said, indent=1) + "\n")
    sys.stdout.write(f"{json.dumps(ratios)}\n")


def make_world(store: Path, n_users: int) -> None:
    """The tables of two runs, and what the store holds of them."""
    started = time.monotonic()
    place = Store(str(store))
    url = f"sqlite:///{store / 'results.sqlite'}"
    publisher = Publisher(make_engine(url))
    publisher.prepare()
    for number, (run_id, night) in enumerate(RUNS.items()):
        moment = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
        gates = {"gates": [], "passed": True}
        metrics = {"ndcg@10.served": {"value": 0.3, "low": 0.2, "high": 0.4, "n_users": n_users}}
        publisher.open_run(
            run_id, night=night, started_at=moment, manifest={}, metrics=metrics, gates=gates
        )
        # The run before has a tenth of the users: what is asked of it is asked by key all the same.
        mine = n_users if run_id == CURRENT else n_users // 10
        with sqlite3.connect(store / "results.sqlite") as connection:
            connection.execute("PRAGMA synchronous = OFF")
            words = {"users": mine, "run_id": run_id, "shift": number}
            connection.execute(_ROWS, words)
            connection.execute(_PROFILES, {"users": mine, "run_id": run_id})
        publisher.publish(run_id, moment)
        _store(place, run_id, night, mine)
    log.info("the world of %d users was made in %.0f s", n_users, time.monotonic() - started)


def _store(store: Store, run_id: str, night: date, n_users: int) -> None:
    """Catalogue, one user shard in full size, receipts of all shards."""
    shards = max(1, n_users // USERS_PER_SHARD), max(1, N_VIDEOS // VIDEOS_PER_SHARD)
    record = RunRecord(run_id, night.isoformat(), "i", "s", "c", *shards, "current", settings={
        "recommending": {"n": N_LIST, "max_per_creator": 3, "diversity": 0.3}})  # fmt: skip
    run = Runs(store).open(record)
    keep(run, "videos", table=_videos())
    frames = pd.DataFrame({"video_id": [f"v{num:06d}" for num in range(N_VIDEOS)]}).loc[
        lambda table: table.index.repeat(8)
    ]
    numbers = np.tile(np.arange(8), N_VIDEOS)
    keep(run, "frames", table=frames.assign(frame_num=numbers, at_s=1.0, path="a/b/0.jpg"))
    rows = n_users * N_LIST
    keep(run, "publication", said={"run_id": run_id, "rows": {"recommendations": rows}})
    quarantine = pd.DataFrame({"video_id": ["v000001"], "uri": ["x"], "reason": ["torn"]})
    for shard in range(shards[1]):
        keep(run, f"keyframes.{shard}", quarantine=quarantine)
    reasons = pd.DataFrame({"table": "interactions", "row_num": np.arange(100_000),
                            "reason": "watched_s < 0", "sample": "watched_s=-1"})  # fmt: skip
    keep(run, "rejects", table=reasons)
    keep(run, "users", table=pd.DataFrame({"user_id": ["u00000000"], "opted_out": [False]}))
    for name in (*_PER_USER_SHARD, *_PER_VIDEO_SHARD, *NIGHT):
        per = shards[0] if name in _PER_USER_SHARD else shards[1]
        for shard in range(per) if name in (*_PER_USER_SHARD, *_PER_VIDEO_SHARD) else [""]:
            run.write_receipt(name, str(shard), _receipt(name))
    _people(run, shards[0], n_users)


def _videos() -> pd.DataFrame:
    ids = [f"v{num:06d}" for num in range(N_VIDEOS)]
    none = pd.Series([pd.NaT] * N_VIDEOS, dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {"video_id": ids, "title": [f"A film about {name}" for name in ids],
         "description": "What it shows, in a sentence of a usual length for a catalogue.",
         "tags": pd.Series([["cats", "sofas"]] * N_VIDEOS, dtype=object),
         "regions": pd.Series([[] for _ in ids], dtype=object), "creator_id": "c1",
         "status": "active", "age_rating": 0, "published_at": none, "expires_at": none}
    )  # fmt: skip


def _people(run: Run, n_shards: int, n_users: int) -> None:
    """The shard of user 17: every user of it with candidates, a ranking and 50 visits."""
    split = Split(n_shards, n_shards)
    shard = split.shard_of("u00000017")
    users = [f"u{num:08d}" for num in range(n_users)]
    mine = np.array([u for u in users if split.shard_of(u) == shard], dtype=object)
    rng = np.random.default_rng(7)
    many = np.repeat(mine, N_CANDIDATES)
    videos = np.char.add("v", np.char.zfill(rng.integers(N_VIDEOS, size=len(many)).astype(str), 6))
    table = pd.DataFrame({"user_id": many, "video_id": videos.astype(object), "source": "dot"})
    table["score"] = rng.random(len(table))
    keep(run, f"candidates.{shard}", table=table.assign(source_rank=1))
    keep(run, f"ranked.{shard}", table=table.assign(part_dot=0.5, part_popular=0.25))
    lists = table.groupby("user_id").head(N_LIST).assign(rank=1)
    keep(run, f"lists.{shard}", table=lists)
    visits = table.groupby("user_id").head(50)
    at = pd.Timestamp("2026-08-30", tz="UTC")
    visits = visits.assign(event_at=at, watched_share=0.5, weight=1.0)
    keep(run, f"profiles.{shard}", table=pd.DataFrame({"user_id": mine}), visits=visits)
    keep(run, f"user_vectors.{shard}", table=pd.DataFrame({"user_id": mine}))


def keep(run: Run, name: str, **parts: Any) -> None:
    """Write an artefact of a run."""
    run.remember(run.artefacts.write(name, run.run_id, parts))


def _receipt(job: str) -> dict[str, Any]:
    return {"job": job, "shard": "", "started_at": "2026-09-01T02:00:00+00:00", "seconds": 1.5,
            "reused": False, "counts": {"users": 10_000}}  # fmt: skip


def measure(store: Path, home: Path, n_users: int) -> dict[str, dict[str, float]]:
    """Page -> milliseconds of the first time, and the median of the next."""
    os.environ["AIRFLOW_HOME"] = str(home)
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    root = Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root / "plugins"))
    from vidrec_ui.api import make_app
    from vidrec_ui.sources import Sources

    from scripts.access import client_of
    from tests.plugins.worlds import airflow_auth
    from vidrec_tasks.settings import Settings

    middle = f"u{n_users // 2:08d}"
    pages = {
        "nights": "/", "run": f"/run/{CURRENT}", "rejects": f"/rejects/{CURRENT}?page=900",
        "compare": "/compare", "users": f"/users?start={middle}", "user": "/user?user_id=u00000017",
        "why not": "/user?user_id=u00000017&why=v000777", "stranger": "/user?user_id=nobody",
        "video": "/video?video_id=v000777", "popular video": "/video?video_id=v000007",
        "search": "/search?q=cats", "creators": "/creators",
    }  # fmt: skip
    logging.disable(logging.INFO)  # one line a request
    figures = {}
    with airflow_auth() as auth:
        client = client_of(make_app(Sources(Settings(store_url=str(store)))), auth, "ADMIN")
        for name, path in pages.items():
            first, *rest = (_time(client, path) for _ in range(REPEATS + 1))
            figures[name] = {"first_ms": round(first, 1), "ms": round(statistics.median(rest), 1)}
            said = figures[name]
            line = f"{name:14} first {said['first_ms']:7.1f} ms, then {said['ms']:7.1f} ms"
            sys.stdout.write(f"{line}\n")
    return figures


def _time(client: Any, path: str) -> float:
    started = time.perf_counter()
    answered = client.get(path)
    if answered.status_code != 200:
        message = f"{path}: {answered.status_code}"
        raise RuntimeError(message)
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    run(main)
