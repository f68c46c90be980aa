"""Fuzz of rows: generated tables through the real jobs; only rejects or a clear error may come.

``python -m tests.fuzz.rows --rows 100000`` (`make fuzz`). Hypothesis draws the values of each
column, how the file is written (format, encoding, separator, line ends, compression, parts)
and where its bytes are damaged; rows are mixed from them, and some come again.
"""

import csv
import io
import json
import shutil
import warnings
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import command
from vidrec_tasks.contracts.inputs import DELETIONS, INPUTS, INTERACTIONS, VIDEOS
from vidrec_tasks.contracts.schema import Column, Table
from vidrec_tasks.errors import VidrecError
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import COMPRESSIONS

NIGHT: Final = date(2026, 9, 1)
N_ROWS: Final = 400
"""Rows of the interactions of one example; the other tables have a tenth."""

_IDS = st.sampled_from(["v1", "v2", "v3", "u1", "u2", "7", "é", "  v1 ", "null", "a\nb", "'; --"])
_TIMES = st.sampled_from(
    ["2026-08-20T10:00:00Z", "1788000000", 1788000000, 1788000000000, "2026-13-40", "yesterday",
     "-1", 1e30, "0001-01-01", "9999-12-31T23:59:59Z", "2026-08-20 10:00:00+23:59", "",
     "2026-08-20 10:00:00.5 +0000 UTC", "2026-08-20 10:00:00 UTC", "20260820", 20260820,
     "20260820100000", "46235", 46235, "2026", 2026, 0, "253402300799", 253402300799,
     "20/08/2026", "08/20/26", "20 Aug 2026", "Thu, 20 Aug 2026 10:00:00 GMT", "2026-08",
     "2026-08-20 10:00:00 CEST", "2026-08-20T10:00:00.123456789012Z", "NULL", "None",
     "0000-00-00 00:00:00", "1787220000123456789", "1.7e9", "2026/8/2",
     "x" + " " * 100_000 + "x", "2026-01-01 " + "a" * 100_000]
)  # fmt: skip
_NUMBERS = st.one_of(
    st.floats(width=64), st.integers(-(2**70), 2**70),
    st.sampled_from(["1e308", "-0", "nan", "inf", "1,5", "0x10", "٣", "", "12 "]),
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["\x00", "\ud800", "\U0010fffd", "{[1]}", "{{}}", '[{"\\ud800": 1, "b": 2}]',
         "{{ 7*7 }}", "<script>", "=1+1", "../../etc", "a|b|", "🎬" * 20, "true",
         "x" * 3_000, "null", "NULL", "None", "nan", "N/A", "<NA>", "[]", "{}", "['a', 'b']",
         "['a' 'b']", '["a", "b"]', "{a,b}", "a, b", "a;b", '[{"id": 1, "name": "a"}]',
         '[{"id": 1}]', "[[1], [2]]", "['a", "(" * 300, "[" * 300,
         '{"' + "x" * 140_000 + '",b}', "[" * 2_000 + "]" * 2_000, '{"a":' * 2_000]
    ),
)  # fmt: skip
_ODD = st.one_of(
    st.none(), st.booleans(), st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["id", "name", "x"]), st.text(max_size=3), max_size=3),
    st.lists(st.fixed_dictionaries({"id": st.integers(), "name": st.text(max_size=3)}), max_size=2),
)  # fmt: skip
_WAYS: Final = st.fixed_dictionaries(
    {
        "encoding": st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "utf-32", "latin-1"]),
        "separator": st.sampled_from([",", ",", ";", "\t", "|"]),
        "end": st.sampled_from(["\r\n", "\n", "\r"]),
        "first": st.sampled_from(["", "", "sep="]),
        "compression": st.sampled_from(["", "", "", *COMPRESSIONS]),
        "parts": st.sampled_from([[""], [""], ["a.", "b."], ["day=2026-08-20/", "day=/"],
                                  ["user_id=u1/", "x/y/"]]),
        "is_binary": st.booleans(),
    }
)  # fmt: skip
"""How a file is written."""
_BY_KIND: Final = {
    "id": st.one_of(_IDS, _IDS, _TEXTS, _NUMBERS),
    "text": _TEXTS,
    "list": st.one_of(_TEXTS, st.lists(_TEXTS, max_size=3)),
    "time": st.one_of(_TIMES, _TIMES, _TEXTS, _NUMBERS),
    "number": st.one_of(_NUMBERS, st.floats(0, 1_000), _TEXTS),
    "integer": st.one_of(_NUMBERS, st.integers(0, 21), _TEXTS),
    "flag": st.one_of(_TEXTS, st.sampled_from(["true", "no", 1, 0.0])),
}


