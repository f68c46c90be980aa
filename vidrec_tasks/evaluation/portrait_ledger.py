"""Portrait ledger: the visits before the night, asked whether a statement on a user is true."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    EVENT_AT,
    IS_WATCHED,
    PUBLISHED_AT,
    TITLE,
    USER_ID,
    VIDEO_ID,
    WATCHED_SHARE,
    WEIGHT,
)
from vidrec_tasks.evaluation.portrait_person import Person, Video, Visit
from vidrec_tasks.evaluation.portrait_reading import Statement
from vidrec_tasks.evaluation.portrait_statements import CHECKS


class PortraitLedger:
    """The visits of users before a night.

    Args:
        visits: user_id, video_id, event_at, watched_share, is_watched, weight.
        videos: video_id, title, creator_id, duration_s, published_at.
        topics: ``video_id -> topics``.
        night: visits at or after its 00:00 UTC do not exist.
    """

    def __init__(
        self,
        visits: pd.DataFrame,
        videos: pd.DataFrame,
        topics: Mapping[str, Sequence[str]],
        *,
        night: date,
    ) -> None:
        past = visits[visits[EVENT_AT] < pd.Timestamp(night.isoformat(), tz="UTC")]
        past = past.sort_values(EVENT_AT, kind="stable")
        self._rows: dict[str, list[Visit]] = {}
        columns = (past[name] for name in (VIDEO_ID, WATCHED_SHARE, IS_WATCHED, WEIGHT))
        for user, at, video, share, is_watched, weight in zip(
            past[USER_ID], _seconds(past[EVENT_AT]), *columns, strict=True
        ):
            visit = Visit(str(video), at, float(share), bool(is_watched), float(weight))
            self._rows.setdefault(str(user), []).append(visit)
        known = videos[videos[VIDEO_ID].isin(past[VIDEO_ID].unique())]
        facts = zip(
            known[TITLE], known[CREATOR_ID], known[DURATION_S], _seconds(known[PUBLISHED_AT]),
            strict=True,
        )  # fmt: skip
        self._videos = {
            str(video): Video(str(title), str(creator or ""), float(length), published)
            for video, (title, creator, length, published) in zip(
                known[VIDEO_ID], facts, strict=True
            )
        }
        self._topics = topics
        self._last: tuple[str, Person] | None = None

    def refute(self, user_id: str, said: Statement) -> str:
        """Why a statement is false; empty when it is true."""
        return CHECKS[said.kind](self._person(user_id), said)

    def _person(self, user_id: str) -> Person:
        if self._last is None or self._last[0] != user_id:
            visits = self._rows.get(user_id, [])
            self._last = (user_id, Person(visits, self._videos, self._topics))
        return self._last[1]


def _seconds(moments: pd.Series) -> list[float]:
    """Seconds since 1970 UTC, whole ones; NaN unknown."""
    since = moments - pd.Timestamp("1970-01-01", tz="UTC")
    return [math.floor(s) if s == s else s for s in since.dt.total_seconds().tolist()]
