"""What a scorer is: a way to make one score, as a sum of named parts, out of all features."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

Learned: TypeAlias = Mapping[str, Any]
"""What a scorer learned, as JSON."""


@dataclass(frozen=True)
class Parts:
    """Scores taken apart.

    Attributes:
        names: of the parts.
        values: ``(n_users, k, n_parts)`` float64; the sum over the last axis is the score.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """Candidates of held-out users, what was then watched among them.

    Attributes:
        features: ``(n_users, k, n_features)`` float32.
        places: ``(n_users,)`` the place of the target.
        is_real: ``(n_users, k)`` False where padded.
        found: ``(n_users,)`` whether a source had found the target.
    """

    features: Floats
    places: npt.NDArray[np.int64]
    is_real: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]

    def of(self, users: npt.NDArray[np.bool_]) -> "Examples":
        """Some of the users."""
        return Examples(
            self.features[users], self.places[users], self.is_real[users], self.found[users]
        )

    def without(self, feature: int) -> "Examples":
        """The same candidates, with nothing known of one feature."""
        features = self.features.copy()
        features[..., feature] = 0
        return replace(self, features=features)


class Scorer(Protocol):
    """A function of the features, and perhaps of what was learned on held-out events."""

    @property
    def name(self) -> str:
        """Of the setting ``scorer``, of metrics and of what is kept of it."""

    @property
    def usual(self) -> Learned:
        """What stands in where too few held-out events could teach it."""

    def learn(self, examples: Examples) -> Learned:
        """What the held-out events teach; nothing where there is nothing to learn."""

    def wanted(self, learned: Learned) -> tuple[str, ...]:
        """Names of the features that it reads."""

    def parts(self, features: Floats, learned: Learned) -> Parts:
        """The parts of each score.

        Args:
            features: ``(n_users, k, n_features)``, 0 where a feature is not `wanted`.
            learned: what `learn` returned.
        """
