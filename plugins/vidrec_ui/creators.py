"""Creators: the pages of creators and what their audience wants; knows no HTML and no Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidrec_tasks.columns import AUDIENCE_SHARE, GAP, PERFORMANCE, SUPPLY, TREND, VIDEO_ID
from vidrec_ui.shaping import PER_PAGE, Page, card, has_value, split_page
from vidrec_ui.sources import Sources


def creators_page(sources: Sources, start: str) -> Page:
    """Creators with a summary, by id, from an id on."""
    found = sources.reader.creators(PER_PAGE + 1, start=start)
    creators, after = split_page(found, PER_PAGE)
    return {
        "start": start,
        "creators": creators,
        "next_start": after["creator_id"] if after else None,
    }


def creator_page(sources: Sources, creator_id: str) -> Page | None:
    """One creator: demand against supply by topic, and how the videos do; None when unknown."""
    found = sources.reader.creator(creator_id)
    catalogue = sources.catalogue(sources.reader.current_run_id())
    if not (found["summary"] or found["topics"] or found["videos"]):
        return None
    topics = [_topic(row) for row in found["topics"]]
    wanting = sorted((t for t in topics if (t[GAP] or 0) > 0), key=lambda topic: -topic[GAP])
    return {
        "creator_id": creator_id,
        "summary": found["summary"],
        "topics": sorted(topics, key=lambda topic: (-topic["share"], topic["topic"])),
        "wanting": wanting[:5],
        "videos": [_video(row, catalogue) for row in found["videos"]],
    }


def _topic(row: Mapping[str, Any]) -> dict[str, Any]:
    """A topic with its bars in percent; what k users do not stand behind is absent."""
    values = {name: row[name] if has_value(row[name]) else None for name in row}
    return {
        **values,
        "share": round(100 * float(row[AUDIENCE_SHARE]), 1),
        "supplied": None if values[SUPPLY] is None else round(100 * float(values[SUPPLY]), 1),
        "moves": _direction(values[TREND]),
    }


def _direction(trend: float | None) -> str:
    if trend is None:
        return ""
    return "rising" if trend > 0 else "falling" if trend < 0 else "steady"


def _video(row: Mapping[str, Any], catalogue: Any) -> dict[str, Any]:
    performance = row[PERFORMANCE] if has_value(row[PERFORMANCE]) else None
    return {
        **card({**row, "evidence": {}}, catalogue, key=VIDEO_ID),
        "performance": performance,
        "times": None if performance is None else 2.0 ** float(performance),
        "reach": [(topic, float(share)) for topic, share in row["reachable_topics"] or []],
    }
