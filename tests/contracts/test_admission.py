import pandas as pd
import pytest

from vidrec_tasks.contracts.admission import (
    UNKNOWN_VIDEO,
    admit_interactions,
    admit_once,
    admit_unique,
    admit_videos,
    refuse_bad_table,
)
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


def test_a_second_row_of_a_video_is_rejected() -> None:
    rows = pd.DataFrame({"video_id": ["b", "a", "b"], "row_num": [0, 1, 2]})
    admitted = admit_unique(rows, "videos", "video_id")
    assert admitted.rows["row_num"].to_list() == [1, 0]
    assert admitted.rejects["row_num"].to_list() == [2]


def rejects(n: int, reason: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"table": "interactions", "row_num": range(n), "reason": reason, "sample": "s"}
    )


def test_too_many_wrong_rows_stop_the_night() -> None:
    with pytest.raises(ContractError, match=r"30 of 100 rows are wrong.*watched_s < 0"):
        refuse_bad_table(
            rejects(30, "watched_s < 0"), 100, table="interactions", origin="x", max_share=0.2
        )


def test_events_of_removed_videos_do_not_stop_the_night() -> None:
    refuse_bad_table(
        rejects(90, UNKNOWN_VIDEO), 100, table="interactions", origin="x", max_share=0.2
    )
