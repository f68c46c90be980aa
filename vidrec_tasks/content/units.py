"""Units: vectors scaled to length 1, so that a product of two is their cosine; such products."""

from typing import Final

import numpy as np
import numpy.typing as npt

ROWS: Final = 64
"""Rows multiplied at once."""


def to_unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Rows ``(n, dim)`` scaled to length 1; a zero row, which says nothing, stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return scaled.astype(np.float32)


def times(
    rows: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """``rows @ matrix``, where a row has one product whatever rows it comes with.

    A product of another shape is summed in another order, so a user alone and the same user in a
    block had scores that differed in the last digits; filled up to `ROWS` all products are of one
    shape.

    Args:
        rows: ``(n, dim)``.
        matrix: ``(dim, m)``; of another ``m`` the digits may be others.

    Returns:
        ``(n, m)`` float32.
    """
    made = np.empty((len(rows), matrix.shape[1]), dtype=np.float32)
    for first in range(0, len(rows), ROWS):
        some = rows[first : first + ROWS]
        whole = some if len(some) == ROWS else some[np.arange(ROWS) % len(some)]
        made[first : first + ROWS] = (whole @ matrix)[: len(some)]
    return made
