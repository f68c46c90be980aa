"""The scorers that exist."""

from typing import Final

from vidrec_tasks.errors import ModelError
from vidrec_tasks.recommending.lists.features import ATTENTION, DOT, LATELY
from vidrec_tasks.recommending.lists.scorers.blend import Blend
from vidrec_tasks.recommending.lists.scorers.scorer import Scorer
from vidrec_tasks.recommending.lists.scorers.single import Single
from vidrec_tasks.recommending.lists.scorers.trees import Trees

BLEND: Final = Blend()

SCORERS: Final[tuple[Scorer, ...]] = (
    Single(DOT, (DOT, LATELY)),
    Single(ATTENTION, (DOT, ATTENTION, LATELY)),
    BLEND,
    Trees(),
)
"""Every scorer; each night measures all of them."""

SCORER_NAMES: Final = tuple(scorer.name for scorer in SCORERS)


def scorer_named(name: str) -> Scorer:
    """The scorer of a name.

    Raises:
        ModelError: there is none.
    """
    for scorer in SCORERS:
        if scorer.name == name:
            return scorer
    message = f"scorer {name!r}: there is none of that name, only {', '.join(SCORER_NAMES)}"
    raise ModelError(message)
