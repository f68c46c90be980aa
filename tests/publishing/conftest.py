from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.publishing.servers import find_binaries, started
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader

_NUMBERS = count()


@pytest.fixture
def survived(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Note a fault that was survived: what it was, what a reader saw, what was lost.

    The notes travel with the test's report, from whatever process ran it (see tests/conftest.py).
    """
    callspec = getattr(request.node, "callspec", None)
    database = str(callspec.params["url"]) if callspec else "-"

    def note(fault: str, reader_saw: str, lost: str) -> None:
        request.node.user_properties.append(("fault", [database, fault, reader_saw, lost]))

    return note


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a real PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
    with started(binaries) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'results.sqlite'}"
    server: str = request.getfixturevalue("server")
    # a schema each: a database each costs a second and 300 files
    name = f"test_{next(_NUMBERS)}"
    with make_engine(server).begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def publisher(url: str) -> Publisher:
    """A publisher over an empty database."""
    made = Publisher(make_engine(url))
    made.prepare()
    return made


@pytest.fixture
def reader(url: str) -> Iterator[Reader]:
    """A reader of the same database."""
    made = Reader(url)
    yield made
    made.close()
