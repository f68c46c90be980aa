"""Cells: counts of users that may be published.

Every published number is made of counts rounded down to whole multiples of k and of nothing else
that a user moves alone. So a cell of fewer than k users is never written, and the difference of
any two published counts (of two cells, of a cell and its total, of two nights) is 0 or at least k:
what complementary suppression would have to find out cell by cell holds for all of them at once.
Rounding to a base: Willenborg and de Waal, "Elements of Statistical Disclosure Control" (2001).
"""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Doubles = npt.NDArray[np.float64]


def whole(counts: npt.ArrayLike, k: int) -> Doubles:
    """Counts rounded down to multiples of k; under k there is nobody."""
    return np.floor(np.asarray(counts, dtype=np.float64) / k) * k


def whole_cells(counts: sp.sparray | sp.spmatrix, k: int) -> sp.csr_array:
    """Sparse counts rounded down to multiples of k; cells under k are gone."""
    rounded = sp.csr_array(counts, dtype=np.float64, copy=True)
    rounded.data = whole(rounded.data, k)
    rounded.eliminate_zeros()
    rounded.sort_indices()
    return rounded


def ratio(part: npt.ArrayLike, total: npt.ArrayLike) -> Doubles:
    """Part over total, NaN where the total is 0."""
    divisor = np.asarray(total, dtype=np.float64)
    safe = np.where(divisor > 0, divisor, np.nan)
    return np.asarray(part, dtype=np.float64) / safe


def stepped(values: npt.ArrayLike, k: int) -> Doubles:
    """Means of at least k values in [0, 1], in steps of 1/k: about what one user can move."""
    return np.round(np.asarray(values, dtype=np.float64) * k) / k
