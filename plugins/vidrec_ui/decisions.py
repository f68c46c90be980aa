"""Decisions: why a video is not in a user's list: the first step of the night that left it out.

Read from what the night wrote (catalogue, rules, visits, candidates, ranking, lists); nothing is
computed again but the rules, which are the night's own functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    CREATOR_ID,
    EVENT_AT,
    GROUP_ID,
    LOG_ODDS,
    MAX_AGE_RATING,
    N_ROWS,
    OPTED_OUT,
    RANK,
    REGION,
    SCORE,
    SCORE_COMPONENTS,
    SOURCE,
    SOURCE_RANK,
    TABLE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts.rejects import LEFT_OUT
from vidrec_tasks.recommending.lists.rules import POOL, barred, hidden
from vidrec_tasks.store.runs import Run
from vidrec_ui.catalogue import Catalogue
from vidrec_ui.shaping import components, minute
from vidrec_ui.sources import first_row, rows_of, rows_of_user, table_of


@dataclass(frozen=True)
class Step:
    """One step of the night, what it said of the video, and whether it left it out."""

    name: str
    finding: str
    is_end: bool = False


@dataclass(frozen=True)
class _Asked:
    """Who asks about which video of which run."""

    run: Run
    catalogue: Catalogue
    user_id: str
    video_id: str

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.run.record.settings.get("recommending", {})

    def mine(self, kind: str, part: str = "table", *columns: str) -> pd.DataFrame:
        """The user's rows of a sharded artefact; empty when it is gone."""
        found = rows_of_user(self.run, kind, self.user_id, part, columns)
        return pd.DataFrame({USER_ID: [], VIDEO_ID: []}) if found is None else found

    def twins(self) -> set[str]:
        """The near-duplicates of the video."""
        table = table_of(self.run, "duplicates")
        if table is None:
            return set()
        groups = table.loc[table[VIDEO_ID] == self.video_id, GROUP_ID]
        return set(table.loc[table[GROUP_ID].isin(groups), VIDEO_ID]) - {self.video_id}


def why_not(run: Run | None, catalogue: Catalogue, user_id: str, video_id: str) -> dict[str, Any]:
    """The steps that a video took for a user, up to the one that decided.

    Returns:
        video_id, title, steps, and the components of its score where it is listed.
    """
    page = {"video_id": video_id, "title": catalogue.title(video_id), "steps": [], "components": []}
    if run is None:
        gone = Step("store", "The store no longer holds what this night was made of.", True)
        return {**page, "steps": [gone]}
    asked = _Asked(run, catalogue, user_id, video_id)
    steps: list[Step] = []
    for step in _steps(asked):
        steps.append(step)
        if step.is_end:
            break
    lists = asked.mine("lists")
    row = first_row(lists[lists[VIDEO_ID] == video_id])
    parts = components(row[SCORE_COMPONENTS]) if row else []
    return {**page, "steps": steps, "components": parts}


def _steps(asked: _Asked) -> Iterator[Step]:
    yield _catalogue(asked)
    user = first_row(rows_of(asked.run, "users", column=USER_ID, values=[asked.user_id])) or {}
    yield _user(asked, user)
    yield _rules(asked, user)
    yield _history(asked)
    yield _candidates(asked)
    yield from _lists(asked)


def _catalogue(asked: _Asked) -> Step:
    if asked.catalogue.video(asked.video_id) is not None:
        return Step("catalogue", "It is in the night's catalogue.")
    rejects = table_of(asked.run, "rejects")
    named = f"video_id={asked.video_id},"
    if rejects is not None:
        rows = rejects[rejects["table"] == "videos"]
        mine = rows[(rows["sample"].astype(str) + ",").str.contains(named, regex=False)]
        if len(mine):
            reason = mine["reason"].iloc[0]
            return Step("catalogue", f"Its row was rejected: {reason}. Fix the row.", True)
    finding = "The night's catalogue has no such video: it is unknown or was published later."
    left_out = rows_of(asked.run, "rejects", LEFT_OUT, column=TABLE, values=["videos"])
    if left_out is not None and len(left_out):
        finding += (
            f" Or its row was rejected: {left_out[N_ROWS].sum():,} rejected rows of videos were "
            "counted and not kept."
        )
    return Step("catalogue", finding, True)


def _user(asked: _Asked, user: Mapping[str, Any]) -> Step:
    if user.get(OPTED_OUT):
        return Step("user", "The user opted out, so there is no list of their own.", True)
    if asked.mine("profiles", "table", USER_ID).empty:
        finding = "Nothing is known of the user before the night; they get a fallback list."
        return Step("user", finding, True)
    return Step("user", "The user has a profile and a list of their own.")


