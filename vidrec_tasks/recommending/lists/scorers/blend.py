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

    @property
    def usual(self) -> Learned:
        """Weights without a centre."""
        return {"weights": dict(USUAL_WEIGHTS), "centre": {}}

    def learn(self, examples: Examples) -> Learned:
        """The weight of each raw feature, none below 0, and what a usual candidate has of it."""
        features = examples.features * np.isin(NAMES, BLENDED)
        weights = fit_blend(features, examples.relevant, examples.is_real)
        is_real = examples.is_real[..., None]
        total = np.where(is_real, examples.features, 0).sum(axis=(0, 1))
        centre = {
            name: float(value) / float(is_real.sum())
            for name, value in zip(NAMES, total, strict=True)
        }
        named = {name: float(w) for name, w in zip(NAMES, weights, strict=True) if w > 0}
        return {"weights": named, "centre": centre}

    def wanted(self, learned: Learned) -> tuple[str, ...]:
        """Those with a weight."""
        return tuple(name for name in NAMES if learned["weights"].get(name, 0.0))

    def scores(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """``(n_users, k)``."""
        return self.parts(features, learned).values.sum(axis=-1)

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
    raw = features.astype(np.float64)
    masked = np.where(is_real[..., None], raw, np.nan)
    spread = np.nanstd(masked, axis=1).mean(axis=0)  # (n_features,) within a user
    scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
    scaled = np.where(is_real[..., None], raw * scale, 0.0)
    target = relevant / relevant.sum(axis=1, keepdims=True)  # (n_users, k), rows sum to 1
    watched = np.einsum("uk,ukf->uf", target, scaled).mean(axis=0)

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = np.where(is_real, scaled @ weights, -np.inf)
        logits -= logits.max(axis=1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(axis=1, keepdims=True)
        hit = (target * np.log(np.maximum(share, 1e-300))).sum(axis=1)
        slope = np.einsum("uk,ukf->uf", share, scaled).mean(axis=0) - watched
        penalty = _RIDGE * float(weights @ weights)
        return -float(hit.mean()) + penalty, slope + 2 * _RIDGE * weights

    start = np.where(scale > 0, 0.1, 0.0)
    bounds = [(0.0, None)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x * scale, dtype=np.float32)
