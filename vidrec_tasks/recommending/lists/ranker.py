"""Ranker: one score a candidate, as a sum of named parts, by one of three scorers.

``dot`` is ``f(v).g(u)``, ``attention`` lets the candidate ask the history, ``blend`` is a weighted
sum of all features whose weights were learned on held-out events. Every night scores all three.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import SCORE, SOURCE, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.lists.features import ATTENTION, DOT, FEATURES, measure_features
from vidrec_tasks.recommending.lists.score_parts import to_columns
from vidrec_tasks.recommending.models.models import Models, Scorer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SCORERS: Final[tuple[Scorer, ...]] = ("dot", "attention", "blend")

_RIDGE = 1e-2
"""Penalty on squared weights: a few dozen held-out users must not fix twelve weights freely."""


def weights_of(scorer: Scorer, blend: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """``(n_features,)`` the weight of each feature under a scorer."""
    if scorer == "blend":
        return np.array([blend.get(name, 0.0) for name in FEATURES])
    only = DOT if scorer == "dot" else ATTENTION
    return np.array([float(name == only) for name in FEATURES])


def score(
    models: Models, histories: Histories, nums: Ints, *, scorer: Scorer
) -> npt.NDArray[np.float64]:
    """The parts of each candidate's score.

    Args:
        models: what was learned.
        histories: a block of users.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.
        scorer: which score.

    Returns:
        ``(n_users, k, n_features)`` float64; the sum over the last axis is the score.
    """
    configuration = models.configuration
    weights = weights_of(scorer, configuration.blend)
    wanted = [name for name, weight in zip(FEATURES, weights, strict=True) if weight]
    features = measure_features(models, histories, nums, wanted=wanted).astype(np.float64)
    centre = [configuration.centre.get(name, 0.0) * (scorer == "blend") for name in FEATURES]
    return (features - centre) * weights


def rank_candidates(
    models: Models, histories: Histories, candidates: pd.DataFrame, *, scorer: Scorer
) -> pd.DataFrame:
    """Score candidates and order them.

    Args:
        models: what was learned.
        histories: users; those without candidates are left out of the result.
        candidates: user_id, video_id, source; one row a pair.
        scorer: which score orders the lists.

    Returns:
        user_id, video_id, source, score and its parts (`score_parts`; they sum to it), by user,
        falling score, video_id.
    """
    weights = weights_of(scorer, models.configuration.blend)
    used = np.flatnonzero(weights)
    id_order = _places_of(models.content.video_ids)
    tables = [
        _rank_block(models, block, users, rows, scorer, used, id_order)
        for block, users, rows in _blocks(histories, candidates)
    ]
    if not tables:
        none = {name: pd.Series(dtype="str") for name in (USER_ID, VIDEO_ID, SOURCE)}
        no_parts = to_columns(np.zeros((0, len(used))), [FEATURES[num] for num in used])
        return pd.DataFrame({**none, SCORE: pd.Series(dtype="float64"), **no_parts})
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(USER_ID, kind="stable", ignore_index=True)


def fit_blend(features: Floats, target_places: Ints, is_real: npt.NDArray[np.bool_]) -> Floats:
    """Learn the blend's weights: a conditional logit over each user's candidates.

    Weights are kept from falling below 0, so that a part of a score speaks for a video or not at
    all (McFadden, 1974; non-negative by L-BFGS-B).

    Args:
        features: ``(n_users, k, n_features)`` raw.
        target_places: ``(n_users,)`` the place of the video that was then watched.
        is_real: ``(n_users, k)`` False where padded.

    Returns:
        ``(n_features,)`` weights of raw features.
    """
    raw = features.astype(np.float64)
    masked = np.where(is_real[..., None], raw, np.nan)
    spread = np.nanstd(masked, axis=1).mean(axis=0)  # (n_features,) within a user
    scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
    scaled = np.where(is_real[..., None], raw * scale, 0.0)
    rows = np.arange(len(scaled))

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = np.where(is_real, scaled @ weights, -np.inf)
        logits -= logits.max(axis=1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(axis=1, keepdims=True)
        hit = np.maximum(share[rows, target_places], 1e-300)
        expected = np.einsum("uk,ukf->uf", share, scaled)
        slope = (expected - scaled[rows, target_places]).mean(axis=0)
        penalty = _RIDGE * float(weights @ weights)
        return -float(np.log(hit).mean()) + penalty, slope + 2 * _RIDGE * weights

    start = np.where(scale > 0, 0.1, 0.0)
    bounds = [(0.0, None)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x * scale, dtype=np.float32)


def _blocks(
    histories: Histories, candidates: pd.DataFrame
) -> Iterator[tuple[Histories, Ints, pd.DataFrame]]:
    """Yield a block of users, and its candidates by user with the number of each in the block.

    The candidates are put in order once: asking every block for its own out of a shard of 10,000
    users read two million rows 40 times.
    """
    index = pd.Index(histories.user_ids)
    users = index.get_indexer(pd.Index(candidates[USER_ID].astype(object))).astype(np.int64)
    ordered = candidates
    if (np.diff(users) < 0).any():
        order = np.argsort(users, kind="stable")
        users, ordered = users[order], candidates.iloc[order]
    places = np.searchsorted(users, np.arange(histories.n_users + 1))
    for nums, block in histories.blocks():
        counts = places[nums + 1] - places[nums]
        if counts.any():
            own = np.repeat(np.arange(len(nums)), counts)
            starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            rows = np.arange(len(own)) + np.repeat(places[nums] - starts, counts)
            yield block, own, ordered.iloc[rows]


def _rank_block(
    models: Models,
    block: Histories,
    users: Ints,
    mine: pd.DataFrame,
    scorer: Scorer,
    used: Ints,
    id_order: Ints,
) -> pd.DataFrame:
    """The rows of a block of users in order, with the parts that are ``used``."""
    found = models.content.nums_of(mine[VIDEO_ID])
    nums, places = pad(users, found, block.n_users)
    parts = score(models, block, nums, scorer=scorer)[users, places]  # (n_rows, n_features)
    scores = parts.sum(axis=1)
    order = np.lexsort((id_order[found], -scores, users))
    table = mine[[USER_ID, VIDEO_ID, SOURCE]].iloc[order].reset_index(drop=True)
    named = to_columns(parts[order][:, used], [FEATURES[num] for num in used])
    return table.assign(**{SCORE: scores[order]}, **named)


def _places_of(video_ids: npt.NDArray[np.object_]) -> Ints:
    """``(n_videos,)`` the place of each id among all in rising order."""
    places = np.empty(len(video_ids), dtype=np.int64)
    places[np.argsort(video_ids.astype(str), kind="stable")] = np.arange(len(video_ids))
    return places


def pad(users: Ints, nums: Ints, n_users: int) -> tuple[Ints, Ints]:
    """Rows of numbers, one a user, from pairs sorted by user.

    Returns:
        ``(n_users, k)`` the numbers, -1 behind, and ``(n_pairs,)`` the place of each pair in it.
    """
    counts = np.bincount(users, minlength=n_users)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    places = np.arange(len(users)) - starts[users]
    padded = np.full((n_users, int(counts.max(initial=0))), -1, dtype=np.int64)
    padded[users, places] = nums
    return padded, places
