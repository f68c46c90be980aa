"""Choosing: what each scorer learns, and the one that serves, on held-out events before the cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.errors import ModelError
from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.features import (
    ATTENTION,
    DOT,
    NAMES,
    PORTRAIT,
    measure_features,
)
from vidrec_tasks.recommending.lists.ranker import pad
from vidrec_tasks.recommending.lists.scorers.registry import BLEND, SCORERS, scorer_named
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Scorer
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY
from vidrec_tasks.recommending.lists.turning_away import learn as learn_turning_away
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.seconds import taking
from vidrec_tasks.recommending.training.held_out import (
    Asked,
    HeldOut,
    hold_out,
    ndcg_of_row,
    ndcg_of_targets,
)
from vidrec_tasks.settings import RecommendingSettings

Ints = npt.NDArray[np.int64]

USUAL: Final = BLEND.name
"""Serves unless another scorer is better beyond doubt."""
N_TRUSTED: Final = 500
"""Users of a later period from which the better mean decides, without a doubt that is asked for."""
N_GAP: Final = 500
"""Users on whom the gaps are measured, at most: an interval of 0.02 either way."""
LEARNING: Final = tuple(scorer for scorer in SCORERS if scorer.name not in (DOT, ATTENTION))
"""Scorers that learn from held-out events themselves."""
N_MISSED: Final = 5
"""Targets of a user that no source found and that scorers learn from."""
_N_DRAWS = 500
_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Chosen:
    """What held-out events said.

    Attributes:
        learned: scorer -> what it learned; so the part for what is turned away (`turning_away`).
        scorer: which score orders the lists.
        measured: held-out NDCG@10 of each scorer over candidates, what the portrait adds to that of
            the blend (`portrait_gain`), the share of targets found, the users measured, and how
            much better each model is on events that it learned from (``gap.*``).
    """

    learned: Mapping[str, Learned]
    scorer: str
    measured: Mapping[str, float]


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
    periods = [_examples(models, asked, settings).without(left_out) for asked in held.periods]
    ndcg = {scorer.name: _measure(scorer, periods) for scorer in SCORERS}
    measured = {f"ndcg@10.{name}": float(values.mean()) for name, values in ndcg.items()}
    bare = _measure(BLEND, [period.without([NAMES.index(PORTRAIT)]) for period in periods])
    measured["portrait_gain"] = float(ndcg[BLEND.name].mean() - bare.mean())
    every = reduce(Examples.and_, periods)
    listed = (every.relevant & every.found).sum()
    measured["candidate_recall"] = float(listed / every.n_relevant.sum())
    measured["n_measured"] = float(len(bare))
    learned = {some.name: _learn(some, every) for some in SCORERS}
    with taking(TURNED_AWAY):
        learned[TURNED_AWAY] = _learn_turning_away(models, held.asked, settings.against)
    measured |= measure_gaps(models, held, settings)
    measured |= {
        f"gap.{some.name}": float(_ndcg(some, every, learned[some.name]).mean())
        - measured[f"ndcg@10.{some.name}"]
        for some in LEARNING
    }
    wanted = settings.scorer
    scorer = _best(ndcg, settings.seed) if wanted == "auto" else wanted
    return Chosen(learned, scorer, measured)


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


def _learn(scorer: Scorer, examples: Examples) -> Learned:
    if scorer not in LEARNING:
        return scorer.learn(examples)
    with taking(scorer.name):
        return scorer.learn(examples)


def measure_gaps(models: Models, held: HeldOut, settings: RecommendingSettings) -> dict[str, float]:
    """``gap.<model>``: NDCG@10 of users' last learned event less that of what they liked later.

    Of the item-item models over all videos, of the attention over candidates; at most `N_GAP`
    users. A scorer that learned from held-out events has its gap on these.
    """
    later = _some(held.asked, settings.seed)
    learned = hold_out(later.users, seed=settings.seed).asked
    if not learned.targets:
        return {}
    models = _as_of(models, held.asked)
    gaps = {
        f"gap.{model.name}": _item_ndcg(models, model, learned) - _item_ndcg(models, model, later)
        for model in ITEM_MODELS
    }
    attention = scorer_named(ATTENTION)
    of_learned, of_later = (
        float(_ndcg(attention, _examples(models, asked, settings), attention.usual).mean())
        for asked in (learned, replace(later, cut=None))
    )
    return gaps | {f"gap.{ATTENTION}": of_learned - of_later}


def _some(asked: Asked, seed: int) -> Asked:
    """At most `N_GAP` of the users, drawn."""
    drawn = np.random.default_rng(seed).permutation(asked.users.n_users)[:N_GAP]
    users = np.sort(drawn).astype(np.int64)
    targets = [asked.targets[user] for user in users]
    return Asked(asked.users.take(users), targets, asked.everybody, asked.cut)


def _item_ndcg(models: Models, model: ItemModel, asked: Asked) -> float:
    """Mean NDCG@10 of the targets among all videos, a block of users at a time."""
    total = 0.0
    for users, block in asked.users.blocks():
        scores = Block(models=models, histories=block).item_scores(model)
        targets = [asked.targets[user] for user in users]
        total += float(ndcg_of_targets(scores, Asked(block, targets, block)).sum())
    return total / asked.users.n_users


def _learn_turning_away(models: Models, asked: Asked, weight: float) -> Learned:
    """From what the held-out users met after the moment, as they were before it."""
    users = np.arange(asked.users.n_users)
    liked, away = (
        pad(np.repeat(users, [len(row) for row in rows]), np.concatenate(rows), len(users))[0]
        for rows in (asked.targets, asked.turned_away or [_NOTHING] * len(users))
    )
    block = Block(models=_as_of(models, asked), histories=asked.users)
    return learn_turning_away(block, liked, away, weight=weight)


def _measure(scorer: Scorer, periods: Sequence[Examples]) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of what was learned from other events than it is measured on."""
    if len(periods) == 1:
        return _cross_fitted(scorer, periods[0])
    *earlier, last = periods
    return _ndcg(scorer, last, scorer.learn(reduce(Examples.and_, earlier)))


