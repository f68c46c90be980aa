"""Finding: the best of many videos for each user of a block, in the ways that sources share.

Whatever is found is filtered by `Eligible`; where the filters eat a list, the search is widened
until the list is full or there is nothing left, and counted.
"""

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import Neighbours
from vidrec_tasks.recommending.lists.eligibility import Bits, Eligible, are_set
from vidrec_tasks.recommending.lists.sources.source import Found

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHUNK = 16_384
"""Videos whose products with a block are held at once: 8 MB of 128 users."""
_WIDER = (2, 4)
"""How many times as much is asked for, one after the other, before the search is among what a cell
may be shown alone."""
COUNTED: Final = ("searches", "searched_wider", "searched_by_cell", "left_short")
"""What is counted of searches, users with a query each: all, those asked again for more, those
asked again among what their cell may be shown, and those who still got fewer than there are."""
_SCANNED = 4_096


def near(
    index: Neighbours | None,
    vectors: Floats,
    queries: Floats,
    eligible: Eligible,
    n: int,
    counts: Counter[str] | None = None,
) -> Found:
    """The nearest eligible vectors of each query; none for a query of zeros.

    Args:
        index: over the vectors; None: exact products.
        vectors: ``(n_videos, dim)``.
        queries: ``(n_users, dim)``.
        eligible: what each user may be shown.
        n: how many.
        counts: where searches are counted (`COUNTED`).
    """
    known = np.abs(queries).sum(axis=1) > 0
    if index is None:
        return _by_product(vectors, queries, eligible, known, n)
    counts = Counter() if counts is None else counts
    counts["searches"] += int(known.sum())
    # what may not be shown is searched past: up to four times as much is asked for
    n_hidden = int((eligible.n_videos - eligible.n_allowed).max(initial=0))
    k = min(len(vectors), n + min(n_hidden, 3 * n))
    scores, nums = index.search(queries, k)
    ends = nums[:, -1] < 0  # whom the index has nothing more for
    good = eligible.may(nums) & known[:, None]
    scores, nums = _first(scores, nums, good, n)
    is_short = known & (_n_found(nums) < np.minimum(n, eligible.n_allowed))
    short = np.flatnonzero(is_short & ~ends)
    for times in _WIDER:
        if not len(short) or k >= len(vectors):
            break
        counts["searched_wider"] += len(short)
        wide = min(len(vectors), times * k)
        mine, its = index.search(queries[short], wide)
        found = _first(mine, its, eligible.take(short).may(its), n)
        _put(scores, nums, short, found)
        short = short[_n_found(found[1]) < np.minimum(n, eligible.n_allowed[short])]
        if wide == len(vectors):
            break
    else:
        counts["searched_by_cell"] += len(short)
        short = _by_cell(index, queries, eligible, short, (scores, nums))
    counts["left_short"] += len(short)
    return scores, nums


def _by_cell(
    index: Neighbours, queries: Floats, eligible: Eligible, users: Ints, found: Found
) -> Ints:
    """Search again among what each cell may be shown; returns who is short still."""
    short = [users[:0]]
    n = found[0].shape[1]
    for bits, members in eligible.users_of_cells():
        mine = members[np.isin(members, users)]
        if not len(mine):
            continue
        k = min(eligible.n_videos, n + int(eligible.n_met[mine].max(initial=0)))
        scores, nums = index.search(queries[mine], k, among=bits)
        own = _first(scores, nums, eligible.take(mine).may(nums), n)
        _put(*found, mine, own)
        short.append(mine[_n_found(own[1]) < np.minimum(n, eligible.n_allowed[mine])])
    return np.concatenate(short)


def _put(scores: Floats, nums: Ints, users: Ints, found: Found) -> None:
    """Put what was found for some users in the place of what had been."""
    width = min(scores.shape[1], found[0].shape[1])
    scores[users, :width], nums[users, :width] = found[0][:, :width], found[1][:, :width]


def _n_found(nums: Ints) -> Ints:
    return np.asarray((nums >= 0).sum(axis=1), dtype=np.int64)


def _by_product(vectors: Floats, queries: Floats, eligible: Eligible, known: Mask, n: int) -> Found:
    """The exact nearest, a chunk of the catalogue at a time."""
    best: list[Found] = []
    for first in range(0, max(1, len(vectors)), CHUNK):
        part = vectors[first : first + CHUNK]
        good = eligible.between(first, first + len(part)) & known[:, None]
        scores, nums = top(queries @ part.T, good, n)
        best = [best_of([*best, (scores, np.where(nums >= 0, nums + first, -1))], n)]
    return best[0]


def best_of(found: list[Found], n: int) -> Found:
    """The ``n`` best of what was found in several places, each best first; equal ones in order."""
    if len(found) == 1:
        return found[0]
    scores = np.concatenate([one for one, _ in found], axis=1)
    nums = np.concatenate([one for _, one in found], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(nums, order, axis=1)


def _first(scores: Floats, nums: Ints, good: Mask, n: int) -> Found:
    """The first ``n`` good entries of each row, in order."""
    order = np.argsort(~good, axis=1, kind="stable")[:, :n]
    kept = np.take_along_axis(good, order, axis=1)
    return (
        np.where(kept, np.take_along_axis(scores, order, axis=1), -np.inf).astype(np.float32),
        np.where(kept, np.take_along_axis(nums, order, axis=1), -1),
    )


def top(scores: Floats, good: Mask, n: int) -> Found:
    """The ``n`` best good entries of each dense row; equal ones by video_num."""
    n = min(n, scores.shape[1])
    hidden = np.where(good, scores, -np.inf)
    if n < scores.shape[1]:
        some = np.sort(np.argpartition(-hidden, n - 1, axis=1)[:, :n], axis=1)
    else:
        some = np.broadcast_to(np.arange(n), hidden.shape)
    values = np.take_along_axis(hidden, some, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    nums = np.take_along_axis(some, order, axis=1)
    return values.astype(np.float32), np.where(np.isfinite(values), nums, -1).astype(np.int64)


def best_of_all(best: Ints, scores: Floats, eligible: Eligible, n: int) -> Found:
    """The ``n`` best eligible of some videos, by scores that are the same for everybody.

    Args:
        best: ``(n_some,)`` video_nums, best first.
        scores: ``(n_some,)`` theirs.
        eligible: what each user may be shown.
        n: how many.
    """
    found = (
        np.full((eligible.n_users, n), -np.inf, dtype=np.float32),
        np.full((eligible.n_users, n), -1, dtype=np.int64),
    )
    for bits, users in eligible.users_of_cells():
        # as many more as a user has met: then the list of the cell fills that of every user
        head = _head(best, bits, n + int(eligible.n_met[users].max(initial=0)))
        shape = (len(users), len(head))
        nums = np.broadcast_to(best[head], shape)
        good = eligible.take(users).may(nums)
        _put(*found, users, _first(np.broadcast_to(scores[head], shape), nums, good, n))
    return found


def _head(best: Ints, bits: Bits, n: int) -> Ints:
    """The first ``n`` places of what a cell may be shown."""
    found: list[Ints] = [np.empty(0, dtype=np.int64)]
    n_found = 0
    for first in range(0, len(best), _SCANNED):
        places = first + np.flatnonzero(are_set(bits, best[first : first + _SCANNED]))
        found.append(places)
        n_found += len(places)
        if n_found >= n:
            break
    return np.concatenate(found)[:n]


def above(found: Found, min_score: float) -> Found:
    """What was found, without what scores less."""
    scores, nums = found
    return scores, np.where(scores >= min_score, nums, -1)
