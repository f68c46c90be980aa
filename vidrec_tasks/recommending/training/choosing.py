"""Choosing: the blend's weights and the scorer that serves, on held-out events before the cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.recommending.lists.candidates import Search, find_candidates
from vidrec_tasks.recommending.lists.features import FEATURES, PORTRAIT, measure_features
from vidrec_tasks.recommending.lists.ranker import SCORERS, fit_blend, weights_of
from vidrec_tasks.recommending.models.models import Models, Scorer
from vidrec_tasks.recommending.training.held_out import HeldOut, ndcg_of_ranks
from vidrec_tasks.settings import RecommendingSettings

USUAL: Final[Scorer] = "blend"
"""Serves unless another scorer is better beyond doubt."""
_N_DRAWS = 500


@dataclass(frozen=True)
class Chosen:
    """What held-out events said.

    Attributes:
        blend: weight of each raw feature, none below 0.
        centre: what a usual candidate has of each feature.
        scorer: which score orders the lists.
        measured: held-out NDCG@10 of each scorer over candidates, what the portrait adds to that of
            the blend (`portrait_gain`), and the share of targets found.
    """

    blend: Mapping[str, float]
    centre: Mapping[str, float]
    scorer: Scorer
    measured: Mapping[str, float]


def choose_blend(models: Models, held: HeldOut, settings: RecommendingSettings) -> Chosen:
    """Fit the blend on held-out users and measure the three scorers on them.

    The blend's few weights are fitted on one half of the users and measured on the other, and the
    other way round; the weights that are kept are fitted on all.

    Args:
        models: fitted without the held-out events.
        held: what was watched next.
        settings: candidates, and the scorer where one is asked for.
    """
    seen = _candidates(models, held, settings)
    weights = fit_blend(seen.features, seen.places, seen.is_real)
    blend = {name: float(w) for name, w in zip(FEATURES, weights, strict=True) if w > 0}
    usual = np.where(seen.is_real[..., None], seen.features, 0).sum(axis=(0, 1))
    centre = {
        name: float(value) / float(seen.is_real.sum())
        for name, value in zip(FEATURES, usual, strict=True)
    }
    ndcg = {scorer: seen.ndcg(weights_of(scorer, blend)) for scorer in ("dot", "attention")}
    ndcg["blend"] = _cross_fitted(seen)
    measured = {f"ndcg@10.{scorer}": float(values.mean()) for scorer, values in ndcg.items()}
    bare = _cross_fitted(seen.without(PORTRAIT))
    measured["portrait_gain"] = float(ndcg["blend"].mean() - bare.mean())
    measured["candidate_recall"] = float(seen.found.mean())
    wanted = settings.scorer
    scorer = _best(ndcg, settings.seed) if wanted == "auto" else wanted
    return Chosen(blend, centre, scorer, measured)


@dataclass(frozen=True)
class _Seen:
    """Held-out users' candidates, the target among them.

    Attributes:
        features: ``(n_users, k, n_features)`` float32.
        places: ``(n_users,)`` the place of the target.
        is_real: ``(n_users, k)`` False where padded.
        found: ``(n_users,)`` whether a source had found the target.
    """

    features: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    is_real: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]

    def of(self, users: npt.NDArray[np.bool_]) -> "_Seen":
        """Some of the users."""
        return _Seen(
            self.features[users], self.places[users], self.is_real[users], self.found[users]
        )

    def without(self, feature: str) -> "_Seen":
        """The same candidates, with nothing known of one feature."""
        features = self.features.copy()
        features[..., FEATURES.index(feature)] = 0
        return replace(self, features=features)

    def ndcg(self, weights: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """``(n_users,)`` NDCG@10 of the target under these weights."""
        scores = np.where(self.is_real, self.features @ weights, -np.inf)
        own = np.take_along_axis(scores, self.places[:, None], axis=1)
        better = scores >= own
        np.put_along_axis(better, self.places[:, None], False, axis=1)
        # a target that no source found cannot be listed, whatever it would have scored
        return ndcg_of_ranks(np.where(self.found, 1 + better.sum(axis=1), 10**6))


def _candidates(models: Models, held: HeldOut, settings: RecommendingSettings) -> _Seen:
    """A target that no source found is added at the end, so that the blend still learns from it."""
    features, nums, order = [], [], []
    for users, block in held.users.blocks():
        allowed = np.ones((block.n_users, models.content.n_videos), dtype=bool)
        found, _ = find_candidates(Search(models), block, allowed, settings)
        target = held.targets[users, None]
        order.append(users)
        nums.append(
            np.concatenate([found, np.where((found == target).any(1)[:, None], -1, target)], 1)
        )
        features.append(measure_features(models, block, nums[-1]))
    back = np.argsort(np.concatenate(order))
    every = np.concatenate(nums)[back]
    is_target = every == held.targets[:, None]
    return _Seen(
        np.concatenate(features)[back],
        is_target.argmax(axis=1),
        every >= 0,
        is_target[:, :-1].any(axis=1),
    )


def _cross_fitted(seen: _Seen) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of a blend that was fitted on the other half of the users."""
    ndcg = np.zeros(len(seen.places), dtype=np.float32)
    is_even = np.arange(len(seen.places)) % 2 == 0
    for half in (is_even, ~is_even):
        learned = seen.of(~half)
        if half.any() and len(learned.places):
            ndcg[half] = seen.of(half).ndcg(
                fit_blend(learned.features, learned.places, learned.is_real)
            )
    return ndcg


def _best(ndcg: Mapping[str, npt.NDArray[np.float32]], seed: int) -> Scorer:
    """The usual scorer, unless the best of the others beats it in 95% of the draws' interval."""
    best = max((s for s in SCORERS if s != USUAL), key=lambda s: float(ndcg[s].mean()))
    compared = paired_bootstrap(
        ndcg[best], ndcg[USUAL], n_draws=_N_DRAWS, rng=np.random.default_rng(seed)
    )
    return best if compared.difference.low > 0 else USUAL
