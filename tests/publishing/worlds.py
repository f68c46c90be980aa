"""Tiny runs with a known answer: every row of a run carries the run's number as its score."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from vidrec_tasks.publishing.publisher import Publisher

FIRST_NIGHT = date(2026, 9, 1)
USERS = ("u1", "u2", "u3")
N = 3


def run_id(number: int) -> str:
    return f"{FIRST_NIGHT + timedelta(days=number)}-{number:08x}"


def moment(number: int) -> datetime:
    return datetime(2026, 9, 1, 2, tzinfo=UTC) + timedelta(days=number)


def described(number: int) -> dict[str, Any]:
    return {
        "night": FIRST_NIGHT + timedelta(days=number),
        "started_at": moment(number),
        "manifest": {"inputs": f"in{number}"},
        "metrics": {"ndcg@10.blend": 0.1},
        "gates": {"gates": [], "passed": True},
    }


def recommendations(number: int, user_ids: tuple[str, ...] = USERS, n: int = N) -> pd.DataFrame:
    rows = [
        {
            "user_id": user_id, "rank": rank, "video_id": f"v{rank}", "score": float(number),
            "score_components": {"dot": float(number), "fresh": 0.0}, "source": "tower",
            "reason_code": "popular_now", "explanation": "Popular now.", "evidence": {"n": rank},
            "explanation_verified": True, "valid_until": pd.Timestamp(moment(number)),
            "cited": [["v9", 1.0]],
        }
        for user_id in user_ids
        for rank in range(1, n + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def profiles(number: int, user_ids: tuple[str, ...] = USERS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": list(user_ids),
            "portrait": "Watches cats.",
            "portrait_source": "template",
            "topics": [[["cat", 1.0, 3]]] * len(user_ids),
            "behaviour": [{"night_share": float("nan"), "run": number}] * len(user_ids),
            "as_of": pd.Timestamp(moment(number)),
            "evidence": [[{"kind": "topic", "number": 1, "name": "cat"}]] * len(user_ids),
            "claims": [[{"text": "Watches cats.", "facts": [1]}]] * len(user_ids),
            "structure": [{"interests": [{"topic": "cat", "facts": [1]}]}] * len(user_ids),
            "dropped": [[]] * len(user_ids),
        }
    )


def fallbacks(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment": ["__default__", "__default__", "region:CH"],
            "rank": [1, 2, 1],
            "video_id": ["v7", "v8", "v9"],
            "score": float(number),
            "reason_code": "popular_now",
            "explanation": "Popular now.",
        }
    )


def similar(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"video_id": "v1", "rank": [1, 2], "similar_video_id": ["v2", "v3"],
         "score": float(number), "reason": "cat"}
    )  # fmt: skip


def answers(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"query": "a cat", "rank": [1, 2], "video_id": ["v1", "v2"], "score": float(number),
         "matched": ["title+seen", "title"], "at_s": [1.5, float("nan")]}
    )  # fmt: skip


def tables(number: int, user_ids: tuple[str, ...] = USERS) -> dict[str, Iterator[pd.DataFrame]]:
    """The tables of a run, each user a shard of their own."""
    return {
        "recommendations": iter([recommendations(number, (user,)) for user in user_ids]),
        "user_profiles": iter([profiles(number, user_ids)]),
        "fallback_recommendations": iter([fallbacks(number)]),
        "similar_videos": iter([similar(number)]),
        "search_results": iter([answers(number)]),
    }


def publish(publisher: Publisher, number: int, *, at: datetime | None = None, **words: Any) -> bool:
    """A whole publication, as the job does it."""
    publisher.prepare()
    publisher.open_run(run_id(number), **described(number))
    rows = publisher.load(run_id(number), tables(number, **words))
    return publisher.publish(run_id(number), at or moment(number), rows=rows)
