"""answer_queries: what people search for, answered before they ask."""

import logging

from vidrec_tasks.columns import CONCEPTS, COUNT, MATCHED, QUERY
from vidrec_tasks.content.modalities.registry import PARTS
from vidrec_tasks.jobs.shared.reading import moment_of
from vidrec_tasks.jobs.shared.search import search_features
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.searching.queries import derive_queries

log = logging.getLogger(__name__)


@job()
def answer_queries(context: Context) -> Made:
    """Answer the queries table, or what titles, tags and concepts would be asked."""
    queries, n_given = _queries(context)
    answers = search_features(
        context,
        queries,
        context.settings,
        moment=moment_of(context.night),
        cache=context.store.cache("models"),
    )
    matched = answers[MATCHED].str.split("+").explode().value_counts()
    counts = {
        "queries": len(queries),
        "queries_given": n_given,
        "rows": len(answers),
        **{f"matched_{part}": int(matched.get(part, 0)) for part in PARTS.values()},
    }
    return Made({"answers": {"table": answers}}, counts)


def _queries(context: Context) -> tuple[list[str], int]:
    """The most frequent queries, and how many were given."""
    given = context.read_table("queries")
    n = context.settings.searching.max_queries
    if len(given):
        chosen = given.sort_values([COUNT, QUERY], ascending=[False, True], kind="stable")
        if len(given) > n:
            log.info("%d of %d queries are answered, most frequent first", n, len(given))
    else:
        concepts = context.read_table("content")[CONCEPTS]
        chosen = derive_queries(context.read_table("videos"), list(concepts), n=n)
    return [str(query) for query in chosen[QUERY].head(n)], len(given)
