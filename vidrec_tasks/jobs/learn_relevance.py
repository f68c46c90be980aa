"""learn_relevance: what a language model's judgement of ranked videos is worth, if it is asked.

It is asked about held-out users at a moment before the cut of the evaluation fit, from facts that
were known then. With `VIDREC_LANGUAGE__RELEVANCE_CALLS` 0 nothing is read and nobody is asked.
"""

from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.audience.histories import epoch_seconds
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.portrait_gathering import gather_facts
from vidrec_tasks.columns import EVENT_AT, MOMENT, USER_ID
from vidrec_tasks.jobs.shared.judging import judge_rows, none_judged, tastes_of
from vidrec_tasks.jobs.shared.reading import evaluation_night, read_topics
from vidrec_tasks.jobs.shared.writing import count_writing, writer_of
from vidrec_tasks.language.judging import Judged
from vidrec_tasks.recommending.lists.relevance import NOTHING
from vidrec_tasks.recommending.training.held_out_lists import HeldOutLists
from vidrec_tasks.recommending.training.relevance_weight import (
    learn_weight,
    rows_to_judge,
    users_in_turn,
)
from vidrec_tasks.running.job import Context, Made, job, shards_of
from vidrec_tasks.store.codecs import Part


@job()
def learn_relevance(context: Context) -> Made:
    """Judge held-out lists within the budget, and learn the weight of what was said."""
    language = context.settings.language
    if not language.relevance_calls:
        nothing: dict[str, Part] = {"table": none_judged(), "learned": dict(NOTHING)}
        return Made({"relevance": nothing})
    lists = HeldOutLists.from_parts(context.parts("held_out_lists"))
    writer = writer_of(context, "relevance")
    rows = rows_to_judge(lists, top=language.relevance_top)
    users = users_in_turn(lists)
    tastes = _tastes_then(context, users[users[USER_ID].isin(rows[USER_ID])])
    judged = judge_rows(context, rows, users[USER_ID], tastes, writer=writer, before=["relevance"])
    learned = learn_weight(
        lists,
        judged.table(),
        _considered(users[USER_ID].tolist(), judged),
        top=language.relevance_top,
        n_draws=context.settings.evaluation.n_bootstrap,
        seed=context.settings.recommending.seed,
    )
    counts: dict[str, Any] = {
        **judged.counts(),
        "weight": round(learned["weight"], 4),
        **count_writing(writer, context),
    }
    return Made({"relevance": {"table": judged.table(), "learned": learned}}, counts)


def _considered(in_order: list[str], judged: Judged) -> list[str]:
    """Users up to the first who was left: behind it those without questions would be too many."""
    found = set(judged.users)
    is_left = np.array([user not in found for user in in_order], dtype=bool)
    return in_order[: int(is_left.argmax())] if is_left.any() else in_order


def _tastes_then(context: Context, users: pd.DataFrame) -> dict[str, list[str]]:
    """What was known of each user before their moment, as sentences.

    Events are left out before they are weighed, so a rating is not seen against later ones.
    """
    moments = users.set_index(USER_ID)[MOMENT]
    videos, statistics = context.read_table("videos"), context.read_table("watch_statistics")
    topics = read_topics(context)
    language = context.settings.language.portrait_language
    night, found = evaluation_night(context), dict[str, list[str]]()
    for name in shards_of(context.run, "interactions"):
        events = context.read_table(name)
        events = events[events[USER_ID].isin(moments.index)]
        seconds = epoch_seconds(events[EVENT_AT])
        events = events[seconds < events[USER_ID].map(moments).to_numpy(np.int64)]
        visits = weigh(
            events, videos, context.settings.audience, night=night, statistics=statistics
        )
        own = sorted(visits[USER_ID].unique())
        facts = gather_facts(visits, videos, topics, own, night=night)
        found |= {
            user: tastes_of(one, language=language) for user, one in zip(own, facts, strict=True)
        }
    return found
