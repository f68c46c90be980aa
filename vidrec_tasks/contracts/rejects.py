"""Rejects: the rows that do not fit, each with its reason and a sample that can be printed."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import REASON, ROW_NUM, SAMPLE, TABLE
from vidrec_tasks.contracts.absence import is_filled

SAMPLE_LENGTH: Final = 200


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
