"""The candidate sources that exist."""

from typing import Final

import numpy as np

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.freshness import freshness
from vidrec_tasks.recommending.lists.sources.alike import Alike
from vidrec_tasks.recommending.lists.sources.crowd import Crowd, Measured
from vidrec_tasks.recommending.lists.sources.dot import Dot
from vidrec_tasks.recommending.lists.sources.exploration import Exploration
from vidrec_tasks.recommending.lists.sources.item_items import ItemItem
from vidrec_tasks.recommending.lists.sources.portrait import Portrait
from vidrec_tasks.recommending.lists.sources.source import Source
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.reason_codes import NEW_VIDEO, POPULAR_NOW


def _popular(block: AskingBlock) -> Measured:
    popular = block.models.popularity.popular
    return popular, np.ones(len(popular), dtype=bool)


def _trending(block: AskingBlock) -> Measured:
    trending = block.models.popularity.trending
    return trending, trending > 0


def _lately(block: AskingBlock) -> Measured:
    lately = block.models.popularity.lately
    return lately, block.models.popularity.n_users > 0


def _fresh(block: AskingBlock) -> Measured:
    age_days = block.models.popularity.age_days
    return freshness(block.models), age_days <= block.settings.fresh_days


SOURCES: Final[tuple[Source, ...]] = (
    Exploration(),
    Dot(),
    *(ItemItem(model) for model in ITEM_MODELS),
    Alike("content", recent=False),
    Alike("content_recent", recent=True),
    Portrait(),
    Crowd("popular", (POPULAR_NOW,), _popular),
    Crowd("lately", (POPULAR_NOW,), _lately),
    Crowd("trending", (POPULAR_NOW,), _trending),
    Crowd("fresh", (NEW_VIDEO,), _fresh),
)
"""Every source, in the order in which they take turns.

Exploration comes first: its few places are the only way a new video gets looked at.
"""
