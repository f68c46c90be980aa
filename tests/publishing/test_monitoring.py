"""What a monitor watches, against two nights whose counts are known."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.finished_nights import LATER, NIGHT, make_night, publish, reader_of, settings_of
from vidrec_tasks.__main__ import main
from vidrec_tasks.publishing.monitoring import as_text, metrics
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run
from vidrec_tasks.store.store import Store


def receipt(job: str, shard: str = "", **counts: int) -> dict[str, Any]:
    return {"job": job, "started_at": "2026-09-01T02:00:00+00:00", "shard": shard, "counts": counts}


def count(run: Run) -> None:
    """Seven rejects in two tables, three media files in two shards."""
    inputs = {"interactions_rejected": 5, "interactions_read": 90, "videos_rejected": 2}
    run.write_receipt("validate_inputs", "", receipt("validate_inputs", **inputs))
    for shard, n in (("0", 1), ("1", 2)):
        made = receipt("extract_keyframes", shard, quarantined=n, with_media=9)
        run.write_receipt("extract_keyframes", shard, made)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path)
    store = Store(str(tmp_path))
    make_night(store, settings)
    publish(settings, NIGHT)
    count(make_night(store, settings, LATER))
    publish(settings, LATER)
    return settings


def values(settings: Settings, now: datetime) -> dict[str, float]:
    found = metrics(reader_of(settings), Store(settings.store_url), now)
    return {metric.name: metric.value for metric in found}


def test_the_published_night_is_counted(settings: Settings) -> None:
    published = reader_of(settings).runs()[0]["published_at"].replace(tzinfo=UTC)
    assert values(settings, published + timedelta(hours=2)) == {
        "vidrec_nights_published": 2,
        "vidrec_seconds_since_publication": 7200,
        "vidrec_rejects": 7,
        "vidrec_quarantined": 3,
    }


def test_before_the_first_night_there_is_only_a_zero(tmp_path: Path) -> None:
    assert values(settings_of(tmp_path), datetime.now(UTC)) == {"vidrec_nights_published": 0}


def test_a_run_that_the_store_dropped_leaves_its_counts_out(settings: Settings) -> None:
    shutil.rmtree(Path(settings.store_url) / "runs")
    assert set(values(settings, datetime.now(UTC))) == {
        "vidrec_nights_published", "vidrec_seconds_since_publication",
    }  # fmt: skip


def test_prometheus_can_read_it(settings: Settings) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    found = metrics(reader_of(settings), Store(settings.store_url), datetime.now(UTC))
    families = list(parser.text_string_to_metric_families(as_text(found)))
    assert [family.name for family in families] == [metric.name for metric in found]
    assert all(family.type == "gauge" and family.documentation for family in families)


def test_the_command_prints_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIDREC_STORE_URL", settings.store_url)
    assert main(["metrics"]) == 0
    assert "\nvidrec_rejects 7\n" in capsys.readouterr().out
