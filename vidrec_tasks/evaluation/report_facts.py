"""Facts for the report: counts, shares and samples from a night's frames; no store, no HTML."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    EXPLANATION,
    EXPLANATION_VERIFIED,
    LOOK,
    RANK,
    REASON,
    REASON_CODE,
    REFUSED,
    SAMPLE,
    SCORE,
    SOURCE,
    STATE,
    TABLE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.evaluation.measures import Measure
from vidrec_tasks.evaluation.report import Sample, SampleRow, Timing
from vidrec_tasks.settings import PLACES, Group, Settings

SAMPLE_USERS: Final = 3
SAMPLE_ROWS: Final = 5
SCORES_PER_SHARD: Final = 20_000
ASKED: Final = (
    "prompts", "tokens_in", "tokens_out", "seconds_asking", "cost", "unanswered",
)  # fmt: skip
DROPPED: Final = "dropped: "
"""Counts of jobs that ask a language model, as `jobs.shared.writing` names them."""
SECONDS: Final = re.compile(r"seconds\.")
"""What counts of a receipt begin with that are the seconds of a model."""

_DECIDING: Final = (
    "content.text_encoder", "content.frame_encoder", "language.model", "recommending.scorer",
    "recommending.n", "recommending.diversity", "evaluation.holdout_days",
    "insights.k_anonymity", "publishing.retained_runs",
)  # fmt: skip


@dataclass
class ListFacts:
    """What the lists say, gathered shard by shard: memory stays with the catalogue."""

    n_users: int = 0
    n_rows: int = 0
    n_verified: int = 0
    showings: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    def add(self, explained: pd.DataFrame) -> None:
        """Take one shard's lists in."""
        self.n_users += explained[USER_ID].nunique()
        self.n_rows += len(explained)
        self.n_verified += int(explained[EXPLANATION_VERIFIED].astype(bool).sum())
        self.showings.update(explained[VIDEO_ID].tolist())
        self.sources.update(explained[SOURCE].tolist())
        self.reasons.update(explained[REASON_CODE].tolist())
        self.scores += _sampled(explained[SCORE]).astype(float).tolist()

    @property
    def verified_share(self) -> float | None:
        """Share of rows whose explanation was recomputed and held."""
        return self.n_verified / self.n_rows if self.n_rows else None


def _sampled(scores: pd.Series) -> pd.Series:
    """At most so many scores, always the same; every k-th would take some ranks only."""
    if len(scores) <= SCORES_PER_SHARD:
        return scores
    rng = np.random.default_rng(len(scores))
    return scores.iloc[np.sort(rng.choice(len(scores), SCORES_PER_SHARD, replace=False))]


def count_rejects(
    rejects: pd.DataFrame, left_out: pd.DataFrame | None = None
) -> list[tuple[str, str, int, str]]:
    """(table, reason, rows, one sample) of the rejects, most rows first.

    Args:
        rejects: those that are kept: table, reason, sample.
        left_out: table, reason, n_rows of those that are not; None: all are kept.
    """
    counted = {
        (str(table), str(reason)): (len(rows), str(rows[SAMPLE].iloc[0]))
        for (table, reason), rows in rejects.groupby([TABLE, REASON], sort=True)
    }
    for table, reason, n in [] if left_out is None else left_out.itertuples(index=False):
        n_kept, sample = counted.get((table, reason), (0, ""))
        counted[table, reason] = (n_kept + int(n), sample)
    rows = [(table, reason, n, sample) for (table, reason), (n, sample) in counted.items()]
    return sorted(rows, key=lambda row: (-row[2], row[:2]))


def count_quarantine(quarantine: pd.DataFrame) -> list[tuple[str, int, str]]:
    """(reason, videos, one of them), most videos first."""
    counted = [
        (str(reason), len(rows), str(rows[VIDEO_ID].iloc[0]))
        for reason, rows in quarantine.groupby(REASON, sort=True)
    ]
    return sorted(counted, key=lambda row: -row[1])


def is_unread(tracks: pd.DataFrame) -> pd.Series:
    """Which tracks could not be read; a film that cannot be looked into is in quarantine already.

    Args:
        tracks: the part ``tracks`` of `texts`.
    """
    return (tracks[STATE] == REFUSED) & (tracks[SOURCE] != LOOK)


