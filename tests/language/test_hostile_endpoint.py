"""A server that answers without end, compressed, slowly or in another form costs one answer."""

import base64
import gzip
import json
import logging
import threading
import zlib
from collections.abc import Iterator

import pytest

from tests.language.raw_server import HEAD, Reply, raw_server, whole
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language import endpoint
from vidrec_tasks.language.endpoint import EndpointGenerator
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.settings import LanguageSettings

GOOD = json.dumps({"choices": [{"message": {"content": "This user likes cats."}}]}).encode()
PROMPTS = [Prompt("system", "good", "This user"), Prompt("system", "bad", "This user")]
LIMIT = 1_000_000


def ask(bad: Reply, *, timeout_s: float = 5.0) -> tuple[list[str], EndpointGenerator]:
    """The answers where the second prompt is answered badly."""

    def reply(body: bytes) -> Iterator[bytes]:
        yield from [whole(GOOD)] if b'"good' in body else bad(body)

    with raw_server(reply) as url:
        settings = LanguageSettings(model="m", endpoint_url=url, endpoint_timeout_s=timeout_s)
        generator = EndpointGenerator(settings, n_attempts=1)
        return generator.complete(PROMPTS), generator


def test_an_answer_without_end_is_left_when_it_is_too_long() -> None:
    sent = [0]

    def endless(body: bytes) -> Iterator[bytes]:
        yield HEAD + b"\r\n"
        while True:
            sent[0] += 1
            yield b" " * 100_000

    answers, generator = ask(endless)
    assert answers == ["This user likes cats.", ""]
    assert generator.usage.dropped == {"no answer": 1}
    assert sent[0] * 100_000 < 100 * LIMIT  # what the sockets hold beyond the limit


def test_a_compressed_answer_is_not_asked_for_and_is_not_unpacked_beyond_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpacked = [0]
    read = endpoint.EndpointGenerator._read

    async def counted(self: EndpointGenerator, response: object) -> bytes:
        body = await read(self, response)  # type: ignore[arg-type]
        unpacked[0] = max(unpacked[0], len(body))
        return body

    monkeypatch.setattr(endpoint.EndpointGenerator, "_read", counted)
    bomb = gzip.compress(b" " * 400 * LIMIT, compresslevel=9)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answers, _ = ask(lambda body: [head, bomb], timeout_s=30.0)
    assert answers == ["This user likes cats.", ""]
    assert LIMIT < unpacked[0] < 200 * LIMIT


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        (HEAD + b"X: ", b"y"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["body", "header", "hints", "length of a piece"],
)
def test_an_answer_that_drips_ends_with_the_time_of_an_answer(begin: bytes, drop: bytes) -> None:
    is_over = threading.Event()

    def dripping(body: bytes) -> Iterator[bytes]:
        yield begin
        while not is_over.wait(0.05):
            yield drop

    try:
        answers, generator = ask(dripping, timeout_s=2.0)
    finally:
        is_over.set()
    assert answers == ["This user likes cats.", ""]
    assert generator.usage.dropped["late"] == 1


@pytest.mark.parametrize(
    "body",
    [b"[" * 500_000, b'{"choices":' * 50_000, b"\xff\xfe", b"9" * 10_000, b"\x00", b"null"],
    ids=["nested", "nested objects", "no text", "a long number", "zero", "null"],
)
def test_a_body_that_is_no_answer_costs_one_answer(body: bytes) -> None:
    answers, generator = ask(lambda _: [whole(body)])
    assert answers == ["This user likes cats.", ""]
    assert generator.usage.dropped == {"no answer": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{", b"not http at all",
        HEAD + b"Content-Length: -1\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        HEAD + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"[") + b"tail",
    ],
)  # fmt: skip
def test_what_is_no_response_costs_one_answer(raw: bytes) -> None:
    answers, generator = ask(lambda _: [raw])
    assert answers == ["This user likes cats.", ""]
    assert generator.usage.dropped.total() == 1


def test_a_password_in_the_address_goes_to_the_server_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    with raw_server(lambda body: [whole(GOOD)], heads := []) as url:
        address = url.replace("://", "://some%40one:not-for-logs@")
        generator = EndpointGenerator(LanguageSettings(model="m", endpoint_url=address))
        assert generator.complete(PROMPTS[:1]) == ["This user likes cats."]
    assert b"Basic " + base64.b64encode(b"some@one:not-for-logs") in heads[0]
    assert "httpx" in {record.name for record in caplog.records}
    assert "not-for-logs" not in caplog.text + generator.identity


def test_a_redirect_is_not_followed() -> None:
    asked = []

    def elsewhere(body: bytes) -> list[bytes]:
        asked.append(body)
        return [whole(GOOD)]

    with raw_server(elsewhere) as other:
        moved = b"HTTP/1.1 307 Moved\r\nLocation: " + other.encode() + b"/chat/completions\r\n"
        with pytest.raises(ModelError, match="status 307"):
            ask(lambda _: [moved + b"Content-Length: 0\r\nConnection: close\r\n\r\n"])
    assert asked == []
