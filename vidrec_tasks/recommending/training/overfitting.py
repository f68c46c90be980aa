"""Overfitting: how much better each model is on what it learned from than on what came later."""

from dataclasses import replace
from typing import Final

import numpy as np

from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.features import ATTENTION
from vidrec_tasks.recommending.lists.scorers.registry import scorer_named
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.examples import as_of, gather_examples, ndcg_of_examples
from vidrec_tasks.recommending.training.held_out import (
    Asked,
    HeldOut,
    last_learned,
    ndcg_of_targets,
)
from vidrec_tasks.settings import RecommendingSettings

N_GAP: Final = 500
"""Users on whom the gaps are measured, at most: an interval of 0.02 either way."""


def measure_gaps(models: Models, held: HeldOut, settings: RecommendingSettings) -> dict[str, float]:
    """``gap.<model>``: NDCG@10 of users' last learned event less that of what they liked later.

    Of the item-item models over all videos, of the attention over candidates; at most `N_GAP`
    users. A scorer that learned from held-out events has its gap on these.
    """
    later = _some(held.asked, settings.seed)
    learned = last_learned(later, seed=settings.seed)
    if not learned.targets:
        return {}
    models = as_of(models, held.asked)
    gaps = {
        f"gap.{model.name}": _item_ndcg(models, model, learned) - _item_ndcg(models, model, later)
        for model in ITEM_MODELS
    }
    attention = scorer_named(ATTENTION)
    of_learned, of_later = (
        float(
            ndcg_of_examples(
                attention, gather_examples(models, asked, settings), attention.usual
            ).mean()
        )
        for asked in (learned, replace(later, cut=None))
    )
    return gaps | {f"gap.{ATTENTION}": of_learned - of_later}


def _some(asked: Asked, seed: int) -> Asked:
    """At most `N_GAP` of the users, drawn."""
    drawn = np.random.default_rng(seed).permutation(asked.users.n_users)[:N_GAP]
    users = np.sort(drawn).astype(np.int64)
    targets = [asked.targets[user] for user in users]
    return replace(asked, users=asked.users.take(users), targets=targets, turned_away=())


def _item_ndcg(models: Models, model: ItemModel, asked: Asked) -> float:
    """Mean NDCG@10 of the targets among all videos, a block of users at a time."""
    total = 0.0
    for users, block in asked.users.blocks():
        scores = Block(models=models, histories=block).item_scores(model)
        targets = [asked.targets[user] for user in users]
        some = replace(asked, users=block, targets=targets)
        total += float(ndcg_of_targets(scores, some).sum())
    return total / asked.users.n_users