def settings_rows(settings: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """(name, value, whether it is not the default): the changed ones, then those that decide."""
    defaults, said = dict(_flat(_defaults())), dict(_flat(settings))
    changed = [
        name for name in sorted(said)
        if name not in PLACES and name in defaults and said[name] != defaults[name]
    ]  # fmt: skip
    rest = [name for name in _DECIDING if name in said and name not in changed]
    return [(name, str(said[name]), name in changed) for name in [*changed, *rest]]


def sum_timings(receipts: Iterable[Mapping[str, Any]]) -> list[Timing]:
    """Seconds and memory a job over its shards, in the order in which the jobs began."""
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    for receipt in receipts:
        by_job.setdefault(str(receipt["job"]), []).append(receipt)
    return [
        Timing(
            job=job,
            n_shards=len(mine),
            n_reused=sum(bool(receipt["reused"]) for receipt in mine),
            seconds=sum(float(receipt["seconds"]) for receipt in mine),
            peak_mib=max(_peaks(mine), default=None),
        )
        for job, mine in by_job.items()
    ]


def _peaks(receipts: Iterable[Mapping[str, Any]]) -> list[float]:
    """Of the shards whose system says it; receipts of 0.1 have none."""
    peaks = [receipt.get("peak_mib") for receipt in receipts]
    return [float(peak) for peak in peaks if peak is not None]


def model_seconds(receipts: Iterable[Mapping[str, Any]]) -> list[Measure]:
    """``seconds.<model>`` over the fits of a night, as the receipts have it, by name.

    They are in no artefact: the same night takes other times on another day.
    """
    counts = [receipt["counts"] for receipt in receipts]
    named = {name: float(n) for some in counts for name, n in some.items() if SECONDS.match(name)}
    return [Measure(name, seconds) for name, seconds in sorted(named.items())]


def language_use(receipts: Iterable[Mapping[str, Any]]) -> list[Measure]:
    """``language.<count>`` over the jobs of a night that asked a language model, by name.

    As with seconds, a job whose artefact was taken from before says what it took then.
    """
    total: Counter[str] = Counter()
    for counts in (receipt["counts"] for receipt in receipts):
        if "tokens_in" in counts:
            total.update({n: v for n, v in counts.items() if n in ASKED or n.startswith(DROPPED)})
    return [Measure(f"language.{name}", float(n)) for name, n in sorted(total.items())]


def choose_sample_users(explained: pd.DataFrame) -> list[str]:
    """Users whose lists are shown: evenly from the shard's ids, so the same ones each time."""
    users = sorted(explained[USER_ID].unique())
    step = max(1, len(users) // SAMPLE_USERS)
    return [str(user) for user in users[step // 2 :: step][:SAMPLE_USERS]]


def sample_lists(
    explained: pd.DataFrame,
    user_ids: Sequence[str],
    *,
    titles: Mapping[str, str],
    portraits: Mapping[str, str],
    pictures: Mapping[str, str],
) -> list[Sample]:
    """The first rows of some users' lists, with portraits and pictures (data URIs)."""
    return [
        Sample(
            user_id,
            portraits.get(user_id, ""),
            [
                SampleRow(
                    int(row[RANK]),
                    titles.get(row[VIDEO_ID]) or row[VIDEO_ID],
                    row[EXPLANATION],
                    float(row[SCORE]),
                    row[SOURCE],
                    pictures.get(row[VIDEO_ID], ""),
                )
                for row in _top(explained, user_id).to_dict("records")
            ],
        )
        for user_id in user_ids
    ]


def sampled_videos(explained: pd.DataFrame, user_ids: Sequence[str]) -> list[str]:
    """The videos that `sample_lists` will show."""
    tops = [_top(explained, user_id)[VIDEO_ID] for user_id in user_ids]
    return sorted(set(pd.concat(tops))) if tops else []


def _top(explained: pd.DataFrame, user_id: str) -> pd.DataFrame:
    return explained[explained[USER_ID] == user_id].sort_values(RANK).head(SAMPLE_ROWS)


def _defaults() -> dict[str, Any]:
    """The defaults, whatever the environment says."""
    values: dict[str, Any] = {}
    for name, info in Settings.model_fields.items():
        value = info.default
        values[name] = value.model_dump(mode="json") if isinstance(value, Group) else value
    return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
