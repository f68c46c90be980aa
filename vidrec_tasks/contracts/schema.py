"""Schema: how a contract is written down. Leaves parsing to `parsing`, checking to `checking`."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "list", "time", "number", "integer", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    Attributes:
        name: its word in `columns`.
        kind: how its values are read: id (non-empty text), text, list (``|``-separated or native),
            time (ISO 8601, or seconds or milliseconds since 1970; UTC unless it says otherwise),
            number, integer, flag.
        meaning: one line for the docs, with the unit.
        required: the table stops the night without it, and a row without a value is rejected.
        minimum, maximum: inclusive bounds of a number.
        one_of: the only texts allowed.
        default: what an absent value becomes; None means missing (NaN, NaT or '').
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    one_of: tuple[str, ...] = ()
    default: str | float | bool | None = None


@dataclass(frozen=True)
class Table:
    """The contract of one table: its columns and its key."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def required(self) -> list[str]:
        """Names of the columns that must be there."""
        return [column.name for column in self.columns if column.required]
