"""What a scorer is: a way to make one score, as a sum of named parts, out of all features."""

from collections.abc import Mapping, Sequence
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
        relevant: ``(n_users, k)`` whether the candidate was then watched.
        is_real: ``(n_users, k)`` False where padded.
        found: ``(n_users, k)`` False where no source had found it: it teaches and
            cannot be listed.
        n_relevant: ``(n_users,)`` videos then watched, also those that are no candidates.
        nums: ``(n_users, k)`` the video_nums of the candidates, -1 where padded.
    """

    features: Floats
    relevant: npt.NDArray[np.bool_]
    is_real: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]
    n_relevant: npt.NDArray[np.int64]
    nums: npt.NDArray[np.int64]

    def of(self, users: npt.NDArray[np.bool_]) -> "Examples":
        """Some of the users."""
        return Examples(
            self.features[users],
            self.relevant[users],
            self.is_real[users],
            self.found[users],
            self.n_relevant[users],
            self.nums[users],
        )

    def without(self, places: Sequence[int]) -> "Examples":
        """The same candidates, with nothing known of some features."""
        if not places:
            return self
        features = self.features.copy()
        features[..., places] = 0
        return replace(self, features=features)

    def and_(self, others: "Examples") -> "Examples":
        """These and others, padded to one width."""
        width = max(self.is_real.shape[1], others.is_real.shape[1])
        mine, theirs = self._as_wide(width), others._as_wide(width)
        return Examples(
            *(
                np.concatenate([getattr(mine, name), getattr(theirs, name)])
                for name in Examples.__dataclass_fields__
            )
        )

    def _as_wide(self, width: int) -> "Examples":
        more = (0, width - self.is_real.shape[1])
        return Examples(
            np.pad(self.features, ((0, 0), more, (0, 0))),
            np.pad(self.relevant, ((0, 0), more)),
            np.pad(self.is_real, ((0, 0), more)),
            np.pad(self.found, ((0, 0), more)),
            self.n_relevant,
            np.pad(self.nums, ((0, 0), more), constant_values=-1),
        )


class Scorer(Protocol):
    """A function of the features, and perhaps of what was learned on held-out events."""

    @property
    def name(self) -> str:
        """Of the setting ``scorer``, of metrics and of what is kept of it."""

    @property
    def usual(self) -> Learned:
        """What stands in where too few held-out events could teach it."""

    @property
    def is_costly(self) -> bool:
        """Whether a score takes longer than measuring its features."""

    def learn(self, examples: Examples) -> Learned:
        """What the held-out events teach; nothing where there is nothing to learn."""

    def wanted(self, learned: Learned) -> tuple[str, ...]:
        """Names of the features that it reads."""

    def scores(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """``(n_users, k)`` the sums of the parts, where the parts are not asked for."""

    def guesses(self, features: Floats, learned: Learned) -> npt.NDArray[np.float64]:
        """``(n_users, k)`` about the scores: themselves where they are not costly."""

    def parts(self, features: Floats, learned: Learned) -> Parts:
        """The parts of each score.

        Args:
            features: ``(n_users, k, n_features)``, 0 where a feature is not `wanted`.
            learned: what `learn` returned.
        """
