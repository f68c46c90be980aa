"""rerank_lists: from ranked candidates to each user's list, varied and inside the rules."""

from vidrec_tasks.columns import RANK, SCORE_COMPONENTS, USER_ID
from vidrec_tasks.jobs.shared.reading import read_content, read_histories, read_rules, read_serving
from vidrec_tasks.recommending.lists.relevance import RELEVANCE, add_relevance
from vidrec_tasks.recommending.lists.reranker import rerank_lists as rerank
from vidrec_tasks.recommending.lists.score_parts import parts_of_rows, with_relevance
from vidrec_tasks.running.job import Context, Made, job


@job()
def rerank_lists(context: Context) -> Made:
    """Add relevance, diversify, keep a place for new videos, cap creators; the rules come last."""
    settings = context.settings.recommending
    histories, content = read_histories(context), read_content(context)
    ranked = add_relevance(
        context.read_table(context.own("ranked")),
        context.read_table(context.own("judged")),
        context.read_json("relevance", "learned"),
    )
    lists = rerank(
        ranked,
        histories,
        content,
        read_rules(context, context.night, histories.user_ids),
        settings,
    )
    models = read_serving(context, content)
    parts = parts_of_rows(models, histories, lists, scorer=models.configuration.scorer)
    lists[SCORE_COMPONENTS] = with_relevance(parts, lists.pop(RELEVANCE))
    counts = {
        "users": histories.n_users,
        "with_a_list": int(lists[USER_ID].nunique()),
        "whole_lists": int((lists[RANK] == settings.n).sum()),
        "rows": len(lists),
    }
    return Made({context.own("lists"): {"table": lists}}, counts)
