"""A small published world: two nights, three videos (one of them hostile), two users."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, RunRecord, Runs

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
NIGHTS = {"2026-09-01-aaaaaaaa": date(2026, 9, 1), "2026-09-02-bbbbbbbb": date(2026, 9, 2)}
STOPPED = "2026-09-03-cccccccc"
CURRENT = "2026-09-02-bbbbbbbb"
UNTIL = datetime(2026, 9, 3, 12, tzinfo=UTC)
TITLES = {"v1": "A cat", "v2": HOSTILE, "v3": "A rocket"}


@pytest.fixture(autouse=True)
def _plugins_on_the_path(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(root / "plugins")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a store with two published nights and one that stopped."""
    settings = Settings(store_url=str(tmp_path_factory.mktemp("store")))
    place = Place(settings.store_url)
    engine = make_engine(f"sqlite:///{settings.store_url}/results.sqlite")
    publisher = Publisher(engine)
    publisher.prepare()
    for number, (run_id, night) in enumerate(NIGHTS.items()):
        _store_run(place, run_id, night)
        _publish(publisher, run_id, night, ndcg=0.1 + 0.05 * number)
    publisher.write_answers("manual__2026-09-02", _answers("dogs").assign(run_id=CURRENT))
    _open_run(place, STOPPED, date(2026, 9, 3)).write_receipt(
        "validate_inputs", "", _receipt("validate_inputs")
    )
    engine.dispose()
    return settings


@pytest.fixture(scope="session")
def empty_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a store in which nothing has happened."""
    return Settings(store_url=str(tmp_path_factory.mktemp("empty")))


@pytest.fixture(scope="session")
def auth() -> Iterator[Any]:
    """Airflow's own auth manager over its own tables, with one DAG run of a night."""
    from airflow import settings as airflow_settings
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.models import import_all_models
    from airflow.models.base import Base
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", secrets.token_hex(64))
        airflow_settings.configure_orm()
        import_all_models()
        Base.metadata.create_all(airflow_settings.engine)
        with create_session() as session:
            conf = {"night": "2026-09-02"}
            session.add(
                DagRun(dag_id="vidrec_nightly", run_id="by_hand", run_type="manual", conf=conf)
            )
        yield init_auth_manager()
        airflow_settings.dispose_orm()


def _open_run(place: Place, run_id: str, night: date) -> Run:
    record = RunRecord(
        run_id=run_id,
        night=night.isoformat(),
        inputs="i",
        settings_digest="s",
        code="c",
        n_user_shards=1,
        n_video_shards=1,
        catalogue_as_of="current",
    )
    return Runs(place).open(record)


def _store_run(place: Place, run_id: str, night: date) -> None:
    run = _open_run(place, run_id, night)
    videos = pd.DataFrame({"video_id": list(TITLES), "title": list(TITLES.values())})
    videos = videos.assign(description="", tags=pd.Series([["cat"], [], []], dtype=object))
    frames = pd.DataFrame(
        {"video_id": ["v1", "v1", "v1"], "frame_num": [0, 1, 2], "at_s": [1.0, 62.0, 90.0]}
    ).assign(path=[f"way/sum/{number}.jpg" for number in range(3)])
    quarantine = pd.DataFrame({"video_id": ["v3"], "uri": ["v3.mp4"], "checksum": ["x"]})
    duplicates = pd.DataFrame(
        {"video_id": ["v1", "v3"], "group_id": ["g", "g"], "is_canonical": [True, False]}
    )
    content = pd.DataFrame({"video_id": list(TITLES)})
    content["concepts"] = pd.Series([[["tabby", 0.8]], [], []], dtype=object)
    artefacts: dict[str, dict[str, Any]] = {
        "videos": {"table": videos},
        "frames": {"table": frames},
        "duplicates": {"table": duplicates},
        "content": {"table": content},
        "keyframes.0": {"quarantine": quarantine.assign(reason="no video stream")},
        "rejects": {
            "table": pd.DataFrame(
                {"table": ["interactions"], "row_num": [7], "reason": ["watched_s < 0"],
                 "sample": ["-1"]}
            )
        },
    }  # fmt: skip
    for name, parts in artefacts.items():
        run.remember(run.artefacts.write(name, run_id, parts))
    for shard in range(3):
        path = place.path("features", "keyframes", f"way/sum/{shard}.jpg")
        place.local(path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 18), (60 * shard, 90, 160)).save(place.local(path), "JPEG")
    run.write_receipt("validate_inputs", "", _receipt("validate_inputs"))
    html = f"<h1>report of {night}</h1>"
    run.remember(run.artefacts.write("report", run_id, {"html": html.encode()}))


def _receipt(job: str) -> dict[str, Any]:
    return {"job": job, "shard": "", "started_at": "2026-09-02T02:00:00+00:00", "seconds": 1.5,
            "reused": False, "counts": {}}  # fmt: skip


def _publish(publisher: Publisher, run_id: str, night: date, *, ndcg: float) -> None:
    moment = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
    gate = {
        "name": "list_share",
        "value": 1.0,
        "bound": 0.9,
        "direction": "at_least",
        "passed": True,
    }
    publisher.open_run(
        run_id,
        night=night,
        started_at=moment,
        manifest={},
        metrics={"ndcg@10": {"mean": ndcg, "low": ndcg - 0.02, "high": ndcg + 0.02}, "n": 2.0},
        gates={"gates": [{**gate, "direction": "at_least", "meaning": "m"}], "passed": True},
    )
    publisher.load(run_id, {name: iter([frame]) for name, frame in _tables().items()})
    publisher.publish(run_id, moment)


def _tables() -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame({"rank": [1, 2], "video_id": ["v1", "v2"], "score": [0.9, 0.5]})
    rows = rows.assign(reason_code="matches_topic", explanation=["You like cats.", HOSTILE])
    lists = rows.assign(user_id="u1", source="tower", explanation_verified=True, valid_until=UNTIL)
    lists["score_components"] = [{"dot": 1.0, "fresh": -0.1}, {"dot": 0.5}]
    lists["evidence"] = [{"topic": "cat", "n_videos": 3}, {"title": HOSTILE}]
    profile = {
        "user_id": "u1", "portrait": f"Watches cats {HOSTILE}", "portrait_source": "template",
        "topics": [["cat", 0.7, 3]], "behaviour": {"n_sessions": 4}, "as_of": UNTIL,
        "evidence": {},
    }  # fmt: skip
    similar = pd.DataFrame({"video_id": ["v1"], "rank": [1], "similar_video_id": ["v3"]})
    return {
        "recommendations": lists,
        "fallback_recommendations": rows.assign(segment="__default__"),
        "user_profiles": pd.DataFrame([profile]),
        "similar_videos": similar.assign(score=0.8, reason="both show a cat"),
        "search_results": _answers("cats"),
    }


def _answers(query: str) -> pd.DataFrame:
    row = {"query": query, "rank": 1, "video_id": "v1", "score": 0.4, "matched": "frame"}
    return pd.DataFrame([{**row, "at_s": 61.0}])
