"""Units: vectors scaled to length 1, so that a product of two is their cosine."""

import numpy as np
import numpy.typing as npt


def to_unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Rows ``(n, dim)`` scaled to length 1; a zero row, which says nothing, stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return scaled.astype(np.float32)


def by_row(
    rows: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """``rows @ matrix`` a row at a time: each has one product, whatever rows it comes with.

    Args:
        rows: ``(n, dim)``, few.
        matrix: ``(dim, m)``.

    Returns:
        ``(n, m)`` float32.
    """
    made = np.empty((len(rows), matrix.shape[1]), dtype=np.float32)
    for num in range(len(rows)):
        made[num] = rows[num] @ matrix
    return made
