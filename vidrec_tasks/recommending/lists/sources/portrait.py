"""The videos that read like a user's portrait."""

from typing import Final

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.features import PORTRAIT
from vidrec_tasks.recommending.lists.sources.finding import above, near
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import MATCHES_TOPIC


class Portrait:
    """By the sentence where it was written, else by the topics that it would name."""

    name: Final = PORTRAIT
    speaks_for: Final = (MATCHES_TOPIC,)

    def find(self, block: AskingBlock) -> Found:
        """The nearest videos above ``min_score``."""
        portraits, text, n = block.portraits, block.search.text, block.settings.n_per_source
        if portraits is not None and text is not None and portraits.shape[1]:
            found = near(None, text, portraits, block.allowed, n)
        else:
            index, fused = block.search.content_index, block.models.content.fused
            found = near(index, fused, block.portrait_profiles, block.allowed, n)
        return above(found, block.settings.min_score)
