"""The vidrec page: routes behind Airflow's login; imported only by the API server.

Leaves what a page shows to the modules of its subject, and what Airflow is asked to `airflow_side`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    requires_access_dag,
    requires_access_view,
)
from fastapi import Depends, FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from vidrec_ui import airflow_side, compare, creators, films, nights, people, refused
from vidrec_ui.rendering import STATIC, base_of, mend, page, read_static
from vidrec_ui.sources import Sources

REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)

# Airflow asks for the right to read that very DAG run beside the right to see plugins.
READS_RUN: Final = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
MAY_SEARCH: Final = Depends(
    requires_access_dag("POST", DagAccessEntity.RUN, airflow_side.SEARCH_DAG)
)

Id = Annotated[str, Query(max_length=512)]


def make_app(sources: Sources | None = None) -> FastAPI:
    """The app that Airflow mounts at ``/vidrec``; every route asks for the right to see plugins.

    Args:
        sources: where it reads; the environment's store and tables when None.
    """
    app = FastAPI(
        title="vidrec",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    )
    app.state.sources = sources or Sources()
    mend(app)
    for add in (_add_nights, _add_people, _add_films, _add_search, _add_files):
        add(app)
    return app


def _add_nights(app: FastAPI) -> None:
    @app.get("/")
    def overview(request: Request) -> Response:
        """The nights."""
        return page(request, "overview.html", nights.overview(_sources(request)))

    @app.get("/run/{run_id}")
    def run(request: Request, run_id: str) -> Response:
        """One run."""
        found = nights.run_page(_sources(request), run_id)
        return page(request, "run.html", _must(found, f"no run {run_id!r}"))

    @app.get("/rejects/{run_id}")
    def rejects(
        request: Request,
        run_id: str,
        table: Id = "",
        reason: Annotated[str, Query(max_length=2000)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    ) -> Response:
        """Rows and films that a run could not use."""
        found = refused.rejects_page(
            _sources(request), run_id, table=table, reason=reason, page=number
        )
        return page(request, "rejects.html", _must(found, f"no run {run_id!r} in the store"))

    @app.get("/compare")
    def compare_runs(request: Request, a: Id = "", b: Id = "", user_id: Id = "") -> Response:
        """Two runs beside each other."""
        found = compare.compare_page(_sources(request), a, b, user_id)
        return page(request, "compare.html", _must(found, "one of the runs is not in the tables"))

    @app.get("/dag_run", dependencies=[READS_RUN])
    def dag_run(request: Request, dag_id: str, dag_run_id: str, to: str = "run") -> Response:
        """The night that a run of a DAG stands for, or its report."""
        night = airflow_side.night_of(dag_id, dag_run_id)
        found = _sources(request).run_id_of_night(night) if night else None
        if found is None:
            what = (
                f"{dag_id} {dag_run_id} has opened no night" if night else f"{dag_id} is no night"
            )
            raise HTTPException(404, f"{what}; its first task, validate_inputs, opens it")
        where = "report" if to == "report" else "run"
        return RedirectResponse(f"{base_of(request)}/{where}/{quote(found)}", status_code=303)


def _add_people(app: FastAPI) -> None:
    @app.get("/users")
    def users(request: Request, start: Id = "") -> Response:
        """Users with a list, from an id on."""
        return page(request, "users.html", people.users_page(_sources(request), start))

    @app.get("/user")
    def user(
        request: Request,
        user_id: Id = "",
        why: Id = "",
        older: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """One user: portrait, list, history, and why a video is not in the list."""
        if not user_id:
            return RedirectResponse(f"{base_of(request)}/users", status_code=303)
        values = people.user_page(_sources(request), user_id, why=why.strip(), older=older)
        return page(request, "user.html", values)

    @app.get("/creators")
    def creators_index(request: Request, start: Id = "") -> Response:
        """Creators with a summary, from an id on."""
        return page(request, "creators.html", creators.creators_page(_sources(request), start))

    @app.get("/creator")
    def creator(request: Request, creator_id: Id) -> Response:
        """One creator."""
        found = creators.creator_page(_sources(request), creator_id)
        otherwise = (
            f"nothing may be said of {creator_id!r}: no such creator, or fewer viewers than the "
            "anonymity of the others needs"
        )
        return page(request, "creator.html", _must(found, otherwise))


def _add_films(app: FastAPI) -> None:
    @app.get("/video")
    def video(
        request: Request,
        video_id: Id,
        start: Id = "",
        q: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """One video; the words of a query are marked in what is said in it."""
        found = films.video_page(_sources(request), video_id, start=start, query=q.strip())
        return page(request, "video.html", _must(found, f"no video {video_id!r} in this night"))

    @app.get("/thumbnail")
    def thumbnail(request: Request, path: Id) -> Response:
        """One keyframe."""
        data = _must(_sources(request).picture(path), "no such picture")
        headers = {"cache-control": "private, max-age=86400"}
        return Response(data, media_type="image/jpeg", headers=headers)


def _add_search(app: FastAPI) -> None:
    @app.get("/search")
    def search(
        request: Request,
        user: GetUserDep,
        q: Annotated[str, Query(max_length=200)] = "",
        request_id: Id = "",
    ) -> Response:
        """Answers to a query, of the night or by hand."""
        values = films.search_page(_sources(request), q.strip(), request_id)
        values["open"] = airflow_side.request_of(request_id) if request_id else None
        values["may_ask"] = airflow_side.may_search(user)
        values["csrf"] = airflow_side.csrf_token(user) if values["may_ask"] else ""
        return page(request, "search.html", values)

    @app.post("/search", dependencies=[MAY_SEARCH])
    def ask(
        request: Request,
        user: GetUserDep,
        q: Annotated[str, Form(min_length=1, max_length=200)],
        csrf: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        """Trigger the search for a query, then show how far it is."""
        if not airflow_side.is_csrf_token(csrf, user):
            raise HTTPException(403, "the form was not this page's, or is too old; search again")
        if not q.strip():
            raise HTTPException(422, "the query is empty")
        try:
            request_id = airflow_side.trigger_search(q.strip(), user)
        except (LookupError, ValueError) as error:
            raise HTTPException(409, str(error)) from error
        there = urlencode({"q": q.strip(), "request_id": request_id})
        return RedirectResponse(f"{base_of(request)}/search?{there}", status_code=303)


def _add_files(app: FastAPI) -> None:
    @app.get("/report/{run_id}")
    def report(request: Request, run_id: str) -> Response:
        """The report of a run, as the night wrote it."""
        sources = _sources(request)
        run = _must(sources.run(run_id), f"no run {run_id!r} in the store")
        html = _must(sources.report(run), f"run {run_id} has no report yet: write_report makes it")
        return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})

    # A mounted StaticFiles would not ask for the login, so the files have a route.
    @app.get("/static/{name}")
    def static(name: str) -> Response:
        """The style and the script."""
        kind = _must(STATIC.get(name), f"no file {name!r}")
        headers = {"cache-control": "private, max-age=600"}
        return Response(read_static(name), media_type=kind, headers=headers)


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


def _must(value: Any, otherwise: str) -> Any:
    if value is None:
        raise HTTPException(404, otherwise)
    return value
