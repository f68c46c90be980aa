"""RecTools: the frames of ``rectools.columns.Columns`` saved as csv, parquet or jsonl.

``interactions`` with user_id, item_id, weight, datetime; ``items`` with item_id and what describes
it; ``users`` with user_id (MobileTeleSystems/RecTools, dataset/interactions.py).
"""

from pathlib import Path
from typing import Final

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
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.staging import Staging

INTERACTIONS: Final = File(("interactions.csv", "interactions.parquet", "interactions.jsonl"))
ITEMS: Final = File(("items.csv", "items.parquet", "items.jsonl"), is_needed=False)
USERS: Final = File(("users.csv", "users.parquet", "users.jsonl"), is_needed=False)
TITLES: Final = ("title", "title_orig", "name")
DESCRIPTIONS: Final = ("description", "overview")
CATEGORIES: Final = ("genres", "genre", "categories", "category")
TAGS: Final = ("keywords", "tags")
CREATORS: Final = ("creator_id", "author_id")


def import_rectools(source: Source, staging: Staging) -> dict[str, int]:
    """Import a folder of RecTools frames.

    A weight says how much an interaction counts, as a rating does. Where all weights are equal they
    say nothing, and every row is a ``play``.
    """
    path = source.need(*INTERACTIONS.patterns)
    needs = ("user_id", "item_id", "weight", "datetime")
    kind = "rating" if _weights_differ(source, path, needs) else "play"
    source.torn.pop(path.name, None)  # counted once: the file is read twice
    events = Events()
    for rows in source.read(path, needs=needs):
        interactions = _interactions(rows, kind)
        events.note(interactions)
        staging.add("interactions", interactions)
    _import_items(source, staging, events)
    users = source.find(*USERS.patterns)
    if users is not None:
        knows = ("region", "language", *USER_RESTRICTING)
        for rows in source.read(users, needs=("user_id",), knows=knows):
            columns = {c.USER_ID: rows["user_id"], **restrictions(rows, USER_RESTRICTIONS)}
            columns |= {name: first_of(rows, (name,)) for name in (c.REGION, c.LANGUAGE)}
            staging.add("users", pd.DataFrame(columns))
    return {}


RECTOOLS: Final = Preset(
    "rectools",
    files=(INTERACTIONS, ITEMS, USERS),
    brings=("interactions", "videos", "users"),
    stage=import_rectools,
)


def _import_items(source: Source, staging: Staging, events: Events) -> None:
    items = source.find(*ITEMS.patterns)
    if items is None:
        staging.add("videos", events.videos())
        return
    knows = (*TITLES, *DESCRIPTIONS, *CATEGORIES, *TAGS, *CREATORS, *RESTRICTING)
    for rows in source.read(items, needs=("item_id",), knows=knows):
        staging.add("videos", _videos(rows))


def _weights_differ(source: Source, path: Path, needs: tuple[str, ...]) -> bool:
    found: set[float] = set()
    for rows in source.read(path, needs=needs):
        found |= set(pd.to_numeric(rows["weight"], errors="coerce").dropna().unique()[:2])
        if len(found) > 1:
            return True
    return False


def _interactions(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            c.USER_ID: rows["user_id"],
            c.VIDEO_ID: rows["item_id"],
            c.EVENT_AT: rows["datetime"],
            c.EVENT_TYPE: kind,
            c.VALUE: rows["weight"] if kind == "rating" else None,
        }
    )


def _videos(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            c.VIDEO_ID: rows["item_id"],
            c.TITLE: first_of(rows, TITLES),
            c.DESCRIPTION: first_of(rows, DESCRIPTIONS),
            c.TAGS: as_lists(first_of(rows, TAGS)),
            c.CATEGORIES: as_lists(first_of(rows, CATEGORIES)),
            c.CREATOR_ID: first_of(rows, CREATORS),
            **restrictions(rows),
        }
    )