@st.composite
def inputs(draw: st.DrawFn) -> dict[str, Any]:
    """What one example's tables are mixed from."""
    return {
        "pools": {
            table.name: {column.name: draw(_pool(column)) for column in table.columns}
            for table in INPUTS
        },
        "formats": {t.name: draw(st.sampled_from(["csv", "jsonl", "parquet"])) for t in INPUTS},
        "ways": {t.name: draw(_WAYS) for t in INPUTS},
        "share_again": draw(st.sampled_from([0.0, 0.0, 0.2])),
        "left_out": draw(st.sets(st.sampled_from([t.name for t in INPUTS[2:]]))),
        "damage": draw(st.dictionaries(st.sampled_from([t.name for t in INPUTS]),
                                       st.integers(1, 20), max_size=1)),
        "good_share": draw(st.sampled_from([0.5, 0.9, 0.99])),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }  # fmt: skip


def _pool(column: Column) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.one_of(_BY_KIND[column.kind], _ODD), min_size=1, max_size=5)


def fuzz(n_rows: int, *, folder: Path) -> Counter[str]:
    """Run examples until so many rows were generated; returns what came of them.

    Raises:
        AssertionError: a row was lost, or an error was not one that a user can act on.
    """
    found: Counter[str] = Counter()

    @settings(
        max_examples=max(1, n_rows // (N_ROWS + 2 * N_ROWS // 10)), database=None, deadline=None,
        suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.generate],
        report_multiple_bugs=False,
    )  # fmt: skip
    @given(drawn=inputs())
    def example(drawn: dict[str, Any]) -> None:
        store = folder / "store"
        shutil.rmtree(store, ignore_errors=True)
        found["rows"] += write_inputs(store, drawn)
        found["examples"] += 1
        try:
            found.update(_validate(store))
        except VidrecError as error:
            found[_kind_of(error)] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        while found["rows"] < n_rows:
            example()
    return found


def _kind_of(error: VidrecError) -> str:
    """A clear error is a sentence or two, not a dump."""
    if not 20 < len(str(error)) < 2_000:
        raise AssertionError(error)
    return "clear errors"


def write_inputs(store: Path, drawn: dict[str, Any]) -> int:
    """Write the tables of an example; returns how many rows."""
    rng = np.random.default_rng(drawn["seed"])
    n_rows = 0
    for table in INPUTS:
        if table.name in drawn["left_out"]:
            continue
        n = N_ROWS if table is INTERACTIONS else N_ROWS // 10
        rows = [_row(table, num, drawn, rng) for num in range(n)]
        rows += [row for row in rows if rng.random() < drawn["share_again"]]
        kind, way = drawn["formats"][table.name], drawn["ways"][table.name]
        n_parts = len(way["parts"])
        for num, part in enumerate(way["parts"]):
            data = _WRITERS[kind](rows[num::n_parts], table, way)
            for place in rng.integers(0, len(data), drawn["damage"].get(table.name, 0)):
                data[place] = int(rng.integers(0, 256))
            _put(store / "inputs", f"{table.name}", part, kind, bytes(data), way["compression"])
        n_rows += len(rows)
    return n_rows


def _put(folder: Path, table: str, part: str, kind: str, data: bytes, compression: str) -> None:
    """Write a file, as it is or compressed, beside the others or as a part in a folder."""
    ending = f"{kind}.{compression}" if compression and kind != "parquet" else kind
    path = folder / (f"{table}/{part}{ending if part.endswith('.') else f'p.{ending}'}"
                     if part else f"{table}.{ending}")  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == kind:
        path.write_bytes(data)
        return
    with pa.CompressedOutputStream(str(path), COMPRESSIONS[compression]) as into:
        into.write(data)


