"""The world whose jobs the runner knows."""

from pathlib import Path

import pytest

from tests.jobs.worlds import World
from vidrec_tasks.running import runner


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)
    monkeypatch.setattr(runner, "load_job", lambda task_id: found.jobs[task_id])
    return found
