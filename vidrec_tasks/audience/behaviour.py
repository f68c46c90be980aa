"""Behaviour: how a user watches (when, how long, how far, whom), as named numbers.

Hours are UTC, as in the logs. What is not known is None, never a guess.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    EVENT_AT,
    EVENT_TYPE,
    IS_WATCHED,
    PUBLISHED_AT,
    SESSION_ID,
    USER_ID,
    VIDEO_NUM,
    WATCHED_SHARE,
)

N_CREATORS: Final = 5
"""Creators kept a user, most watched first."""

SESSION_GAP_S: Final = 1800
"""Seconds without an event after which a session ends, where the log names none."""

_EVENING = range(18, 22)
_NIGHT = (22, 23, 0, 1, 2, 3, 4, 5)


def gather_behaviour(
    interactions: pd.DataFrame,
    weighed: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    user_ids: Sequence[str],
    night: date,
) -> list[dict[str, Any]]:
    """How each user watched before a night.

    Args:
        interactions: validated events of a user shard.
        weighed: the same events through `interactions.weigh`.
        videos: the catalogue, sorted by video_id.
        user_ids: whose behaviour, in this order.
        night: events at or after its 00:00 UTC do not exist.

    Returns:
        For each user: n_plays, n_videos, n_creators, mean_watched_share, median_duration_s,
        evening_share, night_share, weekend_share, sessions, skip_share, novelty (mean age in days
        of a video when watched), top_creators (``[creator_id, n_videos]``), top_hour,
        n_impressions.
    """
    events = interactions[interactions[EVENT_AT] < pd.Timestamp(night, tz="UTC")]
    plays = _describe(weighed[weighed[IS_WATCHED]], videos)
    numbers = _numbers(plays).join(_event_numbers(events), how="outer").reindex(list(user_ids))
    creators, hours = _top_creators(plays), _top_hours(plays)
    rows = numbers.astype(object).where(numbers.notna(), None).to_dict("index")
    return [
        {
            **_typed(rows[user_id]),
            "top_creators": creators.get(user_id, []),
            "top_hour": hours.get(user_id),
        }
        for user_id in user_ids
    ]


def _describe(plays: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    """The visits that were watched, with what is known of their video."""
    nums = plays[VIDEO_NUM].to_numpy()
    known = videos[[DURATION_S, PUBLISHED_AT, CREATOR_ID]].iloc[nums].reset_index(drop=True)
    plays = pd.concat([plays.reset_index(drop=True), known], axis=1)
    hour = plays[EVENT_AT].dt.hour
    age_days = (plays[EVENT_AT] - plays[PUBLISHED_AT]).dt.total_seconds() / 86_400
    return plays.assign(
        hour=hour,
        in_evening=hour.isin(_EVENING),
        at_night=hour.isin(_NIGHT),
        at_weekend=plays[EVENT_AT].dt.day_of_week >= 5,
        age_days=age_days.clip(lower=0),
        named_creator=plays[CREATOR_ID].where(plays[CREATOR_ID] != ""),
    )


def _numbers(plays: pd.DataFrame) -> pd.DataFrame:
    return plays.groupby(USER_ID).agg(
        n_plays=(VIDEO_NUM, "size"),
        n_videos=(VIDEO_NUM, "nunique"),
        n_creators=("named_creator", "nunique"),
        mean_watched_share=(WATCHED_SHARE, "mean"),
        median_duration_s=(DURATION_S, "median"),
        evening_share=("in_evening", "mean"),
        night_share=("at_night", "mean"),
        weekend_share=("at_weekend", "mean"),
        novelty=("age_days", "mean"),
    )


def _event_numbers(events: pd.DataFrame) -> pd.DataFrame:
    """What the raw events say: sessions, skips, impressions."""
    kinds = events[EVENT_TYPE]
    acted = events[kinds != "impression"]
    counted = pd.DataFrame(
        {
            "sessions": _count_sessions(acted),
            "n_impressions": (kinds == "impression").groupby(events[USER_ID]).sum(),
            "n_skips": (kinds == "skip").groupby(events[USER_ID]).sum(),
            "n_starts": kinds.isin(("play", "complete", "skip")).groupby(events[USER_ID]).sum(),
        }
    )
    counted["skip_share"] = counted["n_skips"] / counted["n_starts"].where(counted["n_starts"] > 0)
    return counted[["sessions", "skip_share", "n_impressions"]]


def _count_sessions(events: pd.DataFrame) -> pd.Series:
    """Sessions the log names, plus those that a gap of half an hour tells apart."""
    named = events[events[SESSION_ID] != ""].groupby(USER_ID)[SESSION_ID].nunique()
    loose = events[events[SESSION_ID] == ""].sort_values([USER_ID, EVENT_AT], kind="stable")
    gap_s = loose.groupby(USER_ID)[EVENT_AT].diff().dt.total_seconds()
    begun = (gap_s.isna() | (gap_s > SESSION_GAP_S)).groupby(loose[USER_ID]).sum()
    return named.add(begun, fill_value=0)


def _top_creators(plays: pd.DataFrame) -> dict[str, list[list[Any]]]:
    known = plays.dropna(subset="named_creator")
    n = known.groupby([USER_ID, CREATOR_ID])[VIDEO_NUM].nunique().rename("n").reset_index()
    ordered = n.sort_values([USER_ID, "n", CREATOR_ID], ascending=[True, False, True])
    return {
        str(user_id): [[str(c), int(k)] for c, k in zip(part[CREATOR_ID], part["n"], strict=True)]
        for user_id, part in ordered.groupby(USER_ID).head(N_CREATORS).groupby(USER_ID)
    }


def _top_hours(plays: pd.DataFrame) -> dict[str, int]:
    """The hour with most plays, the earliest of equals."""
    n = plays.groupby([USER_ID, "hour"]).size().rename("n").reset_index()
    ordered = n.sort_values([USER_ID, "n", "hour"], ascending=[True, False, True])
    first = ordered.drop_duplicates(USER_ID)
    return dict(zip(first[USER_ID], first["hour"].astype(int).tolist(), strict=True))


def _typed(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Counts as whole numbers, 0 where nothing happened; means to 4 digits, None unknown."""
    counts = ("n_plays", "n_videos", "n_creators", "sessions", "n_impressions")
    return {
        name: int(value or 0) if name in counts else _rounded(value)
        for name, value in sorted(row.items())
    }


def _rounded(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 4)
