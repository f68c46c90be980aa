"""Relevance weight: what a language model's log odds are worth in a score, on held-out events.

The weight is one number. It is chosen on one half of the users and measured on the other, and the
other way round; it is 0 unless the whole 95% interval of what it adds is above 0. Leaves asking to
`language.judging` and the lists to `held_out_lists`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import RANK, SCORE, USER_ID, VIDEO_ID
from vidrec_tasks.measuring.intervals import Interval, paired_bootstrap
from vidrec_tasks.recommending.lists.relevance import NOTHING, RELEVANCE, centred, standardised
from vidrec_tasks.recommending.training.held_out import ndcg_of_row
from vidrec_tasks.recommending.training.held_out_lists import (
    IS_RELEVANT,
    N_EVENTS,
    N_RELEVANT,
    NDCG_WITHOUT_WORDS,
    HeldOutLists,
)

GRID: Final = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Weights tried, in spreads of the scores among the judged rows of a user."""
MIN_JUDGED: Final = 20
"""Judged users under whom nothing is learned."""

Doubles = npt.NDArray[np.float64]


def users_in_turn(lists: HeldOutLists) -> pd.DataFrame:
    """The held-out users, most active first, as a night judges them."""
    return lists.users.sort_values([N_EVENTS, USER_ID], ascending=[False, True], ignore_index=True)


def rows_to_judge(lists: HeldOutLists, *, top: int) -> pd.DataFrame:
    """The best rows of users who then liked one of them: no order of the others' is any better.

    Args:
        lists: of the held-out users.
        top: rows of a user.
    """
    best = lists.rows[lists.rows[RANK] <= top]
    is_hit = best.groupby(USER_ID)[IS_RELEVANT].transform("any")
    return best[is_hit.astype(bool)].reset_index(drop=True)


@dataclass(frozen=True)
class _Lists:
    """Held-out lists as arrays; all of one order of users.

    Attributes:
        scores: ``(n_users, k)``, -inf behind.
        moved: ``(n_users, k)`` log odds as of `standardised`, 0 where not judged.
        relevant: ``(n_users, k)`` whether the video was then liked.
        n_relevant: ``(n_users,)``.
    """

    scores: Doubles
    moved: Doubles
    relevant: npt.NDArray[np.bool_]
    n_relevant: npt.NDArray[np.int64]

    def ndcg(self, weight: float) -> Doubles:
        """``(n_users,)`` NDCG@10 with a weight."""
        scores = self.scores + weight * self.moved
        rows = zip(scores, self.relevant, self.n_relevant, strict=True)
        return np.array([ndcg_of_row(row, row[own], int(n)) for row, own, n in rows])


def learn_weight(
    lists: HeldOutLists,
    judged: pd.DataFrame,
    considered: Collection[str],
    *,
    top: int,
    n_draws: int,
    seed: int,
) -> dict[str, Any]:
    """What the log odds are worth.

    Args:
        lists: of the held-out users.
        judged: user_id, video_id, log_odds of rows of `rows_to_judge`.
        considered: users who are counted: judged, or with nothing to judge.
        top: rows of a user that could be judged.
        n_draws: bootstrap draws.
        seed: of the draws.

    Returns:
        ``weight`` and ``spread`` as `lists.relevance.add_relevance` takes them; ``measured``:
        ``relevance_lift``, what the relevance adds to NDCG@10 of the ranking, and
        ``llm_lift``, what it adds together with the features made of words, each with value, low,
        high, n_users; ``n_judged``, the users whose lists were judged. `NOTHING` where fewer than
        `MIN_JUDGED` were or the model says the same of everything.
    """
    judged = judged[judged[USER_ID].isin(set(considered))].reset_index(drop=True)
    n_judged = int(judged[USER_ID].nunique())
    spread = float(np.sqrt((centred(judged) ** 2).mean())) if len(judged) else 0.0
    if n_judged < MIN_JUDGED or not spread > 0:
        return dict(NOTHING) | {"measured": {"n_judged": float(n_judged)}}
    users = users_in_turn(lists)
    users = users[users[USER_ID].isin(set(considered))].reset_index(drop=True)
    arrays = _arrays(lists, users, judged, spread)
    of_scores = _spread_of_scores(lists, users, top)
    weights = [share * of_scores for share in GRID]
    ndcg = np.array([arrays.ndcg(weight) for weight in weights])  # (n_weights, n_users)
    bare = ndcg[0]
    measured = _cross_fitted(ndcg)
    lift = _compare(measured, bare, n_draws, seed)
    weight = weights[int(ndcg.mean(axis=1).argmax())] if lift.low > 0 else 0.0
    served = measured if weight else bare
    wordless = users[NDCG_WITHOUT_WORDS].to_numpy(np.float64)
    return {
        "weight": weight,
        "spread": spread,
        "measured": {
            "relevance_lift": _said(lift, len(users)),
            "llm_lift": _said(_compare(served, wordless, n_draws, seed), len(users)),
            "n_judged": float(n_judged),
        },
    }


def _cross_fitted(ndcg: Doubles) -> Doubles:
    """``(n_users,)`` NDCG@10 with the weight that was best for the other half of the users.

    Args:
        ndcg: ``(n_weights, n_users)``; of equal means the first weight is taken.
    """
    found = np.zeros(ndcg.shape[1])
    is_even = np.arange(ndcg.shape[1]) % 2 == 0
    for half in (is_even, ~is_even):
        found[half] = ndcg[int(ndcg[:, ~half].mean(axis=1).argmax())][half]
    return found


def _arrays(
    lists: HeldOutLists, users: pd.DataFrame, judged: pd.DataFrame, spread: float
) -> _Lists:
    moved = judged.assign(**{RELEVANCE: standardised(judged, spread)})
    rows = lists.rows[lists.rows[USER_ID].isin(set(users[USER_ID]))]
    rows = rows.merge(moved[[USER_ID, VIDEO_ID, RELEVANCE]], how="left", on=[USER_ID, VIDEO_ID])
    own = pd.Index(users[USER_ID]).get_indexer(pd.Index(rows[USER_ID]))
    cells = (own, rows[RANK].to_numpy() - 1)
    shape = (len(users), int(rows[RANK].max()) if len(rows) else 0)
    scores, part = np.full(shape, -np.inf), np.zeros(shape)
    relevant = np.zeros(shape, dtype=bool)
    scores[cells] = rows[SCORE]
    part[cells] = rows[RELEVANCE].fillna(0.0)
    relevant[cells] = rows[IS_RELEVANT]
    return _Lists(scores, part, relevant, users[N_RELEVANT].to_numpy(np.int64))


def _spread_of_scores(lists: HeldOutLists, users: pd.DataFrame, top: int) -> float:
    """The usual distance of a score from the mean of the best rows of its user."""
    best = lists.rows[(lists.rows[RANK] <= top) & lists.rows[USER_ID].isin(set(users[USER_ID]))]
    away = best[SCORE] - best.groupby(USER_ID)[SCORE].transform("mean")
    return float(np.sqrt((away**2).mean()))


def _compare(a: Doubles, b: Doubles, n_draws: int, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    return paired_bootstrap(a, b, n_draws=n_draws, rng=rng).difference


def _said(interval: Interval, n_users: int) -> dict[str, float]:
    ends = {"value": interval.mean, "low": interval.low, "high": interval.high}
    return {**{name: float(value) for name, value in ends.items()}, "n_users": float(n_users)}
