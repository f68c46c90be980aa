"""Shapes: the kinds of part that an artefact has, and how a value differs from what is declared.

Which artefact has which parts is declared in `artefacts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from vidrec_tasks.contracts.checking import key_problem
from vidrec_tasks.contracts.poured import Poured

TEXT: Final = "str"
NUMBER: Final = "float64"
COUNT: Final = "int64"
FLAG: Final = "bool"
MOMENT: Final = "datetime64[us, UTC]"
NESTED: Final = "object"
"""Lists and dicts, kept as JSON."""

ROWS: Final = "rows"
"""An axis that goes with the rows of the part ``table``."""


@dataclass(frozen=True)
class Table:
    """A part that is a frame.

    Attributes:
        columns: name -> dtype; these and no others.
        keys: columns that together name each row once, none of them empty; a table may have two.
    """

    columns: Mapping[str, str]
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Array:
    """A part that is an array: its axes by name, and its dtype."""

    axes: tuple[str, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Json:
    """A part that is JSON: the keys that must be there."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """A part that is bytes of another format."""

    what: str


Shape: TypeAlias = Table | Array | Json | Binary


def difference(shape: Shape, value: Any, table: Any) -> str:
    """How a value differs from its shape; '' where it does not."""
    if isinstance(shape, Table):
        return _of_table(shape, value)
    if isinstance(shape, Array):
        return _of_array(shape, value, table)
    if isinstance(shape, Json):
        if not isinstance(value, dict | list):
            return f"is not JSON but {type(value).__name__}"
        missing = [key for key in shape.keys if key not in value]
        return f"has no {missing[0]}" if missing else ""
    return "" if isinstance(value, bytes | Poured) else f"is not bytes but {type(value).__name__}"


def _of_table(shape: Table, value: Any) -> str:
    if not isinstance(value, pd.DataFrame):
        return f"is not a frame but {type(value).__name__}"
    missing = [name for name in shape.columns if name not in value]
    if missing:
        return f"has no column {missing[0]}"
    for name in value.columns:
        wanted = shape.columns.get(name)
        if wanted is None:
            return f"has a column {name} that was not declared"
        found = str(value[name].dtype)
        is_alike = found == wanted or (wanted == MOMENT and found.startswith("datetime64["))
        if len(value) and not is_alike:  # an empty column may be of any kind
            return f"column {name} is {found}, declared as {wanted}"
    return next((found for key in shape.keys if (found := key_problem(value, key))), "")


def _of_array(shape: Array, value: Any, table: Any) -> str:
    if not isinstance(value, np.ndarray):
        return f"is not an array but {type(value).__name__}"
    if value.ndim != len(shape.axes):
        return f"has {value.ndim} axes, declared are {', '.join(shape.axes)}"
    if str(value.dtype) != shape.dtype:
        return f"is {value.dtype}, declared as {shape.dtype}"
    if shape.axes[0] == ROWS and isinstance(table, pd.DataFrame) and len(value) != len(table):
        return f"has {len(value):,} rows, its table {len(table):,}"
    return ""
