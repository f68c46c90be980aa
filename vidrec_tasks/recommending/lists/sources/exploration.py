"""The videos that hardly anybody knows and that promise most: places are kept for them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import AskingBlock, Block
from vidrec_tasks.recommending.lists.eligibility import are_set
from vidrec_tasks.recommending.lists.features import measure_videos
from vidrec_tasks.recommending.lists.freshness import freshness, is_unknown
from vidrec_tasks.recommending.lists.scorers.registry import scorer_named
from vidrec_tasks.recommending.lists.sources.finding import top
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import EXPLORATION, NEW_FOR_YOU, NEW_VIDEO

Ints = npt.NDArray[np.int64]

MOST_NEW: Final = 10_000
"""New videos up to which all are looked at for every user."""
N_DRAWN: Final = 500
"""New videos that are looked at where there are more: others in each bucket of users, so that all
have their turn."""

N_SCORED: Final = 200
"""New videos of a user that are scored; which ones is guessed (`Scorer.guesses`). Trees took 44% of
`find_candidates` where they scored all of some 3,500 new videos of 200,000."""

_TASTE, _FRESH = 1e-3, 1e-6
"""What decides where nothing learned does: likeness to what was liked, then youth."""
_ROWS = 32
"""Users whose features are held at once: of 10,000 new videos they are 42 MB."""


class Exploration:
    """By what the scorer that serves makes of what can be known of a new video."""

    name: Final = EXPLORATION
    speaks_for: Final = (NEW_VIDEO, NEW_FOR_YOU)

    def find(self, block: AskingBlock) -> Found:
        """Twice as many as there are places for exploration."""
        nums = _looked_at(block)
        n_users = block.histories.n_users
        may = block.eligible.may(np.broadcast_to(nums, (n_users, len(nums))))
        values, places = top(promise(block, nums, may), may, 2 * block.settings.n_exploration)
        return values, np.where(places >= 0, nums[places], -1) if len(nums) else places


def _looked_at(block: AskingBlock) -> Ints:
    """New videos, rising: all, or a draw that follows from the night and the bucket of the users.

    Drawn of those that anybody of the block may be shown, so that rules do not eat the draw.
    """
    orders = block.search.orders
    if EXPLORATION not in orders:
        is_new = is_unknown(block.models, fresh_days=block.settings.fresh_days)
        nums = np.flatnonzero(is_new)
        orders[EXPLORATION] = nums, np.zeros(len(nums), dtype=np.float32)
    nums = orders[EXPLORATION][0]
    if len(nums) <= MOST_NEW:
        return nums
    nums = nums[are_set(np.bitwise_or.reduce(block.eligible.cells), nums)]
    bucket = int(block.histories.buckets.min(initial=0))
    rng = np.random.default_rng([block.models.cut, bucket])
    return np.sort(rng.choice(nums, min(N_DRAWN, len(nums)), replace=False))


def promise(
    block: Block, nums: Ints, may: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float32]:
    """What new videos promise.

    Args:
        block: the users.
        nums: ``(n_nums,)`` rising video_nums.
        may: ``(n_users, n_nums)`` which each may be shown: the best guesses of these are scored;
            None: all may.

    Returns:
        ``(n_users, n_nums)`` float32, comparable within a row. Beyond `N_SCORED` videos those that
        guesses put last stay behind the others, in the order of the guesses.
    """
    configuration = block.models.configuration
    scorer = scorer_named(configuration.scorer)
    learned = configuration.learned.get(scorer.name, scorer.usual)
    features = measure_videos(block, nums)
    taste = block.content_profiles @ block.embeddings(nums).T
    beside = _TASTE * taste + _FRESH * freshness(block.models, nums)
    total = np.zeros(features.shape[:2])
    for first in range(0, len(features), _ROWS):
        some = slice(first, first + _ROWS)
        if len(nums) <= N_SCORED:
            total[some] = scorer.scores(features[some], learned) + beside[some]
            continue
        guesses = scorer.guesses(features[some], learned) + beside[some]
        allowed = guesses if may is None else np.where(may[some], guesses, -np.inf)
        best = np.argpartition(-allowed, N_SCORED - 1, axis=1)[:, :N_SCORED]
        chosen = np.take_along_axis(features[some], best[..., None], axis=1)
        scores = scorer.scores(chosen, learned) + np.take_along_axis(beside[some], best, axis=1)
        behind = guesses - guesses.max(axis=1, keepdims=True) + scores.min(axis=1, keepdims=True)
        np.put_along_axis(behind, best, scores, axis=1)
        total[some] = behind
    return total.astype(np.float32)
