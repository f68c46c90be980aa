"""Audiences from one table of all users, by sets and loops: what counting by shard must come to."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import Any

Row = tuple[str, int, bool, float]
"""User, video, whether in the second half of the window, share watched."""


def insights_of(
    rows: list[Row], creators: list[str], topics: list[list[str]], k: int
) -> dict[tuple[str, str], dict[str, Any]]:
    """(creator, topic) -> n_viewers, audience_share, trend, and completion before its steps.

    Args:
        rows: what was watched in the window; every share is known.
        creators: the creator of each video.
        topics: the topics of each video; no two topics are carried by the same videos.
        k: users a cell needs.
    """
    found = {}
    for creator in sorted({name for name in creators if name}):
        audience = {user for user, video, _, _ in rows if creators[video] == creator}
        if _whole(audience, k) < 2 * k:
            continue
        own = [row for row in rows if row[0] in audience]
        for topic in {name for carried in topics for name in carried}:
            on_topic = [row for row in own if topic in topics[row[1]]]
            n_viewers = _whole(_users(on_topic), k)
            if n_viewers:
                halves = [
                    _ratio(_whole(_users(on_topic, half), k), _whole(_users(own, half), k))
                    for half in (False, True)
                ]
                found[creator, topic] = {
                    "n_viewers": n_viewers,
                    "audience_share": n_viewers / _whole(audience, k),
                    "trend": halves[1] - halves[0],
                    "completion": _completion(on_topic),
                }
    return found


def _users(rows: list[Row], half: bool | None = None) -> set[str]:
    return {user for user, _, is_late, _ in rows if half is None or is_late == half}


def _whole(users: Iterable[str], k: int) -> int:
    return len(set(users)) // k * k


def _ratio(part: int, total: int) -> float:
    return part / total if total else float("nan")


def _completion(rows: list[Row]) -> float:
    """The mean over users of the mean over their videos of the mean over their visits."""
    shares: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for user, video, _, share in rows:
        shares[user][video].append(share)
    return fmean(fmean(map(fmean, videos.values())) for videos in shares.values())
