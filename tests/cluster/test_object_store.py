"""The store on an S3 server (moto's, over loopback), quiet and with faults in its answers."""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.cluster.flaky import Flaky, flaky_proxy
from tests.cluster.ports import free_ports
from tests.jobs.test_remote_store import (
    NIGHT,
    SIZE,
    checksums,
    settings_of,
    tables_of,
    upload,
)
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.errors import RunUnderWay, StoreError
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.store import remote
from vidrec_tasks.store.artefacts import Artefacts
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.store import Store

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto and botocore
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

BUCKET = "vidrec"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Flaky]:
    """An S3 server behind a proxy, with a bucket; the environment names it."""
    server_of = pytest.importorskip("moto.server").ThreadedMotoServer
    (port,) = free_ports(1)
    server = server_of(ip_address="127.0.0.1", port=port, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    with flaky_proxy(port) as flaky, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", flaky.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        quick = {**remote.S3_OPTIONS["config_kwargs"], "read_timeout": 1, "connect_timeout": 1}
        patch.setitem(remote.S3_OPTIONS, "config_kwargs", quick)
        import boto3

        boto3.client("s3", endpoint_url=flaky.url).create_bucket(Bucket=BUCKET)
        yield flaky
    server.stop()


@pytest.fixture
def store(proxy: Flaky, request: pytest.FixtureRequest) -> Store:
    return Store(f"s3://{BUCKET}/{request.node.name}")


def test_what_is_written_is_there_by_its_name_at_once(store: Store) -> None:
    path = store.path("a", "b.json")
    assert not store.exists(path)
    store.write_json(path, {"a": 1})
    assert store.exists(path)
    assert store.read_json(path) == {"a": 1}
    store.write_json(path, {"a": 2})
    assert store.read_json(path) == {"a": 2}


def test_only_one_can_create_a_file(store: Store) -> None:
    path = store.path("locks", "x")
    assert store.create(path, b"first")
    assert not store.create(path, b"second")
    assert store.read(path) == b"first"


def test_a_lease_excludes_others(store: Store) -> None:
    def lease(owner: str) -> Lease:
        return Lease(store, date(2026, 9, 1), owner=owner, lease_s=60)

    lease("first").take()
    with pytest.raises(RunUnderWay, match="owned by first"):
        lease("second").take()
    lease("first").release()
    lease("second").take()


def test_an_artefact_is_there_only_when_its_manifest_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefacts = Artefacts(store)
    parts = {"table": pd.DataFrame({"a": [1, 2]})}
    write_json = store.write_json

    def die(*_: Any) -> None:
        message = "killed before the manifest"
        raise StoreError(message)

    monkeypatch.setattr(store, "write_json", die)
    with pytest.raises(StoreError, match="killed"):
        artefacts.write("ranked.0", "k", parts)
    assert artefacts.find("ranked.0", "k") is None
    monkeypatch.setattr(store, "write_json", write_json)
    ref = artefacts.write("ranked.0", "k", parts)
    assert artefacts.find("ranked.0", "k") == ref
    assert artefacts.read_rows(ref, "table")["a"].tolist() == [1, 2]


def test_a_listing_that_lies_hides_nothing_that_is_asked_by_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = Artefacts(store).write("ranked.0", "k", {"table": pd.DataFrame({"a": [1]})})

    async def nothing(*_: Any, **__: Any) -> list[Any]:
        return []

    monkeypatch.setattr(type(store.root.fs), "_lsdir", nothing)
    assert Artefacts(store).find("ranked.0", "k") == ref
    assert Artefacts(store).read_rows(ref, "table")["a"].tolist() == [1]


def test_errors_of_the_server_are_asked_again(store: Store, proxy: Flaky) -> None:
    proxy.n_errors = 3
    store.write(store.path("a"), b"data")
    proxy.n_errors = 3
    assert store.read(store.path("a")) == b"data"


def test_a_silent_server_is_asked_again(store: Store, proxy: Flaky) -> None:
    store.write(store.path("a"), b"data")
    proxy.n_silent, proxy.silence_s = 1, 2.0
    assert store.read(store.path("a")) == b"data"


def test_a_server_that_only_fails_is_an_error_in_words(store: Store, proxy: Flaky) -> None:
    path = store.path("a")
    store.write(path, b"before")
    proxy.n_errors = 10_000
    try:
        with pytest.raises(StoreError, match=r"cannot write .*does the object store answer"):
            store.write(path, b"after")
    finally:
        proxy.n_errors = 0
    assert store.read(path) == b"before"


@pytest.fixture(scope="module")
def night(proxy: Flaky, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Settings of the same night in a folder and, with errors every now and then, on S3."""
    folder = tmp_path_factory.mktemp("local")
    render_world(folder, SIZE)
    there = Store(f"s3://{BUCKET}/night")
    upload(folder / "inputs", there.path("inputs"))
    local = settings_of(str(folder), f"sqlite:///{folder}/results.sqlite")
    results = tmp_path_factory.mktemp("results") / "results.sqlite"
    on_s3 = settings_of(there.url, f"sqlite:///{results}")
    run_night(NIGHT, local)
    proxy.n_errors = 2
    run_night(NIGHT, on_s3)
    return local, on_s3


def test_a_whole_night_on_s3_makes_the_same_bytes(night: tuple[Any, Any]) -> None:
    local, on_s3 = night
    assert checksums(on_s3, NIGHT) == checksums(local, NIGHT)


def test_a_whole_night_on_s3_gives_the_same_tables(night: tuple[Any, Any]) -> None:
    local, on_s3 = (tables_of(settings.results_url) for settings in night)
    for name, table in local.items():
        pd.testing.assert_frame_equal(table, on_s3[name])


def test_nothing_of_the_night_lies_on_this_machine_but_caches(
    night: tuple[Any, Any], root: Path
) -> None:
    store = Store(night[1].store_url)
    assert not store.is_local
    assert not list(store.cache("keyframes").glob(".workspace-*"))
