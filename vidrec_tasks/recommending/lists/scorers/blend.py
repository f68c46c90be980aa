"""The blend: a weighted sum of all features, whose weights were learned on held-out events."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from vidrec_tasks.recommending.lists.features import BLENDED, NAMES
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Parts

Floats = npt.NDArray[np.float32]

USUAL_WEIGHTS: Final[Mapping[str, float]] = {
    "dot": 1.0, "linear": 1.0, "transitions": 1.0, "covisitation": 1.0, "content": 2.0,
    "popular": 0.2,
}  # fmt: skip
"""Where too few held-out events could teach one (a first night)."""

_RIDGE = 1e-2
"""Penalty on squared weights: a few dozen held-out users must not fix a dozen weights freely."""


class Blend:
    """A part says how much more or less of a feature a video has than a usual candidate."""

    name: Final = "blend"
    is_costly: Final = False

    @property
    def usual(self) -> Learned:
        """Weights without a centre."""
        return {"weights": dict(USUAL_WEIGHTS), "centre": {}}

    def learn(self, examples: Examples) -> Learned:
        """The weight of each raw feature, none below 0, and what a usual candidate has of it."""
        blended = np.flatnonzero(np.isin(NAMES, BLENDED))
        weights = np.zeros(len(NAMES))
        weights[blended] = fit_blend(
            examples.features[..., blended], examples.relevant, examples.is_real
        )
        usual = examples.features[examples.is_real].mean(axis=0, dtype=np.float64)
        centre = {name: float(value) for name, value in zip(NAMES, usual, strict=True)}
        named = {name: float(w) for name, w in zip(NAMES, weights, strict=True) if w > 0}
        return {"weights": named, "centre": centre}

    def wanted(self, learned: Learned) -> tuple[str, ...]:
        """Those with a weight."""
        return tuple(name for name in NAMES if learned["weights"].get(name, 0.0))

    def scores(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """``(n_users, k)``."""
        return self.parts(features, learned).values.sum(axis=-1)

    def guesses(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """The scores themselves."""
        return self.scores(features, learned)

    def parts(self, features: Floats, learned: Learned) -> Parts:
        """A part a feature with a weight."""
        names = self.wanted(learned)
        places = [NAMES.index(name) for name in names]
        weights, centre = _of(names, learned["weights"]), _of(names, learned["centre"])
        return Parts(names, (features[..., places].astype(np.float64) - centre) * weights)


def _of(names: tuple[str, ...], values: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    return np.array([values.get(name, 0.0) for name in names], dtype=np.float64)


def fit_blend(
    features: Floats, relevant: npt.NDArray[np.bool_], is_real: npt.NDArray[np.bool_]
) -> Floats:
    """Learn the blend's weights: a conditional logit over each user's candidates.

    Weights are kept from falling below 0, so that a part of a score speaks for a video or not at
    all (McFadden, 1974; non-negative by L-BFGS-B).

    Args:
        features: ``(n_users, k, n_features)`` raw.
        relevant: ``(n_users, k)`` the videos that were then watched, at least one a user.
        is_real: ``(n_users, k)`` False where padded.

    Returns:
        ``(n_features,)`` weights of raw features.
    """
    counts = is_real.sum(axis=1)
    users = np.repeat(np.arange(len(counts)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rows = features[is_real].astype(np.float64)  # (n_rows, n_features), by user
    mean = np.add.reduceat(rows, starts) / counts[:, None]
    squares = np.add.reduceat(np.square(rows - mean[users]), starts) / counts[:, None]
    spread = np.sqrt(squares).mean(axis=0)  # (n_features,) within a user
    scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
    rows *= scale
    target = (relevant / relevant.sum(axis=1, keepdims=True))[is_real] / len(counts)

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = rows @ weights
        logits -= np.maximum.reduceat(logits, starts)[users]
        share = np.exp(logits)
        share /= np.add.reduceat(share, starts)[users]
        slope = (share / len(counts) - target) @ rows
        likelihood = float(target @ np.log(np.maximum(share, 1e-300)))
        penalty = _RIDGE * float(weights @ weights)
        return -likelihood + penalty, slope + 2 * _RIDGE * weights

    start = np.where(scale > 0, 0.1, 0.0)
    bounds = [(0.0, None)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x * scale, dtype=np.float32)
