"""Logs: the events of all users as files a day, with the rows that a real export gets wrong."""

from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import EVENT_TYPES
from vidrec_tasks.contracts.admission import UNKNOWN_VIDEO
from vidrec_tasks.contracts.parsing import unknown_reason
from vidrec_tasks.demo.planned import PlannedVideo

COLUMNS: Final = [
    "event_id", "user_id", "video_id", "event_at", "event_type", "watched_s", "value",
    "session_id", "surface", "position", "rec_run_id",
]  # fmt: skip
DAY: Final = "day"
TORN_LINE: Final = "e-torn,u0003,v0"


def events_table(events: list[dict[str, Any]]) -> pd.DataFrame:
    """Events of all users in the order of time, as text, with their day."""
    table = pd.DataFrame(events).sort_values(["event_at", "user_id"], kind="stable")
    moments = pd.to_datetime(
        (table["event_at"] * 1000).round().astype("int64"), unit="ms", utc=True
    )
    table["event_at"] = moments.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "Z"
    table[DAY] = moments.dt.strftime("%Y-%m-%d")
    table["event_id"] = [f"e{number:07d}" for number in range(1, len(table) + 1)]
    for name in ("watched_s", "value", "position"):
        table[name] = _as_text(table[name]) if name in table else ""
    table["rec_run_id"] = ""
    return table[[DAY, *COLUMNS]].reset_index(drop=True)


def wrong_rows(
    table: pd.DataFrame, known: PlannedVideo, opted_out: set[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows that must be rejected, all in the file of one early day, and how many for which reason.

    Args:
        table: the good events, as `events_table` gives them.
        known: a video that every night knows.
        opted_out: users whose events are left out before anything is said of them.
    """
    is_play = (table["event_type"] == "play") & ~table["user_id"].isin(opted_out)
    good = table[is_play].iloc[0]
    day = good[DAY]
    wrong = [
        ({"event_type": "teleport"}, unknown_reason("event_type", EVENT_TYPES)),
        ({"event_type": ""}, "event_type is missing"),
        ({"user_id": ""}, "user_id is missing"),
        ({"video_id": ""}, "video_id is missing"),
        ({"event_at": f"{day}T99:99:99Z"},
         "event_at is not a time (ISO 8601 or seconds since 1970)"),
        ({"watched_s": "-30"}, "watched_s < 0"),
        ({"watched_s": "a while"}, "watched_s is not a finite number"),
        ({"video_id": "v-removed-long-ago"}, UNKNOWN_VIDEO),
        ({"video_id": known.video_id, "event_at": _before(known)},
         "event is before its video was published"),
        ({"event_id": good["event_id"]}, "event_id appears twice"),
    ]  # fmt: skip
    rows = [{**good, "event_id": f"e-wrong-{number}", **change}
            for number, (change, _) in enumerate(wrong)]  # fmt: skip
    counts: dict[str, int] = {}
    for _, reason in wrong:
        counts[reason] = counts.get(reason, 0) + 1
    counts[f"line has {TORN_LINE.count(',') + 1} fields, not {len(COLUMNS)}"] = 1
    return pd.DataFrame(rows)[[DAY, *COLUMNS]], counts


def day_files(good: pd.DataFrame, wrong: pd.DataFrame) -> dict[str, str]:
    """The text of one csv file a day, by day; the wrong rows come last in theirs."""
    files = {
        str(day): events[COLUMNS].to_csv(index=False, lineterminator="\n")
        for day, events in good.groupby(DAY, sort=True)
    }
    bad_day = str(wrong[DAY].iloc[0])
    bad_text = wrong[COLUMNS].to_csv(index=False, header=False, lineterminator="\n")
    files[bad_day] += f"{bad_text}{TORN_LINE}\n"
    return files


def _as_text(numbers: pd.Series) -> pd.Series:
    return numbers.map(lambda number: "" if pd.isna(number) else f"{number:g}")


def _before(video: PlannedVideo) -> str:
    moment = video.published_at - pd.Timedelta(hours=3)
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
