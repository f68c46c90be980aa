"""Held out: the last liked video of some users, for early stopping and for learning the blend.

It lies before the cut of the fit, so nothing that is tested is ever chosen on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

MIN_LIKED = 3
"""Liked events a user needs before the last of them may be held out."""
N_WANTED = 2_000
"""Users held out at most: the blend has twelve weights, early stopping one number."""
MAX_SHARE = 0.5
"""Share of the users held out at most: the others keep what is newest."""


@dataclass(frozen=True)
class HeldOut:
    """What is learned from, and what was watched after it.

    Attributes:
        train: all users, without the held-out events.
        users: the held-out users alone, without the held-out events.
        targets: ``(n_held_out,)`` video_num of the event held out of each.
    """

    train: Histories
    users: Histories
    targets: Ints


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
    return HeldOut(train, train.take(users), histories.video_nums[events])


def ndcg_of_ranks(ranks: Ints, *, k: int = 10) -> Floats:
    """``(n,)`` NDCG@k of one relevant video at a rank (1 is best): 1 / log2(1 + rank) up to k."""
    gains = 1 / np.log2(1 + ranks.astype(np.float64))
    return np.where(ranks <= k, gains, 0.0).astype(np.float32)


def rank_of_targets(scores: Floats, held: HeldOut) -> Ints:
    """``(n_held_out,)`` the rank of each target among all videos its user has not met.

    Args:
        scores: ``(n_held_out, n_videos)``.
        held: whose targets; ties count against the target.
    """
    scores = scores.copy()
    met = (held.users.user_nums(), held.users.video_nums)
    rows = np.arange(len(held.targets))
    own = scores[rows, held.targets]
    scores[met] = -np.inf
    scores[rows, held.targets] = -np.inf
    return 1 + (scores >= own[:, None]).sum(axis=1)


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
