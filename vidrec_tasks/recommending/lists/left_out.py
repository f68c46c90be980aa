"""Left out: a block of the same users many times, each time without one of the videos they watched.

What the rows of one user have in common is computed once; what is not spelled out here is computed
for each row by itself. But for the vectors of the users, which are guessed until they are checked,
every number is that of `Block` over these histories, up to rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.lists.block import Block, Newest
from vidrec_tasks.recommending.models.attention import N_ASKED
from vidrec_tasks.recommending.models.guesses import guess_without
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.models import Models, with_one
from vidrec_tasks.recommending.models.prefixes import Begun, begin, embed_alike, embed_begun
from vidrec_tasks.recommending.models.sequences import PAD, last_videos, liked

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_USERS = 16
"""Users whose attention is computed together: of more, what lies between leaves the cache."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftOut(Block):
    """Rows of one user follow each other, and are asked for the same candidates.

    Attributes:
        whole: the users, once each.
        owners: ``(n_rows,)`` rising, the user of each row.
        without: ``(n_rows,)`` the video_num that is left out; -1: none.
    """

    whole: Histories
    owners: Ints
    without: Ints

    @classmethod
    def of(cls, models: Models, users: Histories, asked: Sequence[Ints]) -> "LeftOut":
        """Each user whole, and without each of some videos.

        Args:
            models: what was learned.
            users: the users.
            asked: of each user, ``(m,)`` video_nums; quickest with the newest last.
        """
        owners = np.repeat(np.arange(users.n_users), [1 + len(videos) for videos in asked])
        without = np.array([num for videos in asked for num in (-1, *videos)], dtype=np.int64)
        copies = users.take(owners)
        rows = copies.where(copies.video_nums != without[copies.user_nums()])
        return cls(models=models, histories=rows, whole=users, owners=owners, without=without)

    @cached_property
    def users(self) -> Floats:
        """``(n_rows, dim + 1)`` as of `Block`, guessed (`guesses.guess_without`) until checked."""
        return with_one(self._guess[0]) if self.user_vectors is None else self.user_vectors

    @cached_property
    def _begun(self) -> Begun:
        """What the tower read of the whole histories: guesses and checks begin there."""
        tower = self.models.tower
        return begin(tower, last_videos(self.whole, tower.shape.length), self.models.tower_vectors)

    @cached_property
    def _guess(self) -> tuple[Floats, Mask]:
        tower, videos = self.models.tower, self.models.tower_vectors
        return guess_without(tower, self._begun, self.owners, self.without, videos)

    def checked(self, rows: Mask) -> tuple[Ints, Block]:
        """Of some rows ``(n_rows,)`` those that were guessed, and a block of them that is not."""
        asked, tower = np.flatnonzero(rows & ~self._guess[1]), self.models.tower
        histories, videos = self.histories.take(asked), self.models.tower_vectors
        own, owners = last_videos(histories, tower.shape.length), self.owners[asked]
        users = np.empty((len(asked), tower.shape.dim), dtype=np.float32)
        is_full = (own != PAD).all(axis=1)  # begins with an older video, as the user's others do
        users[is_full] = embed_alike(tower, own[is_full], owners[is_full], videos)
        users[~is_full] = embed_begun(tower, self._begun, own[~is_full], owners[~is_full], videos)
        return asked, Block(models=self.models, histories=histories, user_vectors=with_one(users))

    def products(self, users: Floats, videos: Floats, nums: Ints) -> Floats:
        """``(n_rows, k)`` as of `Block`: a user's candidates are gathered once for all rows."""
        made = np.empty(nums.shape, dtype=np.float32)
        for rows in self._rows_of():
            asked = videos[nums[rows.start]]  # (k, dim)
            made[rows] = np.einsum("rd,kd->rk", users[rows], asked)  # each a sum by itself
        return made

    def attended(self, nums: Ints) -> Floats:
        """``(n_rows, k)`` as of `Block`."""
        model = self.models.attention
        added = np.zeros(nums.shape, dtype=np.float32)
        if model.is_idle:
            return added
        model.eval()
        vectors = torch.from_numpy(self.models.tower_vectors)
        found = sorted(self._newest(liked(self.whole), N_ASKED), key=lambda one: one.has.shape[1])
        for first in range(0, len(found), _USERS):
            some = found[first : first + _USERS]
            shape = (len(some), *np.max([one.has.shape for one in some], axis=0))
            met, held = np.zeros((shape[0], shape[2]), dtype=np.int64), np.zeros(shape, dtype=bool)
            for place, one in enumerate(some):
                n_rows, n_events = one.has.shape
                met[place, :n_events] = one.video_nums
                held[place, :n_rows, :n_events] = one.has
            asked = np.maximum(nums[[one.rows.start for one in some]], 0)
            with torch.no_grad():
                history, wanted = (vectors[torch.from_numpy(part)] for part in (met, asked))
                sums = model.sums_of_some(history, wanted, torch.from_numpy(held)).numpy()
            for one, own in zip(some, sums, strict=True):  # own: (n_rows, k)
                added[one.rows] = own[: len(one.has)]
        return added

    def newest(self, n: int) -> Iterator[Newest]:
        """As of `Block`."""
        return self._newest(self.whole, n)

    def _newest(self, events: Histories, n: int) -> Iterator[Newest]:
        """What `newest` says of some events of the users."""
        for user, rows in enumerate(self._rows_of()):
            part = events.of(user)
            met, weights = events.video_nums[part], events.weights[part]
            has = met != self.without[rows, None]  # (n_rows, n_events)
            if len(met) > n:
                newer = np.cumsum(has[:, ::-1], axis=1)[:, ::-1]  # itself among them
                has &= newer <= n
                first = int(has.any(axis=0).argmax())
                met, weights, has = met[first:], weights[first:], has[:, first:]
            yield Newest(rows, met, weights, has)

    def _rows_of(self) -> Iterator[slice]:
        """Yield the rows of each user."""
        starts = np.searchsorted(self.owners, np.arange(self.whole.n_users + 1)).tolist()
        return (slice(*pair) for pair in pairwise(starts))

    def item_picks(self, model: ItemModel, nums: Ints) -> Floats:
        """``(n_rows, k)`` as of `Block`: a model is asked once for each video that a user met."""
        n_videos = self.models.content.n_videos
        query = model.query(self.histories, n_videos)
        row_of = np.repeat(np.arange(query.shape[0]), np.diff(query.indptr))
        pairs, places = np.unique(
            self.owners[row_of] * n_videos + query.indices, return_inverse=True
        )
        firsts = np.searchsorted(self.owners, pairs // n_videos)
        worths = self._item_cells(model, pairs % n_videos, nums[firsts])  # (n_pairs, k)
        weights = sp.csr_matrix(
            (query.data, places, query.indptr), shape=(query.shape[0], len(pairs))
        )
        return np.asarray(weights @ worths, dtype=np.float32)

    def _item_cells(self, model: ItemModel, met: Ints, nums: Ints) -> Floats:
        """``(n_pairs, k)`` what each video ``met`` says of each of ``nums``; 0 at -1."""
        own, lent = self.models.items[model.name], self.models.lent
        rows, columns = np.unique(met), np.unique(nums[nums >= 0])
        taken = sp.csr_matrix(own.matrix[rows])
        said = sp.csr_matrix(taken[:, columns] + taken @ lent.columns(columns))
        said.sort_indices()
        row_places = np.searchsorted(rows, met)[:, None]
        column_places = np.where(nums >= 0, np.searchsorted(columns, nums), 0)
        if not len(columns) or not len(met):
            return np.zeros(nums.shape, dtype=np.float32)
        row_places, column_places = np.broadcast_arrays(row_places, column_places)
        cells = np.asarray(said[row_places.ravel(), column_places.ravel()]).reshape(nums.shape)
        return np.where(nums >= 0, cells, 0).astype(np.float32)
