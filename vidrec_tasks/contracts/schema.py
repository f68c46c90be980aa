"""Schema: how a contract is written down. Leaves parsing to `parsing`, checking to `checking`."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "list", "time", "number", "integer", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    Attributes:
        name: its word in `columns`.
        kind: how its values are read: id (non-empty text), text, list (`lists`), time
            (`times`), number, integer, flag.
        meaning: one line for the docs, with the unit.
        required: the table stops the night without it, and a row without a value is rejected.
        minimum, maximum: inclusive bounds of a number.
        one_of: the only texts allowed.
        may_be_never: of a time: one in the far future (9999-12-31) means never, which is missing.
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
    may_be_never: bool = False


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
