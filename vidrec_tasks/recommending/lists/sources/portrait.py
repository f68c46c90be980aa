"""The videos that read like a user's portrait."""

from typing import Final

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.features import PORTRAIT
from vidrec_tasks.recommending.lists.sources.finding import above, near
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import MATCHES_TOPIC


class Portrait:
    """By the sentence where it was written, else by the topics that it would name.

    A sentence is compared with the texts of the videos where these are at hand (`Search.text`),
    else with their fused embeddings, which are of the same space.
    """

    name: Final = PORTRAIT
    speaks_for: Final = (MATCHES_TOPIC,)

    def find(self, block: AskingBlock) -> Found:
        """The nearest videos above ``min_score``."""
        portraits, search, n = block.portraits, block.search, block.settings.n_per_source
        index, vectors, queries = search.content_index, block.models.content.fused, portraits
        if queries is None or not queries.shape[1]:
            queries = block.portrait_profiles
        elif search.text is not None:
            index, vectors = None, search.text
        found = near(index, vectors, queries, block.eligible, n, search.counts)
        return above(found, block.settings.min_score)
