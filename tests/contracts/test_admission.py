from typing import Any

import pandas as pd
import pytest

from vidrec_tasks.contracts.admission import (
    NEWER_ROW,
    UNKNOWN_VIDEO,
    WITHHELD,
    admit_interactions,
    admit_newest,
    admit_once,
    admit_strictest,
    admit_videos,
    refuse_bad_table,
)
from vidrec_tasks.contracts.rejects import FEWEST_KEPT, Rejects
from vidrec_tasks.errors import ContractError

NIGHT = pd.Timestamp("2026-09-02", tz="UTC")


def day(text: str | None) -> pd.Timestamp:
    return pd.Timestamp(f"2026-{text}", tz="UTC") if isinstance(text, str) else pd.NaT


def catalogue(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["video_id", "title", "published_at", "updated_at"])
    for name in ("published_at", "updated_at"):
        frame[name] = pd.to_datetime([day(text) for text in frame[name]], utc=True)
    return frame


def log(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "video_id", "event_at"])
    frame["event_at"] = pd.to_datetime([day(text) for text in frame["event_at"]], utc=True)
    frame["row_num"] = range(len(frame))
    frame["event_id"] = ""
    return frame


def admit(rows: pd.DataFrame, videos: pd.DataFrame, opted_out: set[str] | None = None):
    return admit_interactions(
        rows,
        videos,
        moment=NIGHT,
        is_forgotten=lambda users: users == "forgotten",
        opted_out=opted_out or set(),
    )


def test_a_video_published_at_or_after_the_night_is_not_seen() -> None:
    videos = catalogue(("a", "", "09-01", None), ("b", "", "09-02", None), ("c", "", None, None))
    admitted, _ = admit_videos(videos, list, moment=NIGHT)
    assert admitted.rows["video_id"].to_list() == ["a", "c"]
    assert admitted.counts["not_yet_published"] == 1


def test_a_video_changed_after_the_night_is_seen_as_it_was_before() -> None:
    now = catalogue(("a", "new title", None, "09-05"))
    before = catalogue(("a", "old title", None, "08-20"))
    admitted, as_of = admit_videos(now, lambda: [now, before], moment=NIGHT)
    assert (admitted.rows["title"].to_list(), as_of) == (["old title"], "snapshot")


def test_without_a_snapshot_the_current_row_is_used_and_called_unproven() -> None:
    now = catalogue(("a", "new title", None, "09-05"))
    admitted, as_of = admit_videos(now, list, moment=NIGHT)
    assert (admitted.rows["title"].to_list(), as_of) == (["new title"], "unproven")
    assert admitted.counts["unproven_versions"] == 1


def test_an_event_at_the_night_does_not_exist_for_it() -> None:
    videos = catalogue(("a", "", None, None))
    admitted = admit(log(("u", "a", "09-01 23:59:59"), ("u", "a", "09-02 00:00:00")), videos)
    assert admitted.rows["row_num"].to_list() == [0]
    assert admitted.counts["after_night"] == 1


def test_an_event_with_an_unknown_video_is_rejected() -> None:
    admitted = admit(log(("u", "nowhere", "09-01")), catalogue(("a", "", None, None)))
    assert admitted.rejects["reason"].to_list() == [UNKNOWN_VIDEO]


def test_an_event_before_its_video_was_published_is_rejected() -> None:
    admitted = admit(log(("u", "a", "08-01")), catalogue(("a", "", "08-15", None)))
    assert admitted.rejects["reason"].to_list() == ["event is before its video was published"]


def test_events_of_forgotten_and_opted_out_users_are_counted_and_show_no_id() -> None:
    rows = log(("forgotten", "a", "08-01"), ("out", "a", "08-01"), ("u", "a", "08-01"))
    admitted = admit(rows, catalogue(("a", "", None, None)), {"out"})
    assert admitted.rows["user_id"].to_list() == ["u"]
    assert (admitted.counts["forgotten"], admitted.counts["opted_out"]) == (1, 1)
    assert admitted.rejects.empty


