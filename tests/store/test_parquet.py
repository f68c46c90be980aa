"""Parquet files that unpack to far more than they are."""

import io
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vidrec_tasks.errors import InputError
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.parquet import read_tables, rows_at_once
from vidrec_tasks.store.table_files import as_table_file

MIB = 1 << 20
N_ROWS = 500_000


def written(table: pa.Table, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file


def one_text(n: int, length: int) -> pa.DictionaryArray:
    """A text that stands in each of n rows and is kept once."""
    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array(["y" * length]))


def videos(titles: Any) -> pa.Table:
    return pa.table({"video_id": [f"v{num}" for num in range(len(titles))], "title": titles})


@pytest.mark.parametrize("keeps_kinds", [True, False])
@pytest.mark.parametrize("kind", ["text", "large text", "list", "record"])
def test_a_text_that_is_kept_once_is_not_unpacked_for_all_rows(
    monkeypatch: pytest.MonkeyPatch, kind: str, keeps_kinds: bool
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.parquet.CHUNK_BYTES", 16 * MIB)
    n = 50_000
    titles: Any = one_text(n, MIB)
    if kind == "large text":
        titles = titles.cast(pa.dictionary(pa.int32(), pa.large_string()))
    if kind == "list":
        titles = pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), titles)
    if kind == "record":
        titles = pa.StructArray.from_arrays([titles], names=["name"])
    file = written(videos(titles), store_schema=keeps_kinds)
    assert len(file.getvalue()) < 2 * MIB  # of the 49 GiB that it unpacks to
    tables = read_tables(file, "videos.parquet", n_rows=N_ROWS)
    first, second = next(tables), next(tables)
    assert 14 <= len(first) <= 16
    assert second["video_id"][0].as_py() == f"v{len(first)}"


@pytest.mark.parametrize("size", [1, 2_000, 30_000, 1 << 30])
def test_what_is_read_in_pieces_is_what_is_there(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.parquet.CHUNK_BYTES", size)
    rng = np.random.default_rng(3)
    texts = [None if num % 7 == 0 else "é" * int(rng.integers(0, 200)) for num in range(500)]
    table = videos(texts).append_column(
        "tags", pa.array([["a", "b"][: num % 3] for num in range(500)])
    )
    file = written(table, row_group_size=90)
    pieces = list(read_tables(file, "videos.parquet", n_rows=200))
    assert pa.concat_tables(pieces).to_pydict() == table.to_pydict()
    assert max(map(len, pieces)) <= 200
    assert (max(map(len, pieces)) == 1) is (size == 1)


def test_a_file_without_a_row_and_a_column_without_a_value_are_read() -> None:
    empty = written(videos([None, None]).slice(0, 0))
    assert list(read_tables(empty, "v.parquet", n_rows=N_ROWS)) == []
    nothing = pa.table({"video_id": ["v1"], "title": pa.array([None], pa.string())})
    (table,) = read_tables(written(nothing), "v.parquet", n_rows=N_ROWS)
    assert table.to_pylist() == nothing.to_pylist()


TEXT = pa.string()
ODD: list[tuple[pa.DataType, Any]] = [
    (pa.null(), None), (pa.binary(), b"x"), (pa.large_string(), "a"), (pa.string_view(), "a"),
    (pa.decimal128(9, 2), Decimal("1.50")), (pa.dictionary(pa.int8(), pa.int64()), 7),
    (pa.large_list(TEXT), ["a", "b"]), (pa.list_(TEXT, 2), ["a", "b"]),
    (pa.list_(pa.dictionary(pa.int8(), TEXT)), ["a", "a"]),
    (pa.list_(pa.list_(pa.decimal128(30))), [[Decimal(7)], []]),
    (pa.list_(pa.struct([("name", TEXT), ("n", pa.int8())])), [{"name": "a", "n": 1}]),
    (pa.map_(TEXT, pa.list_(TEXT)), [("a", ["b", "c"])]),
]  # fmt: skip


@pytest.mark.parametrize("keeps_kinds", [True, False])
@pytest.mark.parametrize(("kind", "value"), ODD, ids=[str(kind) for kind, _ in ODD])
def test_columns_of_any_kind_are_read(kind: pa.DataType, value: Any, keeps_kinds: bool) -> None:
    table = pa.table({"video_id": ["v1"] * 4, "odd": pa.array([value, None] * 2, kind)})
    file = written(table, store_schema=keeps_kinds)
    (read,) = read_tables(file, "v.parquet", n_rows=N_ROWS)
    assert read["odd"].to_pylist() == pq.read_table(file)["odd"].to_pylist()


def test_a_damaged_file_is_an_error_of_reading_or_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    texts = [None if num % 3 else "x" * (num % 40) for num in range(400)]
    whole = np.frombuffer(written(videos(texts)).getvalue(), np.uint8)
    path, refused = tmp_path / "t.parquet", []
    for _ in range(300):
        damaged = whole.copy()
        n = int(rng.integers(1, 20))
        damaged[rng.integers(0, len(whole), n)] = rng.integers(0, 256, n)
        path.write_bytes(damaged.tobytes())
        file = as_table_file(path)
        assert file is not None
        try:
            list(read_chunks([file], table="t"))
        except InputError as error:
            refused.append(str(error))
    assert len(refused) > 200
    assert [said for said in refused if "t.parquet" not in said] == []


def test_an_ordinary_file_is_read_as_before() -> None:
    file = written(videos([f"title {num % 50}" for num in range(20_000)]))
    assert rows_at_once(file, "v.parquet", n_rows=N_ROWS) == N_ROWS


@pytest.mark.parametrize("is_kept_once", [True, False])
def test_a_row_that_is_too_long_is_named_with_its_column_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_kept_once: bool
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 3 * MIB)
    titles = ["a"] * 1_000 + ["x" * 20 * MIB] + ["b"] * 1_000
    path = tmp_path / "videos.parquet"
    pq.write_table(videos(titles), path, use_dictionary=is_kept_once)
    file = as_table_file(path)
    assert file is not None
    with pytest.raises(
        InputError,
        match=r"^videos.parquet: a row after the first 1,000 is longer than 3 MiB "
        r"\(20 MiB, most in title\); cut that text$",
    ):
        list(read_chunks([file], table="videos"))


