"""Absence: what stands for nothing in files, whoever wrote them."""

from typing import Any, Final

import numpy as np
import pandas as pd

NULL_WORDS: Final = frozenset(
    {"null", "NULL", "None", "nan", "NaN", "NaT", "<NA>", "N/A", "#N/A", "\\N", "undefined"}
)
"""What databases, spreadsheets and programs write for nothing. As they write it: the film "Null",
and NA, which is Namibia, are words."""


def filled(values: pd.Series) -> pd.Series:
    """Which values say something, as a bool series."""
    if values.dtype == object:
        if all(value is None for value in values):  # no such column in the file
            return pd.Series(False, index=values.index)
        return pd.Series([is_filled(value) for value in values], index=values.index, dtype=bool)
    given = values.notna()
    if pd.api.types.is_string_dtype(values.dtype):
        texts = values.fillna("").str.strip()
        given &= (texts != "") & ~texts.isin(NULL_WORDS)
    return given


def is_filled(value: Any) -> bool:
    """Whether one value says something; a list always does."""
    if value is None or value is pd.NaT or value is pd.NA:
        return False
    if isinstance(value, (str, bytes)):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        text = text.strip()
        return text != "" and text not in NULL_WORDS
    return not (isinstance(value, (float, np.floating)) and np.isnan(value))


def count_words(values: pd.Series) -> int:
    """How many values are a word for nothing."""
    if values.dtype == object:
        return sum(isinstance(value, str) and value.strip() in NULL_WORDS for value in values)
    if pd.api.types.is_string_dtype(values.dtype):
        return int(values.fillna("").str.strip().isin(NULL_WORDS).sum())
    return 0
