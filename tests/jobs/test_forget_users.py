import json
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.jobs.finished_nights import (
    GONE,
    LATER,
    NIGHT,
    make_night,
    publish,
    reader_of,
    settings_of,
)
from vidrec_tasks.errors import InputError, RunUnderWay, StoreError
from vidrec_tasks.running.by_hand import run_by_hand
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.erasure import search_store
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.sought import Sought
from vidrec_tasks.store.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two published nights, the later one warm-started from the earlier, over input files."""
    folder = tmp_path_factory.mktemp("two_nights")
    settings, store = settings_of(folder), Store(str(folder))
    inputs = folder / "inputs"
    inputs.mkdir()
    (inputs / "interactions.csv").write_text(f"user_id,video_id\n{GONE},v1\nbea,v1\n")
    (inputs / "users.jsonl").write_text(f'{{"user_id": "{GONE}"}}\n{{"user_id": "bea"}}\n')
    first = make_night(store, settings, NIGHT)
    make_night(store, settings, LATER, parents={"previous": first.run_id})
    publish(settings, NIGHT)
    publish(settings, LATER)
    return folder


@pytest.fixture
def runs(settings: Settings, two_nights: Path) -> list[Run]:
    """The two nights in a store of the test's own."""
    shutil.copytree(two_nights, settings.store_url, dirs_exist_ok=True)
    return list(Runs(Store(settings.store_url)))


def forget(settings: Settings, *user_ids: str) -> dict[str, Any]:
    said = run_by_hand("forget_users", settings, request_id="manual__1", user_ids=list(user_ids))
    receipt: dict[str, Any] = json.loads(Path(said["receipt"]).read_text())
    return receipt


def test_a_second_search_finds_nothing_and_the_receipt_says_so(
    settings: Settings, runs: list[Run]
) -> None:
    receipt = forget(settings, GONE)
    assert receipt["found_again"] == {}
    assert receipt["n_ids_searched_as_bytes"] == 1
    assert receipt["airflow"]["database_searched"] is False  # nobody said where it is
    assert receipt["airflow"]["logs_searched"] is False
    assert search_store(Store(settings.store_url), Sought([GONE])) == {}
    assert receipt["removed"] == {
        "artefacts/explained": 4, "artefacts/interactions": 2, "artefacts/peers": 2,
        "artefacts/portraits": 2,
        "artefacts/profiles": 4, "artefacts/user_vectors": 2, "inputs/interactions": 1,
        "inputs/users": 1, "models": 4, "reports": 2, "results/recommendations": 4,
        "results/user_profiles": 2,
    }  # fmt: skip


def test_no_file_of_the_store_holds_the_id(settings: Settings, runs: list[Run]) -> None:
    forget(settings, GONE)
    for path in Path(settings.store_url).rglob("*"):
        assert not path.is_file() or GONE.encode() not in path.read_bytes(), path
        assert GONE not in path.name


