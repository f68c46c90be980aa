"""Presets: bring other people's files into the input tables, by the name of their format.

An import translates names and nothing else: rows that are wrong stay in, for the contracts to
reject with a reason, and lines that are no rows are counted. What each format looks like is in the
module of its name.
"""

import logging
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.clips import import_clips
from vidrec_tasks.importing.gorse import import_gorse
from vidrec_tasks.importing.movielens import import_movielens
from vidrec_tasks.importing.personalize import import_personalize
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.recbole import import_recbole
from vidrec_tasks.importing.rectools import import_rectools
from vidrec_tasks.importing.staging import Staging

log = logging.getLogger(__name__)

PRESETS: Final[dict[str, Callable[..., dict[str, int]]]] = {
    "movielens": import_movielens,
    "recbole": import_recbole,
    "rectools": import_rectools,
    "personalize": import_personalize,
    "gorse": import_gorse,
    "clips": import_clips,
}
"""Each takes (Source, Staging, options), adds rows, and returns what else is worth counting."""


def import_data(preset: str, source: Path, into: Path, **options: Any) -> dict[str, int]:
    """Import a folder of files into the input tables of a store.

    Args:
        preset: one of `PRESETS`.
        source: the folder of their files.
        into: the folder of the input tables (``inputs`` of a store).
        options: for movielens ``overviews``, a TMDB csv or zip of it.

    Returns:
        Rows a table, ``torn_lines``, ``unused_columns`` (the log names them), and what the preset
        counts beside.

    Raises:
        InputError: a file is missing or has the wrong columns, or tables are there that no import
            wrote; nothing has changed then.
        StoreError: the tables cannot be written.
    """
    carry_over = _preset(preset)
    theirs = Source(preset, Path(source))
    with Staging(Path(into)) as staging:
        counts = _call(carry_over, preset, theirs, staging, options)
        staging.put_in_place(preset, theirs.folder)
    for name, torn in theirs.torn.items():
        if torn.n:
            log.warning(
                "%s: %d lines of %s are no rows (first: %s)", preset, torn.n, name, torn.first
            )
    torn_lines = sum(torn.n for torn in theirs.torn.values())
    n_unused = sum(len(names) for names in theirs.unused.values())
    return {**staging.counts, **counts, "torn_lines": torn_lines, "unused_columns": n_unused}


def _preset(name: str) -> Callable[..., dict[str, int]]:
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"import: preset {name!r} is unknown; one of {', '.join(PRESETS)}{hint}"
        raise InputError(message)
    return PRESETS[name]


def _call(
    carry_over: Callable[..., dict[str, int]],
    preset: str,
    theirs: Source,
    staging: Staging,
    options: dict[str, Any],
) -> dict[str, int]:
    if options and preset != "movielens":
        message = f"import: {', '.join(options)} is for movielens only, not for {preset}"
        raise InputError(message)
    return carry_over(theirs, staging, **options)
