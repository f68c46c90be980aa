"""Scorers of one feature alone: ``dot`` is ``f(v).g(u)``, ``attention`` asks the history."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.features import NAMES
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Parts


@dataclass(frozen=True)
class Single:
    """A feature as it is; it learns nothing beside the model behind it."""

    name: str

    @property
    def usual(self) -> Learned:
        """Nothing is learned."""
        return {}

    def learn(self, _: Examples) -> Learned:
        """Nothing."""
        return {}

    def wanted(self, _: Learned) -> tuple[str, ...]:
        """The feature of its name."""
        return (self.name,)

    def parts(self, features: npt.NDArray[np.float32], _: Learned) -> Parts:
        """One part: ``(n_users, k, 1)``."""
        own = features[..., NAMES.index(self.name)].astype(np.float64)
        return Parts((self.name,), own[..., None])