def _ndcg(scorer: Scorer, examples: Examples, learned: Learned) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of the targets; ties count against them."""
    scores = scorer.scores(examples.features, learned)
    # a target that no source found cannot be listed, whatever it would have scored
    scores = np.where(examples.is_real & examples.found, scores, -np.inf)
    found = np.zeros(len(scores), dtype=np.float32)
    for user, row in enumerate(scores):
        own = row[examples.relevant[user] & examples.found[user]]
        found[user] = ndcg_of_row(row, own, int(examples.n_relevant[user]))
    return found


def _examples(models: Models, asked: Asked, settings: RecommendingSettings) -> Examples:
    """Targets that no source found are added at the end, so that scorers still learn from them."""
    models = _as_of(models, asked)
    features, nums, found, order = [], [], [], []
    for users, block in asked.users.blocks():
        allowed = np.ones((block.n_users, models.content.n_videos), dtype=bool)
        candidates, _ = find_candidates(Search(models), block, allowed, settings)
        missed = _missed(candidates, [asked.targets[user] for user in users])
        every = np.concatenate([candidates, missed], axis=1)
        order.append(users)
        nums.append(every)
        found.append(np.arange(every.shape[1]) < candidates.shape[1])
        features.append(measure_features(Block(models=models, histories=block), every))
    back = np.argsort(np.concatenate(order))
    every = np.concatenate(nums)[back]
    relevant = [np.isin(row, targets) for row, targets in zip(every, asked.targets, strict=True)]
    return Examples(
        np.concatenate(features)[back],
        np.array(relevant) & (every >= 0),
        every >= 0,
        np.broadcast_to(found[0], every.shape),
        np.array([len(targets) for targets in asked.targets], dtype=np.int64),
    )


def _as_of(models: Models, asked: Asked) -> Models:
    """The models with what everybody did until the moment at which the users are asked."""
    if asked.cut is None:
        return models
    popularity = measure_popularity(asked.everybody, models.content, cut=asked.cut)
    return replace(models, popularity=popularity, cut=asked.cut)


def _missed(candidates: Ints, targets: Sequence[Ints]) -> Ints:
    """``(n_users, N_MISSED)`` the first targets that are no candidates, -1 behind."""
    missed = np.full((len(candidates), N_MISSED), -1, dtype=np.int64)
    for user, videos in enumerate(targets):
        others = videos[~np.isin(videos, candidates[user])][:N_MISSED]
        missed[user, : len(others)] = others
    return missed


def _cross_fitted(scorer: Scorer, examples: Examples) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of a scorer that learned from the other half of the users."""
    ndcg = np.zeros(len(examples.n_relevant), dtype=np.float32)
    is_even = np.arange(len(examples.n_relevant)) % 2 == 0
    for half in (is_even, ~is_even):
        others = examples.of(~half)
        if half.any() and len(others.n_relevant):
            ndcg[half] = _ndcg(scorer, examples.of(half), scorer.learn(others))
    return ndcg


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
