"""Films: the pages of a video and of searching, as plain values; knows no HTML and no Airflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vidrec_tasks.columns import (
    AT_S,
    DESCRIPTION,
    GROUP_ID,
    MATCHED,
    SIMILAR_VIDEO_ID,
    VIDEO_ID,
)
from vidrec_tasks.store.runs import Run
from vidrec_ui.cards import card_of
from vidrec_ui.catalogue import Catalogue
from vidrec_ui.passages import passage_at, transcript
from vidrec_ui.refused import quarantine_reason
from vidrec_ui.shaping import Page, card, has_value, spelled, split_page
from vidrec_ui.sources import Sources, first_row, rows_of, table_of

LIST_LENGTH: Final = 200  # the longest list that settings allow
SHOWN_USERS: Final = 24
SHOWN_QUERIES: Final = 60
SHOWN_CONCEPTS: Final = 8

_FACTS: Final = {
    "published_at": "Published", "expires_at": "Expires", "duration_s": "Seconds", "tags": "Tags",
    "categories": "Categories", "language": "Language", "status": "Status",
    "age_rating": "From age", "regions": "Regions",
}  # fmt: skip


def video_page(sources: Sources, video_id: str, *, start: str = "", query: str = "") -> Page | None:
    """One video: frames, words, what is like it, whose lists it is in; None: it is not there."""
    run_id = sources.reader.current_run_id()
    catalogue, run = sources.catalogue(run_id), sources.run(run_id)
    video = catalogue.video(video_id)
    if video is None:
        return None
    shown = sources.reader.users_shown(video_id, SHOWN_USERS + 1, start=start)
    users, after = split_page(shown, SHOWN_USERS)
    similar = sources.reader.similar(video_id, n=LIST_LENGTH)
    return {
        "video_id": video_id,
        "title": catalogue.title(video_id),
        "creator_id": str(video.get("creator_id") or ""),
        "description": video.get(DESCRIPTION) or "",
        "facts": [
            (word, spelled(video[name]))
            for name, word in _FACTS.items()
            if name in video and has_value(video[name])
        ],
        "frames": catalogue.frames(video_id),
        "about": card_of(sources.reader.card(video_id)),
        "transcript": transcript(sources.reader.texts([video_id]), query),
        "concepts": _concepts(run, video_id),
        "quarantine": quarantine_reason(sources, run, video_id),
        "duplicates": [(twin, catalogue.title(twin)) for twin in _twins(run, video_id)],
        "similar": [card(row, catalogue, key=SIMILAR_VIDEO_ID) for row in similar],
        "n_lists": sources.reader.n_lists_with(video_id),
        "users": users,
        "next_start": after,
    }


def search_page(sources: Sources, query: str, request_id: str = "") -> Page:
    """The answers to a query: the night's, else those of a request by hand.

    Args:
        sources: where to read.
        query: what was searched for.
        request_id: whose answers; '': the night's, else the last request's.
    """
    catalogue = sources.catalogue(sources.reader.current_run_id())
    rows: list[Any] = []
    if query and not request_id:
        rows = sources.reader.search(query, n=LIST_LENGTH)
    answered = ""
    if query and not rows:
        answered, rows = sources.reader.answered_by_hand(query, request_id)
    return {
        "query": query,
        "request_id": answered if rows else "",
        "rows": _answers(sources, catalogue, rows, query),
        "queries": sources.reader.queries(SHOWN_QUERIES),
    }


def _answers(
    sources: Sources, catalogue: Catalogue, rows: Sequence[Any], query: str
) -> list[dict[str, Any]]:
    """The cards of answers, with the passage that matched where it was said or written."""
    spoken = [row for row in rows if {"said", "written"} & set(str(row[MATCHED]).split("+"))]
    passages: dict[str, list[Any]] = {}
    for passage in sources.reader.texts([row[VIDEO_ID] for row in spoken]):
        passages.setdefault(passage[VIDEO_ID], []).append(passage)
    cards = []
    for row in rows:
        near = passage_at(passages.get(row[VIDEO_ID], ()), row[AT_S])
        shown = transcript([near], query) if near is not None else []
        own = card(row, catalogue, at_s=row[AT_S])
        cards.append({**own, "passage": shown[0] if shown else None})
    return cards


def _concepts(run: Run | None, video_id: str) -> list[tuple[str, float]]:
    wanted = (VIDEO_ID, "concepts")
    row = first_row(rows_of(run, "content", column=VIDEO_ID, values=[video_id], columns=wanted))
    pairs = (row or {}).get("concepts") or []
    return [(str(name), float(share)) for name, share in pairs][:SHOWN_CONCEPTS]


def _twins(run: Run | None, video_id: str) -> list[str]:
    """The near-duplicates of a video."""
    table = table_of(run, "duplicates")
    if table is None or not len(table):
        return []
    groups = table.loc[table[VIDEO_ID] == video_id, GROUP_ID]
    twins = table[table[GROUP_ID].isin(groups) & (table[VIDEO_ID] != video_id)]
    return sorted(twins[VIDEO_ID])
