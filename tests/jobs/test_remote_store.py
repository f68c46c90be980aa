"""A night over a store without folders, renaming or local paths, as an object store is.

fsspec's own ``memory://`` stands for it here; ``make e2e`` does the same over an S3 server.
"""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from tests.stores import tables_of
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.errors import SettingsError
from vidrec_tasks.publishing.engine import results_url
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.remote import cache_of
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

SIZE = Size(videos=12, users=30, nights=6, films=2)
NIGHT = SIZE.two_nights[0]
REMOTE = "memory://vidrec/a-night"


def settings_of(url: str, results: str = "") -> Settings:
    return Settings(
        store_url=url,
        results_url=results,
        inputs={"users_per_shard": 16, "videos_per_shard": 6},
        recommending={"max_epochs": 2, "dim": 16},
        language={"max_sentences": 0},
        insights={"k_anonymity": 5},
        evaluation={"n_bootstrap": 50},
    )


def upload(folder: Path, to: UPath) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            there = to / path.relative_to(folder).as_posix()
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Settings]]:
    """The same night in a folder and in a remote store."""
    shutil.rmtree(cache_of(REMOTE), ignore_errors=True)
    folder = tmp_path_factory.mktemp("local")
    render_world(folder, SIZE)
    upload(folder / "inputs", UPath(REMOTE) / "inputs")
    local = settings_of(str(folder), f"sqlite:///{folder}/results.sqlite")
    there = tmp_path_factory.mktemp("results")
    remote = settings_of(REMOTE, f"sqlite:///{there}/results.sqlite")
    for settings in (local, remote):
        run_night(NIGHT, settings)
    yield local, remote
    UPath(REMOTE).rmdir(recursive=True)
    shutil.rmtree(cache_of(REMOTE), ignore_errors=True)


def checksums(settings: Settings, night: date) -> dict[str, str]:
    run = Runs(Store(settings.store_url)).of_night(night)
    # media and captions of a remote store have other times, the report says where things lie
    return {
        ref.name: ref.checksum
        for ref in run.refs()
        if not ref.name.startswith(("keyframes.", "texts.", "report"))
    }


def test_artefacts_are_the_same_bytes(stores: tuple[Settings, Settings]) -> None:
    local, remote = stores
    expected = checksums(local, NIGHT)
    assert {"explained.0", "explained.1", "models.serving", "embeddings.0"} <= set(expected)
    assert checksums(remote, NIGHT) == expected


def test_tables_are_the_same(stores: tuple[Settings, Settings]) -> None:
    local, remote = (tables_of(settings.results_url) for settings in stores)
    assert len(local["recommendations"])
    for name, table in local.items():
        pd.testing.assert_frame_equal(table, remote[name])


def test_thumbnails_and_the_report_lie_in_the_store(stores: tuple[Settings, Settings]) -> None:
    store = Store(stores[1].store_url)
    run = Runs(store).of_night(NIGHT)
    frames = pd.concat([run.read_table("keyframes.0"), run.read_table("keyframes.1")])
    assert len(frames)
    for path in frames["path"]:
        assert store.read(store.path("features", "keyframes", path)).startswith(b"\xff\xd8")
    assert store.exists(store.path("reports", f"{NIGHT}.html"))


def test_the_night_made_again_changes_nothing(stores: tuple[Settings, Settings]) -> None:
    before = checksums(stores[1], NIGHT)
    receipts = run_night(NIGHT, stores[1])
    assert checksums(stores[1], NIGHT) == before
    assert all(r["reused"] for r in receipts if r["job"] == "find_candidates")


def test_a_remote_store_needs_a_database_for_its_results() -> None:
    with pytest.raises(SettingsError, match="set VIDREC_RESULTS_URL"):
        results_url(settings_of(REMOTE), Store(REMOTE))
