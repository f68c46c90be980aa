from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.jobs.finished_nights import (
    GONE,
    LATER,
    NIGHT,
    SHARDS,
    lists,
    make_night,
    publish,
    reader_of,
    settings_of,
)
from vidrec_tasks.errors import GateError, MissingArtefact
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.running.job import Approval
from vidrec_tasks.running.overriding import approve, question_about
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import PublishingSettings, Settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store


def test_a_night_that_passed_its_gates_is_shown(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run = make_night(Store(str(tmp_path)), settings)
    receipt = publish(settings)
    reader = reader_of(settings)
    assert reader.current_run_id() == run.run_id
    assert reader.row_counts() == {
        "recommendations": 6, "fallback_recommendations": 1, "similar_videos": 1,
        "user_profiles": 3, "search_results": 1, "creator_insights": 1, "creator_videos": 1,
        "creator_summaries": 1, "video_texts": 1, "video_cards": 1,
    }  # fmt: skip
    assert receipt["counts"]["is_current"] is True
    assert run.read_json("publication", "said") == {
        "run_id": run.run_id,
        "rows": reader.row_counts(),
    }
    profile = reader.profile("carl")
    assert profile is not None
    assert profile["topics"] == [["cat", 1.0, 1]]
    assert profile["evidence"] == [{"kind": "topic", "number": 1}]
    reader.close()


def test_the_manifest_names_what_the_run_was_made_of(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run = make_night(Store(str(tmp_path)), settings)
    publish(settings)
    reader = reader_of(settings)
    (row,) = reader.runs()
    manifest = row["manifest"]
    assert manifest["inputs"] == run.record.inputs
    assert manifest["artefacts"]["models.serving"] == run.ref("models.serving").checksum
    assert "explained" in manifest["artefacts"]  # one hash, whatever the number of shards
    assert manifest["versions"]["pandas"] == pd.__version__
    assert row["started_at"].isoformat() == "2026-09-01T02:00:00+00:00"
    reader.close()


def test_a_night_that_failed_its_gates_is_never_published(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    metrics = {"index_recall": 0.1}
    make_night(Store(str(tmp_path)), settings, metrics={"metrics": metrics})
    with pytest.raises(GateError):
        run_job(Order("check_gates", NIGHT), settings)
    with pytest.raises(GateError, match="failed index_recall"):
        run_job(Order("publish_lists", NIGHT), settings)
    reader = reader_of(settings)
    assert reader.current_run_id() is None
    reader.close()


def test_a_night_whose_gates_were_not_checked_is_not_published(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    make_night(Store(str(tmp_path)), settings)
    with pytest.raises(MissingArtefact, match="gates does not exist yet"):
        run_job(Order("publish_lists", NIGHT), settings)


def test_the_same_night_twice_gives_the_same_rows_and_loads_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    make_night(Store(str(tmp_path)), settings)
    publish(settings)
    reader = reader_of(settings)
    before = {name: reader.table(name) for name in (*RESULTS, "runs")}

    def never(*_: object) -> None:
        raise AssertionError("loaded again")

    monkeypatch.setattr(Publisher, "load", never)
    publish(settings)
    for name, table in before.items():
        pd.testing.assert_frame_equal(reader.table(name), table)
    reader.close()


def test_equal_artefacts_give_equal_rows_in_another_store(tmp_path: Path) -> None:
    rows = []
    for name in ("one", "two"):
        settings = settings_of(tmp_path / name)
        make_night(Store(str(tmp_path / name)), settings)
        publish(settings)
        reader = reader_of(settings)
        rows.append({table: reader.table(table) for table in RESULTS})
        reader.close()
    for name in RESULTS:
        pd.testing.assert_frame_equal(rows[0][name], rows[1][name])


def test_a_night_made_anew_replaces_its_rows(tmp_path: Path) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    run = make_night(store, settings)
    publish(settings)
    other = lists(("carl",), NIGHT).replace({"video_id": {"v2": "v6"}})
    run.remember(run.artefacts.write("explained.1", "another", {"table": other}))
    publish(settings)
    reader = reader_of(settings)
    assert [row["video_id"] for row in reader.recommendations("carl")] == ["v6", "v3"]
    reader.close()


def test_old_runs_leave_the_tables(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, publishing=PublishingSettings(retained_runs=1))
    store = Store(str(tmp_path))
    make_night(store, settings, NIGHT)
    publish(settings, NIGHT)
    run = make_night(store, settings, LATER)
    assert publish(settings, LATER)["counts"]["runs_dropped"] == 1
    reader = reader_of(settings)
    assert [row["run_id"] for row in reader.runs()] == [run.run_id]
    reader.close()


def test_old_runs_leave_the_store_but_for_what_the_retained_were_made_from(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path, publishing=PublishingSettings(retained_runs=1))
    store, made = Store(str(tmp_path)), []
    for day in range(3):
        night = NIGHT + timedelta(days=day)
        parents = {"previous": made[-1].run_id} if made else {}
        made.append(make_night(store, settings, night, parents=parents))
        receipt = publish(settings, night)
    assert receipt["counts"]["store_runs_dropped"] == 1
    assert receipt["counts"]["store_bytes_freed"] > 0
    first, second, third = made
    assert [run.run_id for run in Runs(store)] == [second.run_id, third.run_id]
    assert second.parts("models.serving").binary("tower") == b"weights"  # a warm start
    assert first.artefacts.find("explained.1", first_key(first)) is None


def first_key(run: Run) -> str:
    return key_of({"of": "explained.1", "in": run.record.inputs})


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_nights_in_any_order_leave_readers_on_the_youngest_with_the_same_rows(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    nights = [NIGHT + timedelta(days=day) for day in range(3)]
    pointed = []
    for day in order:
        make_night(store, settings, nights[day])
        publish(settings, nights[day])
        publish(settings, nights[day])  # the same night twice
        reader = reader_of(settings)
        pointed.append(reader.current_run_id())
        reader.close()
    assert pointed == sorted(pointed)  # never backwards; a run's id begins with its night
    reader = reader_of(settings)
    assert [run["night"] for run in reader.runs()] == nights[::-1]
    for run in reader.runs():
        said = reader.table("recommendations", run["run_id"])
        expected = pd.concat([lists(users, run["night"]) for users in SHARDS])
        assert said["video_id"].tolist() == expected["video_id"].tolist()
        assert said["valid_until"].tolist() == expected["valid_until"].tolist()
    reader.close()


def test_a_backfilled_night_does_not_turn_readers_back(tmp_path: Path) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    later = make_night(store, settings, LATER)
    publish(settings, LATER)
    make_night(store, settings, NIGHT)
    assert publish(settings, NIGHT)["counts"]["is_current"] is False
    reader = reader_of(settings)
    assert reader.current_run_id() == later.run_id
    reader.close()


def test_who_was_forgotten_since_the_night_was_read_is_not_published(tmp_path: Path) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    make_night(store, settings)
    Ledger(store).add([GONE])
    publish(settings)
    reader = reader_of(settings)
    assert reader.sample_users(9) == ["bea", "carl"]
    assert reader.profile(GONE) is None
    reader.close()


def test_a_run_killed_after_the_switch_is_finished_by_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    run = make_night(store, settings)
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "prune", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish(settings)
    assert run.find("publication") is None
    publish(settings)
    assert run.find("publication") is not None
    engine = make_engine(results_url(settings, store))
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM recommendations")).scalar() == 6


def allowing(settings: Settings) -> Settings:
    return settings.model_copy(update={"publishing": PublishingSettings(allow_override=True)})


def rejected(tmp_path: Path, settings: Settings) -> Run:
    run = make_night(
        Store(str(tmp_path)), settings, metrics={"metrics": {"index_recall": 0.1}}
    )  # fmt: skip
    with pytest.raises(GateError):
        run_job(Order("check_gates", NIGHT), settings)
    return run


def test_a_rejected_run_that_a_person_approved_is_shown_with_the_persons_name(
    tmp_path: Path,
) -> None:
    settings = allowing(settings_of(tmp_path))
    run = rejected(tmp_path, settings)
    approval = approve(NIGHT, "someone", settings)
    receipt = run_job(Order("publish_lists", NIGHT, approval=approval), settings)
    assert receipt["counts"]["approved_by"] == "someone"
    reader = reader_of(settings)
    (row,) = reader.runs()
    assert (row["run_id"], row["state"], row["is_current"]) == (run.run_id, "published", True)
    assert (row["gates"]["passed"], row["gates"]["approved_by"]) == (False, "someone")
    assert reader.row_counts()["recommendations"] == 6
    reader.close()


@pytest.mark.parametrize(
    ("is_allowed", "run_id", "why"),
    [
        (False, None, "counts only with VIDREC_PUBLISHING__ALLOW_OVERRIDE=true"),
        (True, "2026-09-01-00000000", "the approval is of run 2026-09-01-00000000"),
    ],
)
def test_an_approval_counts_where_it_is_allowed_and_of_its_own_run_only(
    tmp_path: Path, is_allowed: bool, run_id: str | None, why: str
) -> None:
    settings = settings_of(tmp_path)
    run = rejected(tmp_path, settings)
    approval = Approval(run_id or run.run_id, "someone", "2026-09-01T03:00:00+00:00")
    settings = allowing(settings) if is_allowed else settings
    with pytest.raises(GateError, match=why):
        run_job(Order("publish_lists", NIGHT, approval=approval), settings)
    reader = reader_of(settings)
    assert reader.current_run_id() is None
    reader.close()


def test_a_person_is_not_asked_about_a_night_that_no_gate_rejected(tmp_path: Path) -> None:
    settings = allowing(settings_of(tmp_path))
    assert question_about(NIGHT, settings) == {}
    make_night(Store(str(tmp_path)), settings)
    assert question_about(NIGHT, settings) == {}  # not checked: a check that broke is no verdict
    run_job(Order("check_gates", NIGHT), settings)
    assert question_about(NIGHT, settings) == {}


def test_a_person_is_told_which_run_was_rejected_and_by_which_gates(tmp_path: Path) -> None:
    shut, settings = settings_of(tmp_path), allowing(settings_of(tmp_path))
    run = rejected(tmp_path, settings)
    assert question_about(NIGHT, shut) == {}
    question = question_about(NIGHT, settings)
    assert (question["run_id"], question["night"]) == (run.run_id, NIGHT.isoformat())
    (failed,) = question["failed"]
    assert failed.startswith("index_recall is 0.1 (bound ")
