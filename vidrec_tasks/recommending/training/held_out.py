"""Held out: what users liked later, for early stopping and for what scorers learn.

All of it lies before the cut of the fit, so nothing that is tested is ever chosen on. Two ways:
the events after one moment for everybody (``later``), as a night is measured, or the last event of
each user, wherever in time it lies (``last``), as the literature's leave-one-out has it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.measuring.splits import time_split, turned_away_later

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MIN_LIKED = 3
"""Liked events a user needs before the last of them may be held out."""
N_WANTED = 2_000
"""Users held out at most: the blend has a dozen weights, early stopping one number."""
MAX_SHARE = 0.5
"""Share of the users held out at most: the others keep what is newest."""
MIN_LATER_USERS: Final = 200
"""Users who liked something new in the window, under which it grows."""
FIRST_SHARE, LAST_SHARE = 0.2, 1 / 3
"""Shares of the log's days that the window has at most to begin with, and when it has grown."""
_DAY_S = 86_400
_NOTHING = np.zeros(0, dtype=np.int64)
_CELLS = 32_000_000
"""Scores of users and videos held at once: 128 MB of float32."""


@dataclass(frozen=True)
class Asked:
    """Users at one moment, and what they liked from then on for the first time.

    Attributes:
        users: with their events before the moment.
        targets: for each of them the video_nums, at least one, no repeats.
        everybody: the events of all users before the moment.
        cut: seconds since 1970 UTC of the moment; None: the last event of each user.
        turned_away: for each of them the video_nums that they then met and turned away; nothing is
            known of it where there is no moment.
        unpublished: video_nums that came out at the moment or later: no list of it holds them, so
            they are neither targets nor ranked.
    """

    users: Histories
    targets: Sequence[Ints]
    everybody: Histories
    cut: int | None = None
    turned_away: Sequence[Ints] = ()
    unpublished: Ints = field(default_factory=_NOTHING.copy)

    def blocks(self, n_videos: int) -> Iterator[tuple[slice, "Asked"]]:
        """Yield users few enough that their scores of all videos can be held."""
        size = max(1, _CELLS // max(1, n_videos))
        for first in range(0, len(self.targets), size):
            some = slice(first, first + size)
            users = self.users.take(np.arange(self.users.n_users)[some])
            yield some, replace(self, users=users, targets=self.targets[some])


@dataclass(frozen=True)
class HeldOut:
    """What is learned from, and what was watched after it.

    Attributes:
        train: all users, without the held-out events.
        asked: the held-out users and events, as of the end of ``train``.
        periods: the same events in turn, each as of its own beginning: scorers learn from the
            first and are measured on the last, which is the later one.
    """

    train: Histories
    asked: Asked
    periods: tuple[Asked, ...]


def hold_out_later(
    histories: Histories,
    *,
    cut: int,
    days: float,
    seed: int,
    since: int | None = None,
    published_at_s: Ints = _NOTHING,
) -> HeldOut | None:
    """Hold out everything after one moment, in two periods of equal length.

    The window ends at the cut. It has ``days``, but no more than a fifth of the log to begin with,
    and grows by half until it has `MIN_LATER_USERS` users or a third of the log.

    Args:
        histories: everything before the cut.
        cut: seconds since 1970 UTC.
        days: the window's length.
        seed: of the draw of users.
        since: seconds since 1970 UTC; the window begins no earlier, because what a fit starts from
            has seen the events before. None: any time.
        published_at_s: ``(n_videos,)`` seconds since 1970 UTC, 0 unknown; empty: none is known.

    Returns:
        None where nobody liked anything new in the window.
    """
    if not histories.n_events:
        return None
    end = min(cut, int(histories.event_at.max()) + 1)
    span = end - int(histories.event_at.min())
    length = min(days * _DAY_S, FIRST_SHARE * span)
    begin = end - int(length)
    while length < LAST_SHARE * span:
        if _n_asked(histories, begin, published_at_s) >= MIN_LATER_USERS:
            break
        length = min(1.5 * length, LAST_SHARE * span)
        begin = end - int(length)
    begin = begin if since is None else max(begin, since)
    middle = begin + (end - begin) // 2
    periods = tuple(
        found
        for start, stop in ((begin, middle), (middle, end))
        if (found := _asked(histories, start, stop, seed, published_at_s)) is not None
    )
    asked = _asked(histories, begin, end, seed, published_at_s)
    if asked is None:
        return None
    log.info(
        "%d users liked something new in the %.1f days before the cut",
        len(asked.targets),
        (end - begin) / _DAY_S,
    )
    return HeldOut(histories.before(begin), asked, periods)


def hold_out(histories: Histories, *, seed: int, since: int | None = None) -> HeldOut:
    """Hold out the last liked event of users drawn at random.

    A user whose last liked video was met before (a repeat) is not held out.

    Args:
        histories: everything before the cut.
        seed: of the draw.
        since: seconds since 1970 UTC; only events from then on are held out, because what a fit
            starts from has seen the ones before. None: any.
    """
    users, events = _last_new_events(histories)
    if since is not None:
        is_new = histories.event_at[events] >= since
        users, events = users[is_new], events[is_new]
    n = min(len(users), N_WANTED, max(1, int(MAX_SHARE * len(users))))
    drawn = np.sort(np.random.default_rng(seed).permutation(len(users))[:n])
    users, events = users[drawn], events[drawn]
    keep = np.ones(histories.n_events, dtype=bool)
    keep[events] = False
    # what came after the held-out event of a user is the future of it
    for user, event in zip(users, events, strict=True):
        keep[event : histories.offsets[user + 1]] = False
    train = histories.where(keep)
    targets = [histories.video_nums[event : event + 1] for event in events]
    asked = Asked(train.take(users), targets, train)
    return HeldOut(train, asked, (asked,))


def last_learned(asked: Asked, *, seed: int) -> Asked:
    """Held-out users and the last liked event that was learned of some, as of the same moment."""
    return replace(hold_out(asked.users, seed=seed).asked, unpublished=asked.unpublished)


def ndcg_of_ranks(ranks: Ints, *, k: int = 10) -> Floats:
    """``(n,)`` NDCG@k of one relevant video at a rank (1 is best): 1 / log2(1 + rank) up to k."""
    gains = 1 / np.log2(1 + ranks.astype(np.float64))
    return np.where(ranks <= k, gains, 0.0).astype(np.float32)


def ndcg_of_targets(scores: Floats, asked: Asked, *, k: int = 10) -> Floats:
    """``(n_users,)`` NDCG@k of the targets among all published videos their users have not met.

    Args:
        scores: ``(n_users, n_videos)``.
        asked: whose targets; ties count against a target.
        k: depth.
    """
    scores = scores.copy()
    scores[:, asked.unpublished] = -np.inf
    scores[asked.users.user_nums(), asked.users.video_nums] = -np.inf
    found = np.zeros(len(scores), dtype=np.float32)
    for user, targets in enumerate(asked.targets):
        found[user] = ndcg_of_row(scores[user], scores[user, targets], len(targets), k=k)
    return found


def ndcg_of_row(
    scores: npt.NDArray[np.floating], own: npt.NDArray[np.floating], n_relevant: int, *, k: int = 10
) -> float:
    """NDCG@k of one user.

    Args:
        scores: ``(n,)`` of everything that is ranked.
        own: ``(m,)`` those of the relevant among it; ties count against them.
        n_relevant: relevant videos, also those that are not ranked.
        k: depth.
    """
    ranks = (scores >= own[:, None]).sum(axis=1)
    return float(ndcg_of_ranks(ranks, k=k).sum() / ideal(n_relevant, k=k))


def ideal(n_relevant: int, *, k: int = 10) -> float:
    """The DCG@k of a list that begins with all relevant videos."""
    return float(ndcg_of_ranks(np.arange(1, 1 + min(k, n_relevant)), k=k).sum())


def _n_asked(histories: Histories, begin: int, published_at_s: Ints) -> int:
    is_out = _are_unpublished(histories, begin, published_at_s)
    held_out = time_split(histories, cut=begin).held_out
    return sum(not is_out[videos].all() for videos in held_out)


def _are_unpublished(histories: Histories, begin: int, published_at_s: Ints) -> Mask:
    """``(n_videos,)`` which videos came out at a moment or later."""
    n_videos = int(histories.video_nums.max(initial=-1)) + 1
    known = published_at_s if len(published_at_s) else np.zeros(n_videos, dtype=np.int64)
    return np.asarray(known >= begin, dtype=bool) & (known > 0)


def _asked(
    histories: Histories, begin: int, end: int, seed: int, published_at_s: Ints
) -> Asked | None:
    """Users with a history, at most `N_WANTED`; None where there are none."""
    histories = histories.before(end)
    split = time_split(histories, cut=begin)
    is_out = _are_unpublished(histories, begin, published_at_s)
    held_out = [videos[~is_out[videos]] for videos in split.held_out]
    is_known = np.diff(split.train.offsets) > 0
    users = np.flatnonzero([len(v) > 0 for v in held_out] & is_known)
    if not len(users):
        return None
    users = np.sort(np.random.default_rng(seed).permutation(users)[:N_WANTED])
    targets = [held_out[user] for user in users]
    away = [
        videos[~is_out[videos]] for videos in turned_away_later(histories.take(users), cut=begin)
    ]
    unpublished = np.flatnonzero(is_out)
    return Asked(split.train.take(users), targets, split.train, begin, away, unpublished)


def _last_new_events(histories: Histories) -> tuple[Ints, Ints]:
    users, events = [], []
    for user in range(histories.n_users):
        part = histories.of(user)
        liked = np.flatnonzero(histories.weights[part] > 0) + part.start
        if len(liked) < MIN_LIKED:
            continue
        before = histories.video_nums[part.start : liked[-1]]
        if histories.video_nums[liked[-1]] not in before:
            users.append(user)
            events.append(liked[-1])
    return np.array(users, dtype=np.int64), np.array(events, dtype=np.int64)
