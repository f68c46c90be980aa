"""A small published world: two nights, four videos (one of them hostile), two users, a creator."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from tests.stores import record_of
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
TURNING = "\u202eסרט 2\u2069\u2066\u200f"
"""A title that would be written from the right, together with what stands around it."""
BEFORE, CURRENT = "2026-09-01-aaaaaaaa", "2026-09-02-bbbbbbbb"
NIGHTS = {BEFORE: date(2026, 9, 1), CURRENT: date(2026, 9, 2)}
STOPPED = "2026-09-03-cccccccc"
UNTIL = datetime(2026, 9, 3, 12, tzinfo=UTC)
TITLES = {
    "v1": "A cat", "v2": HOSTILE, "v3": "A rocket", "v4": "A late film", "v5": TURNING,
    "v6": "A dog", "v7": "A bird", "v8": "A film for adults",
}  # fmt: skip
VIDEOS = list(TITLES)

WORTH = {
    "ndcg@10.served": {"value": 0.3, "low": 0.2, "high": 0.4, "n_users": 40.0},
    "lift": {"best": "item_knn",
             "ndcg@10": {"value": 1.5, "low": 1.25, "high": 2.0, "n_users": 40.0}},
}  # fmt: skip


def published_world(folder: Path) -> Settings:
    """Settings of a store with two published nights and one that stopped."""
    settings = Settings(store_url=str(folder))
    store = Store(settings.store_url)
    engine = make_engine(f"sqlite:///{settings.store_url}/results.sqlite")
    publisher = Publisher(engine)
    publisher.prepare()
    for number, (run_id, night) in enumerate(NIGHTS.items()):
        _store_run(store, run_id, night)
        _publish(publisher, run_id, night, number)
    publisher.write_answers("manual__2026-09-02", _answers("dogs").assign(run_id=CURRENT))
    _open_run(store, STOPPED, date(2026, 9, 3)).write_receipt(
        "validate_inputs", "", _receipt("validate_inputs")
    )
    engine.dispose()
    return settings


@contextmanager
def airflow_auth() -> Iterator[Any]:
    """Airflow's own auth manager over its own tables, with one DAG run of a night and a search."""
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
            night = DagRun("vidrec_nightly", run_id="by_hand", run_type="manual", conf=conf)
            asked = DagRun("vidrec_search", run_id="manual__asked", run_type="manual")
            session.add_all([night, asked])
        yield init_auth_manager()
        airflow_settings.dispose_orm()


def _open_run(store: Store, run_id: str, night: date) -> Run:
    settings = {"n": 2, "max_per_creator": 1, "diversity": 0.3, "default_max_age_rating": 16}
    record = record_of(run_id, night=night.isoformat(), settings={"recommending": settings})
    return Runs(store).open(record)


def _store_run(store: Store, run_id: str, night: date) -> None:
    run = _open_run(store, run_id, night)
    for name, parts in {**_content(), **_people()}.items():
        run.remember(run.artefacts.write(name, run_id, parts))
    for shard in range(3):
        path = store.path("features", "keyframes", f"way/sum/{shard}.jpg")
        store.local(path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 18), (60 * shard, 90, 160)).save(store.local(path), "JPEG")
    run.write_receipt("validate_inputs", "", _receipt("validate_inputs", videos_read=9))
    html = f"<h1>report of {night}</h1>"
    run.remember(run.artefacts.write("report", run_id, {"html": html.encode()}))


