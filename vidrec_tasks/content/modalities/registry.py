"""The registry: which modalities exist, in the order in which they are fused and named."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from vidrec_tasks.content.modalities.frames import FRAME
from vidrec_tasks.content.modalities.modality import Modality
from vidrec_tasks.content.modalities.texts import TEXT

MODALITIES: Final[tuple[Modality, ...]] = (TEXT, FRAME)
"""To add one: its file beside these, its name here and in `contracts.artefacts.MODALITIES`."""

PARTS: Final = {modality.name: modality.part for modality in MODALITIES}
"""Modality -> what readers are told when something is alike by it."""
_BOTH: Final[dict[tuple[str, ...], str]] = {(TEXT.name, FRAME.name): "both"}
"""A word of its own, which readers of the tables know."""


def in_words(names: Sequence[str]) -> str:
    """What readers are told of modalities that agree: ``text``, ``frame``, ``both``, or a sum.

    Args:
        names: of at least one, in the order of `MODALITIES`.
    """
    return _BOTH.get(tuple(names)) or "+".join(PARTS[name] for name in names)


def all_words() -> list[str]:
    """Everything that `in_words` may say, single modalities first."""
    names = [modality.name for modality in MODALITIES]
    sizes = range(1, len(names) + 1)
    return [in_words(some) for size in sizes for some in combinations(names, size)]
