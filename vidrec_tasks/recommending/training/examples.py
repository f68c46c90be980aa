"""Examples: the candidates of held-out users with their features, as of the moment of asking."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.features import measure_features
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Scorer
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.held_out import Asked, ndcg_of_row
from vidrec_tasks.settings import RecommendingSettings

Ints = npt.NDArray[np.int64]

N_MISSED: Final = 5
"""Targets of a user that no source found and that scorers learn from."""


def gather_examples(models: Models, asked: Asked, settings: RecommendingSettings) -> Examples:
    """Targets that no source found are added at the end, so that scorers still learn from them."""
    models = as_of(models, asked)
    search = Search(models)
    features, nums, found, order = [], [], [], []
    for users, block in asked.users.blocks():
        eligible = _published(block.n_users, models.content.n_videos, asked)
        candidates, _ = find_candidates(search, block, eligible, settings)
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
        every,
    )


def _published(n_users: int, n_videos: int, asked: Asked) -> Eligible:
    """What a list of the moment could hold, whatever its user's rules."""
    mask = np.ones((1, n_videos), dtype=bool)
    mask[0, asked.unpublished] = False
    return Eligible.of_masks(mask, np.zeros(n_users, dtype=np.int64))


def as_of(models: Models, asked: Asked) -> Models:
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


def ndcg_of_examples(
    scorer: Scorer, examples: Examples, learned: Learned
) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of the targets; ties count against them."""
    return ndcg_of_scores(listable(examples, scorer.scores(examples.features, learned)), examples)


def listable(examples: Examples, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``(n_users, k)`` the scores, -inf where no source found the candidate.

    Such a target cannot be listed, whatever it would have scored.
    """
    return np.where(examples.is_real & examples.found, scores, -np.inf)


def ndcg_of_scores(scores: npt.NDArray[np.float64], examples: Examples) -> npt.NDArray[np.float32]:
    """``(n_users,)`` NDCG@10 of the targets by scores as of `listable`."""
    found = np.zeros(len(scores), dtype=np.float32)
    for user, row in enumerate(scores):
        own = row[examples.relevant[user] & examples.found[user]]
        found[user] = ndcg_of_row(row, own, int(examples.n_relevant[user]))
    return found
