import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vidrec_tasks.errors import InputError
from vidrec_tasks.store.inputs import fingerprint, read_chunks
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import input_files


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "inputs").mkdir()
    return tmp_path / "inputs"


def read(inputs: Path, table: str = "t") -> tuple[pd.DataFrame, list[tuple[int, str, str]]]:
    chunks = list(read_chunks(input_files(Store(str(inputs.parent)), table), table=table))
    torn = [line for chunk in chunks for line in chunk.torn]
    return pd.concat([chunk.rows for chunk in chunks], ignore_index=True), torn


def test_lines_with_too_many_or_too_few_fields_are_torn_not_lost(inputs: Path) -> None:
    (inputs / "t.csv").write_text('a,b\n1,2\n3\n"x\ny",4\n5,6,7\n8,9\n')
    rows, torn = read(inputs)
    assert rows["a"].to_list() == ["1", "x\ny", "8"]
    assert rows["row_num"].to_list() == [0, 2, 4]
    assert [(number, text) for number, _, text in torn] == [(1, "3"), (3, "5,6,7")]


def test_csv_values_stay_the_text_they_were(inputs: Path) -> None:
    (inputs / "t.csv").write_text("a,b\n007,1e5\nNA,\n")
    rows, _ = read(inputs)
    assert rows["a"].to_list() == ["007", "NA"]
    assert rows["b"].isna().to_list() == [False, True]


def test_a_jsonl_line_that_is_no_object_is_torn(inputs: Path) -> None:
    (inputs / "t.jsonl").write_text('{"a": 1}\n[1]\nnot json\n{"a": 2}\n')
    rows, torn = read(inputs)
    assert rows["row_num"].to_list() == [0, 3]
    assert [number for number, _, _ in torn] == [1, 2]


def test_files_of_a_folder_are_read_in_the_order_of_their_names(inputs: Path) -> None:
    (inputs / "t").mkdir()
    (inputs / "t" / "2.csv").write_text("a\nlater\n")
    (inputs / "t" / "1.jsonl").write_text('{"a": "earlier"}\n')
    pd.DataFrame({"a": ["last"]}).to_parquet(inputs / "t" / "3.parquet")
    rows, _ = read(inputs)
    assert rows["a"].to_list() == ["earlier", "later", "last"]
    assert rows["row_num"].to_list() == [0, 1, 2]


def test_a_table_that_is_there_twice_is_an_error(inputs: Path) -> None:
    (inputs / "t.csv").write_text("a\n")
    (inputs / "t.jsonl").write_text("")
    with pytest.raises(InputError, match="keep one"):
        input_files(Store(str(inputs.parent)), "t")


@pytest.mark.parametrize(("name", "data"), [("t.parquet", b"no parquet"), ("t.csv", b"")])
def test_an_unreadable_file_is_named(inputs: Path, name: str, data: bytes) -> None:
    (inputs / name).write_bytes(data)
    with pytest.raises(InputError, match=name):
        read(inputs)


def test_a_decimal_of_many_digits_and_a_zone_of_another_world_are_read_or_named(
    inputs: Path,
) -> None:
    uuid = pa.array([Decimal(2**120), Decimal("2.5"), None], pa.decimal128(38, 1))
    zoned = pa.array([0, 1, None], pa.timestamp("us", tz="+02:00"))
    pq.write_table(pa.table({"a": uuid, "b": zoned}), inputs / "t.parquet")
    rows, _ = read(inputs)
    assert rows["a"].tolist() == [2**120, Decimal("2.5"), None]
    assert rows["b"][1] == pd.Timestamp("1970-01-01T00:00:00.000001Z")
    mars = pa.array([0], pa.timestamp("us", tz="Mars/Base"))
    pq.write_table(pa.table({"b": mars}), inputs / "t.parquet")
    rows, _ = read(inputs)
    assert rows["b"].tolist() == [pd.Timestamp(0, tz="UTC")]


def test_a_table_of_very_many_columns_is_refused_by_their_number(inputs: Path) -> None:
    pq.write_table(pa.table({f"c{num}": [1] for num in range(10_001)}), inputs / "t.parquet")
    with pytest.raises(InputError, match=r"t.parquet: has 10,001 columns, 10,000 are the most"):
        read(inputs)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_character_that_looks_like_a_mark_is_no_damage(inputs: Path, encoding: str) -> None:
    text = "a,b\nhi \U0010fffd,1\n\U0010ff80,\U0010ff7f\n"
    (inputs / "t.csv").write_text(text, encoding=encoding)
    rows, torn = read(inputs)
    assert rows["a"].tolist() == ["hi \ufffd", "\ufffd"]
    assert rows["b"].tolist() == ["1", "\U0010ff7f"]
    assert torn == []


