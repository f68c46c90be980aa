"""Eligibility: what each user of a block may be shown, as bits of few cells and what each has met.

Users are many, but few regions and age ratings are different among them. So a rule is a row of bits
for all who are under it, and only what a user has met is their own: nothing here is as large as
users times videos.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def to_bits(mask: Mask) -> Bits:
    """``(…, ceil(n / 8))`` a mask packed, the first of eight in the lowest bit, as for FAISS."""
    return np.packbits(mask, axis=-1, bitorder="little")


def from_bits(bits: Bits, n: int) -> Mask:
    """``(…, n)`` the mask that `to_bits` packed."""
    return np.unpackbits(bits, axis=-1, count=n, bitorder="little").astype(bool)


def are_set(bits: Bits, nums: Ints) -> Mask:
    """Which numbers (0 and up, of any shape) are set in one row of bits."""
    return np.asarray((bits[nums >> 3] >> (nums & 7).astype(np.uint8)) & 1, dtype=bool)


@dataclass(frozen=True, eq=False)
class Eligible:
    """What the users of a block may be shown.

    Attributes:
        cells: ``(n_cells, ceil(n_videos / 8))`` bits of `to_bits`: what the rules of a cell let
            through.
        cell_of: ``(n_users,)`` the cell of each user.
        n_videos: videos of the catalogue.
        met: ``(n_met,)`` rising: ``user * n_videos + video_num`` of what each has met, once each.
    """

    cells: Bits
    cell_of: Ints
    n_videos: int
    met: Ints

    @classmethod
    def of_masks(cls, masks: Mask, cell_of: Ints) -> "Eligible":
        """Users who have met nothing.

        Args:
            masks: ``(n_cells, n_videos)`` what each cell lets through.
            cell_of: ``(n_users,)``.
        """
        return cls(to_bits(masks), cell_of, masks.shape[1], np.empty(0, dtype=np.int64))

    @classmethod
    def everything(cls, n_users: int, n_videos: int) -> "Eligible":
        """No rules: users who may be shown every video."""
        one = np.ones((1, n_videos), dtype=bool)
        return cls.of_masks(one, np.zeros(n_users, dtype=np.int64))

    def without(self, histories: Histories) -> "Eligible":
        """The same rules, and nothing that the users (in the same order) have met."""
        keys = histories.user_nums() * self.n_videos + histories.video_nums
        return replace(self, met=np.union1d(self.met, keys))

    def take(self, users: Ints) -> "Eligible":
        """The same for some users, in the order given."""
        starts, ends = self._met_from[users], self._met_from[users + 1]
        parts = [
            self.met[start:end] + (place - user) * self.n_videos
            for place, (user, start, end) in enumerate(zip(users, starts, ends, strict=True))
        ]
        met = np.concatenate([self.met[:0], *parts])
        return Eligible(self.cells, self.cell_of[users], self.n_videos, met)

    @property
    def n_users(self) -> int:
        """Users of the block."""
        return len(self.cell_of)

    @cached_property
    def n_met(self) -> Ints:
        """``(n_users,)`` videos that each has met."""
        return np.diff(self._met_from)

    @cached_property
    def n_allowed(self) -> Ints:
        """``(n_users,)`` videos that each may be shown."""
        users, nums = np.divmod(self.met, max(1, self.n_videos))
        hidden = np.bincount(users[self._in_cells(users, nums)], minlength=self.n_users)
        in_cell = np.bitwise_count(self.cells).sum(axis=1, dtype=np.int64)
        return np.asarray(in_cell[self.cell_of] - hidden, dtype=np.int64)

    def may(self, nums: Ints) -> Mask:
        """``(n_users, k)`` which of ``(n_users, k)`` video_nums each may be shown; -1: no video."""
        users = np.broadcast_to(np.arange(self.n_users)[:, None], nums.shape)
        return self.may_pairs(users.ravel(), nums.ravel()).reshape(nums.shape)

    def may_pairs(self, users: Ints, nums: Ints) -> Mask:
        """``(n_pairs,)`` which users may be shown which video_nums; -1: no video."""
        known = np.maximum(nums, 0)
        is_met = _are_among(users * self.n_videos + known, self.met)
        return (nums >= 0) & ~is_met & self._in_cells(users, known)

    def between(self, first: int, end: int) -> Mask:
        """``(n_users, end - first)`` the same of a range of videos, few enough to hold.

        Args:
            first: of the range; a multiple of 8.
            end: behind it.
        """
        rows = from_bits(self.cells[:, first >> 3 : (end + 7) >> 3], end - first)[self.cell_of]
        users, nums = np.divmod(self.met, max(1, self.n_videos))
        here = (nums >= first) & (nums < end)
        rows[users[here], nums[here] - first] = False
        return rows

    def users_of_cells(self) -> list[tuple[Bits, Ints]]:
        """Each cell that has users, as its bits and the users."""
        order = np.argsort(self.cell_of, kind="stable")
        starts = np.flatnonzero(np.diff(self.cell_of[order], prepend=-1))
        groups = np.split(order, starts[1:]) if len(order) else []
        return [(self.cells[self.cell_of[users[0]]], users) for users in groups]

    @cached_property
    def _met_from(self) -> Ints:
        borders = np.arange(self.n_users + 1) * self.n_videos
        return np.searchsorted(self.met, borders).astype(np.int64)

    def _in_cells(self, users: Ints, nums: Ints) -> Mask:
        found = self.cells[self.cell_of[users], nums >> 3] >> (nums & 7).astype(np.uint8)
        return np.asarray(found & 1, dtype=bool)


def _are_among(keys: Ints, rising: Ints) -> Mask:
    if not len(rising):
        return np.zeros(len(keys), dtype=bool)
    places = np.minimum(np.searchsorted(rising, keys), len(rising) - 1)
    return np.asarray(rising[places] == keys)
