"""Publishing: a million rows by vidrec, by ``pandas.to_sql`` and by a bare COPY; reads meanwhile.

``python -m benchmarks.publishing [--url URL] --json PATH`` starts a PostgreSQL of its own where no
URL is given, works in a schema of its own, and drops it.

What is compared:

* **vidrec**: open, load (checked, encoded, copied, both keys built, attached) and publish, from
  frames as the store keeps them (JSON as text), as ``publish_lists`` reads them.
* **to_sql**: the same rows appended to a table with the same columns and keys, by the default and
  by ``method="multi"``, over a slice, scaled to all rows. The better one counts. JSON columns are
  given as pandas has them (dicts).
* **COPY**: the bytes, made beforehand and not timed, into a table with the same columns and keys,
  committed; as CSV and as the binary format. The better one counts for ``vs_copy``. The figures
  ``copy_without_keys_s`` and ``vs_copy_without_keys`` are of the binary one into a table without
  any key, where nobody could ask for a user's list; vidrec's time still holds both its keys.

* **connections**: vidrec's loading by one connection (frozen rows, as above) and by each of
  `CONNECTIONS`; rows/s of each.

All take turns, twice, so that a busy minute of the machine meets all; each one's better time
counts.

A reader's time is that of one user's list by the view ``current_recommendations``: eight processes
at full speed while runs are published, each checking that its rows are of one run.
"""

import argparse
import io
import json
import logging
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from benchmarks.one_line_errors import run
from tests.publishing.servers import find_binaries, started
from vidrec_tasks.publishing.copying import HEADER, TRAILER, copied, copied_columns
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.tables import recommendations

log = logging.getLogger("benchmarks.publishing")

N_ROWS = 1_000_000
N_PER_USER = 10
SHARD_ROWS = 100_000
SLICE_ROWS = 20_000
N_READERS = 8
CONNECTIONS = (2, 4)
SCHEMA = "vidrec_benchmark"
FIRST_NIGHT = date(2026, 9, 1)
KEYS = "PRIMARY KEY (run_id, user_id, rank), UNIQUE (run_id, user_id, video_id)"
JSON_COLUMNS = ("score_components", "evidence")


def main() -> int:
    """Measure, print, write the JSON."""
    parser = argparse.ArgumentParser("python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--url", help="a PostgreSQL to use instead of one of its own")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    parser.add_argument("--rows", type=int, default=N_ROWS, help="rows of a run")
    parser.add_argument("--runs-meanwhile", type=int, default=3, help="published under readers")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    with ExitStack() as stack:
        url = arguments.url or stack.enter_context(_own_server())
        said = measure(url, arguments.rows, arguments.runs_meanwhile)
    text = json.dumps(said, indent=1)
    sys.stdout.write(f"{text}\n")
    if arguments.json:
        arguments.json.write_text(text + "\n")
    return 0


@contextmanager
def _own_server() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
    with started(binaries) as url:
        yield url


def measure(url: str, n_rows: int, n_meanwhile: int) -> dict[str, Any]:
    """All numbers, in a schema that is dropped afterwards."""
    admin = make_engine(url)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    inside = sa.make_url(url).update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    engine = make_engine(inside.render_as_string(hide_password=False))
    try:
        return _measure(engine, n_rows, n_meanwhile)
    finally:
        with admin.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _measure(engine: sa.Engine, n_rows: int, n_meanwhile: int) -> dict[str, Any]:
    frames = make_frames(n_rows)
    publisher = Publisher(engine)
    publisher.prepare()
    copy_s: dict[str, list[float]] = {"csv": [], "binary": []}
    bare_s: list[float] = []
    vidrec_s: list[float] = []
    side_by_side_s: dict[int, list[float]] = {n: [] for n in CONNECTIONS}
    numbers = count()
    to_sql_s: dict[str, list[float]] = {"default": [], "multi": []}
    for _ in range(2):
        for kind, seconds in copy_s.items():
            seconds.append(_time_copy(engine, frames, kind))
        bare_s.append(_time_copy(engine, frames, "binary", has_keys=False))
        vidrec_s.append(_time_publish(publisher, frames, next(numbers)))
        for n_connections, seconds in side_by_side_s.items():
            several = Publisher(engine, n_connections=n_connections)
            seconds.append(_time_publish(several, frames, next(numbers)))
            publisher.prune(1)
        for method, seconds in to_sql_s.items():
            slice_s = _time_to_sql(engine, frames[0].head(SLICE_ROWS), method)
            seconds.append(slice_s * n_rows)
        log.info("COPY %s; vidrec %.1f s, by connections %s; to_sql, scaled, %s", _last(copy_s),
                 vidrec_s[-1], _last(side_by_side_s), _last(to_sql_s))  # fmt: skip
    reads = _read_meanwhile(publisher, frames, islice(numbers, n_meanwhile))
    best, best_copy = min(vidrec_s), min(map(min, copy_s.values()))
    best_to_sql = min(map(min, to_sql_s.values()))
    return {
        "ratios": {
            "vs_to_sql": round(best_to_sql / best, 2),
            "vs_copy": round(best_copy / best, 3),
            "side_by_side": round(best / min(map(min, side_by_side_s.values())), 3),
        },
        "figures": {
            **reads,
            "rollback_s": round(_time_rollback(publisher), 4),
            "rows": n_rows,
            "publish_s": round(best, 2),
            "rows_per_s_by_1": round(n_rows / best),
            **{f"rows_per_s_by_{n}": round(n_rows / min(s)) for n, s in side_by_side_s.items()},
            "copy_csv_s": round(min(copy_s["csv"]), 2),
            "copy_binary_s": round(min(copy_s["binary"]), 2),
            "copy_and_to_sql_into": f"a table with the same columns and {KEYS}",
            "copy_without_keys_s": round(min(bare_s), 2),
            "vs_copy_without_keys": round(min(bare_s) / best, 3),
            "to_sql_default_s": round(min(to_sql_s["default"]), 1),
            "to_sql_multi_s": round(min(to_sql_s["multi"]), 1),
            "copy_csv_vs_to_sql": round(best_to_sql / min(copy_s["csv"]), 2),
        },
    }


