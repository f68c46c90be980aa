"""Nights that are finished but for their publication, with a known answer, without any model."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.stores import record_of
from vidrec_tasks.contracts.rejects import no_rejects
from vidrec_tasks.publishing.engine import results_url
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)
LATER = date(2026, 9, 2)
GONE = "ada-who-left"
SHARDS = ((GONE, "bea"), ("carl",))
VIDEOS = [f"v{number}" for number in range(1, 7)]


def settings_of(folder: Path, **words: Any) -> Settings:
    return Settings(store_url=str(folder), **words)


def make_night(store: Store, settings: Settings, night: date = NIGHT, **changed: Any) -> Run:
    """A run with every artefact up to its metrics; ``changed`` replaces parts by artefact name."""
    inputs = key_of({"night": night.isoformat()})
    record = record_of(
        f"{night}-{inputs[:8]}", inputs=inputs, settings_digest=settings.digest(),
        n_user_shards=len(SHARDS), parents=changed.pop("parents", {}),
    )  # fmt: skip
    run = Runs(store).open(record)
    artefacts = {**_shared(), **_sharded(night), **changed}
    for name, parts in artefacts.items():
        run.remember(run.artefacts.write(name, key_of({"of": name, "in": inputs}), parts))
    pinned = [ref.to_json() for ref in run.refs() if ref.name.startswith("interactions.")]
    run.artefacts.write("pinned", inputs, {"said": {"refs": pinned, "counts": {}}})
    started = datetime(2026, 9, 1, 2, tzinfo=UTC).isoformat()
    run.write_receipt("validate_inputs", "", {"job": "validate_inputs", "started_at": started,
                                              "shard": "", "counts": {}})  # fmt: skip
    return run


def publish(settings: Settings, night: date = NIGHT) -> dict[str, Any]:
    run_job(Order("check_gates", night), settings)
    return run_job(Order("publish_lists", night), settings)


def reader_of(settings: Settings) -> Reader:
    return Reader(results_url(settings, Store(settings.store_url)))


def videos() -> pd.DataFrame:
    times = pd.Series([pd.NaT] * len(VIDEOS), dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {
            "video_id": VIDEOS, "title": VIDEOS, "status": "active", "age_rating": 0,
            "regions": pd.Series([[] for _ in VIDEOS], dtype=object),
            "expires_at": times, "published_at": times,
        }
    )  # fmt: skip


def lists(user_ids: tuple[str, ...], night: date) -> pd.DataFrame:
    """Videos v2 and v3 for everybody; v1 is what they have watched."""
    rows = [
        {
            "user_id": user_id, "video_id": video_id, "rank": rank, "score": 1.0 / rank,
            "score_components": {"dot": 0.5 / rank, "fresh": 0.5 / rank}, "source": "tower",
            "cited": [["v1", 1.0]], "reason_code": "because_you_watched",
            "explanation": "Because you watched v1.", "evidence": {"videos": ["v1"]},
            "explanation_verified": True,
            "valid_until": pd.Timestamp(night, tz="UTC") + pd.Timedelta(hours=36),
        }
        for user_id in user_ids
        for rank, video_id in enumerate(["v2", "v3"], start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def interactions(user_ids: tuple[str, ...], night: date) -> pd.DataFrame:
    at = pd.Timestamp(night, tz="UTC") - pd.Timedelta(days=1)
    return pd.DataFrame(
        {"user_id": list(user_ids), "video_id": "v1", "event_at": at, "event_type": "play",
         "row_num": range(len(user_ids))}
    )  # fmt: skip


def cards() -> dict[str, Any]:
    """The card of the first video."""
    ground = {"field": "topics", "value": "cat", "source": "title", "words": "cat", "by": "rules"}
    table = pd.DataFrame(
        {"video_id": ["v1"], "summary": "A cat.", "topics": [["cat"]], "format": "", "mood": "",
         "audience": "", "named": [[]], "text": "A cat. cat", "evidence": [[ground]],
         "dropped": [[]], "card_source": "rules", "card_key": "k"}
    )  # fmt: skip
    return {"table": table, "vectors": np.zeros((1, 0), dtype=np.float32)}


def texts() -> dict[str, pd.DataFrame]:
    """What is said in v1, beside its title."""
    passages = pd.DataFrame(
        {"video_id": "v1", "passage_num": [0, 1], "track": [-1, 0], "source": ["title", "speech"],
         "at_s": [np.nan, 4.0], "until_s": [np.nan, 6.0], "language": ["", "en"],
         "confidence": [1.0, 0.8], "frame_num": -1, "box": pd.Series([[], []], dtype=object),
         "text": ["v1", "a cat purrs"]}
    )  # fmt: skip
    return {"table": passages}


def _sharded(night: date) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for shard, user_ids in enumerate(SHARDS):
        n = len(user_ids)
        vectors = np.arange(n * 2, dtype=np.float32).reshape(n, 2)
        users = pd.DataFrame({"user_id": list(user_ids), "user_num": np.arange(n)})
        visits = interactions(user_ids, night).assign(is_watched=True)
        made[f"interactions.{shard}"] = {"table": interactions(user_ids, night)}
        made[f"profiles.{shard}"] = {
            "table": users.assign(
                n_interactions=1,
                is_cold=True,
                topics=pd.Series([[["cat", 1.0, 1]]] * n, dtype=object),
                behaviour=pd.Series([{"n": 1}] * n, dtype=object),
            ),
            "content": vectors,
            "visits": visits,
        }
        made[f"portraits.{shard}"] = {
            "table": users[["user_id"]].assign(
                portrait="Watches cats.",
                portrait_source="template",
                as_of=pd.Timestamp(night, tz="UTC"),
                evidence=pd.Series([[{"kind": "topic", "number": 1}]] * n, dtype=object),
                evidence_key="k",
                claims=pd.Series([[{"text": "Watches cats.", "facts": [1]}]] * n, dtype=object),
                structure=pd.Series([{"interests": []}] * n, dtype=object),
                dropped=pd.Series([[]] * n, dtype=object),
            ),
            "vectors": vectors,
        }
        made[f"user_vectors.{shard}"] = {"table": users, "vectors": vectors}
        made[f"explained.{shard}"] = {"table": lists(user_ids, night)}
    everybody = tuple(user_id for user_ids in SHARDS for user_id in user_ids)
    peers = interactions(everybody, night)[["user_id", "event_at"]].assign(video_num=0, weight=1.0)
    counts = {"n_users": len(everybody), "n_drawn": len(everybody)}
    made["peers"] = {"table": peers, "counts": counts}
    return made


def _shared() -> dict[str, dict[str, Any]]:
    empty = pd.DataFrame(
        {"user_id": pd.Series(dtype="str"), "region": pd.Series(dtype="str"),
         "max_age_rating": pd.Series(dtype="float64"), "opted_out": pd.Series(dtype=bool)}
    )  # fmt: skip
    one = {"rank": [1], "score": 0.5, "reason_code": "popular_now", "explanation": "Popular."}
    return {
        "videos": {"table": videos()},
        "users": {"table": empty},
        "rejects": {"table": no_rejects()},
        "duplicates": {"table": pd.DataFrame({"video_id": ["v3", "v4"], "group_id": "g",
                                              "is_canonical": [True, False]})},
        "similar": {"table": pd.DataFrame({"video_id": "v1", "rank": [1], "similar_video_id": "v2",
                                           "score": 0.5, "reason": "cat"})},
        "fallbacks": {"table": pd.DataFrame({"segment": "__default__", "video_id": "v5", **one})},
        "answers": {"table": pd.DataFrame({"query": "a cat", "video_id": "v1", "rank": [1],
                                           "score": 0.5, "matched": "title", "at_s": np.nan})},
        "texts.0": texts(),
        "cards.0": cards(),
        "insights": {
            "creator_insights": pd.DataFrame({"creator_id": ["c1"], "topic": "cat",
                                              "audience_share": 0.5, "trend": np.nan,
                                              "completion": 0.5, "supply": 0.1, "gap": 0.4,
                                              "n_viewers": 20}),
            "creator_videos": pd.DataFrame({"creator_id": ["c1"], "video_id": "v1",
                                            "performance": 0.1,
                                            "reachable_topics": [["cat"]]}),
            "creator_summaries": pd.DataFrame({"creator_id": ["c1"], "summary": "Cats.",
                                               "summary_source": "template"}),
        },
        "metrics": {"metrics": {"ndcg@10.served": {"value": 0.1, "low": 0.0, "high": 0.2},
                                "claim_precision": 1.0, "index_recall": 1.0}},
        "models.serving": {"tower": b"weights", "info": {"n": 1}},
        "models.evaluation": {"tower": b"weights too", "info": {"n": 1}},
        "video_vectors": {"table": pd.DataFrame({"video_id": VIDEOS})},
        "report": {"html": f"<p>{GONE} may like v2</p>".encode()},
    }  # fmt: skip