def _content() -> dict[str, dict[str, Any]]:
    n = len(VIDEOS)
    videos = pd.DataFrame({"video_id": VIDEOS, "title": list(TITLES.values()), "description": ""})
    videos["tags"] = pd.Series([["cat"], *[[] for _ in range(n - 1)]], dtype=object)
    videos["regions"] = pd.Series([[] for _ in range(n)], dtype=object)
    videos["creator_id"] = ["c1", "c1", "c2", "c2", "c2", "c1", "c3", "c3"]
    videos["status"] = "active"
    videos["age_rating"] = [0] * (n - 1) + [18]
    stamp = "datetime64[us, UTC]"
    videos["published_at"] = pd.Series([pd.NaT] * n, dtype=stamp)
    videos.loc[3, "published_at"] = pd.Timestamp("2026-09-09", tz="UTC")
    videos["expires_at"] = pd.Series([pd.NaT] * n, dtype=stamp)
    frames = pd.DataFrame(
        {"video_id": ["v1", "v1", "v1"], "frame_num": [0, 1, 2], "at_s": [1.0, 62.0, 90.0]}
    ).assign(path=[f"way/sum/{number}.jpg" for number in range(3)])
    quarantine = pd.DataFrame({"video_id": ["v3"], "uri": ["v3.mp4"], "checksum": ["x"]})
    duplicates = pd.DataFrame(
        {"video_id": ["v3", "v5"], "group_id": ["g", "g"], "is_canonical": [True, False]}
    )
    content = pd.DataFrame({"video_id": VIDEOS})
    content["concepts"] = pd.Series([[["tabby", 0.8]], *[[] for _ in range(n - 1)]], dtype=object)
    rejects = pd.DataFrame(
        {"table": ["interactions", "videos"], "row_num": [7, 8],
         "reason": ["watched_s < 0", "title is missing"], "sample": ["-1", "video_id=v0, a=b"]}
    )  # fmt: skip
    left_out = pd.DataFrame(
        {"table": ["interactions", "videos"], "reason": ["watched_s < 0", "title is missing"],
         "n_rows": [41_998, 2]}
    )  # fmt: skip
    return {
        "videos": {"table": videos},
        "frames": {"table": frames},
        "duplicates": {"table": duplicates},
        "content": {"table": content},
        "keyframes.0": {"quarantine": quarantine.assign(reason="no video stream")},
        "rejects": {"table": rejects, "left_out": left_out},
    }


def _people() -> dict[str, dict[str, Any]]:
    """u1 has met v3; v1, v2, v6 were found, v7 by nobody; v1 and v2 are listed."""
    users = pd.DataFrame(
        {"user_id": ["u1", "u9"], "region": "", "max_age_rating": float("nan"),
         "opted_out": [False, True]}
    )  # fmt: skip
    visits = pd.DataFrame(
        {"user_id": "u1", "video_id": "v3", "event_at": pd.Timestamp("2026-08-30", tz="UTC"),
         "watched_share": 0.5, "weight": 1.0}, index=[0],
    )  # fmt: skip
    rows = pd.DataFrame({"user_id": "u1", "video_id": ["v1", "v2", "v6"], "source": "tower"})
    rows = rows.assign(score=[0.9, 0.5, 0.4])
    parts = [{"dot": 0.9}, {"dot": 0.5}]
    return {
        "users": {"table": users},
        "profiles.0": {"table": pd.DataFrame({"user_id": ["u1"]}), "visits": visits},
        "user_vectors.0": {"table": pd.DataFrame({"user_id": ["u1", "u2"]})},
        "candidates.0": {"table": rows.assign(source_rank=[1, 2, 3])},
        "ranked.0": {"table": rows},
        "judged.0": {"table": rows[["user_id", "video_id"]].assign(log_odds=[2.0, 1.0, -3.0])},
        "lists.0": {"table": rows[:2].assign(rank=[1, 2], score_components=parts)},
    }


def _receipt(job: str, **counts: int) -> dict[str, Any]:
    return {"job": job, "shard": "", "started_at": "2026-09-02T02:00:00+00:00", "seconds": 1.5,
            "reused": False, "counts": counts}  # fmt: skip


def _publish(publisher: Publisher, run_id: str, night: date, number: int) -> None:
    moment = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
    ndcg = 0.1 + 0.05 * number
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
        metrics={
            "ndcg@10": {"mean": ndcg, "low": ndcg - 0.02, "high": ndcg + 0.02},
            "n": 2.0,
            **WORTH,
        },
        gates={"gates": [{**gate, "direction": "at_least", "meaning": "m"}], "passed": True},
    )
    tables = _tables(["v1", "v2"] if run_id == CURRENT else ["v2", "v6"])
    publisher.load(run_id, {name: iter([frame]) for name, frame in tables.items()})
    publisher.publish(run_id, moment)


