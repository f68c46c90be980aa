"""Lately: what everybody watches at a moment, as a logarithm of a share that fades within days.

It is the prior of what is watched next. A tower that is trained with it added to its logits learns
what speaks for a video *beside* its being watched by everybody just then, so that its ``f(v).g(u)``
stays true when the fashion changes; the prior of the night is added when it serves.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

HALF_LIFE_DAYS: Final = 3.0
"""NDCG@10 of the next 17 days, MovieTweetings cut 17 days early: 0.173, 0.178, 0.175 with
half-lives of 1.5, 3 and 7 days; 0.131 without this prior."""

_DAY_S = 86_400
_DOUBT = 0.05
"""Users that every video is given: what nobody watched is improbable, not impossible."""
_MAX_CELLS = 64_000_000
"""Numbers held for training, 256 MB: of more videos or years a step is longer than a day."""


def log_shares(
    histories: Histories, n_videos: int, *, cut: int, half_life_days: float = HALF_LIFE_DAYS
) -> npt.NDArray[np.float32]:
    """The logarithm of each video's share of all recent likes, 0 for a usual video.

    Args:
        histories: liked events of everybody; those from the cut on do not count.
        n_videos: videos of the catalogue.
        cut: seconds since 1970 UTC.
        half_life_days: after which an event counts half.

    Returns:
        ``(n_videos,)`` float32.
    """
    past = histories.event_at < cut
    age_days = (cut - histories.event_at[past]) / _DAY_S
    weights = 0.5 ** (age_days / half_life_days)
    counts = np.bincount(histories.video_nums[past], weights=weights, minlength=n_videos)
    return _log_shares(counts[None].astype(np.float64))[0]


@dataclass(frozen=True)
class Steps:
    """The shares as they were at the beginning of each step of a log, for training.

    Attributes:
        start: seconds since 1970 UTC, the beginning of the first step.
        step_s: seconds of a step, whole days.
        shares: ``(n_steps, n_videos)`` float32, as `log_shares` at the beginning of each step.
    """

    start: int
    step_s: int
    shares: npt.NDArray[np.float32]

    @classmethod
    def of(cls, histories: Histories, n_videos: int) -> "Steps":
        """The steps of the liked events of everybody."""
        at = histories.event_at
        start = int(at.min(initial=0 if not len(at) else at[0])) // _DAY_S * _DAY_S
        n_days = 1 + (int(at.max(initial=start)) - start) // _DAY_S
        n_days_a_step = -(-n_days // max(1, min(n_days, _MAX_CELLS // max(1, n_videos))))
        n_steps = -(-n_days // n_days_a_step)
        made = cls(start, n_days_a_step * _DAY_S, np.empty((n_steps, n_videos), np.float32))
        made._fill(histories, fading=0.5 ** (n_days_a_step / HALF_LIFE_DAYS))
        return made

    def _fill(self, histories: Histories, *, fading: float) -> None:
        n_steps, n_videos = self.shares.shape
        steps = self.numbers(histories.event_at)
        order = np.argsort(steps, kind="stable")
        ends = np.searchsorted(steps[order], np.arange(n_steps + 1))
        counts = np.zeros(n_videos)
        for step in range(n_steps):
            self.shares[step] = _log_shares(counts[None])[0]
            nums = histories.video_nums[order[ends[step] : ends[step + 1]]]
            counts = fading * (counts + np.bincount(nums, minlength=n_videos))

    def numbers(self, event_at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``(n,)`` the step that each moment lies in."""
        return np.clip((event_at - self.start) // self.step_s, 0, len(self.shares) - 1)


def _log_shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    counts = counts + _DOUBT
    return np.log(counts / counts.mean(axis=-1, keepdims=True)).astype(np.float32)
