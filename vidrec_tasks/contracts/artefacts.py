"""Artefacts: the shape of everything that one job of a night hands to another.

An artefact has parts: tables, arrays, JSON or bytes. What a job makes is checked against this
before it is written; docs/ARTEFACTS.md is made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import checksum_column, encoder_column, has_column
from vidrec_tasks.contracts.shapes import (
    COUNT,
    FLAG,
    MOMENT,
    NESTED,
    NUMBER,
    ROWS,
    TEXT,
    Array,
    Binary,
    Json,
    Shape,
    Table,
    difference,
)
from vidrec_tasks.errors import ContractError
from vidrec_tasks.night import kind_of


@dataclass(frozen=True)
class Artefact:
    """A kind of artefact.

    Attributes:
        meaning: one line.
        parts: name -> shape; all must be there.
        may_have: parts that may be missing.
    """

    meaning: str
    parts: Mapping[str, Shape]
    may_have: Mapping[str, Shape] = field(default_factory=dict)


MODALITIES: Final = ("text", "frame", "said", "written")
"""The names in `content.modalities.registry`, which lies above this; a test holds them equal."""

_INDEX: Final[dict[str, Shape]] = {
    "index": Binary("a FAISS index"),
    "info": Json(("bytes", "checksum", "dim", "kind", "n", "n_indexed", "recall")),
}
_VECTORS: Final[dict[str, Shape]] = {name: Array((ROWS, "dim")) for name in (*MODALITIES, "fused")}
_READ_BY: Final = {
    column: kind
    for name in MODALITIES
    for column, kind in ((encoder_column(name), TEXT), (has_column(name), FLAG))
}
_MADE_OF: Final = {checksum_column(name): TEXT for name in MODALITIES}
_SPARSE: Final = {
    "items": "models x videos + 1",
    "lent": "videos + 1",
    "lent_by_column": "videos + 1",
}
"""Sparse matrices of a fit -> its row axis, or that of columns where it is kept by these; the
item-item models stand one below the other."""
_MODEL: Final[dict[str, Shape]] = {
    "info": Json(("configuration", "cut", "half_life_days", "items", "n_videos")),
    **{
        f"popularity_{name}": Array(("videos",))
        for name in ("age_days", "n_users", "popular", "trending", "lately", "turned_away")
    },
    "popularity_counts": Array(("videos", "windows")),
    **{f"popularity_{name}": Array(("videos",), COUNT) for name in ("first_at", "last_at")},
    **{f"{name}_data": Array(("entries",)) for name in _SPARSE},
    **{f"{name}_indices": Array(("entries",), COUNT) for name in _SPARSE},
    **{f"{name}_indptr": Array((rows,), COUNT) for name, rows in _SPARSE.items()},
}
_WEIGHTS: Final[dict[str, Shape]] = {
    "tower": Binary("weights of the user tower and the video tower but for ids, safetensors"),
    "tower_ids": Array(("videos", "tower dim")),
    "attention": Binary("weights of the attention, safetensors"),
}

_PASSAGES: Final[dict[str, Shape]] = {
    "table": Table({
        "video_id": TEXT, "passage_num": COUNT, "at_s": NUMBER, "language": TEXT, "text": TEXT,
    }, keys=(("video_id", "passage_num"),)),
    "vectors": Array((ROWS, "dim")),
}  # fmt: skip
_MOMENT_OF_PASSAGES: Final = Table({
    "video_id": TEXT, "passage_num": COUNT, "at_s": NUMBER, "language": TEXT, "text": TEXT,
    "checksum": TEXT,
}, keys=(("video_id", "passage_num"),))  # fmt: skip

_JUDGED: Final = Table({
    "user_id": TEXT, "video_id": TEXT, "relevance_key": TEXT, "log_odds": NUMBER,
}, keys=(("user_id", "video_id"),))  # fmt: skip

_EVENTS: Final[dict[str, Shape]] = {
    "table": Table({
        "user_id": TEXT, "video_id": TEXT, "event_at": MOMENT, "event_type": TEXT,
        "event_id": TEXT, "watched_s": NUMBER, "value": NUMBER, "session_id": TEXT,
        "surface": TEXT, "position": NUMBER, "rec_run_id": TEXT, "row_num": COUNT,
    }),
}  # fmt: skip

ARTEFACTS: Final[Mapping[str, Artefact]] = {
    "videos": Artefact(
        "The catalogue of the night, by video_id: the row of a video is its number.",
        {
            "table": Table({
                "video_id": TEXT, "title": TEXT, "description": TEXT, "tags": NESTED,
                "categories": NESTED, "creator_id": TEXT, "language": TEXT, "duration_s": NUMBER,
                "published_at": MOMENT, "expires_at": MOMENT, "status": TEXT, "age_rating": COUNT,
                "regions": NESTED, "uri": TEXT, "updated_at": MOMENT,
            }, keys=(("video_id",),)),
        },
    ),
    "transcripts": Artefact(
        "What the catalogue says is said in videos: a caption file, or the text itself.",
        {"table": Table({"video_id": TEXT, "transcript": TEXT}, keys=(("video_id",),))},
    ),
    "users": Artefact(
        "What is known of users beside what they watched.",
        {
            "table": Table({
                "user_id": TEXT, "region": TEXT, "language": TEXT, "max_age_rating": NUMBER,
                "opted_out": FLAG, "row_num": COUNT,
            }),
        },
    ),
    "interactions": Artefact(
        "The events before the night of a shard's users, each once.", _EVENTS
    ),
    "interactions_later": Artefact(
        "Events after the night, kept for the next where inputs are increments.", _EVENTS
    ),
    "watch_statistics": Artefact(
        "How much of a video of a given length is usually watched.",
        {"table": Table({"kind": TEXT, "bin": COUNT, "level": NUMBER, "n": COUNT})},
    ),
    "queries": Artefact(
        "The searches to be answered.",
        {"table": Table({"query": TEXT, "count": NUMBER, "row_num": COUNT})},
    ),
    "rejects": Artefact(
        "Rows of the inputs that were refused, with the reason.",
        {"table": Table({"table": TEXT, "row_num": COUNT, "reason": TEXT, "sample": TEXT})},
        may_have={"left_out": Table({"table": TEXT, "reason": TEXT, "n_rows": COUNT})},
    ),
    "keyframes": Artefact(
        "The keyframes of each video file, the files they are of, and the files without any.",
        {
            "table": Table({
                "video_id": TEXT, "checksum": TEXT, "frame_num": COUNT, "at_s": NUMBER,
                "path": TEXT, "sharpness": NUMBER, "frame_hash": TEXT, "frame_luma": TEXT,
                "sound": TEXT,
            }, keys=(("video_id", "frame_num"),)),
            "media": Table({
                "video_id": TEXT, "uri": TEXT, "size": COUNT, "mtime_ns": COUNT, "checksum": TEXT,
            }),
            "quarantine": Table({
                "video_id": TEXT, "uri": TEXT, "checksum": TEXT, "reason": TEXT,
            }),
        },
    ),
    "texts": Artefact(
        "A shard's videos as text: passages with seconds, what they were read from, what was not.",
        {
            "table": Table({
                "video_id": TEXT, "passage_num": COUNT, "track": COUNT, "source": TEXT,
                "at_s": NUMBER, "until_s": NUMBER, "language": TEXT, "confidence": NUMBER,
                "frame_num": COUNT, "box": NESTED, "text": TEXT,
            }, keys=(("video_id", "passage_num"),)),
            "tracks": Table({
                "video_id": TEXT, "track": COUNT, "source": TEXT, "name": TEXT, "key": TEXT,
                "state": TEXT, "reason": TEXT, "language": TEXT, "seconds": NUMBER,
            }, keys=(("video_id", "track"),)),
            "files": Table({
                "video_id": TEXT, "name": TEXT, "size": COUNT, "mtime_ns": COUNT, "checksum": TEXT,
            }, keys=(("video_id", "name"),)),
        },
    ),
    "embeddings": Artefact(
        "A shard's videos as vectors: of each modality, and fused.",
        {
            "table": Table({
                "video_id": TEXT, **_MADE_OF, "media_checksum": TEXT, "checksum": TEXT, **_READ_BY,
                "concepts": NESTED,
            }, keys=(("video_id",),)),
            **_VECTORS,
            "frame_table": Table({
                "video_id": TEXT, "frame_num": COUNT, "at_s": NUMBER, "path": TEXT,
                "checksum": TEXT, "frame_hash": TEXT,
            }),
            "frame_vectors": Array(("frames", "dim")),
            "said_table": _MOMENT_OF_PASSAGES,
            "said_vectors": Array(("passages", "dim")),
            "written_table": _MOMENT_OF_PASSAGES,
            "written_vectors": Array(("passages", "dim")),
        },
    ),
    "vocabulary": Artefact(
        "The topics of the catalogue, from its tags and from what its videos say.",
        {
            "table": Table({
                "topic": TEXT, "key": TEXT, "n_videos": COUNT, "source": TEXT, "strength": NUMBER,
            }, keys=(("key",),)),
            "info": Json(("n_catalogue",)),
        },
    ),
    "cards": Artefact(
        "What each video of a shard is, field by field, with what each field rests on.",
        {
            "table": Table({
                "video_id": TEXT, "summary": TEXT, "topics": NESTED, "format": TEXT, "mood": TEXT,
                "audience": TEXT, "named": NESTED, "text": TEXT, "evidence": NESTED,
                "dropped": NESTED, "card_source": TEXT, "card_key": TEXT,
            }, keys=(("video_id",),)),
            "vectors": Array((ROWS, "dim")),
        },
    ),
    "duplicates": Artefact(
        "Groups of videos that show the same footage.",
        {
            "table": Table({
                "video_id": TEXT, "group_id": TEXT, "is_canonical": FLAG,
            }, keys=(("video_id",),)),
        },
    ),
    "content": Artefact(
        "Every video's vectors, concepts and topics, in the order of videos.",
        {
            "table": Table({
                "video_id": TEXT, "checksum": TEXT, **_READ_BY, "concepts": NESTED,
                "topics": NESTED,
            }, keys=(("video_id",),)),
            **_VECTORS,
        },
    ),
    "frames": Artefact(
        "Every keyframe as a vector, for search over pictures.",
        {
            "table": Table({
                "video_id": TEXT, "frame_num": COUNT, "at_s": NUMBER, "path": TEXT,
            }, keys=(("video_id", "frame_num"),)),
            "vectors": Array((ROWS, "dim")),
        },
    ),
    "said": Artefact(
        "What is said in the videos, a vector a passage, for search and similar videos.",
        _PASSAGES,
    ),
    "written": Artefact("What is written on their screens, likewise.", _PASSAGES),
    "content_index": Artefact("Nearest neighbours over the fused vectors.", _INDEX),
    "profiles": Artefact(
        "A shard's users: what they watched, how, and what it was about.",
        {
            "table": Table({
                "user_id": TEXT, "user_num": COUNT, "n_interactions": COUNT, "is_cold": FLAG,
                "behaviour": NESTED, "topics": NESTED,
            }, keys=(("user_id",),)),
            "content": Array((ROWS, "dim")),
            "visits": Table({
                "user_id": TEXT, "video_id": TEXT, "video_num": COUNT, "event_at": MOMENT,
                "row_num": COUNT, "watched_share": NUMBER, "watch_quantile": NUMBER,
                "is_watched": FLAG, "weight": "float32",
            }),
        },
    ),
    "peers": Artefact(
        "The visits of a draw of all users, who are counted when a reason speaks of others.",
        {
            "table": Table({
                "user_id": TEXT, "video_num": COUNT, "event_at": MOMENT, "weight": "float32",
            }),
            "counts": Json(("n_users", "n_drawn")),
        },
    ),
    "portraits": Artefact(
        "What each user of a shard watches: facts, claims that name them, a text, and its vector.",
        {
            "table": Table({
                "user_id": TEXT, "portrait": TEXT, "portrait_source": TEXT, "evidence_key": TEXT,
                "as_of": MOMENT, "evidence": NESTED, "claims": NESTED, "structure": NESTED,
                "dropped": NESTED,
            }, keys=(("user_id",),)),
            "vectors": Array((ROWS, "dim")),
            "named_table": Table({"text": TEXT}, keys=(("text",),)),
            "named_vectors": Array(("named", "dim")),
            "counts": Json(("n_portraits",)),
        },
    ),
    "models.evaluation": Artefact(
        "Models fitted on the events before the held-out days; they are measured.", _MODEL, _WEIGHTS
    ),
    "models.champion": Artefact(
        "Last night's configuration, fitted like the evaluation models, for comparison.",
        {"said": Json(("champion",))},
        {**_MODEL, **_WEIGHTS},
    ),
    "models.serving": Artefact(
        "Models fitted on all events before the night; they serve.", _MODEL, _WEIGHTS
    ),
    "popularity": Artefact(
        "How many watched and liked each video lately.",
        {
            "table": Table({
                "video_id": TEXT, "n_viewers_recent": COUNT, "n_likers_recent": COUNT,
                "window_days": COUNT,
            }, keys=(("video_id",),)),
        },
    ),
    "held_out_lists": Artefact(
        "How the evaluation fit ranked candidates for held-out users, and what they then liked.",
        {
            "table": Table({
                "user_id": TEXT, "video_id": TEXT, "rank": COUNT, "score": NUMBER,
                "is_relevant": FLAG,
            }, keys=(("user_id", "rank"), ("user_id", "video_id"))),
            "users": Table({
                "user_id": TEXT, "moment": COUNT, "n_events": COUNT, "n_relevant": COUNT,
                "ndcg_without_words": NUMBER,
            }, keys=(("user_id",),)),
        },
    ),
    "relevance": Artefact(
        "What a language model's judgement of a row is worth, and what it said of held-out users.",
        {
            "table": _JUDGED,
            "learned": Json(("measured", "spread", "weight")),
        },
    ),
    "video_vectors": Artefact(
        "The tower's vector f(v) of every video, and an index of them.",
        {
            "table": Table({
                "video_id": TEXT, "video_num": COUNT, "model": TEXT,
            }, keys=(("video_id",),)),
            "vectors": Array((ROWS, "dim")),
            **_INDEX,
        },
    ),
    "user_vectors": Artefact(
        "The tower's vector g(u) of each user of a shard.",
        {
            "table": Table({
                "user_id": TEXT, "user_num": COUNT, "model": TEXT,
            }, keys=(("user_id",),)),
            "vectors": Array((ROWS, "dim")),
        },
    ),
    "candidates": Artefact(
        "The candidates of each user, and the source that found them.",
        {
            "table": Table({
                "user_id": TEXT, "video_id": TEXT, "source": TEXT, "source_rank": COUNT,
                "score": NUMBER,
            }, keys=(("user_id", "video_id"),)),
        },
    ),
    "ranked": Artefact(
        "The candidates with their scores.",
        {
            "table": Table(
                {"user_id": TEXT, "video_id": TEXT, "source": TEXT, "score": NUMBER},
                keys=(("user_id", "video_id"),),
            ),
        },
    ),
    "judged": Artefact(
        "What the language model said of the best ranked rows of some users: log odds of yes.",
        {"table": _JUDGED},
    ),
    "lists": Artefact(
        "The lists of a shard's users, after diversity and rules.",
        {
            "table": Table({
                "user_id": TEXT, "video_id": TEXT, "source": TEXT, "score": NUMBER, "rank": COUNT,
                "score_components": NESTED,
            }, keys=(("user_id", "rank"), ("user_id", "video_id"))),
        },
    ),
    "explained": Artefact(
        "The lists with a reason for each place, and how many claims were checked.",
        {
            "table": Table({
                "user_id": TEXT, "video_id": TEXT, "source": TEXT, "score": NUMBER, "rank": COUNT,
                "score_components": NESTED, "cited": NESTED, "reason_code": TEXT,
                "explanation": TEXT, "evidence": NESTED, "explanation_verified": FLAG,
                "valid_until": MOMENT,
            }, keys=(("user_id", "rank"),)),
            "claims": Json(("n_claims", "n_true")),
        },
    ),
    "similar": Artefact(
        "The similar videos of each video.",
        {
            "table": Table({
                "video_id": TEXT, "rank": COUNT, "similar_video_id": TEXT, "score": NUMBER,
                "reason": TEXT,
            }, keys=(("video_id", "rank"), ("video_id", "similar_video_id"))),
        },
    ),
    "fallbacks": Artefact(
        "Lists for users without one of their own, by segment.",
        {
            "table": Table({
                "segment": TEXT, "rank": COUNT, "video_id": TEXT, "score": NUMBER,
                "reason_code": TEXT, "explanation": TEXT,
            }, keys=(("segment", "rank"), ("segment", "video_id"))),
        },
    ),
    "answers": Artefact(
        "The results of each query.",
        {
            "table": Table({
                "query": TEXT, "rank": COUNT, "video_id": TEXT, "score": NUMBER, "matched": TEXT,
                "at_s": NUMBER,
            }, keys=(("query", "rank"),)),
        },
    ),
    "insights": Artefact(
        "What creators learn about their audience.",
        {
            "creator_insights": Table({
                "creator_id": TEXT, "topic": TEXT, "audience_share": NUMBER, "trend": NUMBER,
                "completion": NUMBER, "supply": NUMBER, "gap": NUMBER, "n_viewers": COUNT,
            }, keys=(("creator_id", "topic"),)),
            "creator_videos": Table({
                "creator_id": TEXT, "video_id": TEXT, "performance": NUMBER,
                "reachable_topics": NESTED,
            }, keys=(("creator_id", "video_id"),)),
            "creator_summaries": Table({
                "creator_id": TEXT, "summary": TEXT, "summary_source": TEXT,
            }, keys=(("creator_id",),)),
        },
    ),
    "metrics": Artefact("The metrics of the night, on held-out events.", {"metrics": Json()}),
    "gates": Artefact("Which gates passed.", {"gates": Json(("gates", "passed"))}),
    "publication": Artefact("What was published.", {"said": Json(("rows", "run_id"))}),
    "report": Artefact("The report of the night.", {"html": Binary("a page of HTML")}),
}  # fmt: skip
"""Kind -> its shape. What is split has one artefact a shard, all of one shape."""


def shape_of(name: str, part: str) -> Shape | None:
    """What is declared of a part; None where nothing is.

    Args:
        name: of the artefact, with its shard.
        part: of the artefact.
    """
    artefact = ARTEFACTS.get(kind_of(name))
    return None if artefact is None else {**artefact.parts, **artefact.may_have}.get(part)


def columns_of(kind: str) -> list[str]:
    """The columns that the table of an artefact is declared to have, in order.

    Raises:
        ContractError: it has no table.
    """
    table = ARTEFACTS[kind].parts.get("table")
    if not isinstance(table, Table):
        raise _error(kind, "table", "is no table")
    return list(table.columns)


def typed_when_empty(kind: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Parts whose empty tables have the dtypes declared: a table without rows tells none.

    Args:
        kind: of the artefact, without its shard.
        parts: name -> value.
    """
    shapes = {**ARTEFACTS[kind].parts, **ARTEFACTS[kind].may_have}
    return {name: _typed(shapes.get(name), value) for name, value in parts.items()}


def _typed(shape: Shape | None, value: Any) -> Any:
    if not isinstance(shape, Table) or not isinstance(value, pd.DataFrame) or len(value):
        return value
    kinds = {name: kind for name, kind in shape.columns.items() if name in value}
    return value.astype(kinds)


def check_artefact(kind: str, parts: Mapping[str, Any]) -> None:
    """Check what a job made before it is written.

    Args:
        kind: of the artefact, without its shard.
        parts: name -> value.

    Raises:
        ContractError: a part is missing or was not declared, its columns, dtypes or axes differ, or
            a key is empty or stands there twice; the message names it, what was declared and what
            was found.
    """
    declared = ARTEFACTS[kind]
    known = {**declared.parts, **declared.may_have}
    for name in declared.parts:
        if name not in parts:
            raise _error(kind, name, "is missing")
    for name, value in parts.items():
        if name not in known:
            raise _error(kind, name, f"was not declared (known: {', '.join(known)})")
        found = difference(known[name], value, parts.get("table"))
        if found:
            raise _error(kind, name, found)


def _error(kind: str, part: str, what: str) -> ContractError:
    return ContractError(f"artefact {kind}, part {part}: {what}; see contracts/artefacts.py")
