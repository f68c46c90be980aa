from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.errors import InputError
from vidrec_tasks.store.inputs import fingerprint, input_files, read_chunks
from vidrec_tasks.store.place import Place


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "inputs").mkdir()
    return tmp_path / "inputs"


def read(inputs: Path, table: str = "t") -> tuple[pd.DataFrame, list[tuple[int, str, str]]]:
    chunks = list(read_chunks(input_files(Place(str(inputs.parent)), table), table=table))
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


def test_bytes_that_are_no_utf8_are_shown_not_fatal(inputs: Path) -> None:
    (inputs / "t.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    rows, _ = read(inputs)
    assert rows["a"].to_list() == ["\ufffd\ufffd"]


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
        input_files(Place(str(inputs.parent)), "t")


@pytest.mark.parametrize(("name", "data"), [("t.parquet", b"no parquet"), ("t.csv", b"")])
def test_an_unreadable_file_is_named(inputs: Path, name: str, data: bytes) -> None:
    (inputs / name).write_bytes(data)
    with pytest.raises(InputError, match=name):
        read(inputs)


def test_a_fingerprint_follows_the_bytes(inputs: Path) -> None:
    path = inputs / "t.csv"
    path.write_text("a\n1\n")
    before = fingerprint([path])
    path.write_text("a\n2\n")
    assert fingerprint([path]) != before


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
    monkeypatch.setattr("vidrec_tasks.store.inputs.BLOCK_BYTES", 700)
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


def test_a_torn_line_of_bytes_that_are_no_utf8_is_not_lost(inputs: Path) -> None:
    (inputs / "t.csv").write_bytes(b"a,b\n1,2\n\xf0\x28,x,y\n3,4\n")
    rows, torn = read(inputs)
    assert rows["row_num"].to_list() == [0, 2]
    assert torn == [(1, "line has 3 fields, not 2", "\ufffd(,x,y")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_text_is_whole_wherever_its_blocks_end(
    inputs: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a,b\n" + "é🎬,\u4e2d\n" * 50
    monkeypatch.setattr("vidrec_tasks.store.inputs.BLOCK_BYTES", max(size, 40))
    (inputs / "t.csv").write_text(text, encoding="utf-8")
    rows, torn = read(inputs)
    assert (rows["a"] == "é🎬").all()
    assert (len(rows), torn) == (50, [])


def test_the_sample_of_a_torn_line_is_one_printable_line(inputs: Path) -> None:
    (inputs / "t.csv").write_bytes(b'a,b\n1,"x\ny\x00\x1b[31m",3\n')
    _, torn = read(inputs)
    assert [text for _, _, text in torn] == ['1,"x y  [31m",3']
