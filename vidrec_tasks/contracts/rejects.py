"""Rejects: the rows that do not fit, each with its reason and a sample that can be printed.

Of a table only so many are kept; all are counted.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import N_ROWS, REASON, ROW_NUM, SAMPLE, TABLE
from vidrec_tasks.contracts.absence import is_filled

SAMPLE_LENGTH: Final = 200


LEFT_OUT: Final = "left_out"
"""The part of the artefact that says how many rejects of each table and reason are not kept."""

FEWEST_KEPT: Final = 10
"""Rejects kept of a table at least: with more than two reasons, one is of a row that is wrong."""


@dataclass(frozen=True)
class Rejects:
    """The rejects of a table: how many for each reason, and the first of them.

    Of each reason the same number is kept, those of the smallest row_num, as far as there are so
    many. Neither the chunks that rejects come in nor their order decide which.

    Attributes:
        table: its name.
        n_kept: rows kept at most.
        counts: reason -> rows, kept or not.
        parts: what is held: never more than twice ``n_kept`` rows and the last that came.
    """

    table: str
    n_kept: int
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[pd.DataFrame, ...] = ()

    def plus(self, rows: pd.DataFrame) -> "Rejects":
        """With more rejects of the same table (columns table, row_num, reason, sample)."""
        if rows.empty:
            return self
        counts = Counter(self.counts)
        counts.update(rows[REASON].astype(str))
        parts = (*self.parts, rows)
        if sum(map(len, parts)) > 2 * self.n_kept:
            parts = (self._first_of_each(parts),)
        return Rejects(self.table, self.n_kept, counts, parts)

    @property
    def rows(self) -> pd.DataFrame:
        """What is kept, by row_num."""
        return self._first_of_each(self.parts)

    @property
    def left_out(self) -> pd.DataFrame:
        """table, reason, n_rows: how many rows are not kept, where there are any."""
        kept = self.rows[REASON].value_counts()
        n_rows = {reason: n - int(kept.get(reason, 0)) for reason, n in sorted(self.counts.items())}
        found = [(self.table, reason, n) for reason, n in n_rows.items() if n]
        table = pd.DataFrame(found, columns=[TABLE, REASON, N_ROWS])
        return table.astype({TABLE: "str", REASON: "str", N_ROWS: "int64"})

    def count(self, *, without: Collection[str] = ()) -> int:
        """How many rows were rejected, for other reasons than some."""
        return sum(n for reason, n in self.counts.items() if reason not in without)

    def _first_of_each(self, parts: Collection[pd.DataFrame]) -> pd.DataFrame:
        every = pd.concat([no_rejects(), *parts], ignore_index=True)
        every = every.sort_values(ROW_NUM, kind="stable", ignore_index=True)
        if len(every) <= self.n_kept:
            return every
        turn = every.groupby(REASON, sort=False).cumcount().to_numpy()
        kept = np.sort(np.argsort(turn, kind="stable")[: self.n_kept])
        return every.iloc[kept].reset_index(drop=True)


def no_rejects() -> pd.DataFrame:
    """An empty rejects table."""
    return pd.DataFrame(
        {
            TABLE: pd.Series(dtype=str),
            ROW_NUM: pd.Series(dtype="int64"),
            REASON: pd.Series(dtype=str),
            SAMPLE: pd.Series(dtype=str),
        }
    )


def reject(raw: pd.DataFrame, table: str, reasons: pd.Series) -> pd.DataFrame:
    """Rejects for the rows of ``raw`` (with row_num) whose reason is not empty."""
    bad = raw[reasons != ""]
    if bad.empty:
        return no_rejects()
    samples = bad.drop(columns=ROW_NUM).to_dict("records")
    return pd.DataFrame(
        {
            TABLE: table,
            ROW_NUM: bad[ROW_NUM].to_numpy(np.int64),
            REASON: reasons[reasons != ""].to_numpy(),
            SAMPLE: [sample_of(row) for row in samples],
        }
    ).astype({TABLE: str, REASON: str, SAMPLE: str})


def sample_of(row: Mapping[Any, Any]) -> str:
    """A row as one short printable line."""
    texts = ((name, _as_text(value)) for name, value in row.items() if is_filled(value))
    return one_line(", ".join(f"{name}={text}" for name, text in texts))


def _as_text(value: Any) -> str:
    """A value as the contract reads it, so that an id in a sample is the id that it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def one_line(text: str) -> str:
    """The beginning of a text, with a blank for what is not printable."""
    return "".join(ch if ch.isprintable() else " " for ch in text[:SAMPLE_LENGTH])
