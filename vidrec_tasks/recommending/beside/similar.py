"""Similar videos: what to watch beside a video, from what it is and from who watched it.

How much co-watching counts grows with the viewers a video has, so a new one is judged by its
content. Every video that may be shown gets a list; knows no user.
"""

import logging
from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import (
    AGE_RATING,
    RANK,
    REASON,
    REGIONS,
    SCORE,
    SIMILAR_VIDEO_ID,
    VIDEO_ID,
)
from vidrec_tasks.recommending.beside.picking import Picking, pick
from vidrec_tasks.recommending.beside.similar_reasons import Pair, Reasons
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.likeness import (
    CELLS_A_PAIR,
    N_FOUND,
    Floats,
    Ints,
    Likeness,
    blocks,
)
from vidrec_tasks.recommending.catalogue.nearest import each_once, strongest_of_rows
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]

_PRIOR_VIEWERS = 10.0
"""Viewers at which co-watching counts as much as content."""

_POPULARITY = 0.01
"""Weight of popularity: it decides only between videos that are otherwise alike."""

_N_POPULAR = 100
"""Popular videos that a large catalogue adds to what is found, so that every list is full."""

_N_PER_PLACE = 5
"""Candidates a place of the list, from which a varied list is picked."""

_DIVERSITY = 0.25
"""Share of the configured diversity: these lists answer what is like a video, not what a user
may like; recall@10 of linked videos falls by a tenth with all of it."""


_FEW_KINDS = 2_000
"""Sets of regions and ages up to which all pairs of them are looked up once: 4 MB."""


@dataclass(frozen=True)
class Reach:
    """Who may see a video, as classes of age rating and regions.

    Attributes:
        class_nums: ``(n_videos,)`` the class of each video.
        kinds: the age rating and the regions of each class: there may be very many, so which may
            follow which is looked up where it is asked for.
    """

    class_nums: Ints
    kinds: tuple[tuple[float, frozenset[str]], ...]
    _rows: dict[int, Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, videos: pd.DataFrame) -> "Reach":
        """The reach of a catalogue: age_rating, regions."""
        kinds = [
            (float(age), frozenset(regions))
            for age, regions in zip(videos[AGE_RATING], videos[REGIONS], strict=True)
        ]
        known = {kind: num for num, kind in enumerate(dict.fromkeys(kinds))}
        nums = np.array([known[kind] for kind in kinds], dtype=np.int64)
        return cls(nums, tuple(known))

    def after(self, num: int, others: Ints) -> Mask:
        """``(n_others,)`` which of them everybody who may see this video may see."""
        own = int(self.class_nums[num])
        if len(self.kinds) <= _FEW_KINDS:
            return self._row(own)[self.class_nums[others]]
        first = self.kinds[own]
        classes, place_of = np.unique(self.class_nums[others], return_inverse=True)
        follows = [_covers(self.kinds[then], first) for then in classes]
        return np.array(follows, dtype=bool)[place_of]

    def _row(self, first: int) -> Mask:
        """``(n_classes,)`` which classes may follow one."""
        if first not in self._rows:
            follows = [_covers(then, self.kinds[first]) for then in self.kinds]
            self._rows[first] = np.array(follows, dtype=bool)
        return self._rows[first]


def list_similar(
    content: Content,
    covisits: SparseModel,
    n_users_per_video: npt.NDArray[np.float32],
    *,
    allowed: Mask,
    n: int,
    settings: RecommendingSettings,
    likeness: Likeness | None = None,
    reach: Reach | None = None,
) -> pd.DataFrame:
    """List the videos most like each video.

    Args:
        content: the videos.
        covisits: who is watched with what, ``(n_videos, n_videos)``.
        n_users_per_video: ``(n_videos,)`` users who liked a video.
        allowed: ``(n_videos,)`` which videos may be shown; these have lists and stand in them.
        n: videos a list.
        settings: diversity, max_per_creator, explanation_language.
        likeness: by embeddings and words; by embeddings and topics when None.
        reach: when given, a list holds only what everybody who may see its video may see.

    Returns:
        video_id, rank (1..n without gap), similar_video_id, score (content and co-watching
        blended, each against the best of its video), reason (a sentence). Near-duplicates never
        share a list, nor stand in each other's.
    """
    likeness = likeness or Likeness.of(content)
    scorer = _Scorer(likeness, covisits, n_users_per_video, allowed)
    reasons = Reasons(content, n_users_per_video, language=settings.explanation_language)
    how = Picking(n, _DIVERSITY * settings.diversity, settings.max_per_creator)
    seeds = np.flatnonzero(allowed)
    rows = _Rows()
    for nums in blocks(seeds, scorer.width):
        scores = scorer.score(nums)
        for row, num in enumerate(nums):
            others = scores.others[row]
            may_be = (others >= 0) & allowed[others] & ~_same(content, num, others)
            may_be &= True if reach is None else reach.after(num, others)
            found = _strongest(scores.total[row], np.flatnonzero(may_be), _N_PER_PLACE * n)
            found = found[pick(others[found], scores.total[row, found], content, how)]
            cosines = likeness.cosines(num, others[found])
            rows.add(num, others[found], scores.total[row, found])
            for place, cosine in zip(found.tolist(), cosines.tolist(), strict=True):
                is_by_watching = scores.is_by_watching(row, place)
                rows.reasons.append(
                    reasons.of(Pair(num, int(others[place]), is_by_watching, cosine))
                )
    table = rows.table(content)
    log.info("%d of %d videos have similar ones", table[VIDEO_ID].nunique(), len(seeds))
    return table


