"""Explanations: a readable reason for each row of a list, from what its score was made of.

A reason is given only when its claim holds; the next one stands in when it does not. Whether the
sentence says the truth is judged elsewhere, by a checker that shares nothing with this module.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    CITED,
    EVIDENCE,
    EXPLANATION,
    EXPLANATION_VERIFIED,
    RANK,
    REASON_CODE,
    SCORE_COMPONENTS,
    SOURCE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.recommending.explaining.explanation_facts import Facts, gather_facts
from vidrec_tasks.recommending.explaining.explanation_reasons import REASONS, Reason, Row
from vidrec_tasks.recommending.explaining.explanation_templates import write_sentence
from vidrec_tasks.recommending.reason_codes import (
    EXPLORATION,
    FROM_HISTORY,
    NEW_FOR_YOU,
    REASON_CODES,
)
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)


def explain_lists(
    lists: pd.DataFrame,
    videos: pd.DataFrame,
    topics: Mapping[str, Sequence[str]],
    profiles: pd.DataFrame,
    watched: pd.DataFrame,
    popularity: pd.DataFrame,
    settings: RecommendingSettings,
    *,
    night: date,
) -> pd.DataFrame:
    """Give each row of the lists its reason.

    Args:
        lists: user_id, rank, video_id, score_components (dict), source, cited (list of
            ``[video_id, share]``).
        videos: the catalogue: video_id, title, creator_id, published_at.
        topics: ``video_id -> topics``, as in the profiles.
        profiles: user_id, topics (list of ``[topic, weight, n_videos]``, strongest first).
        watched: user_id, video_id, last_event_at of positive interactions.
        popularity: video_id, n_viewers_recent, n_likers_recent, window_days.
        settings: explanation_language, fresh_days.
        night: what lies at or after its beginning is not taken in.

    Returns:
        The lists with reason_code, explanation, evidence (dict, never empty) and
        explanation_verified (False: nobody has checked yet).
    """
    facts = gather_facts(videos, topics, profiles, watched, popularity, night=night)
    names = (USER_ID, VIDEO_ID, SCORE_COMPONENTS, SOURCE, CITED)
    explained = []
    columns = (lists[name] for name in names)
    for user_id, video_id, components, source, cited in zip(*columns, strict=True):
        row = Row(user_id, video_id, _by_share(cited), settings.fresh_days)
        explained.append(_explain(row, _order(components, source), facts, settings))
    counts = Counter(code for code, _, _ in explained)
    log.info("%d rows explained: %s", len(explained), dict(sorted(counts.items())))
    return _with(lists, explained)


def replace_failed(
    explained: pd.DataFrame, checks: pd.DataFrame, *, language: str
) -> tuple[pd.DataFrame, int]:
    """Mark what was verified; a row that failed gets the sentence that claims least.

    Args:
        explained: what `explain_lists` returned.
        checks: user_id, rank, verified, one row for each of ``explained``, in any order.
        language: 'en' or 'zh'.

    Returns:
        The lists with explanation_verified set (False where replaced: check those again), and how
        many were replaced.
    """
    verdicts = checks.set_index([USER_ID, RANK])["verified"]
    verified = verdicts.reindex(pd.MultiIndex.from_frame(explained[[USER_ID, RANK]])).eq(True)
    keep = verified.to_numpy(dtype=bool)
    plain = write_sentence(NEW_FOR_YOU, {}, language=language)
    result = explained.copy()
    result[EXPLANATION_VERIFIED] = keep
    result[REASON_CODE] = explained[REASON_CODE].where(keep, NEW_FOR_YOU)
    result[EXPLANATION] = explained[EXPLANATION].where(keep, plain)
    result[EVIDENCE] = pd.Series(
        [
            evidence if kept else {"replaced": code}
            for evidence, kept, code in zip(
                explained[EVIDENCE], keep, explained[REASON_CODE], strict=True
            )
        ],
        index=explained.index,
        dtype=object,
    )
    n_replaced = int((~keep).sum())
    if n_replaced:
        log.warning("%d of %d explanations failed and were replaced", n_replaced, len(explained))
    return result, n_replaced


def _order(components: Mapping[str, float], source: str) -> dict[str, str]:
    """Reason codes to try, each with the component that speaks for it, then the rest (empty).

    A row of the exploration slot was chosen for being new, whatever its score was made of.
    """
    largest = sorted(components.items(), key=lambda item: (-item[1], item[0]))
    positive = [name for name, value in largest if value > 0]
    named = [source, *positive] if source == EXPLORATION else positive
    order: dict[str, str] = {}
    for name in named:
        for code in _speaks_for().get(name, FROM_HISTORY):
            order.setdefault(code, name)
    return {**order, **{code: "" for code in REASON_CODES if code not in order}}


@cache
def _speaks_for() -> Mapping[str, tuple[str, ...]]:
    """Score part or source -> the reasons it speaks for, in this order, as it declares itself.

    Imported when it is asked for: features bring torch, which the words do not need.
    """
    from vidrec_tasks.recommending.lists.features import FEATURES
    from vidrec_tasks.recommending.lists.sources.registry import SOURCES
    from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY

    return {
        **{source.name: source.speaks_for for source in SOURCES},
        **{feature.name: feature.speaks_for for feature in FEATURES},
        TURNED_AWAY: (),  # it says what speaks against a video, and never why it is listed
    }


def _by_share(cited: Iterable[Sequence[Any]]) -> list[tuple[str, float]]:
    pairs = [(str(video_id), float(share)) for video_id, share in cited]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _explain(
    row: Row, order: Mapping[str, str], facts: Facts, settings: RecommendingSettings
) -> tuple[str, str, dict[str, Any]]:
    found = ((code, REASONS[code](row, facts)) for code in order)
    # a list with a watched video in it broke the rules; its plain sentence then fails the check
    code, reason = next(
        ((code, reason) for code, reason in found if reason is not None),
        (NEW_FOR_YOU, Reason(NEW_FOR_YOU, {"n_watched": 0})),
    )
    sentence = write_sentence(
        reason.template, reason.evidence, language=settings.explanation_language
    )
    component = {"component": order[code]} if order.get(code) else {}
    return code, sentence, {**reason.evidence, **component}


def _with(
    lists: pd.DataFrame, explained: Sequence[tuple[str, str, dict[str, Any]]]
) -> pd.DataFrame:
    result = lists.copy()
    result[REASON_CODE] = pd.Series([c for c, _, _ in explained], index=lists.index, dtype="str")
    result[EXPLANATION] = pd.Series([s for _, s, _ in explained], index=lists.index, dtype="str")
    result[EVIDENCE] = pd.Series([e for _, _, e in explained], index=lists.index, dtype=object)
    result[EXPLANATION_VERIFIED] = False
    return result
