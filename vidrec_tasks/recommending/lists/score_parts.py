"""Parts of a score in a table: one column a part, read row by row as the dicts that lists show.

Of two hundred ranked candidates ten are listed. As dicts the parts of all were more than half of
the time that ranking took.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

PREFIX: Final = "part_"


def to_columns(parts: npt.NDArray[np.float64], names: Sequence[str]) -> dict[str, pd.Series]:
    """Columns of parts.

    Args:
        parts: ``(n_rows, n_parts)``.
        names: of the parts.

    Returns:
        ``part_<name>`` -> float64 column.
    """
    return {f"{PREFIX}{name}": pd.Series(parts[:, num]) for num, name in enumerate(names)}


def to_dicts(table: pd.DataFrame) -> pd.Series:
    """Name -> part of each row, without those that are 0; what is left sums to the same."""
    columns = [str(name) for name in table.columns if str(name).startswith(PREFIX)]
    names = [name.removeprefix(PREFIX) for name in columns]
    rows = table[columns].to_numpy(np.float64).tolist()
    found = [{n: value for n, value in zip(names, row, strict=True) if value} for row in rows]
    return pd.Series(found, index=table.index, dtype=object)


def of_row(row: Mapping[str, object]) -> dict[str, float]:
    """The same of one row."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in row.items()
        if name.startswith(PREFIX) and isinstance(value, float) and value
    }
