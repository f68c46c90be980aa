"""A back end over the result tables: a list with its reasons, similar videos, search.

``VIDREC_READER_URL=sqlite:////path/results.sqlite uvicorn examples.back_end:app`` (or
``postgresql://…``). It reads the tables alone: no night has to run, and no Airflow.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Response

from vidrec_tasks.publishing.reader import Reader


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    """One reader for the life of the process; its connections are pooled."""
    app.state.reader = Reader(os.environ["VIDREC_READER_URL"])
    yield
    app.state.reader.close()


app = FastAPI(title="vidrec", lifespan=connected)
Number = Annotated[int, Query(ge=1, le=200)]


@app.get("/users/{user_id}/list")
def list_for(user_id: str, segment: str = "__default__", n: Number = 10) -> dict[str, Any]:
    """The user's own list, or else their segment's, or else everybody's: never an error."""
    listing = app.state.reader.list_for(user_id, segment=segment, n=n)
    shown = ("rank", "video_id", "explanation")
    rows = [{name: row[name] for name in shown} for row in listing.rows]
    return {"list": listing.segment or "own", "videos": rows}


@app.get("/videos/{video_id}/similar")
def similar(video_id: str, n: Number = 10) -> list[dict[str, Any]]:
    """Similar videos and what they share; empty for a video that is not in the catalogue."""
    rows = app.state.reader.similar(video_id, n=n)
    return [{"video_id": row["similar_video_id"], "reason": row["reason"]} for row in rows]


@app.get("/search")
def search(q: str, n: Number = 10) -> list[dict[str, Any]]:
    """The answers to a query of the last night, each with the second where it matches."""
    rows = app.state.reader.search(q, n=n)
    return [{name: row[name] for name in ("video_id", "matched", "at_s")} for row in rows]


@app.get("/healthy")
def healthy(response: Response) -> dict[str, str]:
    """Which run is shown; 503 before the first night."""
    run_id = app.state.reader.current_run_id()
    if run_id is None:
        raise HTTPException(503, "no night is published yet")
    response.headers["Cache-Control"] = "no-store"
    return {"run_id": run_id}
