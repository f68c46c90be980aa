"""Recovery: how much of the planted truth the current run found, read from store and tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.columns import CREATOR_ID, EVENT_TYPE, EVIDENCE, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.demo.hearing import spoken_found, written_found
from vidrec_tasks.demo.truth import (
    Truth,
    duplicates_found,
    duration_correlation,
    listable,
    planted_share,
    sensible_share,
    underserved_found,
)
from vidrec_tasks.demo.voices import NONE
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.store.runs import Run


@dataclass(frozen=True)
class Recovery:
    """What was recovered; each part as the function of its name in `truth` says it."""

    planted: dict[str, float]
    duration_correlation: float
    duplicates: dict[str, int]
    underserved: dict[str, float]
    sensible: dict[str, float]
    spoken: dict[str, int]
    written: dict[str, int]
    narrator: str


def measure_recovery(run: Run, reader: Reader, truth: Truth) -> Recovery:
    """Compare what a run published with what was planted.

    Args:
        run: the run that is published.
        reader: of its result tables.
        truth: of the world that it ran on.

    Raises:
        MissingArtefact: the run was not finished.
    """
    lists = reader.table("recommendations")[[USER_ID, RANK, VIDEO_ID, EVIDENCE]]
    videos = run.read_table("videos")
    open_videos = listable(videos, night=run.night)
    insights = reader.table("creator_insights")
    return Recovery(
        planted_share(lists, truth, open_videos, watched_before(run)),
        duration_correlation(lists, videos),
        duplicates_found(run.read_table("duplicates"), truth),
        underserved_found(insights, truth)
        if CREATOR_ID in insights
        else {"n_affected": 0, "n_found": 0},
        sensible_share(lists, truth),
        spoken_found(reader.table("search_results"), truth),
        written_found(reader.table("video_texts"), truth),
        truth["narrator"],
    )


def watched_before(run: Run) -> pd.DataFrame:
    """user_id and video_id of everything that was played, finished or skipped before the night."""
    shards = [run.read_table(f"interactions.{shard}") for shard in range(run.record.n_user_shards)]
    events = pd.concat(shards, ignore_index=True)
    acted = events[events[EVENT_TYPE] != "impression"]
    return acted[[USER_ID, VIDEO_ID]].drop_duplicates(ignore_index=True)


def recovery_lines(recovery: Recovery) -> list[str]:
    """The recovery in plain words."""
    planted, pairs, gaps = recovery.planted, recovery.duplicates, recovery.underserved
    reasons = recovery.sensible
    lines = [
        f"planted topics: {_share(planted['share'])} of what was possible in {planted['n_users']:g}"
        f" users' lists (random order: {_share(planted['random_share'])}; of all listed videos"
        f" {_share(planted['precision'])})",
        f"planted re-uploads: {pairs['n_found']} of {pairs['n_planted']} pairs found,"
        f" {pairs['n_false']} false",
        f"reasons: {_share(reasons['share'])} of {reasons['n_named']:g} that name a watched video"
        " name one on a planted topic of the listed one",
        f"rank and length: correlation {recovery.duration_correlation:+.3f} (0: length tells"
        " nothing)",
    ]
    lines += _text_lines(recovery)
    if not np.isnan(planted["drifted_share"]):
        lines.append(
            f"drift: {_share(planted['drifted_share'])} of the planted-topic videos of users whose"
            " taste changed are on the new topic"
        )
    if gaps["n_affected"]:
        lines.append(
            f"planted gap: top gap of {gaps['n_found']:g} of {gaps['n_affected']:g} creators"
        )
    return lines


def _text_lines(recovery: Recovery) -> list[str]:
    spoken, written = recovery.spoken, recovery.written
    voice = "" if recovery.narrator != NONE else " (no ffmpeg with flite: films have no sound)"
    return [
        f"spoken words: {spoken['n_found']} of {spoken['n_asked']} searches find a video that says"
        f" them first, {spoken['n_at_second']} at the right second{voice}",
        f"written titles: read whole in {written['n_right']} of {written['n_read']} videos with"
        " letters on their keyframes",
    ]


def _share(value: Any) -> str:
    return "none" if np.isnan(value) else f"{value:.0%}"
