"""Features: the raw numbers that scores are made of, for each user and candidate.

Each is a function of the user's history, the video and what was learned before the cut, so that a
score can be taken apart, and recomputed without a part of the history.
"""

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.feature import Feature
from vidrec_tasks.recommending.lists.freshness import freshness
from vidrec_tasks.recommending.lists.timing import TIMING
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.sparse import pick
from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    MATCHES_TOPIC,
    NEW_VIDEO,
    POPULAR_NOW,
)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DOT: Final = "dot"
ATTENTION: Final = "attention"
LATELY: Final = "lately"
PORTRAIT: Final = "portrait"
LANGUAGE: Final = (PORTRAIT,)
"""Features that the words of portraits are in: what `llm_lift` takes away."""


def _item_feature(model: ItemModel) -> Feature:
    return Feature(
        model.name,
        lambda block, nums: block.item_picks(model, nums),
        lambda block, nums: block.item_scores(model, nums),
    )


def _dot(block: Block, nums: Ints) -> Floats:
    return block.products(block.tower_users, block.models.tower_vectors, nums)


def _attention(block: Block, nums: Ints) -> Floats:
    return block.attended(nums)


def _creator_shares(block: Block, nums: Ints) -> Floats:
    """``(n_users, k)`` the share of a user's liked events that are of the candidate's creator."""
    content, histories = block.models.content, block.histories
    liked = np.flatnonzero(histories.weights > 0)
    users, creators = (
        histories.user_nums()[liked],
        content.creator_nums[histories.video_nums[liked]],
    )
    is_known = creators >= 0
    pairs = (users[is_known], creators[is_known])
    shape = (histories.n_users, int(content.creator_nums.max(initial=-1)) + 1)
    counts = sp.csr_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), shape=shape)
    counts.sum_duplicates()
    n_liked = np.maximum(np.bincount(users, minlength=histories.n_users), 1)[:, None]
    return (pick(counts, content.creator_nums[nums]) / n_liked).astype(np.float32)


def _content(block: Block, nums: Ints) -> Floats:
    return block.products(block.content_profiles, block.models.content.fused, nums)


def _recent(block: Block, nums: Ints) -> Floats:
    return block.products(block.recent_profiles, block.models.content.fused, nums)


def _portrait(block: Block, nums: Ints) -> Floats:
    return block.products(block.portrait_profiles, block.models.content.fused, nums)


FEATURES: Final[tuple[Feature, ...]] = (
    Feature(
        DOT,
        _dot,
        lambda block, nums: block.tower_users @ block.models.tower_vectors[nums].T,
        reads_users=True,
    ),
    Feature(ATTENTION, _attention),
    *(_item_feature(model) for model in ITEM_MODELS),
    Feature(
        "content",
        _content,
        lambda block, nums: block.content_profiles @ block.embeddings(nums).T,
        (MATCHES_TOPIC, BECAUSE_YOU_WATCHED),
    ),
    Feature(
        "content_recent",
        _recent,
        lambda block, nums: block.recent_profiles @ block.embeddings(nums).T,
        (MATCHES_TOPIC, BECAUSE_YOU_WATCHED),
    ),
    Feature(PORTRAIT, _portrait, speaks_for=(MATCHES_TOPIC,)),
    Feature("creator", _creator_shares, speaks_for=(BY_CREATOR,)),
    Feature(
        "popular",
        lambda block, nums: block.models.popularity.popular[nums],
        speaks_for=(POPULAR_NOW,),
    ),
    Feature(
        "trending",
        lambda block, nums: block.models.popularity.trending[nums],
        speaks_for=(POPULAR_NOW,),
    ),
    Feature("fresh", lambda block, nums: freshness(block.models, nums), speaks_for=(NEW_VIDEO,)),
    Feature(
        LATELY,
        lambda block, nums: block.models.lately[nums],
        lambda block, nums: np.tile(block.models.lately[nums], (block.histories.n_users, 1)),
        (POPULAR_NOW,),
    ),
    Feature(
        "dot_lately",
        lambda block, nums: _dot(block, nums) + block.models.lately[nums],
        lambda block, nums: block.users @ block.models.video_vectors[nums].T,
        blended=False,
        reads_users=True,
    ),
    *TIMING,
)
"""Every feature, in the order of the last axis of `measure_features`."""

NAMES: Final = tuple(feature.name for feature in FEATURES)
BLENDED: Final = tuple(feature.name for feature in FEATURES if feature.blended)


LEFT_OUT: Final = "left_out"
"""What is learned of no scorer: the names of the features that the setting leaves out."""


def left_out_of(block: Block) -> Collection[str]:
    """The features that scorers learned without; a score with them would be another one."""
    return tuple(block.models.configuration.learned.get(LEFT_OUT, {}).get("names", ()))


def measure_features(block: Block, nums: Ints, *, wanted: Collection[str] = NAMES) -> Floats:
    """Every feature of every candidate.

    Args:
        block: the users.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.
        wanted: names of the features that are asked for; the others are 0.

    Returns:
        ``(n_users, k, n_features)`` float32; what stands at -1 means nothing.
    """
    found = np.zeros((*nums.shape, len(FEATURES)), dtype=np.float32)
    left_out = left_out_of(block)
    for place, feature in enumerate(FEATURES):
        if feature.name in wanted and feature.name not in left_out:
            found[..., place] = feature.measure(block, nums)
    return found


def measure_videos(block: Block, nums: Ints) -> Floats:
    """The features that say something of hardly known videos, the same videos for every user.

    Args:
        block: the users.
        nums: ``(n_nums,)`` rising.

    Returns:
        ``(n_users, n_nums, n_features)`` float32; 0 where a feature says nothing of such a video.
        What is for trees alone is measured unless it is left out: a rank of 0 would be the first.
    """
    found = np.zeros((block.histories.n_users, len(nums), len(FEATURES)), dtype=np.float32)
    left_out = left_out_of(block)
    for place, feature in enumerate(FEATURES):
        if feature.name in left_out:
            continue
        if feature.of_videos is not None:
            found[..., place] = feature.of_videos(block, nums)
        elif not feature.blended:
            found[..., place] = feature.measure(block, np.broadcast_to(nums, found.shape[:2]))
    return found
