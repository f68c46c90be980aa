"""Answers: the rows that `reader` gives, typed; their names and types are those of the views."""

from datetime import datetime
from typing import Any, TypedDict


class Recommendation(TypedDict):
    """A row of ``current_recommendations``."""

    run_id: str
    user_id: str
    rank: int
    video_id: str
    score: float
    score_components: dict[str, float]
    source: str
    reason_code: str
    explanation: str
    evidence: dict[str, Any]
    explanation_verified: bool
    valid_until: datetime


class Fallback(TypedDict):
    """A row of ``current_fallback_recommendations``."""

    run_id: str
    segment: str
    rank: int
    video_id: str
    score: float
    reason_code: str
    explanation: str


class SimilarVideo(TypedDict):
    """A row of ``current_similar_videos``."""

    run_id: str
    video_id: str
    rank: int
    similar_video_id: str
    score: float
    reason: str


class Found(TypedDict):
    """A row of ``current_search_results``."""

    run_id: str
    query: str
    rank: int
    video_id: str
    score: float
    matched: str
    at_s: float | None


class VideoCard(TypedDict):
    """A row of ``current_video_cards``."""

    run_id: str
    video_id: str
    summary: str
    topics: list[str]
    format: str
    mood: str
    audience: str
    named: list[str]
    evidence: list[dict[str, str]]
    dropped: list[dict[str, str]]
    card_source: str


class Passage(TypedDict):
    """A row of ``current_video_texts``."""

    run_id: str
    video_id: str
    passage_num: int
    source: str
    at_s: float | None
    until_s: float | None
    language: str
    confidence: float
    box: list[float]
    text: str
