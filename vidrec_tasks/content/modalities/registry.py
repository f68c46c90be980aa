"""The registry: which modalities exist, in the order in which they are fused and named."""

from collections.abc import Sequence
from typing import Final

from vidrec_tasks.content.modalities.frames import FRAME
from vidrec_tasks.content.modalities.modality import Modality
from vidrec_tasks.content.modalities.passages import SAYS, WRITES
from vidrec_tasks.content.modalities.texts import TEXT

MODALITIES: Final[tuple[Modality, ...]] = (TEXT, FRAME, SAYS, WRITES)
"""To add one: its file beside these, its name here and in `contracts.artefacts.MODALITIES`."""

PARTS: Final = {modality.name: modality.part for modality in MODALITIES}
"""Modality -> what readers are told when something is alike by it."""


def in_words(names: Sequence[str]) -> str:
    """What readers are told of modalities that agree: ``title``, ``seen``, ``title+said``.

    Args:
        names: of at least one, in the order of `MODALITIES`.
    """
    return "+".join(PARTS[name] for name in names)
