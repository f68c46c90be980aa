"""Preset: whose files are read, which, what may be said of them, and how they become our tables.

A preset is one value at the end of what it does, in the module of its name, and stands in
`presets.PRESETS`; `--help`, the README (by a test) and benchmarks read that tuple. The suite that
each must pass is `tests/importing/preset_suite.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Stage = Callable[..., dict[str, int]]
"""Takes (`Source`, `Staging`), options by name; adds rows, returns what else is worth counting."""


@dataclass(frozen=True)
class File:
    """One file of theirs, under the names that it may have.

    Attributes:
        patterns: of its name, in lower case; the first that fits counts.
        is_needed: whether nothing can be imported without it.
    """

    patterns: tuple[str, ...]
    is_needed: bool = True

    def __str__(self) -> str:
        return " or ".join(self.patterns)


@dataclass(frozen=True)
class Option:
    """Something that a preset may be told.

    Attributes:
        name: its word, on the command line behind ``--``.
        meaning: what it is, for ``--help``.
        kind: reads its text.
    """

    name: str
    meaning: str
    kind: Callable[[str], Any] = Path


@dataclass(frozen=True)
class Preset:
    """A format of other people's files.

    Attributes:
        name: its word, and that of its module.
        files: what it reads of their folder.
        brings: the tables it fills where all of `files` are there.
        stage: carries the rows over.
        options: what it may be told beside the folder.
    """

    name: str
    files: tuple[File, ...]
    brings: tuple[str, ...]
    stage: Stage
    options: tuple[Option, ...] = ()
