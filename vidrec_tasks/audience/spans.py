"""Spans: where the entries of some rows stand in arrays that hold one row after another."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The numbers of several ranges, one after the other.

    Args:
        starts: ``(n,)`` the first number of each.
        lengths: ``(n,)`` how many numbers each has.

    Returns:
        ``(sum of lengths,)``.
    """
    ends = np.cumsum(lengths)
    n = int(ends[-1]) if len(ends) else 0
    return np.arange(n) + np.repeat(starts - ends + lengths, lengths)
