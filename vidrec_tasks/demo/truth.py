"""Truth: what was planted in a demo world, and how much of it a night recovered.

It lies beside the inputs and no job reads it.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    EVIDENCE,
    EXPIRES_AT,
    GAP,
    GROUP_ID,
    PUBLISHED_AT,
    RANK,
    STATUS,
    TOPIC,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.demo.planned import Market, PlannedVideo
from vidrec_tasks.demo.sessions import DURATION_BIAS
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.tastes import PlannedUser
from vidrec_tasks.errors import InputError

N_LISTED: Final = 10
MIN_WATCHED: Final = 3
"""Videos that a user must have watched to count as warm."""

Truth = dict[str, Any]


def write_truth(
    folder: Path,
    *,
    size: Size,
    market: Market,
    videos: list[PlannedVideo],
    users: list[PlannedUser],
    events: pd.DataFrame,
    rejects: dict[str, dict[str, int]],
    narrator: str,
    spoken_queries: list[str],
) -> None:
    """Write ``truth.json`` and ``world.json``, with sorted keys: the same world, the same bytes."""
    nights = [night.isoformat() for night in size.two_nights]
    truth = {
        "two_nights": nights,
        "topics": {
            topic.name: {"category": topic.category, "tags": list(topic.tags)}
            for topic in market.topics
        },
        "underserved": {"topic": market.underserved, "creators": list(market.affected)},
        "duration_bias": DURATION_BIAS,
        "videos": {video.video_id: _video_truth(video) for video in videos},
        "users": {user.user_id: _user_truth(user, videos) for user in users},
        "rejects": rejects,
        "narrator": narrator,
        "spoken_queries": spoken_queries,
        "events": {str(name): int(n) for name, n in events["event_type"].value_counts().items()},
    }
    folder.mkdir(parents=True)
    _write_json(folder / "truth.json", truth)
    _write_json(folder / "world.json", {**size.to_json(), "two_nights": nights})


def has_truth(folder: Path) -> bool:
    """Whether a store holds a demo world."""
    return (folder / "demo_truth" / "truth.json").exists()


def read_truth(folder: Path) -> Truth:
    """Read the truth of the world in a store.

    Raises:
        InputError: there is none.
    """
    if not has_truth(folder):
        message = f"demo: {folder} holds no demo world; render one with the command demo first"
        raise InputError(message)
    truth: Truth = json.loads((folder / "demo_truth" / "truth.json").read_text())
    return truth


def planted_share(
    recommendations: pd.DataFrame,
    truth: Truth,
    videos: pd.DataFrame,
    watched: pd.DataFrame,
    *,
    n: int = N_LISTED,
) -> dict[str, float]:
    """How much of what could be recommended on planted topics was.

    For each warm user, ``possible`` is the number of videos on one of the user's planted topics
    that the user has not watched and may be shown, ``n`` at most; the share is how many videos of
    the first ``n`` of the list carry one, of ``possible``. A video and its re-uploads count once.

    Args:
        recommendations: user_id, rank, video_id.
        truth: of the world.
        videos: video_id of every video that a list may hold (see `listable`).
        watched: user_id, video_id of what was watched before the night.
        n: length of the lists that are looked at.

    Returns:
        share: the mean over users with something possible; random_share: its expectation when
        unseen videos are listed in random order; precision: videos on a planted topic of all that
        are listed; n_users; drifted_share: among users whose taste changed, the share of listed
        videos on planted topics that are on the new one.
    """
    lists = recommendations[recommendations[RANK] <= n].groupby(USER_ID)[VIDEO_ID].agg(list)
    seen = watched.groupby(USER_ID)[VIDEO_ID].agg(set)
    rows = [
        _measure(truth, user_id, lists.get(user_id, []), seen[user_id], videos[VIDEO_ID], n)
        for user_id in sorted(set(seen.index) & set(truth["users"]))
        if len(seen[user_id]) >= MIN_WATCHED
    ]
    measured = pd.DataFrame(rows, columns=_MEASURES)
    measured = measured[measured["possible"] > 0]
    means = {name: float(measured[name].astype(float).mean()) for name in _MEASURES[1:]}
    return {**means, "n_users": len(measured)}


def sensible_share(explained: pd.DataFrame, truth: Truth) -> dict[str, float]:
    """Whether a watched video that an explanation names has to do with the listed one.

    Args:
        explained: video_id, evidence (dict; ``cited`` is the video that is named, also that of the
            second sentence).
        truth: of the world.

    Returns:
        n_named (rows that name a watched video), share of them in which all named videos carry a
        planted topic of the listed one; NaN where none is named.
    """
    carried = {video_id: set(video["topics"]) for video_id, video in truth["videos"].items()}
    shared = []
    for video_id, evidence in zip(explained[VIDEO_ID], explained[EVIDENCE], strict=True):
        parts = (evidence, evidence.get("also", {}))
        named = [carried[part["cited"]] for part in parts if "cited" in part]
        if named:
            shared.append(all(carried[video_id] & topics for topics in named))
    return {"n_named": len(shared), "share": float(np.mean(shared)) if shared else float("nan")}


def listable(videos: pd.DataFrame, *, night: date) -> pd.DataFrame:
    """The videos of a catalogue that a list of a night may hold, before the rules of a user."""
    moment = pd.Timestamp(night, tz="UTC")
    is_open = videos[EXPIRES_AT].isna() | (videos[EXPIRES_AT] > moment)
    is_born = ~(videos[PUBLISHED_AT] >= moment)
    return videos[is_open & is_born & (videos[STATUS] == ACTIVE)]


def duration_correlation(recommendations: pd.DataFrame, videos: pd.DataFrame) -> float:
    """Correlation of rank with length within users' lists, of ranks (Spearman), pooled.

    Args:
        recommendations: user_id, rank, video_id.
        videos: video_id, duration_s.

    Returns:
        In [-1, 1], above 0 when long videos stand low; NaN where nothing differs.
    """
    rows = recommendations.merge(videos[[VIDEO_ID, DURATION_S]], on=VIDEO_ID).dropna()
    by_user = rows.groupby(USER_ID)
    rank = by_user[RANK].rank() - by_user[RANK].rank().groupby(rows[USER_ID]).transform("mean")
    length = by_user[DURATION_S].rank()
    length = length - length.groupby(rows[USER_ID]).transform("mean")
    spread = float(np.sqrt((rank**2).sum() * (length**2).sum()))
    return float((rank * length).sum()) / spread if spread > 0 else float("nan")


def duplicates_found(duplicates: pd.DataFrame, truth: Truth) -> dict[str, int]:
    """Pairs of near-duplicates.

    Args:
        duplicates: video_id, group_id.
        truth: of the world.

    Returns:
        n_planted (pairs whose film can be decoded), n_found of these, n_false.
    """
    planted = {frozenset(pair) for pair in planted_pairs(truth)}
    found: set[frozenset[str]] = set()
    for _, group in duplicates.groupby(GROUP_ID)[VIDEO_ID]:
        members = sorted(group)
        found |= {frozenset((a, b)) for place, a in enumerate(members) for b in members[:place]}
    return {
        "n_planted": len(planted),
        "n_found": len(planted & found),
        "n_false": len(found - planted),
    }


def planted_pairs(truth: Truth) -> list[tuple[str, str]]:
    """Each first upload with its re-upload."""
    videos = truth["videos"]
    return [(v["reupload_of"], name) for name, v in sorted(videos.items()) if v["reupload_of"]]


def underserved_found(insights: pd.DataFrame, truth: Truth) -> dict[str, float]:
    """Whether the planted under-served topic is each affected creator's top gap.

    Args:
        insights: creator_id, topic, gap.
        truth: of the world.

    Returns:
        n_affected (creators in ``insights`` who should see the gap), n_found of these.
    """
    planted = truth["underserved"]
    words = _words_of(truth["topics"], planted["topic"])
    mine = insights[insights[CREATOR_ID].isin(planted["creators"])]
    top = mine.sort_values([GAP, TOPIC], ascending=[False, True]).drop_duplicates(CREATOR_ID)
    return {"n_affected": len(top), "n_found": int(top[TOPIC].isin(words).sum())}


_MEASURES: Final = ["possible", "share", "random_share", "precision", "drifted_share"]


def _measure(
    truth: Truth, user_id: str, listed: list[str], seen: set[str], videos: Iterable[str], n: int
) -> list[float]:
    user, carried = truth["users"][user_id], truth["videos"]
    topics = set(user["topics"])
    groups_seen = {_group(carried, video) for video in seen}
    unseen = {_group(carried, video) for video in videos if video not in user["barred"]}
    unseen -= groups_seen
    wanted = {video for video in unseen if topics & set(carried[video]["topics"])}
    possible = min(n, len(wanted))
    hits = {_group(carried, v) for v in listed if topics & set(carried[v]["topics"])}
    random_hits = min(n, len(unseen)) * len(wanted) / max(len(unseen), 1)
    return [
        possible,
        min(len(hits - groups_seen), possible) / max(possible, 1),
        random_hits / max(possible, 1),
        len(hits) / len(listed) if listed else 0.0,
        _newly_liked(user, [carried[video]["topics"] for video in hits]),
    ]


def _group(carried: Mapping[str, Any], video_id: str) -> str:
    return str(carried[video_id]["reupload_of"] or video_id)


def _newly_liked(user: Mapping[str, Any], hits: list[list[str]]) -> float:
    """Share of the hits on the topic that drift brought; NaN for who did not drift."""
    new = set(user["later_tastes"]) - set(user["tastes"])
    if not new or not hits:
        return float("nan")
    return sum(bool(new & set(topics)) for topics in hits) / len(hits)


def _words_of(topics: Mapping[str, Any], name: str) -> set[str]:
    """What a topic is called in tables: its name, its tags, its category (which is its alone)."""
    return {name, topics[name]["category"], *topics[name]["tags"]} if name else set()


def _video_truth(video: PlannedVideo) -> dict[str, Any]:
    return {
        "topics": video.topic_names,
        "appeal": video.appeal,
        "role": video.role,
        "reupload_of": video.reupload_of,
        "spoken": [{"at_s": line.at_s, "text": line.text} for line in video.spoken],
        "has_captions": video.has_captions,
        "written": video.title if video.title.isascii() else video.topic_names[0].capitalize(),
    }


def _user_truth(user: PlannedUser, videos: list[PlannedVideo]) -> dict[str, Any]:
    return {
        "topics": user.topics,
        "tastes": user.tastes,
        "later_tastes": user.later_tastes,
        "drifts": user.drifts,
        "habit": user.habit,
        "favourite": user.favourite,
        "role": user.role,
        "barred": [video.video_id for video in videos if not user.may_see(video)],
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False))
