"""Lending: a video that hardly anybody knows takes what speaks for its neighbours by content.

An item-item model has nothing for a video without events, so a ranker that leans on one never
lists it. A new video's column is the mean of its nearest known videos' columns, and hands over to
its own as its first users come (attribute-to-feature mapping: Gantner et al., 2010, by k-NN).
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.content.index import build_index
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.settings import ContentSettings

N_KNOWN_USERS: Final = 3
"""Users who liked a video from which it speaks for itself."""
N_NEIGHBOURS: Final = 20
"""Known videos a new one takes from: fewer are single opinions, 10 to 200 list equally well."""
_BLOCK = 4_096


def lend(fused: npt.NDArray[np.float32], n_users: npt.NDArray[np.float32]) -> SparseModel:
    """Who lends to whom.

    Args:
        fused: ``(n_videos, dim)`` float32 unit rows, or zero rows, which neither lend nor borrow.
        n_users: ``(n_videos,)`` users who liked each video.

    Returns:
        ``(n_videos, n_videos)``; row: a known video, column: one it lends to. A column without a
        user sums to 1, that of a known video is empty.
    """
    n_videos = len(fused)
    has_content = fused.any(axis=1)
    lends = has_content & (n_users >= N_KNOWN_USERS)
    borrowers = np.flatnonzero(has_content & (n_users < N_KNOWN_USERS))
    matrix = sp.csr_matrix((n_videos, n_videos), dtype=np.float32)
    if not lends.any() or not len(borrowers):
        return SparseModel(matrix)
    lenders_alone = np.zeros_like(fused)  # a copy once: zero rows are not indexed
    np.copyto(lenders_alone, fused, where=lends[:, None])
    index = build_index(lenders_alone, ContentSettings())
    del lenders_alone
    for first in range(0, len(borrowers), _BLOCK):
        some = borrowers[first : first + _BLOCK]
        cosines, lenders = index.search(fused[some], min(N_NEIGHBOURS, int(lends.sum())))
        weights = np.where(lenders >= 0, np.maximum(cosines, 0), 0)
        total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        wanted = 1 - n_users[some, None] / N_KNOWN_USERS
        weights = (wanted * weights / total).astype(np.float32)
        rows, places = np.nonzero(weights)
        cells = (lenders[rows, places], some[rows])
        matrix += sp.csr_matrix((weights[rows, places], cells), shape=matrix.shape)
    return SparseModel(matrix)
