"""judge_lists: a language model's word on the best ranked videos of a shard's most active users.

Nobody is asked where the setting is 0 or where `learn_relevance` found that it is worth nothing.
"""

from vidrec_tasks.audience.portraits import facts_in
from vidrec_tasks.columns import EVIDENCE, N_INTERACTIONS, USER_ID, VIDEO_ID
from vidrec_tasks.jobs.shared.judging import judge_rows, none_judged, tastes_of
from vidrec_tasks.jobs.shared.writing import count_writing, writer_of
from vidrec_tasks.running.job import Context, Made, job, shards_left


@job()
def judge_lists(context: Context) -> Made:
    """Judge the most active users first, while the budget lasts; known answers cost nothing."""
    language, name = context.settings.language, context.own("judged")
    learned = context.read_json("relevance", "learned")
    if not language.relevance_calls or not learned["weight"]:
        return Made({name: {"table": none_judged()}})
    ranked = context.read_rows(context.own("ranked"), columns=(USER_ID, VIDEO_ID))
    rows = ranked.groupby(USER_ID, sort=False).head(language.relevance_top)
    profiles = context.read_rows(context.own("profiles"), columns=(USER_ID, N_INTERACTIONS))
    users = profiles.sort_values([N_INTERACTIONS, USER_ID], ascending=[False, True])[USER_ID]
    writer = writer_of(context, name)
    judged = judge_rows(
        context, rows, users, _tastes(context), writer=writer, before=_before(context)
    )
    counts = {**judged.counts(), **count_writing(writer, context)}
    return Made({name: {"table": judged.table()}}, counts)


def _tastes(context: Context) -> dict[str, list[str]]:
    """What the portraits rest on, as sentences."""
    portraits = context.read_rows(context.own("portraits"), columns=(USER_ID, EVIDENCE))
    language = context.settings.language.portrait_language
    return {
        str(user): tastes_of(facts_in(evidence), language=language)
        for user, evidence in zip(portraits[USER_ID], portraits[EVIDENCE], strict=True)
    }


def _before(context: Context) -> list[str]:
    parent = context.parent("previous")
    return [] if parent is None else shards_left(parent, context.run, "judged", context.shard)
