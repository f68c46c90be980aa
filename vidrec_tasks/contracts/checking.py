"""Checking: a frame between two stages has the columns, key and values it promised."""

import pandas as pd

from vidrec_tasks.errors import ContractError


def check(
    frame: pd.DataFrame, name: str, *, key: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    """Check a table where it crosses a border.

    Args:
        frame: the table.
        name: its name, for the message.
        key: columns that together name a row once, without nulls; empty: no key.
        columns: columns that must be there.

    Raises:
        ContractError: a column is missing, a key is null or appears twice.
    """
    missing = [column for column in (*key, *columns) if column not in frame]
    if missing:
        message = f"{name}: {len(missing)} columns are missing (first: {missing[0]})"
        raise ContractError(message)
    if not key:
        return
    keys = frame[list(key)]
    if keys.isna().any(axis=None):
        bad = keys[keys.isna().any(axis=1)]
        message = f"{name}: {len(bad):,} of {len(frame):,} rows have no {', '.join(key)}"
        raise ContractError(message)
    twice = keys.duplicated()
    if twice.any():
        first = keys[twice].iloc[0].to_dict()
        message = (
            f"{name}: {int(twice.sum()):,} of {len(frame):,} rows repeat their key (first: {first})"
        )
        raise ContractError(message)
