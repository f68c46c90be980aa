"""Concepts: what a picture or a film shows, in words with probabilities."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

N_CONCEPTS: Final = 10
MIN_PROBABILITY: Final = 0.01


def likeliest(
    probabilities: npt.NDArray[np.float32], names: Sequence[str]
) -> list[list[list[Any]]]:
    """``[name, probability]`` pairs of each row ``(n, n_names)``, likeliest first."""
    return [_ranked(dict(enumerate(row)), names) for row in probabilities.tolist()]


def over_film(frames: Sequence[Sequence[Sequence[Any]]]) -> list[list[Any]]:
    """A film's concepts: the mean over its frames of what each shows."""
    sums: dict[str, float] = {}
    for concepts in frames:
        for name, probability in concepts:
            sums[name] = sums.get(name, 0.0) + float(probability)
    names = sorted(sums)
    return _ranked({num: sums[name] / len(frames) for num, name in enumerate(names)}, names)


def _ranked(shares: dict[int, float], names: Sequence[str]) -> list[list[Any]]:
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:N_CONCEPTS]
    return [[names[num], round(share, 4)] for num, share in ordered if share >= MIN_PROBABILITY]