@dataclass(frozen=True)
class _Scores:
    """Scores of a block of videos, each ``(n_block, m)``, with the videos ``others`` of each row.

    ``others`` rises along a row, so that equal scores come by num; -1 is no video.
    """

    others: Ints
    by_content: Floats
    by_watching: Floats
    total: Floats

    def is_by_watching(self, row: int, place: int) -> bool:
        return bool(self.by_watching[row, place] > self.by_content[row, place])


class _Scorer:
    """Blends content and co-watching by how many viewers the video is known by.

    In a large catalogue it looks only at what is found by content, watched together, or popular.
    """

    def __init__(
        self,
        likeness: Likeness,
        covisits: SparseModel,
        n_users: npt.NDArray[np.float32],
        allowed: Mask,
    ) -> None:
        self._likeness = likeness
        self._together = sp.csr_matrix(covisits.matrix + covisits.matrix.T)
        self._known = n_users / (n_users + _PRIOR_VIEWERS)
        self._popularity = _POPULARITY * _against_best(np.log1p(n_users)[np.newaxis]).ravel()
        self._popular = np.argsort(-np.where(allowed, n_users, -1), kind="stable")[:_N_POPULAR]

    @property
    def width(self) -> int:
        """Cells that a video's row takes."""
        if self._likeness.is_dense:
            return len(self._known)
        return CELLS_A_PAIR * (3 * N_FOUND + _N_POPULAR)

    def score(self, nums: Ints) -> _Scores:
        others = self._others(nums)
        there = np.maximum(others, 0)
        alike, watched = self._compare(nums, there)
        alike = np.maximum(alike, 0)
        alike[(others < 0) | (others == nums[:, np.newaxis])] = 0  # nothing is like itself
        share = (self._known[nums] * (watched.max(axis=1, initial=0) > 0))[:, np.newaxis]
        by_content = (1 - share) * _against_best(alike)
        by_watching = share * _against_best(watched)
        total = (by_content + by_watching + self._popularity[there]).astype(np.float32)
        return _Scores(others, by_content, by_watching, total)

    def _others(self, nums: Ints) -> Ints:
        if self._likeness.is_dense:
            return np.broadcast_to(np.arange(len(self._known)), (len(nums), len(self._known)))
        watched = strongest_of_rows(self._together[nums], N_FOUND)
        popular = np.broadcast_to(self._popular, (len(nums), len(self._popular)))
        return each_once(np.concatenate([self._likeness.found(nums), watched, popular], axis=1))

    def _compare(self, nums: Ints, others: Ints) -> tuple[Floats, Floats]:
        if self._likeness.is_dense:
            return self._likeness.block(nums), self._together[nums].toarray()
        rows = np.repeat(nums, others.shape[1])
        watched = np.asarray(self._together[rows, others.ravel()]).reshape(others.shape)
        return self._likeness.pairs(nums, others), watched


def _against_best(scores: Floats) -> Floats:
    """Scores over the best of their row, so that two kinds of them can be added."""
    best = scores.max(axis=1, keepdims=True, initial=0)
    return np.asarray(scores / np.where(best > 0, best, 1), dtype=np.float32)


def _same(content: Content, num: int, others: Ints) -> Mask:
    """Which of the others are the video itself or its near-duplicates."""
    group = content.group_nums[num]
    return np.asarray((others == num) | ((group >= 0) & (content.group_nums[others] == group)))


def _strongest(score: Floats, nums: Ints, n: int) -> Ints:
    """The ``n`` best of some videos, best first, equal ones by num."""
    own = score[nums]
    if len(nums) > n:
        least = np.partition(own, len(own) - n)[len(own) - n]
        nums, own = nums[own >= least], own[own >= least]
    return nums[np.argsort(-own, kind="stable")[:n]]


class _Rows:
    """The rows of all lists, in arrays: as tuples those of a million videos are gigabytes.

    Attributes:
        reasons: the sentence of each row; equal ones are one text.
    """

    def __init__(self) -> None:
        self._nums, self._others, self._scores = array("q"), array("q"), array("d")
        self.reasons: list[str] = []

    def add(self, num: int, others: Ints, scores: Floats) -> None:
        """Add the list of a video, best first; its reasons are added beside."""
        self._nums.extend([num] * len(others))
        self._others.extend(others.tolist())
        self._scores.extend(scores.tolist())

    def table(self, content: Content) -> pd.DataFrame:
        """The rows with ids and ranks."""
        nums, others = (np.array(column, dtype=np.int64) for column in (self._nums, self._others))
        table = pd.DataFrame(
            {
                VIDEO_ID: pd.Series(content.video_ids[nums], dtype="str"),
                SIMILAR_VIDEO_ID: pd.Series(content.video_ids[others], dtype="str"),
                SCORE: np.array(self._scores, dtype=np.float64),
                REASON: pd.Series(self.reasons, dtype="str"),
            }
        )
        table.insert(1, RANK, (table.groupby(VIDEO_ID).cumcount() + 1).astype("int64"))
        return table


def _covers(then: tuple[float, frozenset[str]], first: tuple[float, frozenset[str]]) -> bool:
    """Whether whoever may see a video of the kind ``first`` may see one of the kind ``then``."""
    in_regions = not then[1] or (bool(first[1]) and first[1] <= then[1])
    return then[0] <= first[0] and in_regions
