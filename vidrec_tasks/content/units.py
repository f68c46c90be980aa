"""Units: vectors scaled to length 1, so that a product of two is their cosine."""

import numpy as np
import numpy.typing as npt


def to_unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Rows ``(n, dim)`` scaled to length 1; a zero row, which says nothing, stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return scaled.astype(np.float32)
