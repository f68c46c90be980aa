"""rank_candidates: score the candidates of a shard's users and order them."""

from vidrec_tasks.columns import SOURCE, USER_ID, VIDEO_ID
from vidrec_tasks.jobs.shared.reading import read_content, read_histories, read_serving
from vidrec_tasks.recommending.lists.ranker import rank_candidates as rank
from vidrec_tasks.running.job import Context, Made, job


@job()
def rank_candidates(context: Context) -> Made:
    """Score every candidate with the scorer that serves."""
    models = read_serving(context, read_content(context))
    table = rank(
        models,
        read_histories(context),
        context.read_rows(context.own("candidates"), columns=[USER_ID, VIDEO_ID, SOURCE]),
        scorer=models.configuration.scorer,
    )
    return Made({context.own("ranked"): {"table": table}}, {"ranked": len(table)})
