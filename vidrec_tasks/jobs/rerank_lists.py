"""rerank_lists: from ranked candidates to each user's list, varied and inside the rules."""

from vidrec_tasks.columns import RANK, SCORE_COMPONENTS, USER_ID
from vidrec_tasks.jobs.shared.reading import read_content, read_histories, read_rules
from vidrec_tasks.recommending.lists.reranker import rerank_lists as rerank
from vidrec_tasks.recommending.lists.score_parts import PREFIX, to_dicts
from vidrec_tasks.running.job import Context, Made, job


@job()
def rerank_lists(context: Context) -> Made:
    """Diversify, keep a place for new videos, cap creators; the rules come last."""
    settings = context.settings.recommending
    histories = read_histories(context)
    lists = rerank(
        context.read_table(context.own("ranked")),
        histories,
        read_content(context),
        read_rules(context, context.night),
        settings,
    )
    lists[SCORE_COMPONENTS] = to_dicts(lists)
    lists = lists.loc[:, ~lists.columns.str.startswith(PREFIX)]
    counts = {
        "users": histories.n_users,
        "with_a_list": int(lists[USER_ID].nunique()),
        "whole_lists": int((lists[RANK] == settings.n).sum()),
        "rows": len(lists),
    }
    return Made({context.own("lists"): {"table": lists}}, counts)
