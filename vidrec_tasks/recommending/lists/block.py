"""A block of users before the models, with what several sources and features need of it.

Each of these is made once a block, when it is first asked for.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.content.encoding.units import spread_rows
from vidrec_tasks.recommending.lists import profiles
from vidrec_tasks.recommending.lists.eligibility import Bits, Eligible
from vidrec_tasks.recommending.models.attention import attend
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.item_models import scores_with_lent
from vidrec_tasks.recommending.models.models import Models, with_one
from vidrec_tasks.recommending.models.sequences import last_videos
from vidrec_tasks.recommending.models.touching import picked, touched
from vidrec_tasks.recommending.models.tower import embed_rows
from vidrec_tasks.settings import RecommendingSettings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Newest(NamedTuple):
    """The newest events of some users of a block.

    Attributes:
        rows: the users.
        video_nums, weights: ``(n_events,)`` events that any of them has, oldest first.
        has: ``(n_rows, n_events)`` which of these each of them has.
    """

    rows: slice
    video_nums: Ints
    weights: Floats
    has: Mask


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Users whose candidates are measured; all dense work is over one block.

    Attributes:
        models: what was learned.
        histories: the users.
        user_vectors: ``(n_users, dim + 1)`` as of `Models.user_vectors`; computed when None.
    """

    models: Models
    histories: Histories
    user_vectors: Floats | None = None

    @cached_property
    def rows(self) -> Ints:
        """``(n_users, length)`` the liked videos that the tower reads."""
        return last_videos(self.histories, self.models.tower.shape.length)

    @cached_property
    def users(self) -> Floats:
        """``(n_users, dim + 1)`` every ``g(u)`` and a 1, to be multiplied with video vectors."""
        if self.user_vectors is not None:
            return self.user_vectors
        return with_one(embed_rows(self.models.tower, self.rows, self.models.tower_vectors))

    @property
    def tower_users(self) -> Floats:
        """``(n_users, dim)`` every ``g(u)`` as the tower has it."""
        return np.ascontiguousarray(self.users[:, :-1])

    @cached_property
    def content_profiles(self) -> Floats:
        """``(n_users, dim)`` as of `profiles.content_profiles`."""
        return profiles.content_profiles(self.models, self.histories)

    @cached_property
    def recent_profiles(self) -> Floats:
        """``(n_users, dim)`` as of `profiles.recent_profiles`."""
        return profiles.recent_profiles(self.models.content, self.histories)

    @cached_property
    def portrait_profiles(self) -> Floats:
        """``(n_users, dim)`` as of `profiles.portrait_profiles`."""
        return profiles.portrait_profiles(self.models, self.histories)

    def embeddings(self, nums: Ints) -> Floats:
        """``(n_nums, dim)`` the fused embeddings of some videos."""
        return spread_rows(self.models.content.fused, nums)

    def products(self, users: Floats, videos: Floats, nums: Ints) -> Floats:
        """``(n_users, k)`` product of each user's vector with those of the candidates.

        Args:
            users: ``(n_users, dim)``.
            videos: ``(n_videos, dim)``; a cosine where both are of length 1, 0 where one is zero.
            nums: ``(n_users, k)``; what stands at -1 means nothing.
        """
        rows = spread_rows(videos, np.maximum(nums, 0).ravel())
        rows = rows.reshape(*nums.shape, videos.shape[1])
        return np.asarray(np.einsum("ud,ukd->uk", users, rows), dtype=np.float32)

    def attended(self, nums: Ints) -> Floats:
        """``(n_users, k)`` what the history adds to the towers' score of each candidate."""
        return attend(self.models.attention, self.rows, self.models.tower_vectors, nums)

    def newest(self, n: int) -> Iterator[Newest]:
        """Yield the newest events of the users, for those at once who have most in common.

        Args:
            n: events of a user, at most.
        """
        histories = self.histories
        for user in range(histories.n_users):
            part = histories.of(user)
            part = slice(max(part.start, part.stop - n), part.stop)
            has = np.ones((1, part.stop - part.start), dtype=bool)
            yield Newest(
                slice(user, user + 1), histories.video_nums[part], histories.weights[part], has
            )

    def item_scores(self, model: ItemModel, nums: Ints | None = None) -> Floats:
        """``(n_users, n_nums)`` of an item-item model, dense: for few videos or small catalogues.

        ``nums``: rising, None: all videos.
        """
        own = self.models.items[model.name]
        return scores_with_lent(own, self.models.lent, self.query(model), nums)

    def item_picks(self, model: ItemModel, nums: Ints) -> Floats:
        """``(n_users, k)`` of an item-item model, for candidates ``(n_users, k)``; 0 at -1."""
        found = np.zeros(nums.shape, dtype=np.float32)
        for users, own in touched(self.models.items[model.name], self.query(model)):
            found[users] = picked(own, self.models.lent, nums[users])
        return found

    def query(self, model: ItemModel) -> sp.csr_matrix:
        """``(n_users, n_videos)`` the weighted histories that a model is multiplied with."""
        if model.query not in self._queries:
            n_videos = self.models.content.n_videos
            self._queries[model.query] = model.query(self.histories, n_videos)
        return self._queries[model.query]

    @cached_property
    def _queries(self) -> dict[object, sp.csr_matrix]:
        return {}


class Neighbours(Protocol):
    """Nearest vectors, as `content.index.Index` finds them."""

    def search(self, queries: Floats, k: int, *, among: Bits | None = None) -> tuple[Floats, Ints]:
        """Scores and nums ``(n_queries, k)``, best first, -1 where there are no more.

        Only what is set in ``among`` (`eligibility.to_bits`) is found, where it is given.
        """


@dataclass(frozen=True)
class Search:
    """Where candidates are searched for.

    Attributes:
        models: what was learned.
        videos_index: over ``f(v)``; None: exact products.
        content_index: over the fused embeddings; None: exact products.
        text: ``(n_videos, dim)`` text embeddings, compared with the sentences of portraits.
        orders: source -> videos, best first, and their scores, where these are the same for
            everybody; filled as sources are asked.
        counts: how often searches had to be widened (`sources.finding.near`); added to.
    """

    models: Models
    videos_index: Neighbours | None = None
    content_index: Neighbours | None = None
    text: Floats | None = None
    orders: dict[str, tuple[Ints, Floats]] = field(default_factory=dict, repr=False)
    counts: Counter[str] = field(default_factory=Counter, repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class AskingBlock(Block):
    """A block of users who ask the candidate sources.

    Attributes:
        search: where is searched.
        eligible: what each user may be shown and has not met.
        settings: n_per_source, min_score, fresh_days, n_exploration.
        portraits: ``(n_users, dim)`` embeddings of the users' portraits, zero where there is none;
            None: the topics that they would name stand in.
    """

    search: Search
    eligible: Eligible
    settings: RecommendingSettings
    portraits: Floats | None = None
