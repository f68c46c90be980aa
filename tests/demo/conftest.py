from pathlib import Path

import pytest

from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.world import World, plan_world, render_world

TINY = Size(videos=8, users=6, nights=4, seed=3)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds a rendered world of 8 videos; not to be written to."""
    store = tmp_path_factory.mktemp("world")
    assert render_world(store, TINY)
    return store


@pytest.fixture(scope="session")
def tiny_world() -> World:
    """The same world as planned."""
    return plan_world(TINY)


@pytest.fixture(scope="session")
def usual_world() -> World:
    """The default world as planned, without its films."""
    return plan_world(Size())
