"""answer_request: queries that somebody asks now, answered from the published night's features."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    MATCHED,
    QUERY,
    RANK,
    REQUEST_ID,
    RUN_ID,
    SCORE,
    TITLE,
    VIDEO_ID,
)
from vidrec_tasks.contracts.artefacts import check_artefact
from vidrec_tasks.errors import InputError, MissingArtefact
from vidrec_tasks.jobs.shared.search import search_features
from vidrec_tasks.language.quoting import quote
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import ContentSettings, Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

N_SHOWN: Final = 50
"""Rows in what is said: it travels through XCom; the table has all of them."""


def answer_request(
    settings: Settings,
    store: Store,
    *,
    request_id: str,
    queries: Sequence[str],
    n_results: int = 10,
) -> dict[str, Any]:
    """Answer queries now, into ``adhoc_search_results``; a published run is never altered.

    Args:
        settings: encoders, as the published night had them.
        store: the store.
        request_id: who asks; asking again replaces the answers.
        queries: texts; blank ones and repetitions are left out.
        n_results: videos a query, 1 to 200.

    Returns:
        request_id, run_id, n_queries, n_rows and the first rows of each query.

    Raises:
        InputError: there is no query.
        MissingArtefact: no night is published yet, or its features are gone.
    """
    asked = list(dict.fromkeys(flat for query in queries if (flat := " ".join(query.split()))))
    if not asked:
        message = (
            f"request {request_id}: none of {len(queries)} queries contains a word; enter at "
            "least one"
        )
        raise InputError(message)
    url = results_url(settings, store)
    run = _current(store, url)
    # checked like the setting it stands in for
    searching = type(settings.searching)(
        **{**settings.searching.model_dump(), "n_results": max(1, min(200, n_results))}
    )
    # its vectors can only be compared with those of the encoders that made them
    content = ContentSettings(**run.record.settings["content"])
    settings = settings.model_copy(update={"content": content})
    moment = max(pd.Timestamp(datetime.now(UTC)), pd.Timestamp(run.night, tz="UTC"))
    cache = store.cache("models")
    answers = search_features(run, asked, settings, moment=moment, searching=searching, cache=cache)
    check_artefact("answers", {"table": answers})
    answers[RUN_ID] = run.run_id
    publisher = Publisher(make_engine(url))
    publisher.prepare()
    n_rows = publisher.write_answers(request_id, answers)
    log.info("request %s: %d rows for %d queries", request_id, n_rows, len(asked))
    answer = {REQUEST_ID: request_id, RUN_ID: run.run_id, "n_queries": len(asked), "n_rows": n_rows}
    return {**answer, "rows": _shown(answers, run, len(asked))}


def _current(store: Store, url: str) -> Run:
    reader = Reader(url)
    try:
        run_id = reader.current_run_id()
    finally:
        reader.close()
    if run_id is None:
        message = "search: no night is published yet; run a night first (vidrec_nightly)"
        raise MissingArtefact(message)
    return Runs(store).get(run_id)


def _shown(answers: pd.DataFrame, run: Run, n_queries: int) -> list[dict[str, Any]]:
    """The first rows of each query, with titles, small enough for a postcard."""
    videos = run.read_table("videos")
    titles = dict(zip(videos[VIDEO_ID], videos[TITLE], strict=True))
    first = answers[answers[RANK] <= max(1, N_SHOWN // n_queries)].head(N_SHOWN)
    return [
        {
            QUERY: row[QUERY],
            RANK: int(row[RANK]),
            VIDEO_ID: row[VIDEO_ID],
            TITLE: quote(str(titles.get(row[VIDEO_ID], ""))),
            MATCHED: row[MATCHED],
            AT_S: None if pd.isna(row[AT_S]) else float(row[AT_S]),
            SCORE: float(row[SCORE]),
        }
        for row in first.to_dict("records")
    ]