def _tables(listed: list[str]) -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame({"rank": [1, 2], "video_id": listed, "score": [0.9, 0.5]})
    rows = rows.assign(reason_code="matches_topic", explanation=["You like cats.", HOSTILE])
    lists = rows.assign(user_id="u1", source="tower", explanation_verified=True, valid_until=UNTIL)
    lists["score_components"] = [{"dot": 1.0, "fresh": -0.1}, {"dot": 0.5}]
    lists["evidence"] = [{"topic": "cat", "n_videos": 3}, {"title": HOSTILE}]
    profile = {
        "user_id": "u1", "portrait": f"Watches cats {HOSTILE}", "portrait_source": "template",
        "topics": [["cat", 0.7, 3]], "behaviour": {"n_sessions": 4}, "as_of": UNTIL,
        "evidence": [
            {"kind": "topic", "number": 1, "name": "cat", "text": f"F cats {HOSTILE}"},
            {"kind": "total", "number": 2, "n": 4, "text": "This user has watched 4 videos."},
        ],
        "claims": [
            {"text": f"Watches cats {HOSTILE}", "facts": [1], "source": "template"},
        ],
        "structure": {"interests": [{"topic": "cat", "facts": [1]}]},
        "dropped": [
            {"text": f"Owns nine cats {HOSTILE}", "facts": [2], "reason": "false: 3, not 9"},
        ],
    }  # fmt: skip
    similar = pd.DataFrame({"video_id": ["v1"], "rank": [1], "similar_video_id": ["v3"]})
    insight = {
        "creator_id": "c1", "topic": HOSTILE, "audience_share": 0.5, "trend": 0.1,
        "completion": 0.75, "supply": 0.25, "gap": 0.3, "n_viewers": 40,
    }  # fmt: skip
    film = {"creator_id": "c1", "video_id": "v1", "performance": 1.0,
            "reachable_topics": [["cat", 1.0]]}  # fmt: skip
    spoken = {
        "video_id": "v1", "passage_num": 2, "source": "speech", "at_s": 61.0, "until_s": 64.0,
        "language": "en", "confidence": 0.75, "box": [], "text": f"two cats meet {HOSTILE}",
    }  # fmt: skip
    ground = {"source": "title", "words": HOSTILE}
    described = {
        "video_id": "v1", "summary": f"Two cats {HOSTILE}", "topics": ["cats"], "format": "",
        "mood": "funny", "audience": "", "named": ["Ada Lovelace"], "card_source": "model",
        "evidence": [
            {**ground, "field": "summary", "value": f"Two cats {HOSTILE}", "by": "model"},
            {**ground, "field": "topics", "value": "cats", "by": "rules"},
            {**ground, "field": "mood", "value": "funny", "by": "rules"},
            {**ground, "field": "named", "value": "Ada Lovelace", "by": "model"},
        ],
        "dropped": [{"field": "mood", "reason": "nothing in the sources shows it"}],
    }  # fmt: skip
    summary = {"creator_id": "c1", "summary": "Wants cats.", "summary_source": "template"}
    return {
        "recommendations": lists,
        "fallback_recommendations": rows.assign(segment="__default__"),
        "user_profiles": pd.DataFrame([profile]),
        "similar_videos": similar.assign(score=0.8, reason="both show a cat"),
        "search_results": _answers("cats"),
        "creator_insights": pd.DataFrame([insight]),
        "creator_videos": pd.DataFrame([film]),
        "creator_summaries": pd.DataFrame([summary]),
        "video_texts": pd.DataFrame([spoken]),
        "video_cards": pd.DataFrame([described]),
    }


def _answers(query: str) -> pd.DataFrame:
    row = {"query": query, "rank": 1, "video_id": "v1", "score": 0.4, "matched": "title+said"}
    return pd.DataFrame([{**row, "at_s": 61.0}])
