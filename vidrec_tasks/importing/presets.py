"""Presets: bring other people's files into the input tables, by the name of their format.

An import translates names and nothing else: rows that are wrong stay in, for the contracts to
reject with a reason, and lines that are no rows are counted. `PRESETS` names all there are; what
each format looks like is in the module of its name.
"""

import logging
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.clips import CLIPS
from vidrec_tasks.importing.gorse import GORSE
from vidrec_tasks.importing.kuairand import KUAIRAND
from vidrec_tasks.importing.movielens import MOVIELENS
from vidrec_tasks.importing.personalize import PERSONALIZE
from vidrec_tasks.importing.preset import Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.recbole import RECBOLE
from vidrec_tasks.importing.rectools import RECTOOLS
from vidrec_tasks.importing.staging import Staging

log = logging.getLogger(__name__)

PRESETS: Final[tuple[Preset, ...]] = (
    MOVIELENS,
    KUAIRAND,
    RECBOLE,
    RECTOOLS,
    PERSONALIZE,
    GORSE,
    CLIPS,
)


def import_data(preset: str, source: Path, into: Path, **options: Any) -> dict[str, int]:
    """Import a folder of files into the input tables of a store.

    Args:
        preset: the name of one of `PRESETS`.
        source: the folder of their files.
        into: the folder of the input tables (``inputs`` of a store).
        options: of the preset.

    Returns:
        Rows a table, ``torn_lines``, ``unused_columns`` (the log names them), and what the preset
        counts beside.

    Raises:
        InputError: a file is missing or has the wrong columns, or tables are there that no import
            wrote; nothing has changed then.
        StoreError: the tables cannot be written.
    """
    chosen = _preset(preset)
    _check_options(chosen, options)
    theirs = Source(preset, Path(source))
    with Staging(Path(into)) as staging:
        counts = chosen.stage(theirs, staging, **options)
        staging.put_in_place(preset, theirs.folder)
    for name, torn in theirs.torn.items():
        if torn.n:
            log.warning(
                "%s: %d lines of %s cannot be read as rows (first: %s)",
                preset,
                torn.n,
                name,
                torn.first,
            )
    torn_lines = sum(torn.n for torn in theirs.torn.values())
    n_unused = sum(len(names) for names in theirs.unused.values())
    return {**staging.counts, **counts, "torn_lines": torn_lines, "unused_columns": n_unused}


def _preset(name: str) -> Preset:
    by_name = {preset.name: preset for preset in PRESETS}
    if name not in by_name:
        near = get_close_matches(name, by_name, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"import: preset {name!r} is unknown; one of {', '.join(by_name)}{hint}"
        raise InputError(message)
    return by_name[name]


def _check_options(preset: Preset, options: Iterable[str]) -> None:
    taken = {option.name for option in preset.options}
    foreign = [name for name in options if name not in taken]
    if not foreign:
        return
    owners = [other.name for other in PRESETS if foreign[0] in {o.name for o in other.options}]
    if owners:
        names = " and ".join(owners)
        message = f"import: {', '.join(foreign)} is for {names} only, not for {preset.name}"
    else:
        known = ", ".join(sorted(taken)) or "none"
        message = f"import: {preset.name} has no option {foreign[0]} (it has {known}); leave it out"
    raise InputError(message)
