"""Gorse: ``feedback``, ``items`` and ``users`` as csv or jsonl, as its import and export give them.

Columns may be written FeedbackType or feedback_type, ItemId or item_id and so on: its API uses the
first, its csv files the second. Categories and labels are lists, or text with ``|`` between.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.importing.catalogue import (
    RESTRICTING,
    USER_RESTRICTING,
    USER_RESTRICTIONS,
    Events,
    as_lists,
    first_of,
    restrictions,
)
from vidrec_tasks.importing.event_words import translate, unknown_words
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.staging import Staging, as_cell

FEEDBACK: Final = File(("feedback.jsonl", "feedback.csv"))
ITEMS: Final = File(("items.jsonl", "items.csv"), is_needed=False)
USERS: Final = File(("users.jsonl", "users.csv"), is_needed=False)
DEEPEST: Final = 32
"""Levels of lists and names of labels that are looked into."""
SHOWN: Final = ("", "false", "0", "0.0", "f", "no", "n", "null")


def import_gorse(source: Source, staging: Staging) -> dict[str, int]:
    """Import a folder of Gorse files.

    An item's comment is its title, since that is what Gorse shows of it; its labels become tags.
    A hidden item is kept with the status ``hidden``, which keeps it out of lists.

    Returns:
        ``published_moved``: videos stamped later than their first event; ``unknown_events``: events
        with a word that the contract will reject.
    """
    events, n_unknown = Events(), 0
    needs = ("feedback_type", "user_id", "item_id", "timestamp")
    for rows in _read(source, source.need(*FEEDBACK.patterns), needs, ("value",)):
        interactions = _interactions(rows)
        n_unknown += sum(unknown_words(interactions[c.EVENT_TYPE]).values())
        events.note(interactions)
        staging.add("interactions", interactions)
    n_moved = _import_items(source, staging, events)
    users = source.find(*USERS.patterns)
    if users is not None:
        for rows in _read(source, users, ("user_id",), USER_RESTRICTING):
            own = restrictions(rows, USER_RESTRICTIONS)
            staging.add("users", pd.DataFrame({c.USER_ID: rows["user_id"], **own}))
    return {"published_moved": n_moved, "unknown_events": n_unknown}


GORSE: Final = Preset(
    "gorse",
    files=(FEEDBACK, ITEMS, USERS),
    brings=("interactions", "videos", "users"),
    stage=import_gorse,
)


def _import_items(source: Source, staging: Staging, events: Events) -> int:
    items = source.find(*ITEMS.patterns)
    if items is None:
        staging.add("videos", events.videos())
        return 0
    n_moved = 0
    own = ("is_hidden", "categories", "timestamp", "labels", "comment", "description")
    knows = (*own, *RESTRICTING)
    for rows in _read(source, items, ("item_id",), knows):
        published, moved = events.published(rows["item_id"], first_of(rows, ("timestamp",)))
        staging.add("videos", _videos(rows, published))
        n_moved += moved
    return n_moved


def _read(
    source: Source, path: Path, needs: tuple[str, ...], knows: tuple[str, ...] = ()
) -> Iterator[pd.DataFrame]:
    """Rows with their columns in the spelling of the csv files."""
    checked = False
    for rows in source.read(path, needs=(), knows=None):
        plain = rows.rename(columns=lambda name: _plain(str(name)))
        if not checked:
            names = [str(name) for name in plain.columns if name != c.ROW_NUM]
            source.check(path, names, needs=needs, knows=knows)
            checked = True
        yield plain


def _plain(name: str) -> str:
    """``FeedbackType`` and ``feedback_type`` are one word, and so are their two timestamps."""
    snake = "".join(f"_{ch.lower()}" if ch.isupper() else ch for ch in name).strip("_")
    return "timestamp" if snake == "time_stamp" else snake


def _interactions(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            c.USER_ID: rows["user_id"],
            c.VIDEO_ID: rows["item_id"],
            c.EVENT_AT: rows["timestamp"],
            c.EVENT_TYPE: translate(rows["feedback_type"]),
            c.VALUE: first_of(rows, ("value",)),
        }
    )


def _videos(rows: pd.DataFrame, published: pd.Series) -> pd.DataFrame:
    own = restrictions(rows)
    cells = first_of(rows, ("is_hidden",)).map(as_cell)
    # what cannot be read may mean hidden
    hidden = [cell is not None and str(cell).strip().lower() not in SHOWN for cell in cells]
    status = own.pop(c.STATUS, pd.Series("active", index=rows.index))
    return pd.DataFrame(
        {
            c.VIDEO_ID: rows["item_id"],
            c.TITLE: first_of(rows, ("comment", "description")),
            c.DESCRIPTION: first_of(rows, ("description",)),
            c.TAGS: [_labels(value) for value in first_of(rows, ("labels",))],
            c.CATEGORIES: as_lists(first_of(rows, ("categories",))),
            c.PUBLISHED_AT: published,
            **own,
            c.STATUS: status.mask(np.array(hidden, dtype=bool), "hidden"),
        }
    )


def _labels(value: Any, depth: int = 0) -> list[str]:
    """Labels are texts, or JSON of lists and texts by name; vectors among them say nothing here."""
    if depth > DEEPEST:
        return []
    if isinstance(value, str) and value.strip().startswith(("[", "{")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, dict):
        return [label for part in value.values() for label in _labels(part, depth + 1)]
    if isinstance(value, list):
        return [label for part in value for label in _labels(part, depth + 1)]
    return as_lists(pd.Series([value], dtype=object))[0] if isinstance(value, str) else []
