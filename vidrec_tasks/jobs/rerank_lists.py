"""rerank_lists: from ranked candidates to each user's list, varied and inside the rules."""

from vidrec_tasks.columns import RANK, SCORE, SCORE_COMPONENTS, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.checking import check
from vidrec_tasks.jobs._job import Context, Made, job
from vidrec_tasks.jobs._reading import read_content, read_histories, read_rules
from vidrec_tasks.recommending.reranker import rerank_lists as rerank
from vidrec_tasks.store.codecs import from_texts


@job(
    needs=("videos", "users", "content", "duplicates", "profiles.#", "ranked.#"),
    makes=("lists.#",),
    settings=("recommending",),
    per="user_shard",
)
def rerank_lists(context: Context) -> Made:
    """Diversify, keep a place for new videos, cap creators; the rules come last."""
    settings = context.settings.recommending
    histories = read_histories(context)
    lists = rerank(
        context.run.read_rows(context.own("ranked"), as_text=True),
        histories,
        read_content(context),
        read_rules(context, context.night),
        settings,
    )
    # of 200 candidates ten are listed: only theirs are read as what they are
    lists[SCORE_COMPONENTS] = from_texts(lists[SCORE_COMPONENTS])
    check(lists, "lists", key=(USER_ID, RANK), columns=(VIDEO_ID, SCORE))
    check(lists, "lists", key=(USER_ID, VIDEO_ID), columns=())
    counts = {
        "users": histories.n_users,
        "with_a_list": int(lists[USER_ID].nunique()),
        "whole_lists": int((lists[RANK] == settings.n).sum()),
        "rows": len(lists),
    }
    return Made({context.own("lists"): {"table": lists}}, counts)