def test_the_first_read_of_two_events_with_one_id_is_kept() -> None:
    rows = log(("u", "a", "09-01"), ("u", "a", "08-01"))
    rows["event_id"] = "e1"
    admitted = admit_once(rows)
    assert admitted.rows["row_num"].to_list() == [0]
    assert admitted.rejects["reason"].to_list() == ["event_id appears twice"]


def test_events_are_sorted_by_user_time_and_row() -> None:
    rows = log(
        ("u2", "a", "08-01"), ("u1", "b", "08-02"), ("u1", "a", "08-02"), ("u1", "c", "08-01")
    )
    assert admit_once(rows).rows["row_num"].to_list() == [3, 1, 2, 0]


def lost(*rows: tuple[str, int], key: str = "video_id") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[key, "row_num"]).astype({key: "str", "row_num": "int64"})


def versions(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["video_id", "status", "updated_at"])
    frame["updated_at"] = pd.to_datetime([day(text) for text in frame["updated_at"]], utc=True)
    return frame.assign(row_num=range(len(frame)))


@pytest.mark.parametrize(
    ("dates", "status"),
    [
        ((None, None), "second"),
        (("08-01", "08-02"), "second"),
        (("08-02", "08-01"), "first"),
        (("08-02", "08-02"), "second"),
        (("08-02", None), "second"),
        ((None, "08-02"), "second"),
    ],
)
def test_of_two_rows_of_a_video_the_newest_counts_and_without_dates_the_last(
    dates: tuple[str | None, str | None], status: str
) -> None:
    rows = versions(("b", "first", dates[0]), ("a", "only", None), ("b", "second", dates[1]))
    admitted = admit_newest(rows, lost())
    assert admitted.rows["video_id"].tolist() == ["a", "b"]
    assert admitted.rows["status"].tolist() == ["only", status]
    assert admitted.rejects["reason"].tolist() == [NEWER_ROW]


@pytest.mark.parametrize(("row_num", "is_there"), [(0, True), (2, False)])
def test_a_video_whose_later_row_cannot_be_read_is_withheld(row_num: int, is_there: bool) -> None:
    rows = versions(("a", "active", None)).assign(row_num=1)
    admitted = admit_newest(rows, lost(("a", row_num), ("z", 9)))
    assert admitted.rows["video_id"].tolist() == ["a"] * is_there
    assert admitted.rejects["reason"].tolist() == [WITHHELD] * (not is_there)
    assert admitted.counts == {"withheld": int(not is_there)}


def people(*rows: tuple[str, str, float | None, bool]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "region", "max_age_rating", "opted_out"])
    frame = frame.assign(language="", row_num=range(len(frame)))
    return frame.astype({"max_age_rating": "float64", "opted_out": bool, "user_id": "str"})


def test_whatever_any_row_of_a_user_forbids_counts() -> None:
    rows = people(("b", "DE", 12.0, False), ("a", "", None, True), ("b", "FR", 16.0, False),
                  ("a", "AT", None, False), ("b", "IT", None, False))  # fmt: skip
    admitted = admit_strictest(rows, lost(key="user_id"))
    a, b = admitted.rows.to_dict("records")
    assert (a["region"], a["opted_out"]) == ("AT", True)
    assert (b["region"], b["opted_out"], b["max_age_rating"]) == ("IT", False, 12.0)
    assert admitted.rejects["row_num"].tolist() == [0, 1, 2]


def test_a_user_whose_row_cannot_be_read_counts_as_opted_out() -> None:
    unread = lost(("a", 1), ("z", 2), key="user_id")
    admitted = admit_strictest(people(("a", "DE", None, False)), unread)
    said = dict(zip(admitted.rows["user_id"], admitted.rows["opted_out"], strict=True))
    assert said == {"a": True, "z": True}
    assert admitted.counts == {"opted_out_unread": 2}


RULES = {"status": "active", "age_rating": 0, "regions": [], "expires_at": None}


