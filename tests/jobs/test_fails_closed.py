"""What restricts, withdraws or forgets counts however it is written, and when it cannot be read."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.small_nights import EVENTS, NEXT, NIGHT, VIDEOS, settings_of, write
from vidrec_tasks.errors import InputError, StoreError
from vidrec_tasks.running.by_hand import run_by_hand
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

LENIENT = {"max_reject_share": 1.0}
MANY = "".join(f"x{num},2026-08-01\n" for num in range(20))


def read(folder: Path, night: object = NIGHT, **inputs: object) -> Run:
    settings = settings_of(folder, inputs={**LENIENT, **inputs})
    run_job(Order("validate_inputs", night, refresh=True), settings)  # type: ignore[arg-type]
    return Runs(Store(str(folder))).of_night(night)  # type: ignore[arg-type]


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / "inputs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    return tmp_path


@pytest.mark.parametrize("row", ["u1,01/08/2026", "u1,", 'u1,"2026"', " u1 ,yesterday"])
def test_who_asks_to_be_forgotten_is_whatever_else_the_row_says(store: Path, row: str) -> None:
    put(store, "deletions.csv", f"User_ID,requested_at\n{row}\n{MANY}")
    run = read(store)
    assert Ledger(Store(str(store))).holds(pd.Series(["u1", "u2"])).tolist() == [True, False]
    assert "u1" not in set(run.read_table("interactions.0")["user_id"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deletions.csv", f"user_id,requested_at\nu1,2026-08-01,please\n{MANY}"),
        ("users.csv", f"user_id,opted_out\nu1,Berlin,true\n{MANY.replace('2026-08-01', '0')}"),
        ("users.jsonl", '{"user_id": "u1", "opted_out": true,}\n'),
    ],
)
def test_a_line_that_is_no_row_of_users_stops_the_night(store: Path, name: str, text: str) -> None:
    put(store, name, text)
    with pytest.raises(
        InputError, match=r"1 lines cannot be read as rows .*which users they are about"
    ):
        read(store)


@pytest.mark.parametrize("name", ["users.csv/part-0.csv", "users.parquet/p.csv", "users/a/b.csv"])
def test_a_folder_by_the_name_of_a_file_is_read(store: Path, name: str) -> None:
    put(store, name, "user_id, Opted_Out \nu1,true\n")
    assert "u1" not in set(read(store).read_table("interactions.0")["user_id"])


@pytest.mark.parametrize("name", ["Users.csv", "USERS/part.csv", "users.xlsx"])
def test_a_table_that_is_nearly_there_is_refused(store: Path, name: str) -> None:
    put(store, name, "user_id,opted_out\nu1,true\n")
    with pytest.raises(InputError, match=r"of a kind that is not read .*name it users"):
        read(store)


HEAD = "video_id,title,tags,status,age_rating,updated_at\n"
REST = "".join(f"w{num},A,x,active,0,2026-08-01\n" for num in range(60))


@pytest.mark.parametrize(
    "rows",
    [
        "v1,A,x,withdrawn,99,2026-08-20\nv1,A,x,active,0,2026-08-01\n",
        "v1,A,x,active,0,2026-08-01\nv1,A,x,withdrawn,99,2026-08-20\n",
        "v1,A,x,active,0,2026-08-01\nv1,A, part 2,x,withdrawn,0,2026-08-20\n",
        "v1,A,x,active,0,2026-08-01\nv1,A,x,withdrawn,0,someday\n",
        'v1,A,x,active,0,2026-08-01\nw98,"A,x,active,0,2026-08-20\nv1,A,x,withdrawn,0,\n',
    ],
    ids=["newest first", "newest last", "torn", "undated", "swallowed by a quote"],
)
def test_a_video_is_withheld_when_a_row_that_may_be_newer_cannot_be_read(
    tmp_path: Path, rows: str
) -> None:
    write(tmp_path, interactions=EVENTS.assign(video_id="w1"))
    put(tmp_path, "videos.csv", HEAD + REST + rows)
    assert "v1" not in set(read(tmp_path, max_unknown_share=1.0).read_table("videos")["video_id"])


def test_a_row_that_is_surely_older_withholds_nothing(tmp_path: Path) -> None:
    write(tmp_path, interactions=EVENTS.assign(video_id="w1"))
    rows = "v1,A,x,withdrawn,99,2026-07-20\nv1,A,x,active,0,2026-08-01\n"
    put(tmp_path, "videos.csv", HEAD + REST + rows)
    assert "v1" in set(read(tmp_path, max_unknown_share=1.0).read_table("videos")["video_id"])


@pytest.mark.parametrize(
    ("written", "reason"),
    [("20260801183000123", ""), ("1785542400000000000000", "lies before"), ("2612-01-21", "lies")],
)
def test_an_expiry_far_away_is_never_only_as_people_write_it(
    store: Path, written: str, reason: str
) -> None:
    write(store, videos=VIDEOS.assign(expires_at=[written, "", "", "", "", ""]))
    run = read(store)
    videos = run.read_table("videos").set_index("video_id")
    if reason:
        assert "v1" not in videos.index
    else:
        assert videos.loc["v1", "expires_at"] < pd.Timestamp(NIGHT, tz="UTC")


def forget(folder: Path, *user_ids: str, **inputs: object) -> dict[str, object]:
    settings = settings_of(folder, inputs={**LENIENT, **inputs})
    return run_by_hand("forget_users", settings, request_id="r", user_ids=user_ids)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_before_a_line_of_excel_hides_nobody(tmp_path: Path, encoding: str) -> None:
    text = "sep=;\r\nuser_id;video_id;surface\r\nbob;v9;u-1\r\nu-1;v1;home\r\n12345;v1;x\r\n"
    path = put(tmp_path, "interactions.csv", text.encode(encoding))
    assert forget(tmp_path, "u-1", "12345")["found_again"] == 0
    left = path.read_bytes().decode(encoding)
    assert left == "sep=;\r\nuser_id;video_id;surface\r\nbob;v9;u-1\r\n"


def test_a_named_encoding_is_the_erasers_too(tmp_path: Path) -> None:
    text = "user_id,video_id\nmüller,v1\nmüller7@x.de,v1\nü2,v1\n"
    path = put(tmp_path, "interactions.csv", text.encode("cp1252"))
    forget(tmp_path, "müller", "müller7@x.de", encoding="cp1252")
    assert path.read_bytes().decode("cp1252") == "user_id,video_id\nü2,v1\n"


def test_numbers_are_one_id_for_reader_and_eraser(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS)
    frame = EVENTS.assign(user_id=[7.0, None, 7.0, 8.0, 8.0, 8.0, 8.0])
    frame.loc[2, "event_type"] = "bogus"
    path = tmp_path / "inputs" / "interactions.parquet"
    (tmp_path / "inputs" / "interactions.csv").unlink(missing_ok=True)
    frame.to_parquet(path)
    run = read(tmp_path)
    assert "user_id=7," in str(run.read_table("rejects")["sample"].tolist())
    assert forget(tmp_path, "7")["found_again"] == 0
    assert set(pd.read_parquet(path)["user_id"].dropna()) == {8.0}
    assert "user_id=7" not in str(run.read_table("rejects")["sample"].tolist())


def test_a_link_is_followed_to_where_the_rows_lie(tmp_path: Path) -> None:
    path = put(tmp_path, "../kept.csv", "user_id\nalice\nbob\n")
    link = tmp_path / "inputs" / "interactions.csv"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(path.resolve())
    forget(tmp_path, "alice")
    assert link.is_symlink()
    assert path.read_text() == "user_id\nbob\n"


def test_a_folder_of_the_user_goes_with_what_lies_beside_and_no_other_users_rows(
    tmp_path: Path,
) -> None:
    put(tmp_path, "interactions/user_id=u1@x.de/a.csv", "video_id\nv1\n")
    put(tmp_path, "interactions/user_id=u1@x.de/.a.csv.crc", b"x")
    both = put(tmp_path, "interactions/user_id=u2@x.de/a.csv", "user_id,video_id\nbob,v1\n")
    forget(tmp_path, "u1@x.de")
    with pytest.raises(StoreError, match="a second search found"):  # the folder is named so
        forget(tmp_path, "u2@x.de")
    assert both.read_text() == "user_id,video_id\nbob,v1\n"
    assert not (tmp_path / "inputs" / "interactions" / "user_id=u1@x.de").exists()


def test_an_event_waits_for_its_video_where_files_are_increments(tmp_path: Path) -> None:
    increment = {"interactions_are": "increment", "max_unknown_share": 1.0}
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    read(tmp_path, **increment)
    write(tmp_path, videos=VIDEOS[2:], interactions=EVENTS[:0])
    second = read(tmp_path, NEXT, **increment)
    assert second.receipts()[0]["counts"]["interactions_waiting"] == 3
    write(tmp_path, videos=VIDEOS)
    third = read(tmp_path, NEXT + pd.Timedelta(days=1), **increment)
    assert third.receipts()[0]["counts"]["interactions_accepted"] == len(EVENTS)


DEEP = "[" * 100_000 + "]" * 100_000
LONG = '{"' + "x" * 200_000 + '",b}'


@pytest.mark.parametrize(
    ("column", "value"),
    [("tags", DEEP), ("regions", DEEP), ("tags", LONG), ("expires_at", "1" * 5_000),
     ("duration_s", 10**400), ("published_at", 10**30), ("age_rating", 10**400),
     ("title", {"a": 1})],
)  # fmt: skip
def test_a_monstrous_value_is_a_reject_and_no_traceback(
    tmp_path: Path, column: str, value: object
) -> None:
    write(tmp_path, interactions=EVENTS)
    rows = [{"video_id": f"v{num}", "title": "A"} for num in range(1, 7)]
    rows.append({"video_id": "v7", column: value})
    put(tmp_path, "videos.jsonl", "\n".join(_dumped(row) for row in rows))
    assert "v7" not in set(read(tmp_path).read_table("videos")["video_id"])


def _dumped(row: dict[str, object]) -> str:
    return json.dumps(row)


def test_a_table_that_cannot_be_opened_is_named(store: Path) -> None:
    (store / "inputs" / "users.csv").symlink_to(store / "gone.csv")
    with pytest.raises(InputError, match=r"users.csv cannot be read"):
        read(store)


def test_a_header_alone_is_a_table_without_rows(store: Path) -> None:
    put(store, "users.csv", "user_id,opted_out")
    assert read(store).read_table("users").empty


def test_an_empty_array_of_postgresql_is_an_empty_list(store: Path) -> None:
    tags = ["{}", '{"a, b",c}', "{x}", "[]", "()", '["a, b"]']
    write(store, videos=VIDEOS.assign(tags=tags))
    found = [list(row) for row in read(store).read_table("videos")["tags"]]
    assert found == [[], ["a, b", "c"], ["x"], [], [], ["a, b"]]