def _rules(asked: _Asked, user: Mapping[str, Any]) -> Step:
    row = asked.catalogue.row(asked.video_id)
    age = user.get(MAX_AGE_RATING)
    if age is None or pd.isna(age):
        age = asked.settings.get("default_max_age_rating", 18)
    found = {
        **hidden(row, moment=pd.Timestamp(asked.run.night, tz="UTC")),
        **barred(row, region=str(user.get(REGION) or ""), max_age_rating=float(age)),
    }
    broken = [rule for rule, mask in found.items() if mask[0]]
    if broken:
        return Step("rules", f"A rule excludes it: {'; '.join(broken)}.", True)
    return Step("rules", f"No rule excludes it ({len(found)} checked).")


def _history(asked: _Asked) -> Step:
    visits = asked.mine("profiles", "visits", USER_ID, VIDEO_ID, EVENT_AT)
    seen = visits[visits[VIDEO_ID] == asked.video_id]
    if len(seen):
        last = minute(seen[EVENT_AT].max())
        return Step("history", f"It is in the user's history already, last on {last} UTC.", True)
    twins = sorted(asked.twins() & set(visits[VIDEO_ID]))
    if twins:
        title = asked.catalogue.title(twins[0])
        return Step(
            "history", f"The user's history has its near-duplicate “{title}” already.", True
        )
    return Step("history", f"It is new to the user ({len(visits)} visits known).")


def _candidates(asked: _Asked) -> Step:
    table = asked.mine("candidates")
    mine = first_row(table[table[VIDEO_ID] == asked.video_id])
    if mine is not None:
        finding = f"Found by the source {mine[SOURCE]}, at position {int(mine[SOURCE_RANK])}."
        return Step("candidates", finding)
    if table.empty:
        return Step("candidates", "The store no longer holds this user's candidates.", True)
    counts = table[SOURCE].value_counts()
    sources = ", ".join(f"{name} {n}" for name, n in counts.items())
    finding = f"No source found it among the {len(table)} candidates of this user ({sources})."
    return Step("candidates", finding, True)


def _lists(asked: _Asked) -> Iterator[Step]:
    """Its place in the ranking, then what the re-ranker made of it."""
    ranked = asked.mine("ranked", "table", USER_ID, VIDEO_ID, SCORE).reset_index(drop=True)
    positions = ranked.index[ranked[VIDEO_ID] == asked.video_id]
    if not len(positions):
        yield Step("ranking", "It was not ranked, or the store no longer holds the ranking.", True)
        return
    rank, score = int(positions[0]) + 1, float(ranked[SCORE].iloc[positions[0]])
    yield Step("ranking", f"Ranked {rank} of {len(ranked)}, with the score {score:.3f}.")
    yield from _relevance(asked)
    listed = asked.mine("lists", "table", USER_ID, VIDEO_ID, RANK, SCORE).sort_values(RANK)
    mine = first_row(listed[listed[VIDEO_ID] == asked.video_id])
    if mine is not None:
        yield Step("list", f"It is in the list, at rank {int(mine[RANK])}.", True)
        return
    yield Step("list", _left_out(asked, listed, rank), True)


def _relevance(asked: _Asked) -> Iterator[Step]:
    """What the language model said of it, where it was asked: that moved its score."""
    judged = asked.mine("judged", "table", USER_ID, VIDEO_ID, LOG_ODDS)
    mine = first_row(judged[judged[VIDEO_ID] == asked.video_id])
    if mine is not None:
        yield Step(
            "relevance",
            f"Of {len(judged)} videos the language model was asked whether this user wants to "
            f"watch them; its log odds of yes are {float(mine[LOG_ODDS]):+.2f} for this one and "
            f"{float(judged[LOG_ODDS].mean()):+.2f} on average. The difference moves the score.",
        )


def _left_out(asked: _Asked, listed: pd.DataFrame, rank: int) -> str:
    """Which of the re-ranker's own limits kept a ranked video out of the list."""
    settings, catalogue = asked.settings, asked.catalogue
    n, cap = int(settings.get("n", len(listed))), int(settings.get("max_per_creator", 0))
    twins = sorted(asked.twins() & set(listed[VIDEO_ID]))
    if twins:
        return f"Its near-duplicate “{catalogue.title(twins[0])}” is in the list already."
    creator = str((catalogue.video(asked.video_id) or {}).get(CREATOR_ID) or "")
    theirs = [(catalogue.video(video) or {}).get(CREATOR_ID) for video in listed[VIDEO_ID]]
    if creator and cap and theirs.count(creator) >= cap:
        return f"Its creator {creator} has all of the {cap} slots a creator may have in a list."
    if rank > POOL * n:
        return f"Only the {POOL * n} best are looked at for a list of {n}."
    last = float(listed[SCORE].min()) if len(listed) else 0.0
    diversity = float(settings.get("diversity", 0.0))
    return (
        f"The {n} slots went to others: by score, by being different from each other (diversity "
        f"{diversity:g}) and by keeping to the user's own topics they did better; the lowest score "
        f"in the list is {last:.3f}."
    )
