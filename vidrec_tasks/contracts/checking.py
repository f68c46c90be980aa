"""Checking: the key of a table names each of its rows once."""

import pandas as pd


def key_problem(frame: pd.DataFrame, key: tuple[str, ...]) -> str:
    """What is wrong with the key of a table; '' where nothing is.

    Args:
        frame: the table.
        key: columns that together name a row once, without nulls.
    """
    keys = frame[list(key)]
    if keys.isna().any(axis=None):
        n_bad = int(keys.isna().any(axis=1).sum())
        return f"{n_bad:,} of {len(frame):,} rows have no {', '.join(key)}"
    twice = keys.duplicated()
    if not twice.any():
        return ""
    first = keys[twice].iloc[0].to_dict()
    return f"{int(twice.sum()):,} of {len(frame):,} rows repeat their key (first: {first})"
