"""Explanations: a readable reason for each row of a list, from what its score was made of.

A reason is given only when its claim holds; the next one stands in when it does not. Whether the
sentence says the truth is judged elsewhere, by a checker that shares nothing with this module.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

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
from vidrec_tasks.recommending.explaining.composing import Composed, Told, compose
from vidrec_tasks.recommending.explaining.explanation_facts import gather_facts
from vidrec_tasks.recommending.explaining.explanation_reasons import Row
from vidrec_tasks.recommending.explaining.explanation_templates import (
    join_sentences,
    write_sentence,
)
from vidrec_tasks.recommending.explaining.likeness import Likeness
from vidrec_tasks.recommending.explaining.peers import Peers
from vidrec_tasks.recommending.reason_codes import (
    EXPLORATION,
    FROM_HISTORY,
    NEW_FOR_YOU,
    REASON_CODES,
)
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

CHOSEN: Final = float("inf")
"""What speaks for the reason of a row that was chosen for that reason, and not by its score."""


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
    likeness: Likeness | None = None,
    peers: Peers | None = None,
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
        settings: explanation_language, explanation_min_users, fresh_days.
        night: what lies at or after its beginning is not taken in.
        likeness: how alike the videos are; without it none is called alike.
        peers: whom other users are counted from; without it none are spoken of.

    Returns:
        The lists with reason_code, explanation, evidence (dict, never empty) and
        explanation_verified (False: nobody has checked yet).
    """
    facts = gather_facts(
        videos, topics, profiles, watched, popularity,
        night=night, lists=lists, likeness=likeness, peers=peers,
        min_users=settings.explanation_min_users,
    )  # fmt: skip
    names = (USER_ID, VIDEO_ID, SCORE_COMPONENTS, SOURCE, CITED)
    explained = []
    told: defaultdict[str, Told] = defaultdict(Told)
    columns = (lists[name] for name in names)
    for user_id, video_id, components, source, cited in zip(*columns, strict=True):
        row = Row(
            user_id,
            video_id,
            _by_share(cited),
            settings.fresh_days,
            settings.explanation_min_users,
        )
        composed = compose(row, _order(components, source), facts, told[user_id])
        explained.append(_word(composed, settings.explanation_language))
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


def _order(components: Mapping[str, float], source: str) -> dict[str, tuple[str, float]]:
    """Reason codes, each with the component that speaks for it and its size, then the rest (0).

    A row of the exploration slot was chosen for being new, whatever its score was made of.
    """
    largest = sorted(components.items(), key=lambda item: (-item[1], item[0]))
    positive = [name for name, value in largest if value > 0]
    named = [source, *positive] if source == EXPLORATION else positive
    sizes = {**components, EXPLORATION: CHOSEN}
    order: dict[str, tuple[str, float]] = {}
    for name in named:
        for code in _speaks_for().get(name, FROM_HISTORY):
            order.setdefault(code, (name, sizes[name]))
    return {**order, **{code: ("", 0.0) for code in REASON_CODES if code not in order}}


@cache
def _speaks_for() -> Mapping[str, tuple[str, ...]]:
    """Score part or source -> the reasons it speaks for, in this order, as it declares itself.

    Imported when it is asked for: features bring torch, which the words do not need.
    """
    from vidrec_tasks.recommending.lists.features import FEATURES
    from vidrec_tasks.recommending.lists.relevance import RELEVANCE
    from vidrec_tasks.recommending.lists.sources.registry import SOURCES
    from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY

    return {
        **{source.name: source.speaks_for for source in SOURCES},
        **{feature.name: feature.speaks_for for feature in FEATURES},
        RELEVANCE: (),  # a model's word is no fact that a reader could check
        TURNED_AWAY: (),  # it says what speaks against a video, and never why it is listed
    }


def _by_share(cited: Iterable[Sequence[Any]]) -> list[tuple[str, float]]:
    pairs = [(str(video_id), float(share)) for video_id, share in cited]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _word(composed: Composed, language: str) -> tuple[str, str, dict[str, Any]]:
    told = [found for found in (composed.first, composed.second) if found is not None]
    sentences = [
        write_sentence(found.reason.template, found.reason.evidence, language=language)
        for found in told
    ]
    return composed.first.code, join_sentences(sentences, language=language), composed.evidence


def _with(
    lists: pd.DataFrame, explained: Sequence[tuple[str, str, dict[str, Any]]]
) -> pd.DataFrame:
    result = lists.copy()
    result[REASON_CODE] = pd.Series([c for c, _, _ in explained], index=lists.index, dtype="str")
    result[EXPLANATION] = pd.Series([s for _, s, _ in explained], index=lists.index, dtype="str")
    result[EVIDENCE] = pd.Series([e for _, _, e in explained], index=lists.index, dtype=object)
    result[EXPLANATION_VERIFIED] = False
    return result
