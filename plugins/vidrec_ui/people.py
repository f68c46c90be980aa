"""People: the pages of users, as plain values; knows no HTML and no Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_ID, WATCHED_SHARE, WEIGHT
from vidrec_tasks.store.runs import Run
from vidrec_ui.catalogue import Catalogue
from vidrec_ui.decisions import why_not
from vidrec_ui.shaping import PER_PAGE, Page, card, minute, spelled, split_page
from vidrec_ui.sources import Sources, rows_of_user

LIST_LENGTH: Final = 200  # the longest list that settings allow
SHOWN_VISITS: Final = 12


def users_page(sources: Sources, start: str) -> Page:
    """Users with a list, by id, from an id on."""
    users, after = split_page(sources.reader.users(PER_PAGE + 1, start=start), PER_PAGE)
    return {"start": start, "users": users, "next_start": after}


def user_page(sources: Sources, user_id: str, *, why: str = "", older: int = 0) -> Page:
    """One user: portrait, list and history, or the list that strangers get.

    Args:
        sources: where to read.
        user_id: who.
        why: a video that somebody misses in the list.
        older: how many of the newest visits to leave out.
    """
    run_id = sources.reader.current_run_id()
    catalogue, run = sources.catalogue(run_id), sources.run(run_id)
    listing = sources.reader.list_for(user_id, n=LIST_LENGTH)
    profile = sources.reader.profile(user_id)
    visits, n_visits = _history(run, user_id, catalogue, older)
    return {
        "user_id": user_id,
        "profile": profile,
        **_portrait(profile or {}),
        "segment": listing.segment,
        "is_fallback": listing.is_fallback,
        "rows": [card(row, catalogue) for row in listing.rows],
        "visits": visits,
        "n_visits": n_visits,
        "older": older,
        "next_older": older + SHOWN_VISITS if n_visits > older + SHOWN_VISITS else None,
        "why": why,
        "decision": why_not(run, catalogue, user_id, why) if why else None,
    }


def _portrait(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a portrait, the sentences with the facts behind each, and what was dropped.

    A run of before version 0.3 has its evidence by name, and no sentence that names a fact.
    """
    evidence = profile.get("evidence") or []
    if isinstance(evidence, Mapping):
        return {
            "evidence": [(name, spelled(value)) for name, value in evidence.items()],
            "facts": [], "claims": [], "dropped": [],
        }  # fmt: skip
    by_number = {fact["number"]: fact for fact in evidence}
    return {
        "evidence": [],
        "facts": evidence,
        "claims": [_with_facts(claim, by_number) for claim in profile.get("claims") or []],
        "dropped": [_with_facts(claim, by_number) for claim in profile.get("dropped") or []],
    }


def _with_facts(
    claim: Mapping[str, Any], by_number: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """A sentence with the facts that it names, those that are kept."""
    facts = [by_number[number] for number in claim["facts"] if number in by_number]
    return {**claim, "facts": facts}


def _history(
    run: Run | None, user_id: str, catalogue: Catalogue, older: int
) -> tuple[list[dict[str, Any]], int]:
    """Some of the visits that the night knew of, newest first, and how many there are."""
    wanted = (USER_ID, VIDEO_ID, EVENT_AT, WATCHED_SHARE, WEIGHT)
    visits = rows_of_user(run, "profiles", user_id, "visits", wanted)
    if visits is None or visits.empty:
        return [], 0
    newest = visits.sort_values(EVENT_AT, ascending=False, kind="stable")
    shown = newest.iloc[older : older + SHOWN_VISITS].to_dict("records")
    return [_visit(row, catalogue) for row in shown], len(visits)


def _visit(row: Mapping[Any, Any], catalogue: Catalogue) -> dict[str, Any]:
    share = row[WATCHED_SHARE]
    return {
        "video_id": row[VIDEO_ID],
        "title": catalogue.title(row[VIDEO_ID]),
        "thumbnail": catalogue.thumbnail(row[VIDEO_ID]),
        "at": minute(row[EVENT_AT]),
        "percent": None if pd.isna(share) else round(100 * min(float(share), 1.0)),
        "weight": float(row[WEIGHT]),
    }
