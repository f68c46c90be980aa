"""The item-item models that exist, and their scores, with what new videos borrow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.recommending.models.covisitation import COVISITATION
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.linear import LINEAR
from vidrec_tasks.recommending.models.seconds import taking
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.recommending.models.transitions import TRANSITIONS

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

ITEM_MODELS: Final[tuple[ItemModel, ...]] = tuple(
    replace(model, fit=taking(model.name)(model.fit))
    for model in (LINEAR, TRANSITIONS, COVISITATION)
)
"""Every model here is fitted by the night, brings candidates and is a feature of the ranker."""

_FEW_COLUMNS = 0.25
"""Share of the catalogue up to which columns are taken alone."""


def scores_with_lent(
    model: SparseModel, lent: SparseModel, query: sp.csr_matrix, nums: Ints | None = None
) -> Floats:
    """The scores of an item-item model, where new videos take from their neighbours.

    Few columns of a large catalogue are taken alone: a tenth of the work of all. Either way the
    parts of a sum are added in the same order, so that a score does not depend on which videos are
    asked for together.

    Args:
        model: what scores.
        lent: which known videos a hardly known one takes from (`lending`).
        query: ``(n_users, n_videos)`` weighted histories.
        nums: ``(n_nums,)`` the videos that are scored, rising; None: all.

    Returns:
        ``(n_users, n_nums)`` float32.
    """
    n_videos = query.shape[1]
    wanted = np.arange(n_videos) if nums is None else nums
    taken = lent.columns(wanted)  # (n_videos, n_wanted)
    if len(wanted) > _FEW_COLUMNS * n_videos:
        own, needed = model.scores(query), np.arange(n_videos)
    else:
        needed = np.union1d(wanted, taken.indices)
        own = model.scores(query, needed)
    total = own if nums is None else own[:, np.searchsorted(needed, nums)]
    borrowing = np.flatnonzero(np.diff(taken.indptr))
    if len(borrowing):
        lenders = np.unique(taken.indices)
        lending = sp.csr_matrix(taken[:, borrowing].T)[:, lenders]  # (n_borrowing, n_lenders)
        lending.sort_indices()
        held = np.ascontiguousarray(own[:, np.searchsorted(needed, lenders)].T)
        total[:, borrowing] += (lending @ held).T
    return total


def to_stack(models: Mapping[str, SparseModel]) -> sp.csr_matrix:
    """``(n_models * n_videos, n_videos)`` the matrices one below the other, for the store."""
    return sp.csr_matrix(sp.vstack([model.matrix for model in models.values()]))


def from_stack(stack: sp.csr_matrix, names: list[str]) -> dict[str, SparseModel]:
    """The models that `to_stack` put together, by name."""
    n_videos = stack.shape[1]
    return {
        name: SparseModel(sp.csr_matrix(stack[num * n_videos : (num + 1) * n_videos]))
        for num, name in enumerate(names)
    }
