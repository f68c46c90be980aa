"""A tiny folder of other people's files, imported, and judged by the contracts of the night."""

from pathlib import Path
from typing import Any

import pandas as pd

from vidrec_tasks.contracts.inputs import INTERACTIONS, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import Parsed, check_columns, parse
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import input_files

CONTRACTS = {table.name: table for table in (VIDEOS, INTERACTIONS, USERS)}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


class World:
    """A store that files were imported into."""

    def __init__(self, tmp_path: Path) -> None:
        self.store = tmp_path / "store"
        self.theirs = tmp_path / "theirs"

    def bring(self, preset: str, files: dict[str, str], **options: Any) -> dict[str, int]:
        write(self.theirs, files)
        return import_data(preset, self.theirs, self.store / "inputs", **options)

    def parsed(self, table: str) -> Parsed:
        """The table as validate_inputs will read it."""
        paths = input_files(Store(str(self.store)), table)
        rows = pd.concat([chunk.rows for chunk in read_chunks(paths, table=table)])
        check_columns(list(rows.columns), CONTRACTS[table], origin=table)
        return parse(rows.reset_index(drop=True), CONTRACTS[table])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Its rows; fails if the contract rejects one."""
        parsed = self.parsed(table)
        assert parsed.rejects.empty, parsed.rejects.to_dict("records")
        records: list[dict[str, Any]] = parsed.rows.to_dict("records")
        return records