def test_a_chunk_of_odd_lines_has_the_columns_of_those_before(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.inputs.CHUNK_BYTES", 40)
    lines = ['{"video_id": "v1", "title": "A film"}'] * 4 + ['{"exported": 4}']
    (inputs / "videos.jsonl").write_text("\n".join(lines))
    first, *_, last = read_chunks(input_files(Store(str(inputs.parent)), "videos"), table="videos")
    assert first.rows["video_id"].tolist() == ["v1", "v1"]
    assert {"video_id", "title", "exported"} <= set(last.rows)
    assert last.rows["exported"].tolist() == [4]
    assert last.rows["video_id"].isna().all()


def test_keys_of_their_own_in_each_row_do_not_all_become_columns(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.inputs.MOST_NAMES", 10)
    monkeypatch.setattr("vidrec_tasks.store.inputs.CHUNK_CELLS", 400)
    lines = [f'{{"video_id": "v{num}", "key {num}": {num}}}' for num in range(100)]
    lines.append('{"video_id": "v100", " Title": "A film"}')
    (inputs / "videos.jsonl").write_text("\n".join(lines))
    files = input_files(Store(str(inputs.parent)), "videos")
    chunks = list(read_chunks(files, table="videos", known=("video_id", "title")))
    assert max(chunk.rows.size for chunk in chunks) < 500
    assert sum(len(chunk.rows) for chunk in chunks) == 101
    assert list(chunks[-1].rows)[:-1] == ["video_id", *(f"key {n}" for n in range(9)), " Title"]
    assert chunks[-1].rows[" Title"].tolist()[-1] == "A film"


@pytest.mark.parametrize("n_more", [0, 1])
def test_a_line_of_jsonl_is_no_longer_than_a_row_of_csv(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, n_more: int
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 3 << 20)
    frame = b'{"video_id": "v2", "title": ""}'
    long = frame[:-2] + b"x" * ((3 << 20) - len(frame) + n_more) + frame[-2:]
    with gzip.open(inputs / "videos.jsonl.gz", "wb") as file:
        file.write(b'{"video_id": "v1"}\n' + long + b'\n\n{"video_id": "v3"}')
    files = input_files(Store(str(inputs.parent)), "videos")
    if n_more:
        with pytest.raises(InputError, match="a row after the first 1 is longer than 3 MiB; cut"):
            list(read_chunks(files, table="videos"))
    else:
        (chunk,) = read_chunks(files, table="videos")
        assert chunk.rows["video_id"].tolist() == ["v1", "v2", "v3"]


@pytest.mark.parametrize(
    "row",
    ["v2," + "x" * (8 << 20), 'v2,"never closed\n' + "v3,x\n" * (2 << 20)],
    ids=["a long text", "an open quote"],
)
def test_a_row_of_csv_that_does_not_end_is_named_with_the_limit(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 3 << 20)
    (inputs / "t.csv").write_text(f"video_id,title\nv1,a\n{row}\n")
    with pytest.raises(
        InputError, match=r"t\.csv: a row after the first 1 is longer than 3 MiB; cut its text"
    ):
        read(inputs)


def test_long_lines_of_jsonl_are_handed_on_a_few_at_a_time(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.inputs.CHUNK_BYTES", 100)
    lines = "".join(f'{{"video_id": "v{num}", "title": "{"x" * 30}"}}\n' for num in range(10))
    (inputs / "t.jsonl").write_text("no row\n" + lines)
    chunks = list(read_chunks(input_files(Store(str(inputs.parent)), "t"), table="t"))
    assert max(len(chunk.rows) for chunk in chunks) == 2
    rows, torn = read(inputs)
    assert rows["row_num"].tolist() == list(range(1, 11))
    assert [number for number, _, _ in torn] == [0]


def test_a_fingerprint_follows_the_bytes(inputs: Path) -> None:
    path = inputs / "t.csv"
    store = Store(str(inputs.parent))
    path.write_text("a\n1\n")
    before = fingerprint(input_files(store, "t"))
    path.write_text("a\n2\n")
    assert fingerprint(input_files(store, "t")) != before


def test_a_csv_that_is_read_in_blocks_keeps_every_line_and_its_number(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    lines, torn_at = [], []
    for num in range(3_000):
        is_torn = rng.random() < 0.05 or num in (0, 1, 2_998, 2_999)
        lines.append(f"{num},x,y" if is_torn else f'{num},"long\nvalue {num}"')
        torn_at += [num] * is_torn
    (inputs / "t.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
    whole, torn = read(inputs)
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 700)
    rows, torn_too = read(inputs)
    pd.testing.assert_frame_equal(rows, whole)
    assert torn_too == torn
    assert [number for number, _, _ in torn] == torn_at
    assert rows["a"].astype(int).tolist() == rows["row_num"].tolist()


@pytest.mark.parametrize("text", ["a,b\n", "a,b\n1\n2\n"])
def test_a_csv_without_a_good_line_still_has_its_columns(inputs: Path, text: str) -> None:
    (inputs / "t.csv").write_text(text)
    rows, torn = read(inputs)
    assert list(rows.columns) == ["a", "b", "row_num"]
    assert len(rows) == 0
    assert len(torn) == text.count("\n") - 1


def test_a_few_damaged_lines_of_a_file_are_torn_and_not_lost(inputs: Path) -> None:
    good = "".join(f"é{num},ü\n" for num in range(10)).encode()
    (inputs / "t.csv").write_bytes(b"a,b\n1,2\n\xf0\x28,x,y\ncaf\xe9,4\n" + good)
    rows, torn = read(inputs)
    assert rows["row_num"].to_list() == [0, *range(3, 13)]
    assert torn == [
        (1, "line has 3 fields, not 2", "\\xf0(,x,y"),
        (2, "line has bytes that are invalid in its encoding", "a=caf\\xe9, b=4"),
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_of_another_encoding_is_refused_with_its_first_line(inputs: Path, form: str) -> None:
    text = "a\nJürgen\nü\n" if form == "csv" else '{"a": "Jürgen"}\n{"a": "ü"}\n'
    (inputs / f"t.{form}").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"is not UTF-8: 2 of \d lines .*J.xfcrgen.*ENCODING"):
        read(inputs)
    chunks = list(read_chunks(input_files(Store(str(inputs.parent)), "t"), table="t",
                              encoding="windows-1252"))  # fmt: skip
    assert chunks[0].rows["a"].tolist() == ["Jürgen", "ü"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_that_the_file_tells_is_read(inputs: Path, encoding: str) -> None:
    (inputs / "t.csv").write_text("name,b\nJürgen 🎬,2\n", encoding=encoding)
    rows, torn = read(inputs)
    assert (rows["name"].tolist(), rows["b"].tolist(), torn) == (["Jürgen 🎬"], ["2"], [])
    (inputs / "t.csv").unlink()
    (inputs / "t.jsonl").write_text('{"name": "Jürgen"}\n', encoding=encoding)
    assert read(inputs)[0]["name"].tolist() == ["Jürgen"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep=", '"sep='])
def test_any_separator_and_any_line_end_is_read(
    inputs: Path, end: str, separator: str, first: str
) -> None:
    lines = ["user_id,video_id", "u1,v1", "u2,v2", ""]
    text = end.join(lines).replace(",", separator)
    said = f"{first}{separator}{chr(34) if first.startswith(chr(34)) else ''}{end}" if first else ""
    (inputs / "t.csv").write_bytes((said + text).encode())
    files = input_files(Store(str(inputs.parent)), "t")
    (chunk,) = read_chunks(files, table="t", known=("user_id", "video_id"))
    assert chunk.rows["user_id"].tolist() == ["u1", "u2"]
    assert chunk.rows["video_id"].tolist() == ["v1", "v2"]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_line_feed_within_quotes_is_none_of_a_file_of_carriage_returns(
    inputs: Path, separator: str
) -> None:
    lines = ["user_id,title", 'u1,"two\nlines"', "u2,one", ""]
    (inputs / "t.csv").write_bytes("\r".join(lines).replace(",", separator).encode())
    files = input_files(Store(str(inputs.parent)), "t")
    (chunk,) = read_chunks(files, table="t", known=("user_id", "title"))
    assert chunk.rows["user_id"].tolist() == ["u1", "u2"]
    assert chunk.rows["title"].tolist() == ["two\nlines", "one"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_name_that_is_there_twice_is_refused(inputs: Path, form: str) -> None:
    if form == "csv":
        (inputs / "t.csv").write_text("a, b,a\n1,2,3\n")
    else:
        pq.write_table(pa.table([[1], [2]], names=["a", "a"]), inputs / "t.parquet")
    with pytest.raises(InputError, match=r"1 column names appear twice \(first: 'a'\)"):
        read(inputs)


def compressed(data: bytes, ending: str) -> bytes:
    into = pa.BufferOutputStream()
    with pa.CompressedOutputStream(
        into, {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}[ending]
    ) as out:
        out.write(data)
    return bytes(into.getvalue())


@pytest.mark.parametrize("ending", ["gz", "zst", "bz2"])
def test_compressed_files_are_read_and_cut_off_ones_are_named(inputs: Path, ending: str) -> None:
    (inputs / "t").mkdir()
    (inputs / "t" / "1.csv").write_text("a\nplain\n")
    (inputs / "t" / f"2.csv.{ending}").write_bytes(compressed(b"a\nsmall\n", ending))
    (inputs / "t" / f"3.jsonl.{ending}").write_bytes(compressed(b'{"a": "line"}\n', ending))
    assert read(inputs)[0]["a"].tolist() == ["plain", "small", "line"]
    whole = compressed(b"a\n" + b"x\n" * 1_000, ending)
    (inputs / "t" / f"4.csv.{ending}").write_bytes(whole[:-6])
    with pytest.raises(InputError, match=rf"t/4.csv.{ending} cannot be read"):
        read(inputs)


def test_partition_folders_are_columns_and_their_parts_are_read_in_order(inputs: Path) -> None:
    for day, user in (("2026-08-02", "b"), ("2026-08-01", "a")):
        folder = inputs / "t" / f"day={day}" / "city=S%C3%A3o Paulo"
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(f"user_id\n{user}\n")
        (folder / "_SUCCESS").write_text("")
    (inputs / "t" / "day=__HIVE_DEFAULT_PARTITION__").mkdir()
    (inputs / "t" / "day=__HIVE_DEFAULT_PARTITION__" / "x.jsonl").write_text('{"user_id": "c"}\n')
    rows, _ = read(inputs)
    assert rows["user_id"].tolist() == ["a", "b", "c"]
    assert rows["day"].tolist() == ["2026-08-01", "2026-08-02", None]
    assert rows["city"].fillna("").tolist() == ["São Paulo", "São Paulo", ""]
    assert rows["row_num"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "name", ["t.xlsx", "t.json", "t/a.orc", "t/day=1/b.parquet.gz", "t.csv.7z"]
)
def test_a_file_that_is_not_read_is_refused_by_name(inputs: Path, name: str) -> None:
    (inputs / name).parent.mkdir(parents=True, exist_ok=True)
    (inputs / name).write_bytes(b"x")
    with pytest.raises(InputError, match=rf"1 of 1 files are of a kind that is not read .*{name}"):
        input_files(Store(str(inputs.parent)), "t")


def test_parquet_keeps_large_ids_and_texts_that_are_not_declared_to_be_texts(inputs: Path) -> None:
    table = pa.table(
        {
            "user_id": pa.array([12345678901234567, None], pa.int64()),
            "video_id": pa.array([b"v1", "vü".encode()], pa.binary()),
            "broken": pa.array([b"v1", b"v\xfc"], pa.binary()),
            "cost": pa.array([Decimal("7"), Decimal("8")], pa.decimal128(20, 0)),
        }
    )
    pq.write_table(table, inputs / "t.parquet")
    rows, _ = read(inputs)
    assert rows["user_id"].tolist() == [12345678901234567, None]
    assert rows["video_id"].tolist() == ["v1", "vü"]
    assert rows["broken"].tolist() == [b"v1", b"v\xfc"]
    assert rows["cost"].tolist() == [7, 8]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_text_is_whole_wherever_its_blocks_end(
    inputs: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a,b\n" + "é🎬,\u4e2d\n" * 50
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", max(size, 40))
    (inputs / "t.csv").write_text(text, encoding="utf-8")
    rows, torn = read(inputs)
    assert (rows["a"] == "é🎬").all()
    assert (len(rows), torn) == (50, [])


def test_the_sample_of_a_torn_line_is_one_printable_line(inputs: Path) -> None:
    (inputs / "t.csv").write_bytes(b'a,b\n1,"x\ny\x00\x1b[31m",3\n')
    _, torn = read(inputs)
    assert [text for _, _, text in torn] == ['1,"x y  [31m",3']
