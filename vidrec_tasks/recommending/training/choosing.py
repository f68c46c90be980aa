"""Choosing: what each scorer learns, and the one that serves, on held-out events before the cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.errors import ModelError
from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.features import (
    ATTENTION,
    DOT,
    LANGUAGE,
    LEFT_OUT,
    NAMES,
    PORTRAIT,
)
from vidrec_tasks.recommending.lists.ranker import pad
from vidrec_tasks.recommending.lists.scorers.registry import BLEND, SCORERS
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Scorer
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY
from vidrec_tasks.recommending.lists.turning_away import learn as learn_turning_away
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.seconds import taking
from vidrec_tasks.recommending.training.examples import (
    as_of,
    gather_examples,
    listable,
    ndcg_of_examples,
    ndcg_of_scores,
)
from vidrec_tasks.recommending.training.held_out import Asked, HeldOut
from vidrec_tasks.recommending.training.held_out_lists import HeldOutLists, list_held_out
from vidrec_tasks.recommending.training.overfitting import measure_gaps
from vidrec_tasks.settings import RecommendingSettings

Ints = npt.NDArray[np.int64]

USUAL: Final = BLEND.name
"""Serves unless another scorer is better beyond doubt."""
N_TRUSTED: Final = 500
"""Users of a later period from which the better mean decides, without a doubt that is asked for."""
LEARNING: Final = tuple(scorer for scorer in SCORERS if scorer.name not in (DOT, ATTENTION))
"""Scorers that learn from held-out events themselves."""
_N_DRAWS = 500
_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Chosen:
    """What held-out events said.

    Attributes:
        learned: scorer -> what it learned; so the part for what is turned away (`turning_away`),
            and which features are left out (`features.LEFT_OUT`).
        scorer: which score orders the lists.
        measured: held-out NDCG@10 of each scorer over candidates, what the portrait adds to that of
            the blend (`portrait_gain`) and all that is made of words to that of the scorer which
            serves (`llm_lift`, with the ends of its 95% interval), the share of targets found, the
            users measured, and how much better each model is on events that it learned from
            (``gap.*``).
        lists: the ranked candidates of whom it was measured on, by the scorer that serves.
    """

    learned: Mapping[str, Learned]
    scorer: str
    measured: Mapping[str, float]
    lists: HeldOutLists


def choose_scorer(models: Models, held: HeldOut, settings: RecommendingSettings) -> Chosen:
    """Let every scorer learn from held-out events, and measure it on others.

    Where events were held out after one moment, a scorer learns from the first period and is
    measured on the later one; else it is measured on the half of the users that it did not learn
    from, and the other way round. What is kept is learned from all.

    Args:
        models: fitted without the held-out events.
        held: what was watched next.
        settings: candidates, and the scorer where one is asked for.
    """
    left_out = _places_of(settings.left_out)
    periods = [gather_examples(models, asked, settings).without(left_out) for asked in held.periods]
    scores = {scorer.name: _scores(scorer, periods) for scorer in SCORERS}
    ndcg = {name: ndcg_of_scores(some, periods[-1]) for name, some in scores.items()}
    measured = {f"ndcg@10.{name}": float(values.mean()) for name, values in ndcg.items()}
    bare = _measure(BLEND, [period.without([NAMES.index(PORTRAIT)]) for period in periods])
    measured["portrait_gain"] = float(ndcg[BLEND.name].mean() - bare.mean())
    every = reduce(Examples.and_, periods)
    listed = (every.relevant & every.found).sum()
    measured["candidate_recall"] = float(listed / every.n_relevant.sum())
    measured["n_measured"] = float(len(bare))
    learned = {some.name: _learn(some, every) for some in SCORERS}
    learned |= left_out_by(settings.left_out)
    with taking(TURNED_AWAY):
        learned[TURNED_AWAY] = _learn_turning_away(models, held.asked, settings.against)
    measured |= measure_gaps(models, held, settings)
    measured |= {
        f"gap.{some.name}": float(ndcg_of_examples(some, every, learned[some.name]).mean())
        - measured[f"ndcg@10.{some.name}"]
        for some in LEARNING
    }
    wanted = settings.scorer
    scorer = _best(ndcg, settings.seed) if wanted == "auto" else wanted
    with taking("llm_lift"):
        wordless = _without_words(scorer, periods)
    measured |= _llm_lift(ndcg[scorer], wordless, settings.seed)
    lists = list_held_out(models.content, held.periods[-1], periods[-1], scores[scorer], wordless)
    return Chosen(learned, scorer, measured, lists)


def _without_words(name: str, periods: Sequence[Examples]) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of a scorer without the features made of words.

    It learns once more without them, from the same events: trees whose splits rest on a feature say
    nothing about it when it is only blanked.
    """
    scorer = next(some for some in SCORERS if some.name == name)
    left_out = [NAMES.index(feature) for feature in LANGUAGE]
    return _measure(scorer, [period.without(left_out) for period in periods])


