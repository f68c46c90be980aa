"""Reads input tables through their contracts, and keeps count and rejects on the way."""

import logging
from collections import Counter
from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.columns import REASON, ROW_NUM, SAMPLE, TABLE
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.parsing import check_columns, parse
from vidrec_tasks.contracts.rejects import no_rejects
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.table_files import TableFile

log = logging.getLogger(__name__)


class InputReader:
    """Reads tables, and keeps rejects and counts on the way."""

    def __init__(self, settings: Settings, night: date) -> None:
        self.settings = settings
        self.night = night
        self.rejects = [no_rejects()]
        self.counts: dict[str, int] = {}

    def chunks(self, files: list[TableFile], table: Table) -> Any:
        """Yield parsed rows of a table."""
        count = dict.fromkeys(("read", "rejected"), 0)
        origin = f"{table.name}/" if len(files) > 1 else files[0].name
        known = [column.name for column in table.columns]
        encoding = self.settings.inputs.encoding
        null_words: Counter[str] = Counter()
        for chunk in read_chunks(files, table=table.name, known=known, encoding=encoding):
            if len(chunk.rows) or len(chunk.rows.columns) > 1:
                check_columns(list(chunk.rows.columns), table, origin=chunk.origin)
            parsed = parse(chunk.rows, table)
            torn = pd.DataFrame(chunk.torn, columns=[ROW_NUM, REASON, SAMPLE])
            torn.insert(0, TABLE, table.name)
            count["read"] += len(chunk.rows) + len(torn)
            null_words.update(parsed.null_words)
            yield parsed.rows, self.keep(table.name, parsed.rejects, torn)
        self.counts[f"{table.name}_read"] = count["read"]
        for name, n in null_words.items():
            log.info(
                "%s: %d of %d values of %s are a word for nothing (such as NULL), read as nothing",
                origin, n, count["read"], name,
            )  # fmt: skip
        admission.refuse_bad_table(
            self.rejected(table.name),
            count["read"],
            table=table.name,
            origin=origin,
            max_share=self.settings.inputs.max_reject_share,
        )

    def keep(self, table: str, *rejects: pd.DataFrame) -> int:
        """Keep rejects; returns how many."""
        n_rejected = sum(len(frame) for frame in rejects)
        self.rejects += [frame for frame in rejects if len(frame)]
        name = f"{table}_rejected"
        self.counts[name] = self.counts.get(name, 0) + n_rejected
        return n_rejected

    def count(self, table: str, counts: dict[str, int]) -> None:
        """Add to the counts of a table."""
        for name, number in counts.items():
            full = f"{table}_{name}"
            self.counts[full] = self.counts.get(full, 0) + number

    def rejected(self, table: str) -> pd.DataFrame:
        """The rejects of a table so far."""
        mine = [frame[frame[TABLE] == table] for frame in self.rejects]
        return pd.concat(mine, ignore_index=True)

    def all_rejects(self) -> pd.DataFrame:
        """All rejects by table and row, in an order that no chunk and no shard decides."""
        rejects = pd.concat(self.rejects, ignore_index=True)
        return rejects.sort_values([TABLE, ROW_NUM], kind="stable", ignore_index=True)

    def unique(self, files: list[TableFile], table: Table, key: str) -> pd.DataFrame:
        """A whole small table, unique by its key; empty if it is not there."""
        if not files:
            return parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), table).rows
        rows = pd.concat([rows for rows, _ in self.chunks(files, table)], ignore_index=True)
        admitted = admission.admit_unique(rows, table.name, key)
        self.keep(table.name, admitted.rejects)
        self.counts[f"{table.name}_accepted"] = len(admitted.rows)
        return admitted.rows
