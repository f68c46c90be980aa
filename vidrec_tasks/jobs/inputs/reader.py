"""Reads input tables through their contracts, and keeps count and rejects on the way."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    DURATION_S,
    QUERY,
    REASON,
    ROW_NUM,
    SAMPLE,
    TABLE,
    USER_ID,
    WATCHED_S,
)
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.absence import filled
from vidrec_tasks.contracts.inputs import DELETIONS, QUERIES, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import check_columns, parse, with_plain_names
from vidrec_tasks.contracts.rejects import no_rejects
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.errors import InputError
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.table_files import TableFile

log = logging.getLogger(__name__)

_WORDS = re.compile(r"[^,;|\t\"'{}\[\]:\n]+")
"""What stands between the marks that separate or quote."""


class InputReader:
    """Reads tables, and keeps rejects and counts on the way."""

    def __init__(self, settings: Settings, night: date) -> None:
        self.settings = settings
        self.night = night
        self.rejects = [no_rejects()]
        self.counts: dict[str, int] = {}
        self._lost: list[pd.DataFrame] = []
        self._torn: list[tuple[int, str]] = []
        self._n_unrated = 0
        inputs = settings.inputs
        self._scales = {
            name: 0.001
            for name, unit in (
                (WATCHED_S, inputs.watched_unit), (DURATION_S, inputs.duration_unit)
            )
            if unit == "ms"
        }  # fmt: skip
        self._defaults = {AGE_RATING: inputs.unrated_age}

    def chunks(self, files: list[TableFile], table: Table) -> Any:
        """Yield parsed rows of a table."""
        count = dict.fromkeys(("read", "rejected"), 0)
        self._torn = []
        origin = f"{table.name}/" if len(files) > 1 else files[0].name
        known = [column.name for column in table.columns]
        encoding = self.settings.inputs.encoding
        null_words: Counter[str] = Counter()
        for chunk in read_chunks(files, table=table.name, known=known, encoding=encoding):
            self._torn += chunk.texts if table.key else []
            chunk.rows = with_plain_names(chunk.rows, table, origin=chunk.origin)
            if len(chunk.rows) or len(chunk.rows.columns) > 1:
                check_columns(list(chunk.rows.columns), table, origin=chunk.origin)
            parsed = parse(chunk.rows, table, scales=self._scales, defaults=self._defaults)
            if table is VIDEOS and AGE_RATING in chunk.rows:
                self._n_unrated += int((~filled(chunk.rows[AGE_RATING])).sum())
            torn = pd.DataFrame(chunk.torn, columns=[ROW_NUM, REASON, SAMPLE])
            torn.insert(0, TABLE, table.name)
            count["read"] += len(chunk.rows) + len(torn)
            null_words.update(parsed.null_words)
            if table.key:
                self._lost.append(parsed.lost)
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

    def deletions(self, files: list[TableFile]) -> Iterator[pd.Series]:
        """Yield the ids of users to forget, those of rejected rows too.

        Raises:
            InputError: a line is no row, so that somebody might be missed.
        """
        self._lost = []
        for rows, _ in self.chunks(files, DELETIONS) if files else ():
            yield rows[USER_ID]
        self._refuse_torn(DELETIONS)
        for lost in self._lost:
            yield lost[USER_ID]

    def _refuse_torn(self, table: Table) -> None:
        """What restricts or forgets somebody may not be lost in a line that is no row."""
        if self._torn:
            message = (
                f"{table.name}: {len(self._torn)} lines are no row (first: {self._torn[0][1]}); "
                "what they say of whom is not known, fix the export"
            )
            raise InputError(message)

    def videos(self, files: list[TableFile], before: pd.DataFrame | None = None) -> pd.DataFrame:
        """The catalogue: the newest row of each video.

        Args:
            files: of tonight.
            before: the catalogue that tonight's rows are changes of; None: they are the whole.
        """

        def admit(rows: pd.DataFrame, lost: pd.DataFrame) -> admission.Admitted:
            if before is not None:
                earlier = before.assign(**{ROW_NUM: np.arange(-len(before), 0)})
                rows = pd.concat([earlier[rows.columns], rows], ignore_index=True)
            return admission.admit_newest(rows, lost)

        return self._unrated(self._unique(files, VIDEOS, admit))

    def _unrated(self, videos: pd.DataFrame) -> pd.DataFrame:
        """Say what videos without an age rating get, where others have one."""
        if self._n_unrated and self._n_unrated < self.counts["videos_read"]:
            log.warning(
                "videos: %d of %d rows have no age_rating and count as %d; set "
                "VIDREC_INPUTS__UNRATED_AGE to have it otherwise",
                self._n_unrated, self.counts["videos_read"], self.settings.inputs.unrated_age,
            )  # fmt: skip
        return videos

    def users(self, files: list[TableFile]) -> pd.DataFrame:
        """The users, each with whatever any row forbids; empty if the table is not there."""
        users = self._unique(files, USERS, admission.admit_strictest)
        if files:
            self._refuse_torn(USERS)
        n_unread = self.counts.get("users_opted_out_unread", 0)
        if n_unread:
            log.warning(
                "users: %d of %d have a row that cannot be read and count as opted out; see "
                "rejects",
                n_unread, len(users),
            )  # fmt: skip
        return users

    def queries(self, files: list[TableFile]) -> pd.DataFrame:
        """The queries, each once; empty if the table is not there."""
        return self._unique(
            files, QUERIES, lambda rows, lost: admission.admit_first(rows, QUERIES.name, QUERY)
        )

    def _torn_about(self, rows: pd.DataFrame, table: Table) -> pd.DataFrame:
        """The keys that stand in lines that are no row: what the line says of them is not known."""
        (key,) = table.key
        known = set(rows[key])
        found = [
            (name, row_num)
            for row_num, text in self._torn
            for name in known.intersection(word.strip() for word in _WORDS.findall(text))
        ]
        lost = pd.DataFrame(found, columns=[key, ROW_NUM])
        return lost.astype({key: "str", ROW_NUM: "int64"})

    def _unique(
        self,
        files: list[TableFile],
        table: Table,
        admit: Callable[[pd.DataFrame, pd.DataFrame], admission.Admitted],
    ) -> pd.DataFrame:
        """A whole small table, unique by its key; empty if it is not there."""
        if not files:
            return parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), table).rows
        self._lost = []
        rows = pd.concat([rows for rows, _ in self.chunks(files, table)], ignore_index=True)
        lost = pd.concat([*self._lost, self._torn_about(rows, table)], ignore_index=True)
        admitted = admit(rows, lost)
        self.keep(table.name, admitted.rejects)
        self.count(table.name, admitted.counts)
        self.counts[f"{table.name}_accepted"] = len(admitted.rows)
        return admitted.rows
