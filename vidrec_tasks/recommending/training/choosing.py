"""Choosing: what each scorer learns, and the one that serves, on held-out events before the cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.features import NAMES, PORTRAIT, measure_features
from vidrec_tasks.recommending.lists.scorers.registry import BLEND, SCORERS
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Scorer
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.held_out import HeldOut, ndcg_of_ranks
from vidrec_tasks.settings import RecommendingSettings

USUAL: Final = BLEND.name
"""Serves unless another scorer is better beyond doubt."""
_N_DRAWS = 500


@dataclass(frozen=True)
class Chosen:
    """What held-out events said.

    Attributes:
        learned: scorer -> what it learned.
        scorer: which score orders the lists.
        measured: held-out NDCG@10 of each scorer over candidates, what the portrait adds to that of
            the blend (`portrait_gain`), and the share of targets found.
    """

    learned: Mapping[str, Learned]
    scorer: str
    measured: Mapping[str, float]


def choose_scorer(models: Models, held: HeldOut, settings: RecommendingSettings) -> Chosen:
    """Let every scorer learn from held-out users, and measure it on them.

    What a scorer learns is measured on the half of the users that it was not learned from; what is
    kept is learned from all.

    Args:
        models: fitted without the held-out events.
        held: what was watched next.
        settings: candidates, and the scorer where one is asked for.
    """
    examples = _examples(models, held, settings)
    learned = {scorer.name: scorer.learn(examples) for scorer in SCORERS}
    ndcg = {scorer.name: _cross_fitted(scorer, examples) for scorer in SCORERS}
    measured = {f"ndcg@10.{name}": float(values.mean()) for name, values in ndcg.items()}
    bare = _cross_fitted(BLEND, examples.without(NAMES.index(PORTRAIT)))
    measured["portrait_gain"] = float(ndcg[BLEND.name].mean() - bare.mean())
    measured["candidate_recall"] = float(examples.found.mean())
    wanted = settings.scorer
    scorer = _best(ndcg, settings.seed) if wanted == "auto" else wanted
    return Chosen(learned, scorer, measured)


def _ndcg(scorer: Scorer, examples: Examples, learned: Learned) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of the target; ties count against it."""
    scores = scorer.parts(examples.features, learned).values.sum(axis=-1)
    scores = np.where(examples.is_real, scores, -np.inf)
    own = np.take_along_axis(scores, examples.places[:, None], axis=1)
    better = scores >= own
    np.put_along_axis(better, examples.places[:, None], False, axis=1)
    # a target that no source found cannot be listed, whatever it would have scored
    return ndcg_of_ranks(np.where(examples.found, 1 + better.sum(axis=1), 10**6))


def _examples(models: Models, held: HeldOut, settings: RecommendingSettings) -> Examples:
    """A target that no source found is added at the end, so that scorers still learn from it."""
    features, nums, order = [], [], []
    for users, block in held.users.blocks():
        allowed = np.ones((block.n_users, models.content.n_videos), dtype=bool)
        found, _ = find_candidates(Search(models), block, allowed, settings)
        target = held.targets[users, None]
        order.append(users)
        nums.append(
            np.concatenate([found, np.where((found == target).any(1)[:, None], -1, target)], 1)
        )
        features.append(measure_features(Block(models=models, histories=block), nums[-1]))
    back = np.argsort(np.concatenate(order))
    every = np.concatenate(nums)[back]
    is_target = every == held.targets[:, None]
    return Examples(
        np.concatenate(features)[back],
        is_target.argmax(axis=1),
        every >= 0,
        is_target[:, :-1].any(axis=1),
    )


def _cross_fitted(scorer: Scorer, examples: Examples) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of a scorer that learned from the other half of the users."""
    ndcg = np.zeros(len(examples.places), dtype=np.float32)
    is_even = np.arange(len(examples.places)) % 2 == 0
    for half in (is_even, ~is_even):
        others = examples.of(~half)
        if half.any() and len(others.places):
            ndcg[half] = _ndcg(scorer, examples.of(half), scorer.learn(others))
    return ndcg


def _best(ndcg: Mapping[str, npt.NDArray[np.float32]], seed: int) -> str:
    """The usual scorer, unless the best of the others beats it in 95% of the draws' interval."""
    best = max((name for name in ndcg if name != USUAL), key=lambda name: float(ndcg[name].mean()))
    compared = paired_bootstrap(
        ndcg[best], ndcg[USUAL], n_draws=_N_DRAWS, rng=np.random.default_rng(seed)
    )
    return best if compared.difference.low > 0 else USUAL
