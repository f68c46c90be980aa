"""Fuzz of an endpoint: responses spoiled as JSON, as bodies and as bytes of HTTP, over a socket.

``python -m tests.fuzz.endpoint --answers 10000`` (`make fuzz`). Each prompt has a valid answer or
is dropped by a reason; nothing else ends a batch.
"""

import gzip
import json
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.audience.portrait_worlds import busy
from tests.fuzz import answers, command
from tests.language.raw_server import HEAD, raw_server, whole
from vidrec_tasks.audience.portrait_prompts import free_prompt
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.endpoint import EndpointGenerator
from vidrec_tasks.language.json_answers import checked_json
from vidrec_tasks.language.usage import Usage
from vidrec_tasks.settings import LanguageSettings

SEED: Final = 19
PER_ROUND: Final = 40
_ASKED: Final = re.compile(rb"number (\d+)")
_STATUSES: Final = (200, 200, 200, 200, 400, 413, 422, 429, 500, 503)
"""Of one request's fault; 401, 404 and others stop a night with a message, as they should."""
_BODIES: Final = (
    b"", b"null", b"[]", b"[" * 300_000, b'{"a":' * 50_000, b"9" * 10_000, b"\xff\xfe\x00",
    b'{"choices": [null]}', b'{"choices": [{"message": {"content": {"claims": []}}}]}',
    b'{"choices": [{"message": {"content": "\\ud800"}}]}', b" " * 1_200_000,
)  # fmt: skip
_NO_NUMBERS: Final = (
    b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1%s}}' % (b"0" * 400),
    b'{"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens": 1e999}}',
    b'{"choices": [{"message": {"content": "yes"}, "logprobs": {"content": [{"top_logprobs": '
    b'[{"token": "yes", "logprob": 1%s}]}]}}]}' % (b"0" * 400),
)
_HEADS: Final = (
    b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{", b"220 mail\r\n",
    HEAD + b"Content-Length: -1\r\n\r\n", HEAD + b"X: \x00\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n{", HEAD + b"\r\n",
    HEAD + b"Set-Cookie: " + b"a=b; " * 2_000 + b"\r\n\r\n",
)  # fmt: skip


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Ask a spoiled server so often; returns what became of the prompts.

    Raises:
        AssertionError: a prompt ended in no way, or its answer has another form.
    """
    del folder  # nothing is written
    world = busy()
    (facts,) = world.facts("u")
    prompt = free_prompt(facts, language="en")
    good = json.dumps(answers.portrait_answer(facts))
    ends: Counter[str] = Counter()

    def reply(body: bytes) -> Iterator[bytes]:
        (num,) = map(int, _ASKED.findall(body)[:1])
        if num % PER_ROUND == 0:  # a server that answers nothing at all is an error, rightly
            yield whole(_body(good))
        else:
            yield from _spoiled(json.loads(good), np.random.default_rng([SEED, num]))

    with raw_server(reply) as url:
        for first in range(0, n, PER_ROUND):
            prompts = [prompt._replace(system=f"number {num} {prompt.system}")
                       for num in range(first, min(first + PER_ROUND, n))]  # fmt: skip
            settings = LanguageSettings(model="m", endpoint_url=url, batch_size=PER_ROUND)
            generator = EndpointGenerator(settings, n_attempts=1)
            try:
                found = generator.complete(prompts)
            except ModelError as error:  # bytes were flipped into a status that stops a night
                if not re.search(r"status \d{3}; see", str(error)):
                    raise
                ends["stopped in words"] += len(prompts)
                continue
            dropped = generator.usage.dropped
            assert sum(map(bool, found)) + dropped.total() == len(prompts), dropped
            assert found[0] == good
            for text in filter(None, found):
                assert checked_json(text, prompt.schema, Usage()), text
                answers.portrait(text, facts, world.judge)
            ends["used"] += sum(map(bool, found))
            ends.update({f"dropped: {reason}": number for reason, number in dropped.items()})
    return ends


def _spoiled(answer: dict[str, Any], rng: np.random.Generator) -> Iterator[bytes]:
    """One response, whole or in pieces."""
    if rng.integers(0, 8) == 0:
        yield _HEADS[int(rng.integers(0, len(_HEADS)))]
        return
    data = answers.broken(whole(_spoiled_body(answer, rng)), rng) if rng.integers(0, 6) == 0 else (
        _response(_spoiled_body(answer, rng), rng)
    )  # fmt: skip
    size = max(1, len(data) // int(rng.integers(1, 6)))
    for place in range(0, len(data), size):
        yield data[place : place + size]


def _spoiled_body(answer: dict[str, Any], rng: np.random.Generator) -> bytes:
    kind = int(rng.integers(0, 8))
    if kind == 0:
        bodies = (*_BODIES, *_NO_NUMBERS)
        return bodies[int(rng.integers(0, len(bodies)))]
    text = answers.mangled(answer, rng).encode("utf-8", "replace").decode()
    body = _body(text)
    if kind in (1, 2):
        row = json.loads(body)
        answers.spoil(row, rng)
        body = json.dumps(row).encode("utf-8", "surrogatepass")
    return answers.broken(body, rng) if kind == 3 else body


def _body(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    row = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
           "usage": {"prompt_tokens": 9, "completion_tokens": 3}}  # fmt: skip
    return json.dumps(row).encode()


def _response(body: bytes, rng: np.random.Generator) -> bytes:
    """With a status, and now and then in an encoding that is true or not."""
    status = _STATUSES[int(rng.integers(0, len(_STATUSES)))]
    head = HEAD.replace(b"200 OK", b"%d X" % status)
    kind = int(rng.integers(0, 12))
    if kind == 0:
        return head + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body)
    if kind == 1:
        return head + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(body)[:-9]
    if kind == 2:
        return head + b"Content-Encoding: gzip, br, x\r\n\r\n" + body
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    said = "{n} spoiled responses of an endpoint: {found}; none crashed"
    raise SystemExit(command.run(fuzz, "answers", 10_000, said, about=__doc__))
