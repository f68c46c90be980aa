"""Contract: what readers of the views ``current_<table>`` may rely on, by version.

docs/READING.md says it in words. docs/contract/ keeps what each release promised, as `promised`
gives it; a test holds every later version to it by `broken`.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from vidrec_tasks.publishing.tables import CURRENT, RESULTS, runs

Promise = Mapping[str, Mapping[str, str]]
"""View -> column -> its type, with `OR_NULL` behind it where a value may be missing."""

OR_NULL: Final = " or null"

KEPT_MINORS: Final = 2
"""Minor versions for which a view or a column stays after it was said to go."""


class Deprecation(NamedTuple):
    """A view or a column that is going to go.

    Attributes:
        view: as readers name it, ``current_…``.
        column: its column; '' for the whole view.
        since: the minor version that says so, such as ``0.3``.
        gone: the first minor version without it, `KEPT_MINORS` later or more.
        instead: what to read.
    """

    view: str
    column: str
    since: str
    gone: str
    instead: str


DEPRECATED: Final[tuple[Deprecation, ...]] = ()


def promised() -> dict[str, dict[str, str]]:
    """What this version promises of its views."""
    return {
        f"{CURRENT}{table.name}": {
            column.name: f"{column.type}{OR_NULL if column.nullable else ''}"
            for column in table.columns
        }
        for table in (runs, *RESULTS.values())
    }


def broken(
    earlier: Promise,
    now: Promise,
    *,
    version: str,
    deprecated: tuple[Deprecation, ...] = DEPRECATED,
) -> list[str]:
    """Promises of an earlier version that another one breaks; none, unless it was said in time.

    Args:
        earlier: what was promised.
        now: what is promised by the version that is looked at.
        version: that version, ``major.minor``.
        deprecated: what may be gone, and from when.
    """
    may_go = {
        (going.view, going.column)
        for going in deprecated
        if _minor(going.gone) <= _minor(version) and _kept(going) >= KEPT_MINORS
    }
    found = []
    for view, columns in earlier.items():
        if (view, "") in may_go:
            continue
        for name, kind in columns.items():
            is_now = now.get(view, {}).get(name)
            if is_now is None and (view, name) not in may_go:
                found.append(f"{view}.{name} is gone")
            elif is_now is not None and is_now not in (kind, kind.removesuffix(OR_NULL)):
                found.append(f"{view}.{name} was {kind} and is {is_now}")
    return found


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _kept(going: Deprecation) -> int:
    """Minor versions between saying so and doing so; a new major version is far enough."""
    (major, minor), (gone_major, gone_minor) = _minor(going.since), _minor(going.gone)
    return gone_minor - minor if major == gone_major else KEPT_MINORS