def test_the_id_stands_in_no_log_and_no_answer(
    settings: Settings, runs: list[Run], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        said = run_by_hand("forget_users", settings, request_id="r", user_ids=[GONE])
    assert GONE not in caplog.text
    assert GONE not in json.dumps(said)


@pytest.mark.parametrize("shut", ["inputs", "interactions", "runs"])
def test_a_folder_that_cannot_be_changed_is_named_before_anything_is_erased(
    settings: Settings, runs: list[Run], monkeypatch: pytest.MonkeyPatch, shut: str
) -> None:
    def may(path: Any, mode: int) -> bool:
        return Path(path).name != shut  # root, who runs tests too, may do everything

    store = Store(settings.store_url)
    monkeypatch.setattr("os.access", may)
    with pytest.raises(StoreError, match=rf"forget: \d+ of \d+ folders .*/{shut}.*chown"):
        forget(settings, GONE)
    assert not store.exists(store.path("erasures"))
    monkeypatch.undo()
    assert search_store(store, Sought({GONE}))


def test_readers_get_the_fallback_in_every_run(settings: Settings, runs: list[Run]) -> None:
    forget(settings, GONE)
    reader = reader_of(settings)
    assert reader.list_for(GONE).is_fallback
    assert reader.sample_users(9) == ["bea", "carl"]
    assert set(reader.table("recommendations", runs[0].run_id)["user_id"]) == {"bea", "carl"}
    reader.close()


def test_rows_of_arrays_go_with_the_rows_of_their_table(
    settings: Settings, runs: list[Run]
) -> None:
    forget(settings, GONE)
    table, content = runs[0].read_table("profiles.0"), runs[0].read_array("profiles.0", "content")
    assert list(table["user_id"]) == ["bea"]
    assert list(table["user_num"]) == [0]
    np.testing.assert_array_equal(content, np.array([[2, 3]], dtype=np.float32))


def test_others_artefacts_stay_as_they_were(settings: Settings, runs: list[Run]) -> None:
    before = {ref.name: ref for ref in runs[0].refs() if ref.name.endswith(".1")}
    forget(settings, GONE)
    assert {ref.name: ref for ref in runs[0].refs() if ref.name.endswith(".1")} == before


def test_refs_and_pinned_inputs_name_the_new_checksums(settings: Settings, runs: list[Run]) -> None:
    before = runs[0].ref("interactions.0")
    forget(settings, GONE)
    after = runs[0].ref("interactions.0")
    assert after.key == before.key
    assert after.checksum != before.checksum
    assert after == runs[0].artefacts.find(after.name, after.key)
    pinned = runs[0].artefacts.find("pinned", runs[0].record.inputs)
    assert pinned is not None
    said: dict[str, Any] = runs[0].artefacts.read_json(pinned, "said")
    assert after.to_json() in said["refs"]


def test_models_that_knew_the_user_are_deleted_and_vectors_by_them_listed(
    settings: Settings, runs: list[Run]
) -> None:
    names = [run.run_id for run in runs]
    receipt = forget(settings, GONE)
    assert receipt["models_deleted_of"] == names
    assert receipt["vectors_by_those_models_kept_of"] == names
    assert all(run.find("models.serving") is None for run in runs)


def test_models_warm_started_from_such_models_are_deleted_too(settings: Settings) -> None:
    store = Store(settings.store_url)
    first = make_night(store, settings, NIGHT)
    parents = {"previous": first.run_id}
    empty = {"table": first.read_table("interactions.1").iloc[:0]}
    second = make_night(store, settings, LATER, parents=parents, **{"interactions.0": empty})
    third = make_night(
        store, settings, LATER.replace(day=3), parents={"features": first.run_id},
        **{"interactions.0": empty},
    )  # fmt: skip
    forget(settings, GONE)
    assert second.find("models.serving") is None
    assert third.find("models.serving") is not None  # features of videos know no user


def test_the_ledger_keeps_the_user_out_of_later_inputs(settings: Settings, runs: list[Run]) -> None:
    forget(settings, GONE)
    store = Store(settings.store_url)
    users = runs[0].read_table("interactions.0")["user_id"]
    assert not Ledger(store).holds(users).any()
    assert Ledger(store).add([GONE]) == 0


def test_forgetting_again_finds_nothing(settings: Settings, runs: list[Run]) -> None:
    forget(settings, GONE)
    assert forget(settings, GONE)["n_removed"] == 0


def test_an_unknown_user_is_no_error(settings: Settings) -> None:
    receipt = forget(settings, "nobody-at-all")
    assert (receipt["n_removed"], receipt["n_new_in_ledger"]) == (0, 1)


def test_nobody_is_an_error(settings: Settings) -> None:
    with pytest.raises(InputError, match="no user is named"):
        forget(settings, " ")


def test_a_night_under_way_is_not_disturbed(settings: Settings, runs: list[Run]) -> None:
    store = Store(settings.store_url)
    Lease(store, LATER, owner="airflow:x", lease_s=60).take()
    with pytest.raises(RunUnderWay, match="owned by airflow:x"):
        forget(settings, GONE)
    assert GONE in set(runs[0].read_table("interactions.0")["user_id"])
    assert not (Path(settings.store_url) / "locks" / f"{NIGHT}.json").exists()


def test_what_the_project_does_not_know_is_found_and_said(
    settings: Settings, runs: list[Run]
) -> None:
    (Path(settings.store_url) / "notes.txt").write_text(f"ask {GONE} why")
    with pytest.raises(StoreError, match=r"1 in bytes/notes.txt") as caught:
        forget(settings, GONE)
    assert GONE not in str(caught.value)


def test_an_erasure_that_was_killed_anywhere_is_finished_by_the_next(
    settings: Settings, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Store.write

    class Killed(BaseException):
        pass

    def killing(dies_at: int) -> Callable[[Store, Any, bytes], None]:
        steps = count()

        def write_or_die(store: Store, path: Any, data: bytes) -> None:
            if next(steps) == dies_at:
                raise Killed
            write(store, path, data)

        return write_or_die

    n_killed = 0
    for dies_at in range(5, 30, 3):  # the leases come first, then artefacts and refs
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(Store, "write", killing(dies_at))
            n_killed += 1
            forget(settings, GONE)
            n_killed -= 1
    assert n_killed >= 3
    assert forget(settings, GONE)["found_again"] == {}
    for run in Runs(Store(settings.store_url)):
        vectors, table = (
            run.read_array("user_vectors.0", "vectors"),
            run.read_table("user_vectors.0"),
        )
        assert len(vectors) == len(table) == 1
        assert all(ref == run.artefacts.find(ref.name, ref.key) for ref in run.refs())
