"""The videos that an item-item model puts first."""

from dataclasses import dataclass

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.sources.source import Found
from vidrec_tasks.recommending.lists.sources.touched import strongest
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.reason_codes import FROM_HISTORY


@dataclass(frozen=True)
class ItemItem:
    """By one of the item-item models."""

    model: ItemModel
    speaks_for: tuple[str, ...] = FROM_HISTORY

    @property
    def name(self) -> str:
        """That of the model."""
        return self.model.name

    def find(self, block: AskingBlock) -> Found:
        """The largest scores above 0."""
        return strongest(block, self.model, block.settings.n_per_source)
