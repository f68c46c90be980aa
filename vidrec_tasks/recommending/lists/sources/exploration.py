"""The videos that hardly anybody knows and that promise most: places are kept for them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import AskingBlock, Block
from vidrec_tasks.recommending.lists.features import measure_videos
from vidrec_tasks.recommending.lists.freshness import freshness, is_unknown
from vidrec_tasks.recommending.lists.scorers.registry import scorer_named
from vidrec_tasks.recommending.lists.sources.finding import top
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import EXPLORATION, NEW_FOR_YOU, NEW_VIDEO

_TASTE, _FRESH = 1e-3, 1e-6
"""What decides where nothing learned does: likeness to what was liked, then youth."""
_ROWS = 32
"""Users whose features are held at once: of 10,000 new videos they are 15 MB."""


class Exploration:
    """By what the scorer that serves makes of what can be known of a new video."""

    name: Final = EXPLORATION
    speaks_for: Final = (NEW_VIDEO, NEW_FOR_YOU)

    def find(self, block: AskingBlock) -> Found:
        """Twice as many as there are places for exploration."""
        is_new = is_unknown(block.models, fresh_days=block.settings.fresh_days)
        nums = np.flatnonzero(is_new)
        promised, may = promise(block, nums), (block.allowed & is_new)[:, nums]
        values, places = top(promised, may, 2 * block.settings.n_exploration)
        return values, np.where(places >= 0, nums[places], -1) if len(nums) else places


def promise(block: Block, nums: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """What new videos promise.

    Args:
        block: the users.
        nums: ``(n_nums,)`` rising video_nums.

    Returns:
        ``(n_users, n_nums)`` float32, comparable within a row.
    """
    configuration = block.models.configuration
    scorer = scorer_named(configuration.scorer)
    learned = configuration.learned.get(scorer.name, scorer.usual)
    features = measure_videos(block, nums)
    total = np.zeros(features.shape[:2])
    for first in range(0, len(features), _ROWS):
        some = slice(first, first + _ROWS)
        total[some] = scorer.scores(features[some], learned)
    taste = block.content_profiles @ block.models.content.fused[nums].T
    total += _TASTE * taste + _FRESH * freshness(block.models)[nums]
    return total.astype(np.float32)
