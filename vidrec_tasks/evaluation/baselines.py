"""Baselines: simple lists that anybody could make at the cut, to hold the served lists against.

They know what was liked before the cut, the users' histories and the rules of the lists, and no
model. Leaves measuring and comparing them to `lift`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.evaluation.offline import DEPTH
from vidrec_tasks.measuring.metrics import PADDING
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.nearest import parts_of
from vidrec_tasks.recommending.catalogue.popularity import DAYS, users_by_window
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.models.sequences import PAD, last_videos, liked

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ITEM_KNN: Final = "item_knn"
SIMILAR_TO_LAST: Final = "similar_to_last"
BASELINES: Final = (*(f"popular_{days}d" for days in DAYS), ITEM_KNN, SIMILAR_TO_LAST)
"""Names; of equally good ones the first counts as the best."""

_N_NEIGHBOURS: Final = 100
_N_NEWEST: Final = 200
"""Liked events of a user that neighbours are counted from: pairs grow with their square."""


@dataclass(frozen=True)
class Crowd:
    """What everybody had liked before the cut.

    Attributes:
        n_likers: ``(n_windows, n_videos)`` of all users, by `count_likers`.
        learned: the events before the cut of the users whom the evaluation fit learned from.
    """

    n_likers: Ints
    learned: Histories


@dataclass(frozen=True)
class _Neighbours:
    """For some videos those nearest by cosine over who liked both.

    Attributes:
        places: ``(n_videos,)`` the row of each video, -1 for one without.
        cosines: ``(n_rows, n_videos)`` float64.
    """

    places: Ints
    cosines: sp.csr_matrix


def count_likers(histories: Histories, n_videos: int, *, cut: int) -> Ints:
    """Count who liked what lately; the counts of shards add up, as a user is in one shard only.

    Args:
        histories: users of a shard; events at or after the cut never pass.
        n_videos: videos of the catalogue.
        cut: seconds since 1970 UTC.

    Returns:
        ``(n_windows, n_videos)`` different users who liked each video in the last days before the
        cut, for each of `popularity.DAYS`.
    """
    counts = users_by_window(liked(histories.before(cut)), n_videos, end=cut)
    return np.ascontiguousarray(counts.T).astype(np.int64)


def baseline_lists(
    histories: Histories, crowd: Crowd, content: Content, rules: UserRules, *, n: int
) -> dict[str, Ints]:
    """Make every list of `BASELINES` for some users.

    No list holds a video of the user's history or one that the rules keep from them. Equal scores
    are ordered by video_num. Places that a list leaves empty (nobody liked enough in the window;
    the user has no history) are filled with the most liked videos of the longest window.

    Args:
        histories: the measured users, with their events before the cut.
        crowd: what everybody had liked before it.
        content: embeddings, for last videos without neighbours.
        rules: what each user might be shown at the cut.
        n: places of a list, as of the served ones.

    Returns:
        Name -> ``(n_users, DEPTH)`` video_nums, best first, `PADDING` behind.
    """
    n = min(n, DEPTH)
    shape = (histories.n_users, DEPTH)
    lists = {name: np.full(shape, PADDING, dtype=np.int64) for name in BASELINES}
    popular = [_most_liked(counts) for counts in crowd.n_likers]
    asked = np.unique(liked(histories).video_nums)
    neighbours = _neighbours(crowd.learned, asked, content.n_videos)
    for nums, block in histories.blocks():
        eligible = rules.eligible(block.user_ids).without(block)
        found = _personal(block, eligible, neighbours, content, n)
        for place, user in enumerate(nums):
            # 2n of the last: at most n of them are in the list that they fill
            heads = [_head(ranked, eligible, place, 2 * n) for ranked in popular]
            each = [*heads, *(found[name][place] for name in (ITEM_KNN, SIMILAR_TO_LAST))]
            for name, mine in zip(BASELINES, each, strict=True):
                row = _filled(mine, heads[-1], n)
                lists[name][user, : len(row)] = row
    return lists


def _head(ranked: Ints, eligible: Eligible, user: int, n: int) -> Ints:
    """The first n that a user may be shown; few are looked at, ever more until they are found."""
    size = 2 * n
    while True:
        head = ranked[:size]
        allowed = head[_may(eligible, user, head)]
        if len(allowed) >= n or size >= len(ranked):
            return allowed[:n]
        size *= 4


def _may(eligible: Eligible, user: int, nums: Ints) -> Mask:
    """``(n_nums,)`` which of some videos a user of the block may be shown."""
    return eligible.may_pairs(np.full(len(nums), user), nums)


def _most_liked(n_likers: Ints) -> Ints:
    """The videos that anybody liked, most liked first."""
    return np.argsort(-n_likers, kind="stable")[: np.count_nonzero(n_likers)].astype(np.int64)


def _neighbours(learned: Histories, nums: Ints, n_videos: int) -> _Neighbours:
    """The `_N_NEIGHBOURS` nearest of some videos (Deshpande and Karypis, 2004).

    Args:
        learned: who liked what.
        nums: ``(n_nums,)`` rising; others get no row.
        n_videos: videos of the catalogue.
    """
    events = liked(learned).newest(_N_NEWEST)
    cells = np.unique(events.user_nums() * n_videos + events.video_nums)
    ones = np.ones(len(cells))
    likes = sp.csr_matrix((ones, np.divmod(cells, n_videos)), shape=(learned.n_users, n_videos))
    likers = sp.csr_matrix(likes.T)  # (n_videos, n_users)
    norms = np.sqrt(np.diff(likers.indptr))
    # a row of the product has no more cells than its likers liked videos, each of them
    n_cells = np.minimum(likers[nums] @ np.diff(likes.indptr), n_videos)
    rows = [_nearest(likers[part] @ likes, part, norms) for part in parts_of(nums, n_cells)]
    places = np.full(n_videos, -1, dtype=np.int64)
    places[nums] = np.arange(len(nums))
    none = sp.csr_matrix((0, n_videos))
    return _Neighbours(places, sp.csr_matrix(sp.vstack([none, *rows])))


def _nearest(together: sp.csr_matrix, nums: Ints, norms: Floats) -> sp.csr_matrix:
    """``(n_nums, n_videos)`` cosines of the nearest, from how many liked both.

    Args:
        together: ``(n_nums, n_videos)`` users who liked both.
        nums: ``(n_nums,)`` the videos of the rows.
        norms: ``(n_videos,)`` roots of how many liked each.
    """
    together.sort_indices()
    kept, values, lengths = [], [], []
    for row, num in enumerate(nums):
        cells = slice(together.indptr[row], together.indptr[row + 1])
        others, both = together.indices[cells], together.data[cells]
        others, both = others[others != num], both[others != num]
        cosines = both / (norms[num] * norms[others])
        best = _largest(cosines, _N_NEIGHBOURS)
        kept.append(others[best])
        values.append(cosines[best])
        lengths.append(len(best))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return sp.csr_matrix(
        (np.concatenate(values), np.concatenate(kept), offsets), shape=together.shape
    )


def _personal(
    block: Histories, eligible: Eligible, neighbours: _Neighbours, content: Content, n: int
) -> dict[str, list[Ints]]:
    """Baseline -> the best n allowed videos of each user of a block, as many as have a score."""
    events = liked(block)
    places = neighbours.places[events.video_nums]
    cells = np.unique(events.user_nums() * max(1, neighbours.cosines.shape[0]) + places)
    users, rows = np.divmod(cells, max(1, neighbours.cosines.shape[0]))
    shape = (block.n_users, neighbours.cosines.shape[0])
    scores = sp.csr_matrix((np.ones(len(cells)), (users, rows)), shape=shape) @ neighbours.cosines
    last = last_videos(block, 1)[:, 0]

    def best(user: int, nums: Ints, scores: Floats) -> Ints:
        may = _may(eligible, user, nums)
        return _best(nums[may], scores[may], n)

    return {
        ITEM_KNN: [best(user, *_row(scores, user)) for user in range(block.n_users)],
        SIMILAR_TO_LAST: [
            best(user, *_similar(num, neighbours, content)) for user, num in enumerate(last)
        ],
    }


def _similar(num: int, neighbours: _Neighbours, content: Content) -> tuple[Ints, Floats]:
    """The neighbours of a video with their cosines; by content where it has none."""
    if num == PAD:
        return np.empty(0, dtype=np.int64), np.empty(0)
    nums, cosines = _row(neighbours.cosines, int(neighbours.places[num]))
    if len(nums):
        return nums, cosines
    cosines = (content.fused @ content.fused[num]).astype(np.float64)
    alike = np.flatnonzero(cosines > 0)
    return alike, cosines[alike]


def _row(matrix: sp.csr_matrix, row: int) -> tuple[Ints, Floats]:
    """Columns and values of a row."""
    cells = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return matrix.indices[cells].astype(np.int64), matrix.data[cells]


def _best(nums: Ints, scores: Floats, n: int) -> Ints:
    """At most n of some videos, by falling score, equal ones by video_num."""
    order = np.argsort(nums, kind="stable")
    nums, scores = nums[order], scores[order]
    best = _largest(scores, n)
    return nums[best[np.argsort(-scores[best], kind="stable")]]


def _largest(values: Floats, n: int) -> Ints:
    """Places of the n largest values, rising; of equal ones the first."""
    if len(values) <= n:
        return np.arange(len(values))
    least = np.partition(values, len(values) - n)[len(values) - n]
    above = np.flatnonzero(values > least)
    equal = np.flatnonzero(values == least)[: n - len(above)]
    return np.sort(np.concatenate([above, equal]))


def _filled(mine: Ints, popular: Ints, n: int) -> Ints:
    """The first n of a list, and behind them what is popular and not yet in it."""
    mine = mine[:n]
    if len(mine) == n:
        return mine
    return np.concatenate([mine, popular[~np.isin(popular, mine)]])[:n]
