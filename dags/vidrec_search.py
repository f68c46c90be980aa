"""By hand: answer these queries now."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param
from vidrec_dag_defaults import DEFAULT_ARGS, OPEN, TAGS, by_hand

DOC = """
### vidrec: search

Answers queries at once from the published night's features, and writes them to
`adhoc_search_results` under this DAG run's id. A published night is never altered.
"""

with DAG(
    dag_id="vidrec_search",
    description="Answer search queries now.",
    doc_md=DOC,
    schedule=None,
    is_paused_upon_creation=False,  # nothing runs unless somebody asks
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    default_args=DEFAULT_ARGS,
    tags=[*TAGS, "by hand"],
    params={
        "queries": Param(
            ["a cat on a sofa"],
            type="array",
            items={"type": "string", "minLength": 1, "maxLength": 200},
            minItems=1,
            maxItems=100,
            title="Queries",
            description_md="What to look for, one query a line, as one would say it: “a cat "
            "on a sofa”, “rocket launch at night”. 1 to 100 queries of at most 200 letters.",
            section=OPEN,
        ),
        "n_results": Param(
            10,
            type="integer",
            minimum=1,
            maximum=200,
            title="Results",
            description_md="Videos per query, 1 to 200, best first.",
            section="How many",
        ),
    },
) as dag:
    by_hand("answer_request", {"queries": "queries", "n_results": "n_results"})()
