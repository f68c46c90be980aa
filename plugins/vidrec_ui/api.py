"""The vidrec page: routes behind Airflow's login; reads only, imported only by the API server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from vidrec_tasks.errors import VidrecError
from vidrec_tasks.evaluation.report import format_number
from vidrec_ui import pages
from vidrec_ui.sources import Sources

_HERE: Final = Path(__file__).parent
_STATIC: Final = {"vidrec.css": "text/css", "theme.js": "text/javascript"}

PAGE_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)


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
    app.middleware("http")(_harden)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misspelled)
    app.add_exception_handler(VidrecError, _broken)
    _add_pages(app)
    _add_files(app)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/")
    def overview(request: Request) -> Response:
        """The nights."""
        return _page(request, "overview.html", pages.overview(_sources(request)))

    @app.get("/user")
    def user(request: Request, user_id: str = Query("", max_length=512)) -> Response:
        """One user's list."""
        if not user_id:
            return RedirectResponse(f"{_base(request)}/", status_code=303)
        return _page(request, "user.html", pages.user_page(_sources(request), user_id))

    @app.get("/video")
    def video(request: Request, video_id: str = Query(max_length=512)) -> Response:
        """One video."""
        found = pages.video_page(_sources(request), video_id)
        return _page(request, "video.html", _must(found, f"no video {video_id!r} in this night"))

    @app.get("/search")
    def search(request: Request, q: str = Query("", max_length=200)) -> Response:
        """Answers of the night to a query."""
        return _page(request, "search.html", pages.search_page(_sources(request), q.strip()))

    @app.get("/run/{run_id}")
    def run(request: Request, run_id: str) -> Response:
        """One run."""
        found = pages.run_page(_sources(request), run_id)
        return _page(request, "run.html", _must(found, f"no run {run_id!r}"))

    # Airflow asks for the right to read that very DAG run beside the right to see plugins.
    @app.get("/dag_run", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))])
    def dag_run(request: Request, dag_id: str, dag_run_id: str) -> Response:
        """The night that a run of a DAG stands for."""
        night = _night_of(dag_id, dag_run_id)
        found = _sources(request).run_id_of_night(night) if night else None
        if found is None:
            what = (
                f"{dag_id} {dag_run_id} has opened no night" if night else f"{dag_id} is no night"
            )
            raise HTTPException(404, f"{what}; its first task, validate_inputs, opens it")
        return RedirectResponse(f"{_base(request)}/run/{quote(found)}", status_code=303)


def _add_files(app: FastAPI) -> None:
    @app.get("/report/{run_id}")
    def report(request: Request, run_id: str) -> Response:
        """The report of a run, as the night wrote it."""
        sources = _sources(request)
        run = _must(sources.run(run_id), f"no run {run_id!r} in the store")
        html = _must(sources.report(run), f"run {run_id} has no report yet: write_report makes it")
        return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})

    @app.get("/thumbnail")
    def thumbnail(request: Request, path: str = Query(max_length=512)) -> Response:
        """One keyframe."""
        data = _must(_sources(request).picture(path), "no such picture")
        headers = {"cache-control": "private, max-age=86400"}
        return Response(data, media_type="image/jpeg", headers=headers)

    # A mounted StaticFiles would not ask for the login, so the two files have a route.
    @app.get("/static/{name}")
    def static(name: str) -> Response:
        """The style and the script."""
        kind = _must(_STATIC.get(name), f"no file {name!r}")
        data = (_HERE / "static" / name).read_bytes()
        return Response(data, media_type=kind, headers={"cache-control": "private, max-age=600"})


async def _harden(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in (
        ("content-security-policy", PAGE_POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ):
        response.headers.setdefault(name, value)
    return response


def _refused(request: Request, error: Exception) -> Response:
    """A refusal as a page: whoever is not logged in finds the way to the login."""
    assert isinstance(error, StarletteHTTPException)
    titles = {401: "Log in first", 403: "Not for you", 404: "Not there"}
    return _problem(
        request,
        titles.get(error.status_code, "That did not work"),
        str(error.detail),
        status=error.status_code,
        login=_login(request) if error.status_code == 401 else "",
    )


def _misspelled(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    said = f"{first['loc'][-1]}: {first['msg']}"
    return _problem(request, "The address is incomplete", said, status=422)


def _broken(request: Request, error: Exception) -> Response:
    """What vidrec says is wrong; its messages name the next step."""
    return _problem(request, "vidrec cannot be read", str(error), status=503)


def _problem(
    request: Request, title: str, message: str, *, status: int, login: str = ""
) -> Response:
    said = {"title": title, "message": message, "login": login}
    return _page(request, "problem.html", said, status=status)


def _page(request: Request, name: str, values: dict[str, Any], *, status: int = 200) -> Response:
    html = _TEMPLATES.get_template(name).render(base=_base(request), **values)
    return HTMLResponse(html, status_code=status)


def _base(request: Request) -> str:
    """Where the app is mounted: ``/vidrec``, behind a proxy's prefix if there is one."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _login(request: Request) -> str:
    """The login of the auth manager in use, which leads back here."""
    login = str(get_auth_manager().get_url_login(next_url=str(request.url)))
    return login if "://" in login else f"{_base(request).removesuffix('/vidrec')}{login}"


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


def _must(value: Any, otherwise: str) -> Any:
    if value is None:
        raise HTTPException(404, otherwise)
    return value


def _night_of(dag_id: str, dag_run_id: str) -> date | None:
    """The night of a DAG run, as the DAGs choose it; None when it is no run of a night."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    if dag_id not in ("vidrec_nightly", "vidrec_rebuild"):
        return None
    with create_session() as session:
        chosen = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == dag_run_id)
        run = session.scalar(chosen)
        if run is None:
            return None
        asked = (run.conf or {}).get("night")
        moment = run.data_interval_end or run.run_after
        return date.fromisoformat(asked) if asked else moment.astimezone(UTC).date()


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment


_TEMPLATES: Final = _templates()
