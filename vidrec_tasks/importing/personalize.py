"""Personalize: the csv files that Amazon Personalize imports from.

``interactions.csv`` (USER_ID, ITEM_ID, TIMESTAMP; EVENT_TYPE and EVENT_VALUE may be absent),
``items.csv`` (ITEM_ID, CREATION_TIMESTAMP, GENRES or CATEGORY_L1.., DESCRIPTION) and ``users.csv``
(USER_ID), as *Formatting your input data* of its developer guide describes them.
"""

from itertools import chain
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
from vidrec_tasks.importing.event_words import translate, unknown_words
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.staging import Staging

INTERACTIONS: Final = File(("interactions.csv", "*interactions*.csv"))
ITEMS: Final = File(("items.csv", "*items*.csv"), is_needed=False)
USERS: Final = File(("users.csv", "*users*.csv"), is_needed=False)
TITLES: Final = ("TITLE", "NAME", "ITEM_NAME")
DESCRIPTIONS: Final = ("DESCRIPTION", "PRODUCT_DESCRIPTION")
CATEGORIES: Final = ("GENRES", "CATEGORY_L1", "CATEGORY_L2", "CATEGORY_L3")
TAGS: Final = ("KEYWORDS", "TAGS")
OTHERS: Final = ("CREATION_TIMESTAMP", "CREATOR_ID", "LANGUAGE")


def import_personalize(source: Source, staging: Staging) -> dict[str, int]:
    """Import a folder of Personalize csv files.

    Without EVENT_TYPE an event is a ``play``. Fields that tell of persons (AGE, GENDER) are left
    where they are: vidrec keeps no demographics.

    Returns:
        ``published_moved``: videos stamped later than their first event; ``unknown_events``: events
        with a word that the contract will reject.
    """
    events, n_unknown = Events(), 0
    path = source.need(*INTERACTIONS.patterns)
    needs, knows = ("USER_ID", "ITEM_ID", "TIMESTAMP"), ("EVENT_TYPE", "EVENT_VALUE")
    for rows in source.read(path, needs=needs, knows=knows):
        interactions = _interactions(rows)
        n_unknown += sum(unknown_words(interactions[c.EVENT_TYPE]).values())
        events.note(interactions)
        staging.add("interactions", interactions)
    n_moved = _import_items(source, staging, events)
    users = source.find(*USERS.patterns)
    if users is not None:
        restricting = [name.upper() for name in USER_RESTRICTING]
        user_columns = ("REGION", "LANGUAGE", *restricting)
        for rows in source.read(users, needs=("USER_ID",), knows=user_columns):
            columns = {c.USER_ID: rows["USER_ID"], **restrictions(rows, USER_RESTRICTIONS)}
            columns |= {name: first_of(rows, (name,)) for name in (c.REGION, c.LANGUAGE)}
            staging.add("users", pd.DataFrame(columns))
    return {"published_moved": n_moved, "unknown_events": n_unknown}


PERSONALIZE: Final = Preset(
    "personalize",
    files=(INTERACTIONS, ITEMS, USERS),
    brings=("interactions", "videos", "users"),
    stage=import_personalize,
)


def _import_items(source: Source, staging: Staging, events: Events) -> int:
    items = source.find(*ITEMS.patterns)
    if items is None:
        staging.add("videos", events.videos())
        return 0
    n_moved = 0
    restricting = [name.upper() for name in RESTRICTING]
    knows = (*TITLES, *DESCRIPTIONS, *CATEGORIES, *TAGS, *OTHERS, *restricting)
    for rows in source.read(items, needs=("ITEM_ID",), knows=knows):
        published, moved = events.published(
            rows["ITEM_ID"], first_of(rows, ("CREATION_TIMESTAMP",))
        )
        staging.add("videos", _videos(rows, published))
        n_moved += moved
    return n_moved


def _interactions(rows: pd.DataFrame) -> pd.DataFrame:
    has_type = "EVENT_TYPE" in rows
    return pd.DataFrame(
        {
            c.USER_ID: rows["USER_ID"],
            c.VIDEO_ID: rows["ITEM_ID"],
            c.EVENT_AT: rows["TIMESTAMP"],
            c.EVENT_TYPE: translate(rows["EVENT_TYPE"]) if has_type else "play",
            c.VALUE: first_of(rows, ("EVENT_VALUE",)),
        }
    )


def _videos(rows: pd.DataFrame, published: pd.Series) -> pd.DataFrame:
    levels = [as_lists(first_of(rows, (name,))) for name in CATEGORIES]
    categories = [[*chain(*parts)] for parts in zip(*levels, strict=True)]
    return pd.DataFrame(
        {
            c.VIDEO_ID: rows["ITEM_ID"],
            c.TITLE: first_of(rows, TITLES),
            c.DESCRIPTION: first_of(rows, DESCRIPTIONS),
            c.TAGS: as_lists(first_of(rows, TAGS)),
            c.CATEGORIES: categories,
            c.CREATOR_ID: first_of(rows, ("CREATOR_ID",)),
            c.LANGUAGE: first_of(rows, ("LANGUAGE",)),
            c.PUBLISHED_AT: published,
            **restrictions(rows),
        }
    )
