"""The videos whose ``f(v)`` lie nearest to ``g(u)``."""

from typing import Final

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.features import DOT
from vidrec_tasks.recommending.lists.sources.finding import near
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import FROM_HISTORY


class Dot:
    """By the product of the user tower and the video tower."""

    name: Final = DOT
    speaks_for: Final = FROM_HISTORY

    def find(self, block: AskingBlock) -> Found:
        """The nearest ``f(v)``, by the index where there is one."""
        vectors, n = block.models.video_vectors, block.settings.n_per_source
        index, counts = block.search.videos_index, block.search.counts
        return near(index, vectors, block.users, block.eligible, n, counts)
