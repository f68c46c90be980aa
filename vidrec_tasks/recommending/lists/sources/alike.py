"""The videos whose content is like what a user liked, of late or altogether."""

from dataclasses import dataclass

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.sources.finding import above, near
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.reason_codes import BECAUSE_YOU_WATCHED, MATCHES_TOPIC


@dataclass(frozen=True)
class Alike:
    """By the cosine of a content profile.

    Attributes:
        recent: whether the last liked videos alone make up the profile.
    """

    name: str
    recent: bool
    speaks_for: tuple[str, ...] = (MATCHES_TOPIC, BECAUSE_YOU_WATCHED)

    def find(self, block: AskingBlock) -> Found:
        """The nearest videos above ``min_score``."""
        profiles = block.recent_profiles if self.recent else block.content_profiles
        index, fused = block.search.content_index, block.models.content.fused
        n, counts = block.settings.n_per_source, block.search.counts
        found = near(index, fused, profiles, block.eligible, n, counts)
        return above(found, block.settings.min_score)
