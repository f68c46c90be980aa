"""Airflow traces: users leave Airflow's own database and logs, the words of a form among them.

It knows a database by its URL and a folder of logs, not Airflow: every column of text or JSON is
searched. An id that can mean something else (a number, a word) is looked for where the form of
`vidrec_forget` puts it, as a JSON text; other ids everywhere.
"""

import os
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from vidrec_tasks.publishing.engine import in_words
from vidrec_tasks.store.sought import Sought, escaped

ERASED: Final = "[erased]"
FORM: Final = "vidrec_forget"
"""The DAG whose form names users."""
_WORDS_AT_ONCE: Final = 500
"""Words of one query: SQLite takes an expression of at most a thousand parts."""
FORM_TABLES: Final = ("dag_run", "rendered_task_instance_fields", "xcom", "log")
"""Where Airflow keeps what a form was given; elsewhere "default" is a word of Airflow's own."""


def erase_from_airflow(url: str, sought: Sought) -> Counter[str]:
    """Replace the users' ids in Airflow's database.

    Returns:
        ``airflow/<table>.<column>`` -> rows changed; 0 for what was searched in vain.

    Raises:
        PublishError: the database cannot be reached or written.
    """
    return _sift(url, sought, is_erasing=True)


def search_airflow(url: str, sought: Sought) -> Counter[str]:
    """Rows of Airflow's database that name the users, by table and column."""
    return +_sift(url, sought, is_erasing=False)


def erase_from_logs(folder: Path, sought: Sought) -> int:
    """Replace the users' ids in log files: written beside, then renamed.

    Returns:
        Files changed.
    """
    found = list(files_about(folder, sought))
    for path in found:
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        beside.write_bytes(_erased_bytes(path.read_bytes(), sought))
        os.replace(beside, path)
    return len(found)


def files_about(folder: Path, sought: Sought) -> Iterator[Path]:
    """Yield the log files that name the users."""
    for path in sorted(folder.rglob("*")) if folder.exists() else []:
        if path.is_file() and sought.in_file(path):
            yield path


def _sift(url: str, sought: Sought, *, is_erasing: bool) -> Counter[str]:
    engine = sa.create_engine(_driven(url), hide_parameters=True, poolclass=sa.pool.NullPool)
    changed: Counter[str] = Counter()
    with in_words(engine, "search Airflow's database"), engine.begin() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            key = list(table.primary_key)
            for column in [c for c in table.columns if _is_text(c) and key and c not in key]:
                n = _sift_column(connection, table, column, sought, is_erasing)
                changed[f"airflow/{table.name}.{column.name}"] = n
    return changed


def _driven(url: str) -> sa.URL:
    """The URL with a driver that is not asynchronous."""
    parsed = sa.make_url(url)
    name = parsed.get_backend_name()
    return parsed.set(drivername="postgresql+psycopg" if name.startswith("postgres") else name)


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, (sa.String, sa.JSON))


def _sift_column(
    connection: sa.Connection,
    table: sa.Table,
    column: sa.Column[Any],
    sought: Sought,
    is_erasing: bool,
) -> int:
    text = sa.type_coerce(column, sa.Text) if connection.dialect.name == "sqlite" else sa.cast(
        column, sa.Text
    )  # fmt: skip
    n_changed = 0
    for words, erase, scope in _searches(table, sought):
        for row in _hits(connection, table, text, words, scope):
            erased = erase(row[-1])
            if erased != row[-1]:
                n_changed += 1
                if is_erasing:
                    _update(connection, table, column, row[:-1], erased)
    return n_changed


def _hits(
    connection: sa.Connection,
    table: sa.Table,
    text: sa.ColumnElement[Any],
    words: Sequence[str],
    scope: Sequence[Any],
) -> Iterator[tuple[Any, ...]]:
    """The rows that hold any of the words, each once, with their keys before the text."""
    seen: set[tuple[Any, ...]] = set()
    for first in range(0, len(words), _WORDS_AT_ONCE):
        some = words[first : first + _WORDS_AT_ONCE]
        hits = sa.or_(*(text.contains(word, autoescape=True) for word in some))
        found = sa.select(*table.primary_key, text.label("_text")).where(hits, *scope)
        for row in connection.execute(found).all():
            if tuple(row[:-1]) not in seen:
                seen.add(tuple(row[:-1]))
                yield tuple(row)


def _searches(
    table: sa.Table, sought: Sought
) -> list[tuple[list[str], Callable[[str], str], list[Any]]]:
    """What is looked for, how it is replaced, and in which rows."""
    telling = sorted({way for name in sought.telling for way in (name, escaped(name))})
    is_form = table.name in FORM_TABLES and "dag_id" in table.c
    ours = [table.c.dag_id == FORM] if is_form else None
    others = sorted(set(sought.ids) - set(sought.telling))
    # as a JSON text, and as one within a JSON text
    quoted = [way for name in others for way in (f'"{escaped(name)}"', f'\\"{escaped(name)}\\"')]
    return [
        (telling, lambda text: _pattern(telling).sub(ERASED, text), []),
        (quoted if ours else [], lambda text: _unquoted(text, quoted), ours or []),
    ]


def _unquoted(text: str, quoted: list[str]) -> str:
    for word in quoted:
        mark = '\\"' if word.startswith("\\") else '"'
        text = text.replace(word, f"{mark}{ERASED}{mark}")
    return text


def _pattern(names: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")


def _erased_bytes(data: bytes, sought: Sought) -> bytes:
    ways = {way.encode() for name in sought.telling for way in (name, escaped(name))}
    names = sorted((re.escape(way) for way in ways), key=len, reverse=True)
    return re.sub(rb"(?<!\w)(?:" + b"|".join(names) + rb")(?!\w)", ERASED.encode(), data)


def _update(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], key: Any, text: str
) -> None:
    # SQLite keeps JSON as text; a bound JSON value would be encoded a second time
    is_sqlite = connection.dialect.name == "sqlite"
    literal = sa.literal(text, sa.Text)
    value = sa.type_coerce(literal, sa.Text) if is_sqlite else sa.cast(literal, column.type)
    rows = [part == known for part, known in zip(table.primary_key, key, strict=True)]
    connection.execute(sa.update(table).where(*rows).values({column: value}))
