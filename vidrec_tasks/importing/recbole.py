"""RecBole: atomic files, ``*.inter`` and if they are there ``*.item`` and ``*.user``.

Format: tab-separated without quotes, a header of ``name:type`` with the types token, token_seq
(separated by blanks), float and float_seq (RecBole documentation, *Atomic Files*).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

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

INTERACTIONS: Final = File(("*.inter",))
ITEMS: Final = File(("*.item",), is_needed=False)
USERS: Final = File(("*.user",), is_needed=False)
TEXT: Final[dict[str, Any]] = {"separator": "\t", "has_quotes": False}
TITLES: Final = ("title", "movie_title", "item_name", "name", "product_name", "track_name")
CATEGORIES: Final = ("class", "genre", "genres", "category", "categories")
DESCRIPTIONS: Final = ("description", "overview", "abstract", "content")
CREATORS: Final = ("creator_id", "author_id", "author", "artist_id", "brand")


def import_recbole(source: Source, staging: Staging) -> dict[str, int]:
    """Import a folder of atomic files.

    Interactions may be one file or its parts (``d.train.inter``, ``d.part1.inter``). An event is a
    ``rating`` where the file has ``rating:float``, else a ``play``. Tokens of
    token_seq columns become the parts of a list.
    """
    events = Events()
    needs = ("user_id", "item_id", "timestamp")
    for path in source.parts(*INTERACTIONS.patterns):
        for rows in _read(source, path, needs=needs, knows=("rating",)):
            interactions = _interactions(rows)
            events.note(interactions)
            staging.add("interactions", interactions)
    items = source.find(*ITEMS.patterns)
    if items is None:
        staging.add("videos", events.videos())
    else:
        knows = (*TITLES, *CATEGORIES, *DESCRIPTIONS, *CREATORS, *RESTRICTING)
        for rows in _read(source, items, needs=("item_id",), knows=knows):
            staging.add("videos", _videos(rows))
    users = source.find(*USERS.patterns)
    if users is not None:
        for rows in _read(source, users, needs=("user_id",), knows=USER_RESTRICTING):
            own = restrictions(rows, USER_RESTRICTIONS)
            staging.add("users", pd.DataFrame({c.USER_ID: rows["user_id"], **own}))
    return {}


RECBOLE: Final = Preset(
    "recbole",
    files=(INTERACTIONS, ITEMS, USERS),
    brings=("interactions", "videos", "users"),
    stage=import_recbole,
)


def _read(
    source: Source, path: Path, *, needs: tuple[str, ...], knows: tuple[str, ...] = ()
) -> Iterator[pd.DataFrame]:
    """Rows with their columns named without types; token_seq values as lists."""
    checked = False
    for rows in source.read(path, needs=(), knows=None, **TEXT):
        kinds = {str(name): str(name).rpartition(":")[2] for name in rows.columns}
        plain = rows.rename(columns=lambda name: str(name).partition(":")[0])
        if not checked:
            source.check(path, list(plain.columns), needs=needs, knows=knows)
            checked = True
        for name, kind in kinds.items():
            column = name.partition(":")[0]
            # a title is a token_seq too: words, to be read as they stand
            if kind == "token_seq" and column in CATEGORIES:
                plain[column] = as_lists(plain[column], (" ",))
        yield plain


def _interactions(rows: pd.DataFrame) -> pd.DataFrame:
    has_rating = "rating" in rows
    return pd.DataFrame(
        {
            c.USER_ID: rows["user_id"],
            c.VIDEO_ID: rows["item_id"],
            c.EVENT_AT: rows["timestamp"],
            c.EVENT_TYPE: "rating" if has_rating else "play",
            c.VALUE: rows["rating"] if has_rating else None,
        }
    )


def _videos(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            c.VIDEO_ID: rows["item_id"],
            c.TITLE: first_of(rows, TITLES),
            c.DESCRIPTION: first_of(rows, DESCRIPTIONS),
            c.CATEGORIES: as_lists(first_of(rows, CATEGORIES)),
            c.CREATOR_ID: first_of(rows, CREATORS),
            **restrictions(rows),
        }
    )
