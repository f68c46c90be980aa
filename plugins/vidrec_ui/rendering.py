"""Rendering: templates, headers, and refusals as pages that say what to do next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from airflow.api_fastapi.app import get_auth_manager
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from vidrec_tasks.errors import VidrecError
from vidrec_tasks.evaluation.report import TEMPLATES, make_environment

_HERE: Final = Path(__file__).parent
STATIC: Final = {
    "vidrec.css": "text/css", "theme.js": "text/javascript", "waiting.js": "text/javascript",
}  # fmt: skip
"""The files that the page serves, with their kinds; no other name is looked up."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


def mend(app: FastAPI) -> None:
    """Give every answer its headers, and every refusal a page."""
    app.middleware("http")(_harden)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misspelled)
    app.add_exception_handler(VidrecError, _broken)


def page(request: Request, name: str, values: dict[str, Any], *, status: int = 200) -> Response:
    """A template with its values, as an answer."""
    base = base_of(request)
    html = _TEMPLATES.get_template(name).render(
        base=base, airflow=base.removesuffix("/vidrec"), **values
    )
    return HTMLResponse(html, status_code=status)


def base_of(request: Request) -> str:
    """Where the app is mounted: ``/vidrec``, behind a proxy's prefix if there is one."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def read_static(name: str) -> bytes:
    """The bytes of one of the files of `STATIC`."""
    return (_HERE / "static" / name).read_bytes()


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
    message = f"{first['loc'][-1]}: {first['msg']}"
    return _problem(request, "The address is incomplete", message, status=422)


def _broken(request: Request, error: Exception) -> Response:
    """What vidrec says is wrong; its messages name the next step."""
    return _problem(request, "vidrec cannot be read", str(error), status=503)


def _problem(
    request: Request, title: str, message: str, *, status: int, login: str = ""
) -> Response:
    values = {"title": title, "message": message, "login": login}
    return page(request, "problem.html", values, status=status)


def _login(request: Request) -> str:
    """The login of the auth manager in use, which leads back here."""
    login = str(get_auth_manager().get_url_login(next_url=str(request.url)))
    return login if "://" in login else f"{base_of(request).removesuffix('/vidrec')}{login}"


# The report's own tables are drawn here too: a number is worded and laid out once.
_TEMPLATES: Final = make_environment(_HERE / "templates", TEMPLATES)
