"""The events of `benchmarks.against`: liked and turned away, before a cut and after it.

Every visit has the weight that the nightly jobs give it; below 0 it was turned away: a dislike, a
skip, a short play of a long video, a rating well below the user's own mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.quality_events import content_of, read_events, shuffle_ties
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.columns import EVENT_AT, EVENT_TYPE, USER_ID, VIDEO_ID, WEIGHT
from vidrec_tasks.measuring.splits import k_core
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.settings import AudienceSettings

Ints = npt.NDArray[np.int64]

LATER_SHARE: Final = 0.1
"""Share of all events that lie after one cut-off time for everybody."""
LAST_SHARE: Final = 0.2
"""Share of a user's events that lie after a cut-off time of their own."""


@dataclass(frozen=True)
class Later:
    """What was liked and what was turned away after a cut.

    Attributes:
        content: the videos.
        train: the weighed visits before the cut.
        liked, turned_away: for each user the new videos of either kind.
        window_s: seconds from the cut to the last event; 0 where everybody has their own.
    """

    content: Content
    train: Histories
    liked: list[Ints]
    turned_away: list[Ints]
    window_s: int = 0


def load_later(preset: str, source: Path, *, one_cut: bool, seed: int = 7, **options: Any) -> Later:
    """The log of a preset, 5-core, divided by one cut for everybody or by one for each user.

    Args:
        preset: how the files are read.
        source: their folder.
        one_cut: whether the last `LATER_SHARE` of all events is asked for, or of each user the last
            `LAST_SHARE`.
        seed: of the order of rows of equal time.
        options: of the preset.
    """
    videos, events = read_events(preset, source, **options)
    return divide(videos, shuffle_ties(events, seed=seed), one_cut=one_cut)


def divide(
    videos: pd.DataFrame,
    events: pd.DataFrame,
    *,
    one_cut: bool,
    k: int = 5,
    contents: Callable[[pd.DataFrame], Content] = content_of,
) -> Later:
    """As of `load_later`; events are sorted by user and time."""
    events = events[events[EVENT_TYPE] != "impression"].reset_index(drop=True)
    met = events.drop_duplicates([USER_ID, VIDEO_ID])
    keep = k_core(pd.factorize(met[USER_ID])[0], pd.factorize(met[VIDEO_ID])[0], k=k)
    pairs = pd.MultiIndex.from_frame(met.loc[keep, [USER_ID, VIDEO_ID]])
    events = events[pd.MultiIndex.from_frame(events[[USER_ID, VIDEO_ID]]).isin(pairs)]
    events = events.reset_index(drop=True)
    videos = videos[videos[VIDEO_ID].isin(events[VIDEO_ID])].reset_index(drop=True)
    cuts = _cuts(events, one_cut)
    night = events[EVENT_AT].max().date() + timedelta(days=1)
    whole = weigh(events, videos, AudienceSettings(), night=night)
    early = events[events[EVENT_AT] < events[USER_ID].map(cuts)]
    train = weigh(early, videos, AudienceSettings(), night=night)
    users = np.array(sorted(events[USER_ID].unique()), dtype=object)
    later = _new(whole[whole[EVENT_AT] >= whole[USER_ID].map(cuts)], train)
    known = set(train[USER_ID])
    later = later[later[USER_ID].isin(known)]
    window = events[EVENT_AT].max() - cuts.max() if one_cut else timedelta()
    return Later(
        contents(videos),
        gather(train, users),
        _by_user(later[later[WEIGHT] > 0], users),
        _by_user(later[later[WEIGHT] < 0], users),
        int(window.total_seconds()),
    )


def _cuts(events: pd.DataFrame, one_cut: bool) -> pd.Series:
    """The cut of each user."""
    users = events[USER_ID].unique()
    if one_cut:
        moment = events[EVENT_AT].sort_values().iloc[int((1 - LATER_SHARE) * len(events))]
        return pd.Series(moment, index=users)
    n = events.groupby(USER_ID)[EVENT_AT].transform("size")
    place = events.groupby(USER_ID).cumcount()
    later = events[place >= np.floor((1 - LAST_SHARE) * n)]
    return later.groupby(USER_ID)[EVENT_AT].min()


def _new(later: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The last visit of each pair that was not met before: what the user came to think of it."""
    pairs = pd.MultiIndex.from_frame(later[[USER_ID, VIDEO_ID]])
    known = pd.MultiIndex.from_frame(train[[USER_ID, VIDEO_ID]])
    return later[~pairs.isin(known)].drop_duplicates([USER_ID, VIDEO_ID], keep="last")


def _by_user(rows: pd.DataFrame, users: npt.NDArray[np.object_]) -> list[Ints]:
    found = gather(rows, users)
    return [found.video_nums[found.of(user)] for user in range(found.n_users)]
