"""The health checks of containers: an exit code and one line, whatever is wrong."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scripts.healthy import main


class Answers(BaseHTTPRequestHandler):
    """``/well`` answers, ``/ill`` is an error."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/well" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_that_answers_is_healthy(url: str) -> None:
    assert main(["http", f"{url}/well"]) == 0


def test_an_error_is_one_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http", f"{url}/ill"]) == 1
    assert capsys.readouterr().err == f"http {url}/ill: HTTP Error 503: Service Unavailable\n"


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["job", "TriggererJob"], "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
        (["worker", "worker-1"], "AIRFLOW__CELERY__BROKER_URL"),
    ],
)
def test_what_is_not_set_is_unhealthy(
    words: list[str],
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(variable, raising=False)
    assert main(words) == 1
    assert variable in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["http"], ["pulse", "x"]])
def test_what_it_does_not_know_is_said(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "healthy.py http URL" in capsys.readouterr().err