def _llm_lift(
    ndcg: npt.NDArray[np.float32], bare: npt.NDArray[np.float32], seed: int
) -> dict[str, float]:
    """What features made of words add to NDCG@10, paired by user, with its interval."""
    rng = np.random.default_rng(seed)
    found = paired_bootstrap(ndcg, bare, n_draws=_N_DRAWS, rng=rng).difference
    return {
        "llm_lift": float(found.mean),
        "llm_lift_low": float(found.low),
        "llm_lift_high": float(found.high),
    }


def _places_of(names: Sequence[str]) -> list[int]:
    """Places of features; a name may also be that of a source alone.

    Raises:
        ModelError: it is neither.
    """
    sources = {source.name for source in SOURCES}
    unknown = sorted(set(names) - sources - set(NAMES))
    if unknown:
        message = (
            f"setting left_out: {len(unknown)} names are neither a source nor a feature, such as "
            f"{unknown[0]!r}; there are {', '.join(sorted(sources | set(NAMES)))}"
        )
        raise ModelError(message)
    return [NAMES.index(name) for name in names if name in NAMES]


def left_out_by(names: Sequence[str]) -> dict[str, Learned]:
    """What is learned of a setting that leaves features out, beside what scorers learn; or nothing.

    Raises:
        ModelError: a name is neither a source nor a feature.
    """
    features = [NAMES[place] for place in _places_of(names)]
    return {LEFT_OUT: {"names": features}} if features else {}


def _learn(scorer: Scorer, examples: Examples) -> Learned:
    if scorer not in LEARNING:
        return scorer.learn(examples)
    with taking(scorer.name):
        return scorer.learn(examples)


def _learn_turning_away(models: Models, asked: Asked, weight: float) -> Learned:
    """From what the held-out users met after the moment, as they were before it."""
    users = np.arange(asked.users.n_users)
    liked, away = (
        pad(np.repeat(users, [len(row) for row in rows]), np.concatenate(rows), len(users))[0]
        for rows in (asked.targets, asked.turned_away or [_NOTHING] * len(users))
    )
    block = Block(models=as_of(models, asked), histories=asked.users)
    return learn_turning_away(block, liked, away, weight=weight)


def _measure(scorer: Scorer, periods: Sequence[Examples]) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of what was learned from other events than it is measured on."""
    return ndcg_of_scores(_scores(scorer, periods), periods[-1])


def _scores(scorer: Scorer, periods: Sequence[Examples]) -> npt.NDArray[np.float64]:
    """``(n_users, k)`` scores in the last period by what was learned from other events."""
    *earlier, last = periods
    if not earlier:
        return _cross_fitted(scorer, last)
    learned = scorer.learn(reduce(Examples.and_, earlier))
    return listable(last, scorer.scores(last.features, learned))


def _cross_fitted(scorer: Scorer, examples: Examples) -> npt.NDArray[np.float64]:
    """``(n_users, k)`` scores by what was learned from the other half of the users."""
    scores = np.full(examples.is_real.shape, -np.inf)
    is_even = np.arange(len(examples.n_relevant)) % 2 == 0
    for half in (is_even, ~is_even):
        others = examples.of(~half)
        if half.any() and len(others.n_relevant):
            own = examples.of(half)
            scores[half] = listable(own, scorer.scores(own.features, scorer.learn(others)))
    return scores


def _best(ndcg: Mapping[str, npt.NDArray[np.float32]], seed: int) -> str:
    """The usual scorer, unless the best of the others beats it in 95% of the draws' interval.

    With `N_TRUSTED` users the better mean decides.
    """
    best = max((name for name in ndcg if name != USUAL), key=lambda name: float(ndcg[name].mean()))
    compared = paired_bootstrap(
        ndcg[best], ndcg[USUAL], n_draws=_N_DRAWS, rng=np.random.default_rng(seed)
    )
    gain = compared.difference
    return best if (gain.mean if len(ndcg[best]) >= N_TRUSTED else gain.low) > 0 else USUAL
