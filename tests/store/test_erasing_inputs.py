import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.erasing_inputs import count_in_file, erase_from_file, user_files
from vidrec_tasks.store.sought import Sought
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import TableFile, as_table_file

SOUGHT = Sought(["u1", "7"])


def table_file(path: Path) -> TableFile:
    file = as_table_file(UPath(path))
    assert file is not None
    return file


def erased(path: Path, text: str, sought: Sought = SOUGHT) -> str:
    path.write_text(text, encoding="utf-8", newline="")
    erase_from_file(table_file(path), sought)
    return path.read_bytes().decode()


def test_csv_rows_go_and_every_other_byte_stays(tmp_path: Path) -> None:
    text = (
        '\ufeffvideo_id,user_id\r\n"v,1",u1\r\n'
        'v2,"u2"\r\n\r\n"a\nb", u1 \r\n5" screen,u2\r\nü,u11\r\n'
    )
    kept = '\ufeffvideo_id,user_id\r\nv2,"u2"\r\n\r\n5" screen,u2\r\nü,u11\r\n'
    assert erased(tmp_path / "interactions.csv", text) == kept


def test_rows_go_from_a_file_with_a_field_as_long_as_the_night_reads(tmp_path: Path) -> None:
    other = f"u2,{'x' * 200_000}\n"
    text = f"user_id,session_id\n{other}u1,y\n"
    assert erased(tmp_path / "interactions.csv", text) == f"user_id,session_id\n{other}"
    assert csv.field_size_limit() == 131_072


def test_a_torn_csv_line_goes_if_any_field_is_the_user(tmp_path: Path) -> None:
    text = "user_id,video_id\nv1,u1,x\nv1,u2,x\n"
    assert erased(tmp_path / "users.csv", text) == "user_id,video_id\nv1,u2,x\n"


def test_a_video_of_the_same_name_is_not_the_user(tmp_path: Path) -> None:
    text = "user_id,video_id\nu2,7\n"
    assert erased(tmp_path / "interactions.csv", text) == text


def test_json_lines_go_however_the_id_is_written(tmp_path: Path) -> None:
    lines = ['{"user_id": "u1"}', '{"user_id": 7}', '{"user_id": 7.0}', '{"user_id": " u1 "}',
             '{"user_id": "u1"', "[1]", '{"video_id": "u1"}']  # fmt: skip
    kept = erased(tmp_path / "interactions.jsonl", "\n".join(lines))
    assert kept.splitlines() == ["[1]", '{"video_id": "u1"}']


@pytest.mark.parametrize("ids", [["u1", "u2"], [7, 8], [7.0, None]])
def test_parquet_rows_go_and_types_stay(tmp_path: Path, ids: list[object]) -> None:
    path = tmp_path / "interactions.parquet"
    frame = pd.DataFrame({"user_id": ids, "tags": [["a"], ["b"]], "watched_s": [1.5, 2.5]})
    frame.to_parquet(path)
    before = pd.read_parquet(path)
    assert erase_from_file(table_file(path), SOUGHT) == 1
    after = pd.read_parquet(path)
    assert list(after.dtypes) == list(before.dtypes)
    assert after["watched_s"].tolist() == [2.5]


def test_a_file_without_the_user_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("user_id\nu2\n")
    before = path.stat()
    assert erase_from_file(table_file(path), SOUGHT) == 0
    assert path.stat().st_ino == before.st_ino
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_read_is_named_without_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "users.parquet"
    path.write_bytes(b"u1 is no parquet")
    with pytest.raises(StoreError, match=r"users.parquet cannot be searched") as caught:
        count_in_file(table_file(path), SOUGHT)
    assert "u1" not in str(caught.value)


def test_a_file_that_cannot_be_written_is_named_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "users.csv"
    path.write_text("user_id\nu1\nu2\n")
    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(StoreError, match=r"users\.csv cannot be written .*Permission denied"):
        erase_from_file(table_file(path), SOUGHT)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("users.csv", "user_id\nu1\nu2\n")
    ]


def test_a_table_that_is_there_twice_is_searched_twice(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    (inputs / "interactions").mkdir(parents=True)
    for name in ("interactions.csv", "interactions/a.jsonl", "videos.csv", "deletions.csv"):
        (inputs / name).write_text("")
    found = [(table, file.path.name) for table, file in user_files(Store(str(tmp_path)))]
    assert found == [("interactions", "interactions.csv"), ("interactions", "a.jsonl"),
                     ("deletions", "deletions.csv")]  # fmt: skip


IDS = st.sampled_from(["u1", "u2", "u3", "7", 7, "u1 x"])


@given(st.lists(st.tuples(IDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nobody_else_is_lost(tmp_path: Path, rows: list[tuple[object, str]]) -> None:
    path = tmp_path / "interactions.jsonl"
    path.write_text("".join(json.dumps({"user_id": u, "x": x}) + "\n" for u, x in rows))
    erase_from_file(table_file(path), SOUGHT)
    left = [json.loads(line) for line in path.read_text().splitlines()]
    assert left == [{"user_id": u, "x": x} for u, x in rows if str(u) not in {"u1", "7"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_go_from_a_file_of_any_encoding_and_separator(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    path = tmp_path / "interactions.csv"
    text = "user_id,título\r\nu1,a\r\nu2,ü\r\n".replace(",", separator)
    path.write_bytes(f"sep={separator}\r\n{text}".encode(encoding))
    assert erase_from_file(table_file(path), SOUGHT) == 1
    left = path.read_bytes().decode(encoding)
    assert left == f"sep={separator}\r\nuser_id{separator}título\r\nu2{separator}ü\r\n"


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_rows_go_from_compressed_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"interactions.csv.{ending}"
    codec = {"gz": "gzip", "zst": "zstd"}[ending]
    with pa.CompressedOutputStream(str(path), codec) as out:
        out.write(b"user_id\nu1\nu2\n")
    assert erase_from_file(table_file(path), SOUGHT) == 1
    with table_file(path).opened() as file:
        assert file.read() == b"user_id\nu2\n"
    assert count_in_file(table_file(path), SOUGHT) == 0


def test_a_partition_of_the_user_goes_with_its_folder(tmp_path: Path) -> None:
    for user in ("u1", "u2"):
        folder = tmp_path / "inputs" / "interactions" / f"user_id={user}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("video_id\nv1\nv2\n")
    removed = [erase_from_file(file, SOUGHT) for _, file in user_files(Store(str(tmp_path)))]
    assert removed == [2, 0]
    left = [path.name for path in (tmp_path / "inputs" / "interactions").iterdir()]
    assert left == ["user_id=u2"]
