"""What an item-item model is: how it is fitted, and with which part of a history it is asked."""

from collections.abc import Callable
from dataclasses import dataclass

import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.models.sparse import SparseModel


@dataclass(frozen=True)
class ItemModel:
    """An item-item model that the night fits; it is a candidate source and a feature by this alone.

    Attributes:
        name: of the source, the feature and the score part.
        fit: from histories, the number of videos and the limits of linear models.
        query: ``(n_users, n_videos)`` the weighted histories that it is multiplied with.
    """

    name: str
    fit: Callable[[Histories, int, LinearShape], SparseModel]
    query: Callable[[Histories, int], sp.csr_matrix]
