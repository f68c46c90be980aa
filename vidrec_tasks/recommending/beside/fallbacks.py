"""Fallbacks: lists for strangers, of whom at most a region, a language or a first watch is known.

Popular, fresh and varied, under the same rules as users' lists. Nobody's age is known, so every
list holds only what the lowest age rating may see, and only a region's list what is bound to it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import (
    DEFAULT_SEGMENT,
    EXPLANATION,
    LANGUAGE,
    RANK,
    REASON_CODE,
    REGION,
    REGIONS,
    SCORE,
    SEGMENT,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.recommending.beside.fallback_reasons import FallbackReasons
from vidrec_tasks.recommending.beside.picking import Picking, pick
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.crowds import Counts, Crowd, first_topics
from vidrec_tasks.recommending.catalogue.popularity import age_days
from vidrec_tasks.recommending.lists.rules import allowed_everywhere, allowed_in, visible
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

REGION_SEGMENT: Final = "region:"
LANGUAGE_SEGMENT: Final = "language:"
TOPIC_SEGMENT: Final = "topic:"

MAX_SEGMENTS: Final = 300
"""Segments of a kind, those of most users (topics: most videos) first."""

_MIN_VIDEOS: Final = 3
"""Videos a topic needs to have a list."""

_FRESHNESS: Final = 0.2
"""What a video of today adds to a score whose best is 1; half of it after the fresh days."""

_N_PER_PLACE: Final = 10


@dataclass(frozen=True)
class _Segment:
    """A kind of stranger.

    Attributes:
        name: as readers ask for it.
        allowed: ``(n_videos,)`` what its list may hold.
        preferred: ``(n_videos,)`` what stands before the rest.
        number: among those whose own users' watching orders the list; None: everybody's does.
        topic: what the stranger watched first.
    """

    name: str
    allowed: Mask
    preferred: Mask
    number: int | None = None
    topic: str = ""


def list_fallbacks(
    videos: pd.DataFrame,
    users: pd.DataFrame,
    content: Content,
    shards: Iterable[pd.DataFrame],
    *,
    newest: pd.Timestamp,
    moment: pd.Timestamp,
    settings: RecommendingSettings,
) -> pd.DataFrame:
    """List videos for strangers.

    Args:
        videos: the catalogue, sorted by video_id.
        users: user_id, region, language; may be empty.
        content: embeddings, topics, creators and groups of the same videos.
        shards: weighed visits of all users, each user's in one of them: user_id, video_num,
            event_at, is_watched, weight. One is held at a time.
        newest: when anything was watched last, as of `crowds.newest_of`.
        moment: 00:00 UTC of the night.
        settings: n, diversity, max_per_creator, n_exploration, fresh_days, explanation_language.

    Returns:
        segment, rank (1..n without gap), video_id, score, reason_code, explanation. Segment
        `__default__` first, then `region:…`, `language:…` and `topic:…`; two near-duplicates never
        share a list.
    """
    segments, members = _segments(videos, users, content, visible(videos, moment=moment))
    counts = Counts(len(segments), content.n_videos)
    for visits in shards:
        crowd = Crowd.of(visits, n_videos=content.n_videos, moment=moment, newest=newest)
        counts.add(crowd, members.of(crowd.user_ids, first_topics(visits, content.topics)))
    age = age_days(content, at=int(moment.timestamp()))
    reasons = FallbackReasons(content, counts.n_viewers, counts.n_likers, age, settings)
    rows = []
    for segment in segments:
        score = _score(counts.rates(segment.number), age, settings)
        for rank, num in enumerate(_pick(segment, score, age, content, settings), start=1):
            code, sentence = reasons.of(num, topic=segment.topic)
            video_id = content.video_ids[num]
            rows.append((segment.name, rank, video_id, float(score[num]), code, sentence))
    names = {row[0] for row in rows}
    if DEFAULT_SEGMENT not in names:
        log.warning("no video may be shown to everybody: segment %s is empty", DEFAULT_SEGMENT)
    log.info("%d of %d segments have a list", len(names), len(segments))
    return _table(rows)


class _Members:
    """Which users are of which segments.

    Args:
        users: user_id and the columns that segments are named by.
        numbers: of segments, by their names.
    """

    def __init__(self, users: pd.DataFrame, numbers: Mapping[str, int]) -> None:
        self._index = pd.Index(users[USER_ID].astype(object))
        self._numbers = numbers
        self._own = [
            (prefix + users[column].fillna("").astype(str)).map(numbers).fillna(-1).to_numpy(int)
            for prefix, column in ((REGION_SEGMENT, REGION), (LANGUAGE_SEGMENT, LANGUAGE))
        ]

    def of(
        self, user_ids: npt.NDArray[np.object_], first: Mapping[str, Sequence[str]]
    ) -> sp.csr_array:
        """``(n_segments, n_users)`` ones: who is of which segment.

        Args:
            user_ids: ``(n_users,)``.
            first: topic -> users who watched a video of it first.
        """
        rows = self._index.get_indexer(pd.Index(user_ids))
        users, numbers = [], []
        for own in self._own:
            found = np.where(rows >= 0, own[rows], -1) if len(own) else np.full(len(rows), -1)
            users.append(np.flatnonzero(found >= 0))
            numbers.append(found[found >= 0])
        index = pd.Index(user_ids)
        for topic, ids in first.items():
            number = self._numbers.get(f"{TOPIC_SEGMENT}{topic}")
            if number is not None:
                places = index.get_indexer(pd.Index(list(dict.fromkeys(ids)), dtype=object))
                users.append(places[places >= 0])
                numbers.append(np.full(int((places >= 0).sum()), number))
        cells = (np.concatenate(numbers), np.concatenate(users))
        shape = (len(self._numbers), len(user_ids))
        return sp.csr_array((np.ones(len(cells[0])), cells), shape=shape)


def _segments(
    videos: pd.DataFrame, users: pd.DataFrame, content: Content, is_visible: Mask
) -> tuple[list[_Segment], _Members]:
    """The segments, by number from the second on, and who is of each."""
    everywhere = is_visible & allowed_everywhere(videos)
    anything = np.ones(len(videos), dtype=bool)
    segments = [_Segment(DEFAULT_SEGMENT, everywhere, anything)]
    in_regions = [region for regions in videos[REGIONS] for region in regions]
    for region in _most_named(users, REGION, in_regions):
        allowed = is_visible & allowed_in(videos, region=region, max_age_rating=0)
        name = f"{REGION_SEGMENT}{region}"
        segments.append(_Segment(name, allowed, anything, len(segments)))
    spoken = videos[LANGUAGE].to_numpy(dtype=object)
    for language in _most_named(users, LANGUAGE, list(spoken)):
        own = np.asarray((spoken == language) | (spoken == ""), dtype=bool)
        name = f"{LANGUAGE_SEGMENT}{language}"
        segments.append(_Segment(name, everywhere, own, len(segments)))
    for topic, nums in _carriers(content, everywhere):
        preferred = np.zeros(content.n_videos, dtype=bool)
        preferred[nums] = True
        name = f"{TOPIC_SEGMENT}{topic}"
        segments.append(_Segment(name, everywhere, preferred, len(segments), topic))
    numbers = {segment.name: number for number, segment in enumerate(segments)}
    return segments, _Members(users, numbers)


def _most_named(users: pd.DataFrame, column: str, named_by_videos: Sequence[str]) -> list[str]:
    """The values of most users first; also values that only videos have."""
    counts = users.loc[users[column].fillna("") != "", column].astype(str).value_counts()
    n_users = {str(value): 0 for value in set(named_by_videos) if value}
    n_users.update({str(value): int(n) for value, n in counts.items()})
    ordered = sorted(n_users.items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ordered[:MAX_SEGMENTS]]


def _carriers(content: Content, everywhere: Mask) -> list[tuple[str, list[int]]]:
    """The topics of most videos first, each with its videos."""
    carriers: dict[str, list[int]] = {}
    for num in np.flatnonzero(everywhere):
        for topic in set(content.topics[int(num)]):
            carriers.setdefault(topic, []).append(int(num))
    ordered = sorted(carriers.items(), key=lambda item: (-len(item[1]), item[0]))
    return [(topic, nums) for topic, nums in ordered[:MAX_SEGMENTS] if len(nums) >= _MIN_VIDEOS]


def _score(rates: Floats, age: Floats, settings: RecommendingSettings) -> Floats:
    """``(n_videos,)`` popularity against the best, corrected for the days a video was there."""
    there = np.clip(age, 1, 28) / 28
    popular = np.log1p(100 * rates / there)
    best = popular.max(initial=0)
    fresh = _FRESHNESS * 0.5 ** (np.maximum(age, 0) / settings.fresh_days)
    return np.asarray(popular / (best if best > 0 else 1) + fresh)


def _pick(
    segment: _Segment, score: Floats, age: Floats, content: Content, settings: RecommendingSettings
) -> list[int]:
    """Preferred videos first, then others; the last places for new ones, if none is in already."""
    # a step of 2 keeps the tiers apart: a score lies under 1.2, diversity takes at most 1
    worth = (score + 2.0 * segment.preferred).astype(np.float32)
    nums = np.flatnonzero(segment.allowed)
    nums = nums[np.argsort(-worth[nums], kind="stable")]
    best = nums[: _N_PER_PLACE * settings.n]
    how = Picking(settings.n, settings.diversity, settings.max_per_creator)
    picked = [int(best[place]) for place in pick(best, worth[best], content, how)]
    is_new = age <= settings.fresh_days
    n_wanted = min(settings.n_exploration, settings.n - 1) - int(is_new[picked].sum())
    new = [int(num) for num in nums if is_new[num] and num not in picked]
    # a short list has room, and holds all that may be shown
    return _with_new(picked, new[: max(0, n_wanted)], content)


def _with_new(picked: list[int], new: Sequence[int], content: Content) -> list[int]:
    """Put new videos in the last places; one whose near-duplicate is there stays out."""
    groups = {content.group_nums[num] for num in picked}
    fitting: list[int] = []
    for num in new:
        group = content.group_nums[num]
        if group < 0 or group not in groups:
            fitting.append(num)
            groups.add(group)
    return picked[: len(picked) - len(fitting)] + fitting


def _table(rows: list[tuple[str, int, str, float, str, str]]) -> pd.DataFrame:
    names = (SEGMENT, RANK, VIDEO_ID, SCORE, REASON_CODE, EXPLANATION)
    kinds = ("str", "int64", "str", "float64", "str", "str")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=kind)
            for name, values, kind in zip(names, columns, kinds, strict=True)
        }
    )
