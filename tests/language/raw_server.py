"""A server on loopback that answers each request with any bytes at all."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Reply = Callable[[bytes], Iterable[bytes]]
"""The body of a request -> what is sent, piece by piece, before the connection is closed."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def whole(body: bytes) -> bytes:
    """A response with a length."""
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


@contextmanager
def raw_server(reply: Reply, heads: list[bytes] | None = None) -> Iterator[str]:
    """A running server; yields the URL of its API.

    Args:
        reply: what is answered.
        heads: gets the head of each request.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length, head = 0, []
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head.append(line)
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if heads is not None:
                heads.append(b"".join(head))
            with suppress(OSError):  # who asked may have heard enough
                for piece in reply(self.rfile.read(length)):
                    self.wfile.write(piece)
                self.connection.shutdown(socket.SHUT_RDWR)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
