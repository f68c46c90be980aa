"""Judging in jobs: questions made of facts and cards, answers of the night before, no answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_wording import fact_sentence
from vidrec_tasks.columns import (
    LOG_ODDS,
    RELEVANCE_KEY,
    SUMMARY,
    TITLE,
    TOPICS,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.language.generator import Judge, Prompt
from vidrec_tasks.language.judging import Judged, Question, judge_users
from vidrec_tasks.language.relevance import relevance_prompt
from vidrec_tasks.running.job import Context, shards_of

TASTES = (kinds.TITLE, kinds.TOPIC, kinds.MORE, kinds.NEW, kinds.AWAY, kinds.LESS)
"""Kinds of facts that say what a user wants to watch, in the order in which they are told."""


class Cards:
    """Titles, topics and summaries of some videos, with the questions about them.

    Args:
        context: whose videos and cards.
        video_ids: the videos that may be asked about; others are left in the store.
    """

    def __init__(self, context: Context, video_ids: Iterable[str]) -> None:
        wanted = set(video_ids)
        videos = context.read_rows("videos", columns=(VIDEO_ID, TITLE))
        videos = videos[videos[VIDEO_ID].isin(wanted)]
        self._titles = dict(zip(videos[VIDEO_ID], videos[TITLE].fillna(""), strict=True))
        self._cards: dict[str, tuple[Sequence[str], str]] = {}
        for name in shards_of(context.run, "cards"):  # a shard at a time: most are not wanted
            cards = context.read_rows(name, columns=(VIDEO_ID, TOPICS, SUMMARY))
            cards = cards[cards[VIDEO_ID].isin(wanted)]
            fields = zip(cards[TOPICS], cards[SUMMARY], strict=True)
            self._cards |= dict(zip(cards[VIDEO_ID], fields, strict=True))

    def questions(self, facts: Sequence[str], video_ids: Iterable[str]) -> list[Question]:
        """What is asked of a user about some videos; nothing where no fact is known.

        Args:
            facts: of the user, as of `tastes_of`.
            video_ids: of the videos.
        """
        if not facts:
            return []
        return [Question(video_id, self._prompt(facts, video_id)) for video_id in video_ids]

    def _prompt(self, facts: Sequence[str], video_id: str) -> Prompt:
        topics, summary = self._cards[video_id]
        title = self._titles[video_id]
        return relevance_prompt(facts, title=title, topics=topics, summary=summary)


def tastes_of(facts: Iterable[Fact], *, language: str) -> list[str]:
    """The sentences of a portrait's facts that speak of taste, kind by kind, strongest first."""
    own = list(facts)
    return [
        fact_sentence(fact, language=language)
        for kind in TASTES
        for fact in own
        if fact.kind == kind
    ]


def judge_rows(
    context: Context,
    rows: pd.DataFrame,
    users: Iterable[str],
    facts: Mapping[str, Sequence[str]],
    *,
    writer: Judge,
    before: Iterable[str],
) -> Judged:
    """Judge the rows of each user in turn, within the budget; known answers cost nothing.

    Args:
        context: whose videos, cards and settings.
        rows: user_id, video_id, best first.
        users: who is asked about first.
        facts: user_id -> of the user, as of `tastes_of`.
        writer: who is asked.
        before: artefacts of the night before whose answers are known.
    """
    return judge_users(
        _in_turn(users, facts, videos_by_user(rows), Cards(context, rows[VIDEO_ID])),
        writer,
        known=_known_answers(context, before),
        budget=context.settings.language.relevance_calls,
    )


def videos_by_user(rows: pd.DataFrame) -> Mapping[str, list[str]]:
    """user_id -> the videos of its rows, in their order."""
    return {str(user): own.tolist() for user, own in rows.groupby(USER_ID)[VIDEO_ID]}


def none_judged() -> pd.DataFrame:
    """The table of a night on which nobody was asked."""
    return Judged().table()


def _known_answers(context: Context, names: Iterable[str]) -> dict[str, float]:
    """Answers of the night before by their key, from some artefacts of it."""
    parent = context.parent("previous")
    known: dict[str, float] = {}
    for name in names:
        if parent is not None and parent.find(name) is not None:
            table = parent.read_rows(name, columns=(RELEVANCE_KEY, LOG_ODDS))
            known |= dict(zip(table[RELEVANCE_KEY], table[LOG_ODDS], strict=True))
    return known


def _in_turn(
    user_ids: Iterable[str],
    facts: Mapping[str, Sequence[str]],
    videos: Mapping[str, Sequence[str]],
    cards: Cards,
) -> Iterator[tuple[str, list[Question]]]:
    """Each user with the questions about their videos, made when they are asked for."""
    for user_id in user_ids:
        yield user_id, cards.questions(facts.get(user_id, ()), videos.get(user_id, ()))