def _row(table: Table, num: int, drawn: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    pools = drawn["pools"][table.name]
    row = {}
    for column in table.columns:
        pool = pools[column.name]
        is_good = rng.random() < drawn["good_share"]
        row[column.name] = _good(column, table, num) if is_good else pool[rng.integers(len(pool))]
    return row


def _good(column: Column, table: Table, num: int) -> Any:
    if column.one_of:
        return column.one_of[num % len(column.one_of)]
    if table is DELETIONS and column.kind == "id":
        return f"gone{num}"  # else nobody is left to be accepted
    by_kind = {
        "id": f"{column.name[0]}{num if table is VIDEOS else num % 40}", "text": f"text {num}",
        "list": "cats|dogs", "time": f"2026-08-{1 + num % 28:02d}T10:00:00Z", "number": num % 60,
        "integer": num % 18, "flag": "false",
    }  # fmt: skip
    if column.name in ("published_at", "updated_at"):
        return "2026-07-01"
    return "" if column.name in ("expires_at", "uri") else by_kind[column.kind]


def _csv(rows: list[dict[str, Any]], table: Table, way: dict[str, Any]) -> bytearray:
    text = io.StringIO()
    if way["first"]:
        text.write(f"{way['first']}{way['separator']}{way['end']}")
    writer = csv.writer(text, delimiter=way["separator"], lineterminator=way["end"])
    names = [column.name for column in table.columns]
    writer.writerow(names)
    writer.writerows([["" if row[n] is None else row[n] for n in names] for row in rows])
    return _encoded(text.getvalue(), way["encoding"])


def _encoded(text: str, encoding: str) -> bytearray:
    """Half of an emoji is kept where an encoding can hold it."""
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    return bytearray(text.encode(encoding, errors))


def _jsonl(rows: list[dict[str, Any]], table: Table, way: dict[str, Any]) -> bytearray:
    text = "\n".join(json.dumps(row, ensure_ascii=way["is_binary"]) for row in rows)
    return _encoded(text, way["encoding"])


def _parquet(rows: list[dict[str, Any]], table: Table, way: dict[str, Any]) -> bytearray:
    """Parquet holds one type a column: numbers where all are, else text."""
    frame = pd.DataFrame(rows, dtype=object)
    for name in frame:
        values = frame[name].tolist()
        if all(isinstance(v, float) or (isinstance(v, int) and abs(v) < 2**53) for v in values):
            frame[name] = pd.Series(values, dtype="float64")
        else:
            texts = [None if v is None else _storable(str(v)) for v in values]
            if way["is_binary"]:
                texts = [v if v is None else v.encode() for v in texts]
            frame[name] = pd.Series(texts, dtype=object)
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return bytearray(buffer.getvalue())


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


_WRITERS: Final = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}


def _validate(store: Path) -> dict[str, int]:
    settings_of = read_settings(
        {}, store_url=str(store),
        inputs={"max_reject_share": 1.0, "max_unknown_share": 1.0, "users_per_shard": 15},
    )  # fmt: skip
    counts = run_job(Order("validate_inputs", NIGHT), settings_of)["counts"]
    run = Runs(Store(str(store))).of_night(NIGHT)
    left_out = (
        "accepted", "rejected", "after_night", "forgotten", "opted_out", "delivered_again",
    )  # fmt: skip
    n_read = counts["interactions_read"]
    assert n_read == sum(counts[f"interactions_{name}"] for name in left_out), counts
    rejects = run.read_table("rejects")
    assert (rejects["reason"] != "").all()
    assert len(rejects) == sum(counts.get(f"{table.name}_rejected", 0) for table in INPUTS)
    assert rejects["sample"].map(str.isprintable).all()
    _profile(run, settings_of, counts["user_shards"])
    return {"accepted": counts["interactions_accepted"], "rejected": len(rejects)}


def _profile(run: Run, settings_of: Settings, n_shards: int) -> None:
    """What was let in can be weighed and profiled, into finite numbers."""
    ids = run.read_table("videos")["video_id"]
    topics = pd.Series([["cats"]] * len(ids), dtype=object)
    fused = np.eye(max(len(ids), 4), dtype=np.float32)[: len(ids), :4].copy()
    parts = {"table": pd.DataFrame({"video_id": ids, "topics": topics}), "fused": fused}
    run.remember(run.artefacts.write("content", key_of({"run": run.run_id}), parts))
    for shard in range(n_shards):
        run_job(Order("build_profiles", NIGHT, str(shard)), settings_of)
        assert np.isfinite(run.read_array(f"profiles.{shard}", "content")).all()
        assert np.isfinite(run.read_table(f"profiles.{shard}", "visits")["weight"]).all()


if __name__ == "__main__":
    said = "{found}; none lost, no other error"
    raise SystemExit(command.run(fuzz, "rows", 100_000, said, about=__doc__))
