"""Claims: what published explanations say, read back from the sentence and recomputed.

Written apart from whoever writes the sentences: it shares no code, no template and no word list
with them, so one mistake cannot hide in both. A sentence it cannot read is not verified.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    CITED,
    EXPLANATION,
    RANK,
    REASON,
    REASON_CODE,
    USER_ID,
    VERIFIED,
    VIDEO_ID,
)
from vidrec_tasks.evaluation.claim_ledger import Ledger, Subject
from vidrec_tasks.evaluation.claim_likeness import Alike
from vidrec_tasks.evaluation.claim_others import Others
from vidrec_tasks.evaluation.claim_parsing import REASON_KINDS, parse_sentences

log = logging.getLogger(__name__)

N_CLAIMS = "n_claims"
N_TRUE = "n_true"


def check_explanations(
    explained: pd.DataFrame,
    videos: pd.DataFrame,
    topics: Mapping[str, Sequence[str]],
    profiles: pd.DataFrame,
    watched: pd.DataFrame,
    popularity: pd.DataFrame,
    *,
    night: date,
    fresh_days: float,
    others: Others | None = None,
    alike: Alike | None = None,
) -> pd.DataFrame:
    """Read each sentence back into claims and recompute every one from the tables.

    Args:
        explained: user_id, rank, video_id, reason_code, explanation, cited.
        videos: video_id, title, creator_id, published_at.
        topics: ``video_id -> topics``.
        profiles: user_id, topics (list of ``[topic, weight, n_videos]``).
        watched: user_id, video_id, last_event_at of positive interactions.
        popularity: video_id, n_viewers_recent, n_likers_recent, window_days.
        night: only what lies before its beginning, 00:00 UTC, can make a claim true.
        fresh_days: days after publication in which "new" is true.
        others: who else began and liked what; without it nothing said of others is true.
        alike: how alike videos are; without it no two are.

    Returns:
        user_id, rank, verified, reason (empty when verified), n_claims, n_true; row by row as
        ``explained``.
    """
    ledger = Ledger.of(
        videos, topics, profiles, watched, popularity,
        night=night, fresh_days=fresh_days, others=others, alike=alike,
    )  # fmt: skip
    names = (USER_ID, VIDEO_ID, CITED, REASON_CODE, EXPLANATION)
    verdicts = [
        _check(Subject(user_id, video_id, _cited_ids(cited)), code, sentence, ledger)
        for user_id, video_id, cited, code, sentence in zip(
            *(explained[name] for name in names), strict=True
        )
    ]
    n_verified = sum(not reason for reason, _, _ in verdicts)
    log.info("%d of %d explanations verified", n_verified, len(verdicts))
    return pd.DataFrame(
        {
            USER_ID: explained[USER_ID],
            RANK: explained[RANK],
            VERIFIED: pd.Series([not r for r, _, _ in verdicts], explained.index, dtype=bool),
            REASON: pd.Series([r for r, _, _ in verdicts], explained.index, dtype="str"),
            N_CLAIMS: pd.Series([n for _, n, _ in verdicts], explained.index, dtype="int64"),
            N_TRUE: pd.Series([n for _, _, n in verdicts], explained.index, dtype="int64"),
        }
    )


def claim_precision(checks: pd.DataFrame) -> float:
    """Share of true claims among all claims made; nan when none was made.

    A sentence that could not be read counts as one claim that is false.
    """
    n_claims = int(checks[N_CLAIMS].sum())
    return int(checks[N_TRUE].sum()) / n_claims if n_claims else math.nan


def claims_per_explanation(checks: pd.DataFrame) -> float:
    """Mean number of claims that an explanation makes; nan when there is none."""
    return float(checks[N_CLAIMS].mean())


def _cited_ids(cited: Iterable[Sequence[Any]]) -> frozenset[str]:
    return frozenset(str(video_id) for video_id, share in cited if share > 0)


def _check(subject: Subject, code: str, sentence: str, ledger: Ledger) -> tuple[str, int, int]:
    """The first thing wrong (empty: nothing), the claims made, the true ones."""
    sentences = parse_sentences(sentence)
    claims = [claim for told in sentences for claim in told]
    if not claims:
        return "unreadable", 1, 0
    wrong = [reason for claim in claims if (reason := ledger.refute(claim, subject))]
    kinds = {claim.kind for claim in sentences[0]}
    if not wrong and kinds.isdisjoint(REASON_KINDS.get(code, ())):
        return f"says nothing of {code}", len(claims), len(claims)
    return (wrong[0] if wrong else ""), len(claims), len(claims) - len(wrong)
