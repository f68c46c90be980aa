"""The strongest of an item-item model among what a history touches, and what that lends to."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.recommending.models.touching import picked, touched

Ints = npt.NDArray[np.int64]

LENT_CELLS = 20_000
"""New videos that a user's strongest lenders lend to and that are looked at; where no more are
lent to in all, every lender is asked."""
_LENDERS = 1_000
_TIMES, _WIDER = 2, 4


def strongest(block: AskingBlock, model: ItemModel, n: int) -> Found:
    """The ``n`` largest scores above 0 of each user, of what they may be shown.

    Some more are taken by what the history itself says, and as many by what it lends; these alone
    are scored as a whole and put in order. Where the rules leave too few of them, more are taken.
    """
    own_model, lent = block.models.items[model.name], block.models.lent
    scores = np.full((block.histories.n_users, n), -np.inf, dtype=np.float32)
    nums = np.full((block.histories.n_users, n), -1, dtype=np.int64)
    for users, own in touched(own_model, block.query(model)):
        eligible = block.eligible.take(np.arange(users.start, users.stop))
        scores[users], nums[users] = strongest_of_rows(own, lent, eligible, n, block.search.counts)
    return scores, nums


def strongest_of_rows(
    own: sp.csr_matrix, lent: SparseModel, eligible: Eligible, n: int, counts: Counter[str]
) -> Found:
    """The same of rows that are there.

    Args:
        own: ``(n_users, n_videos)`` what histories touch, as of `touching.touched`.
        lent: which known videos a hardly known one takes from.
        eligible: what each user may be shown.
        n: how many.
        counts: where those are counted of whom more had to be taken.
    """
    borrowed = _lent_to(own, lent)
    n_positive = np.maximum(_n_positive(own), _n_positive(borrowed))
    m = _TIMES * n + int(eligible.n_met.max(initial=0))
    scores, nums = _among_largest(own, borrowed, lent, eligible, m, n)
    while True:
        short = np.flatnonzero(((nums >= 0).sum(axis=1) < n) & (n_positive > m))
        if not len(short):
            return scores, nums
        m *= _WIDER
        counts["searched_wider"] += len(short)
        scores[short], nums[short] = _among_largest(
            own[short], borrowed[short], lent, eligible.take(short), m, n
        )


def _among_largest(
    own: sp.csr_matrix,
    borrowed: sp.csr_matrix,
    lent: SparseModel,
    eligible: Eligible,
    m: int,
    n: int,
) -> Found:
    some = np.concatenate([largest(own, m)[0], largest(borrowed, m)[0]], axis=1)
    some = np.sort(some, axis=1)
    some[:, 1:][some[:, 1:] == some[:, :-1]] = -1  # found by both
    values = picked(own, lent, some)
    values[~eligible.may(some) | (values <= 0)] = -np.inf
    order = np.argsort(-values, axis=1, kind="stable")[:, :n]  # equal ones by video_num
    scores = np.full((len(some), n), -np.inf, dtype=np.float32)
    scores[:, : order.shape[1]] = np.take_along_axis(values, order, axis=1)
    nums = np.full((len(some), n), -1, dtype=np.int64)
    nums[:, : order.shape[1]] = np.take_along_axis(some, order, axis=1)
    return scores, np.where(np.isfinite(scores), nums, -1)


def _lent_to(own: sp.csr_matrix, lent: SparseModel) -> sp.csr_matrix:
    """``(n_rows, n_videos)`` what new videos take, of all lenders or of each row's strongest."""
    if lent.matrix.nnz <= LENT_CELLS:
        return sp.csr_matrix(own @ lent.matrix)
    lenders, values = largest(own, _LENDERS, ordered=True)
    n_lent = np.where(lenders >= 0, lent.row_lengths[lenders], 0)
    asked = (n_lent > 0) & (np.cumsum(n_lent, axis=1) - n_lent < LENT_CELLS)
    rows, places = np.nonzero(asked)
    cells = (values[rows, places], (rows, lenders[rows, places]))
    return sp.csr_matrix(sp.csr_matrix(cells, shape=own.shape) @ lent.matrix)


def largest(
    rows: sp.csr_matrix, m: int, *, ordered: bool = False
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """The ``m`` largest entries above 0 of each row.

    Args:
        rows: sparse.
        m: how many.
        ordered: whether they fall along a row.

    Returns:
        ``(n_rows, m)`` columns and entries, -1 and 0 behind.
    """
    width = min(m, int(np.diff(rows.indptr).max(initial=0)))
    found = np.full((rows.shape[0], width), -1, dtype=np.int64)
    entries = np.zeros((rows.shape[0], width), dtype=np.float32)
    for num in range(rows.shape[0]):
        part = slice(rows.indptr[num], rows.indptr[num + 1])
        values, columns = rows.data[part], rows.indices[part]
        if len(values) > width:
            some = np.argpartition(values, len(values) - width)[len(values) - width :]
            values, columns = values[some], columns[some]
        above = values > 0
        values, columns = values[above], columns[above]
        if ordered:
            order = np.argsort(-values, kind="stable")
            values, columns = values[order], columns[order]
        found[num, : len(columns)], entries[num, : len(columns)] = columns, values
    return found, entries


def _n_positive(rows: sp.csr_matrix) -> Ints:
    """``(n_rows,)`` entries above 0 of each row."""
    users = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.bincount(users[rows.data > 0], minlength=rows.shape[0]).astype(np.int64)
