"""A proxy before an object store that, when told, answers 500 or does not answer at all."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEPT = ("content-length", "content-type", "etag", "last-modified", "content-range", "accept-ranges")


class Flaky:
    """What the proxy does to the next requests.

    Attributes:
        url: where it listens.
        n_errors: so many requests are answered with 500.
        n_silent: so many are not answered for ``silence_s``.
        n_seen: requests so far.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.n_errors = self.n_silent = self.n_seen = 0
        self.silence_s = 5.0
        self.url = ""

    def disturbed(self) -> str:
        """What happens to this request: '' it passes."""
        self.n_seen += 1
        if self.n_errors > 0:
            self.n_errors -= 1
            return "error"
        if self.n_silent > 0:
            self.n_silent -= 1
            return "silent"
        return ""


@contextmanager
def flaky_proxy(target_port: int) -> Iterator[Flaky]:
    """A running proxy before a server on loopback."""
    flaky = Flaky(target_port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            what = flaky.disturbed()
            if what == "silent":
                time.sleep(flaky.silence_s)
            if what:
                self._answer(500, [], b"")
                return
            connection = HTTPConnection("127.0.0.1", flaky.target_port, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() in KEPT
                    or name.lower().startswith("x-amz")]  # fmt: skip
            self._answer(answer.status, kept, answer.read())
            connection.close()

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            named = {name.lower() for name, _ in headers}
            for name, value in headers:
                self.send_header(name, value)
            if "content-length" not in named:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    flaky.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield flaky
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
