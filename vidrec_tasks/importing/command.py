"""Command: what a command line that imports takes, for every preset there is."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vidrec_tasks.importing.preset import File, Option, Preset
from vidrec_tasks.importing.presets import PRESETS


def add_arguments(parser: argparse.ArgumentParser, presets: Sequence[Preset] = PRESETS) -> None:
    """Add ``--preset``, ``--from`` and the options of the presets."""
    names = [preset.name for preset in presets]
    parser.add_argument("--preset", required=True, choices=names)
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="the folder of the files"
    )
    for option, owners in _options(presets):
        meaning = f"{', '.join(owners)}: {option.meaning}"
        parser.add_argument(f"--{option.name}", type=option.kind, help=meaning)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        ["files that each preset reads:", *(f"  {_in_words(p)}" for p in presets)]
    )


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that were given."""
    given = {option.name: getattr(arguments, option.name, None) for option, _ in _options(PRESETS)}
    return {name: value for name, value in given.items() if value is not None}


def _options(presets: Sequence[Preset]) -> Iterator[tuple[Option, list[str]]]:
    """Each option once, with the presets that take it."""
    of_name = {option.name: option for preset in presets for option in preset.options}
    for option in of_name.values():
        yield option, [preset.name for preset in presets if option in preset.options]


def _in_words(preset: Preset) -> str:
    needed, others = (_listed(preset.files, is_needed) for is_needed in (True, False))
    return f"{preset.name}: {needed}" + (f"; optional: {others}" if others else "")


def _listed(files: Sequence[File], is_needed: bool) -> str:
    return ", ".join(str(file) for file in files if file.is_needed is is_needed)