def make_frames(n_rows: int) -> list[pd.DataFrame]:
    """Rows like a night's (500 bytes each), by shard; JSON as text, as the store keeps it."""
    rng = np.random.default_rng(7)
    return [_frame(rng, start, min(SHARD_ROWS, n_rows - start))
            for start in range(0, n_rows, SHARD_ROWS)]  # fmt: skip


def _frame(rng: np.random.Generator, start: int, n: int) -> pd.DataFrame:
    rows = np.arange(n)
    # users of a shard are sorted among themselves, and shards are cut by a hash
    users = np.sort(rng.permutation(10 * n)[: -(-n // N_PER_USER)])[rows // N_PER_USER]
    ranks = rows % N_PER_USER + 1
    videos = rng.integers(0, 90_000, n) * N_PER_USER + ranks
    parts = rng.normal(size=(n, 4)).round(16)
    names = ("attention", "covisitation", "dot", "linear")
    components = [
        json.dumps(dict(zip(names, map(float, row), strict=True)), sort_keys=True) for row in parts
    ]
    evidence = [
        f'{{"cited": "{video}", "component": "covisitation", "last_watched_at": '
        f'"2026-08-14T02:53:25+00:00", "share": {share:.6f}, "title": "The Film Number {video}", '
        '"topic": "drama"}'
        for video, share in zip(videos, parts[:, 0], strict=True)
    ]
    return pd.DataFrame(
        {
            "user_id": [f"user-{start // SHARD_ROWS:03d}-{user:07d}" for user in users],
            "rank": ranks,
            "video_id": [f"video-{video:07d}" for video in videos],
            "score": parts.sum(axis=1),
            "score_components": pd.Series(components, dtype="str"),
            "source": "dot",
            "reason_code": "because_you_watched",
            "explanation": [f"Because you watched “The Film Number {v}”, also about “drama”."
                            for v in videos],
            "evidence": pd.Series(evidence, dtype="str"),
            "explanation_verified": True,
            "valid_until": pd.Timestamp("2026-09-02T12:00Z"),
        }
    )  # fmt: skip


def _time_publish(publisher: Publisher, frames: list[pd.DataFrame], number: int) -> float:
    begin = time.perf_counter()
    run_id = _run_id(number)
    night = FIRST_NIGHT + timedelta(days=number)
    now = datetime.now(UTC)
    publisher.open_run(run_id, night=night, started_at=now, manifest={}, metrics={}, gates={})
    rows = publisher.load(run_id, {"recommendations": iter(frames)})
    publisher.publish(run_id, now, rows=rows)
    return time.perf_counter() - begin


def _time_copy(
    engine: sa.Engine, frames: list[pd.DataFrame], kind: str, *, has_keys: bool = True
) -> float:
    """A bare COPY of ready bytes."""
    chunks = list(_csv(frames) if kind == "csv" else _binary(frames))
    columns = ", ".join(copied_columns(recommendations, frames[0], {"run_id": ""}))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS bare")
        keys = f", {KEYS}" if has_keys else ""
        connection.exec_driver_sql(f"CREATE TABLE bare (LIKE recommendations{keys})")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        begin = time.perf_counter()
        with driver.cursor().copy(f"COPY bare ({columns}) FROM STDIN (FORMAT {kind})") as copy:
            for chunk in chunks:
                copy.write(chunk)
        driver.commit()
        return time.perf_counter() - begin


def _csv(frames: list[pd.DataFrame]) -> Iterator[bytes]:
    names = copied_columns(recommendations, frames[0], {"run_id": ""})
    for frame in frames:
        table = pa.Table.from_pandas(frame.assign(run_id="x")[names], preserve_index=False)
        buffer = io.BytesIO()
        arrow_csv.write_csv(table, buffer, arrow_csv.WriteOptions(include_header=False))
        yield buffer.getvalue()


def _binary(frames: list[pd.DataFrame]) -> Iterator[bytes]:
    yield HEADER
    for frame in frames:
        for _, data in copied(recommendations, frame, {"run_id": "x"}):
            yield bytes(data)
    yield TRAILER


def _time_to_sql(engine: sa.Engine, frame: pd.DataFrame, kind: str) -> float:
    """Seconds a row of ``to_sql`` into a table with the same columns and keys."""
    rows = frame.assign(run_id="x")
    for name in JSON_COLUMNS:
        rows[name] = pd.Series([json.loads(text) for text in rows[name]], dtype=object)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS by_pandas")
        connection.exec_driver_sql(f"CREATE TABLE by_pandas (LIKE recommendations, {KEYS})")
    method: Any = None if kind == "default" else kind
    types: dict[Any, Any] = dict.fromkeys(JSON_COLUMNS, JSON)
    chunk = 1_000 if method else None  # 65,535 parameters a statement at most
    begin = time.perf_counter()
    rows.to_sql("by_pandas", engine, if_exists="append", index=False, method=method,
                chunksize=chunk, dtype=types)  # fmt: skip
    return (time.perf_counter() - begin) / len(rows)


def _read_meanwhile(
    publisher: Publisher, frames: list[pd.DataFrame], numbers: Iterable[int]
) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    done, heard = context.Event(), context.Queue()
    users = [str(user) for frame in frames for user in frame["user_id"].unique()[:50]]
    url = publisher.engine.url.render_as_string(hide_password=False)
    readers = [
        context.Process(target=_read, args=(url, users, seed, done, heard))
        for seed in range(N_READERS)
    ]
    for reader in readers:
        reader.start()
    for _ in readers:
        heard.get()  # each has read once
    for number in numbers:
        _time_publish(publisher, frames, number)
        publisher.prune(2)
    done.set()
    found = [heard.get() for _ in readers]
    for reader in readers:
        reader.join()
    times = np.concatenate([np.array(one["seconds"]) for one in found])
    log.info("%d reads meanwhile", len(times))
    return {
        "read_p99_ms": round(float(np.percentile(times, 99)) * 1000, 2),
        "reader_errors": sum(one["errors"] for one in found),
        "mixed_reads": sum(one["mixed"] for one in found),
        "reads": len(times),
        "read_median_ms": round(statistics.median(times) * 1000, 2),
        "runs_read": max(one["runs"] for one in found),
    }


def _read(url: str, users: list[str], seed: int, done: Any, heard: Any) -> None:
    """One reader: a list a time, as a back end asks for it."""
    rng = np.random.default_rng(seed)
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    query = "SELECT run_id, rank, video_id, explanation FROM current_recommendations " \
            "WHERE user_id = %s ORDER BY rank"  # fmt: skip
    seconds: list[float] = []
    errors = mixed = 0
    runs: set[str] = set()
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(query, (users[0],)).fetchall()
        heard.put("ready")
        while not done.is_set():
            begin = time.perf_counter()
            try:
                rows = connection.execute(query, (users[rng.integers(len(users))],)).fetchall()
            except psycopg.Error:
                errors += 1
                continue
            seconds.append(time.perf_counter() - begin)
            is_whole = len(rows) == N_PER_USER and len({row[0] for row in rows}) == 1
            mixed += not is_whole
            runs.update(row[0] for row in rows)
    heard.put({"seconds": seconds, "errors": errors, "mixed": mixed, "runs": len(runs)})


def _time_rollback(publisher: Publisher) -> float:
    begin = time.perf_counter()
    publisher.roll_back()
    return time.perf_counter() - begin


def _run_id(number: int) -> str:
    return f"{FIRST_NIGHT + timedelta(days=number)}-{number:08x}"


def _last(times: Mapping[Any, list[float]]) -> dict[Any, str]:
    return {name: f"{seconds[-1]:.1f} s" for name, seconds in times.items()}


if __name__ == "__main__":
    run(main)