def ruled(updated_at: str, **changed: Any) -> pd.DataFrame:
    row = {"video_id": "a", "title": updated_at, "published_at": None, **RULES, **changed}
    frame = pd.DataFrame([{**row, "updated_at": updated_at}])
    for name in ("published_at", "updated_at", "expires_at"):
        frame[name] = pd.to_datetime([day(text) for text in frame[name]], utc=True)
    return frame


@pytest.mark.parametrize(
    ("before", "now", "column", "expected"),
    [
        ({}, {"status": "removed"}, "status", "removed"),
        ({"status": "removed"}, {}, "status", "removed"),
        ({}, {"age_rating": 18}, "age_rating", 18),
        ({"age_rating": 18}, {}, "age_rating", 18),
        ({}, {"regions": ["DE"]}, "regions", ["DE"]),
        ({"regions": ["DE", "FR"]}, {"regions": ["FR", "IT"]}, "regions", ["FR"]),
        ({"regions": ["DE"]}, {"regions": ["IT"]}, "status", "no longer allowed in any region"),
        ({}, {"expires_at": "09-01"}, "expires_at", day("09-01")),
        ({"expires_at": "09-01"}, {"expires_at": "12-01"}, "expires_at", day("09-01")),
    ],
)
def test_what_forbids_counts_from_the_moment_it_is_known_even_after_the_night(
    before: dict[str, Any], now: dict[str, Any], column: str, expected: Any
) -> None:
    current, earlier = ruled("09-03", **now), ruled("08-20", **before)
    admitted, as_of = admit_videos(current, lambda: [current, earlier], moment=NIGHT)
    assert as_of == "snapshot"
    (row,) = admitted.rows.to_dict("records")
    assert row["title"] == "08-20"
    assert row[column] == expected
    # the artefact is declared: a column of another type would stop the night
    assert admitted.rows.dtypes.to_dict() == current.dtypes.to_dict()


def test_columns_keep_their_types_where_no_earlier_version_is_known() -> None:
    """The artefact is declared: a column of another type stops the night."""
    kept = ruled("08-20").assign(video_id="b")
    current = pd.concat([ruled("09-03"), kept], ignore_index=True)
    admitted, _ = admit_videos(current, lambda: [current], moment=NIGHT)
    assert "b" in set(admitted.rows["video_id"])
    assert admitted.rows.dtypes.to_dict() == current.dtypes.to_dict()


def test_an_event_that_is_delivered_again_counts_once() -> None:
    rows = log(("u1", "a", "08-01"), ("u1", "a", "08-01"), ("u1", "a", "08-02"))
    rows["watched_s"] = [60.0, 60.0, 60.0]
    admitted = admit_once(rows)
    assert admitted.rows["row_num"].tolist() == [0, 2]
    assert admitted.counts == {"delivered_again": 1}
    assert admitted.rejects.empty
    other = admit_once(rows.assign(watched_s=[60.0, 61.0, 60.0]))
    assert len(other.rows) == 3


def rejects(n: int, reason: str, *, before: Rejects | None = None) -> Rejects:
    rows = {"table": "interactions", "row_num": range(n), "reason": reason, "sample": "s"}
    return (before or Rejects("interactions", FEWEST_KEPT)).plus(pd.DataFrame(rows))


def test_too_many_wrong_rows_stop_the_night() -> None:
    with pytest.raises(ContractError, match=r"30 of 100 rows are wrong.*watched_s < 0"):
        refuse_bad_table(rejects(30, "watched_s < 0"), 100, origin="x", max_share=0.2)


def test_what_is_wrong_counts_whether_it_is_kept_or_not() -> None:
    many = rejects(40, "watched_s < 0", before=rejects(50, UNKNOWN_VIDEO))
    with pytest.raises(ContractError, match=r"40 of 100 rows are wrong.*row 0, watched_s < 0"):
        refuse_bad_table(many, 100, origin="x", max_share=0.2)


def test_events_of_removed_videos_do_not_stop_the_night() -> None:
    refuse_bad_table(rejects(90, UNKNOWN_VIDEO), 100, origin="x", max_share=0.2)