READ = """
import sys
from vidrec_tasks.errors import InputError
from vidrec_tasks.store import parquet
parquet.ROOM_BYTES = 1 << 28
for name in sys.argv[1:]:
    try:
        print(sum(map(len, parquet.read_tables(open(name, "rb"), "v.parquet", n_rows=500_000))))
    except InputError as error:
        print(error)
"""


def test_a_row_that_unpacks_to_more_than_there_is_room_for_is_refused(
    tmp_path: Path, root: Path
) -> None:
    zeros = pa.array(np.zeros(50_000_000, np.int64))
    lists = pa.LargeListArray.from_arrays(np.array([0, len(zeros)]), zeros)
    tables = {"long": pa.table({"video_id": ["v1"], "numbers": lists}), "short": videos(["a"] * 3)}
    for name, table in tables.items():
        pq.write_table(table, tmp_path / name, use_dictionary=False, compression="zstd")
    assert (tmp_path / "long").stat().st_size < MIB
    # a process of its own: what another test has freed may be mapped still, which is room too
    read = [sys.executable, "-c", READ, *(str(tmp_path / name) for name in tables)]
    said = subprocess.run(read, cwd=root, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        "v.parquet: a few rows unpack to more than 0.25 GiB; cut the longest texts and lists",
        "3",
    ]


@pytest.mark.parametrize("kind", ["bytes of one length", "list of numbers", "beginnings", "json"])
def test_what_takes_no_place_in_a_file_is_not_unpacked_for_all_rows(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.parquet.CHUNK_BYTES", 16 * MIB)
    monkeypatch.setattr("vidrec_tasks.store.parquet.ROOM_BYTES", 256 * MIB)
    how: dict[str, Any] = {}
    titles: Any
    if kind == "bytes of one length":
        titles = pa.array([b"y" * MIB] * 100, pa.binary(MIB))
        how = {"dictionary_pagesize_limit": 4 * MIB}
    if kind == "list of numbers":
        numbers = pa.array(np.zeros(100 * MIB // 8, np.int64))
        titles = pa.ListArray.from_arrays(np.arange(101, dtype=np.int32) * (MIB // 8), numbers)
    if kind == "beginnings":
        titles = pa.array(["y" * MIB] * 100)
        how = {"use_dictionary": False, "column_encoding": {"title": "DELTA_BYTE_ARRAY"}}
    if kind == "json":
        text = one_text(100, MIB).cast(pa.string())
        titles = pa.ExtensionArray.from_storage(pa.json_(), text)
    file = written(videos(titles), **how)
    assert len(file.getvalue()) < 4 * MIB
    first = next(read_tables(file, "videos.parquet", n_rows=N_ROWS))
    assert first.nbytes <= (16 if kind != "beginnings" else 65) * MIB


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
def test_texts_in_any_encoding_are_read(encoding: str) -> None:
    table = videos([f"title {num % 50}" for num in range(5_000)])
    how = {name: encoding for name in ("video_id", "title")}
    file = written(table, use_dictionary=False, column_encoding=how, row_group_size=2_000)
    tables = list(read_tables(file, "v.parquet", n_rows=N_ROWS))
    assert pa.concat_tables(tables).to_pydict() == table.to_pydict()


def test_extensions_are_read_as_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "videos.parquet"
    jsons = pa.array(['{"a": 1}', None, '"b"']).cast(pa.json_())
    pq.write_table(pa.table({"video_id": ["v1", "v2", "v3"], "title": jsons}), path)
    file = as_table_file(path)
    assert file is not None
    (chunk,) = read_chunks([file], table="videos")
    assert chunk.rows["title"].tolist()[::2] == ['{"a": 1}', '"b"']
