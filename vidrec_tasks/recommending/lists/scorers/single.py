"""Scorers of one model: ``dot`` is ``f(v).g(u)``; ``attention`` adds what the history says."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.features import NAMES
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Parts

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Single:
    """The sum of some features as they are; it learns nothing beside the model behind them."""

    name: str
    features: tuple[str, ...]
    is_costly: bool = False

    @property
    def usual(self) -> Learned:
        """Nothing is learned."""
        return {}

    def learn(self, _: Examples) -> Learned:
        """Nothing."""
        return {}

    def wanted(self, _: Learned) -> tuple[str, ...]:
        """Its features."""
        return self.features

    def scores(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """``(n_users, k)``."""
        return self.parts(features, learned).values.sum(axis=-1)

    def guesses(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """The scores themselves."""
        return self.scores(features, learned)

    def parts(self, features: Floats, _: Learned) -> Parts:
        """One part a feature."""
        places = [NAMES.index(name) for name in self.features]
        return Parts(self.features, features[..., places].astype(np.float64))
