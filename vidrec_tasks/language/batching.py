"""Batch files: prompts as requests that somebody answers later, at the price of a batch.

Requests and answers are JSON Lines in the form of OpenAI's batch API, which other servers and
providers read too. Answers are found again by the prompt alone, so a file may come any night.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from vidrec_tasks.language.generator import Mailbox, Prompt
from vidrec_tasks.language.protocol import (
    JSON_SCHEMA,
    PATH,
    Answer,
    judged,
    read_answer,
    request_of,
)
from vidrec_tasks.language.usage import BROKEN_LINE, FAILED, UNKNOWN_ID, Usage
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

URL: Final = f"/v1{PATH}"
_OK: Final = 200
_MAX_NAME: Final = 64
"""Characters of a name, as in OpenAI's batch API; those of requests here have 40."""


def identity_of(settings: LanguageSettings) -> str:
    """The model that is to answer, and that it does so later."""
    return f"{settings.model}@batch"


def custom_id(prompt: Prompt, settings: LanguageSettings) -> str:
    """What a prompt is found again by: a hash of all that its answer depends on."""
    asked = [identity_of(settings), request_of(prompt, settings, form=JSON_SCHEMA)]
    asked.append([prompt.start, prompt.grammar])
    text = json.dumps(asked, ensure_ascii=True)  # a schema's fields in its order: a model writes so
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def request_line(prompt: Prompt, settings: LanguageSettings) -> bytes:
    """A prompt as a line of a file of requests."""
    request = {
        "custom_id": custom_id(prompt, settings),
        "method": "POST",
        "url": URL,
        "body": request_of(prompt, settings, form=JSON_SCHEMA),
    }
    return json.dumps(request, ensure_ascii=False).encode()


class BatchGenerator:
    """Takes answers that have come, and leaves requests for those that have not.

    Args:
        settings: model, max_new_tokens, max_batch_requests.
        mailbox: where answers are read and requests are left.
        usage: what it counts its tokens, drops and unanswered prompts in.
    """

    def __init__(
        self, settings: LanguageSettings, mailbox: Mailbox, *, usage: Usage | None = None
    ) -> None:
        self.usage = usage or Usage()
        self._settings, self._mailbox = settings, mailbox
        self._waiting: dict[str, bytes] = {}
        self._asked: set[str] = set()
        self._n_broken = self._n_unknown = 0

    @property
    def identity(self) -> str:
        """The model that is to answer, and that it does so later."""
        return identity_of(self._settings)

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """The answer to each prompt that has one, in order; an empty string for the others.

        Raises:
            StoreError: the mailbox cannot be read or written.
        """
        asked = {prompt: custom_id(prompt, self._settings) for prompt in prompts}
        self._asked |= set(asked.values())
        found = self._found(frozenset(asked.values()))
        answers: dict[Prompt, str] = {}
        for prompt, name in asked.items():
            if name in found:
                answer = found[name]
                self.usage.tokens_in += answer.tokens_in
                self.usage.tokens_out += answer.tokens_out
                answers[prompt] = judged(prompt, answer, self.usage)
            else:
                self.usage.unanswered.add(prompt)
                self._await(prompt, name)
        if len(answers) < len(asked):
            self._mailbox.leave(self._waiting)
            log.info(
                "%d of %d prompts were answered in batch files; %d requests wait",
                len(answers), len(asked), len(self._waiting),
            )  # fmt: skip
        return [answers.get(prompt, "") for prompt in prompts]

    def _await(self, prompt: Prompt, name: str) -> None:
        if len(self._waiting) < self._settings.max_batch_requests:
            self._waiting.setdefault(name, request_line(prompt, self._settings))

    def _found(self, names: frozenset[str]) -> Mapping[str, Answer]:
        """The answers to some prompts; the last of several, and a good one before a failed one.

        Files of answers hold those of every job and shard, so a name that is not asked for here is
        nothing wrong; one that nobody ever asked for is counted.
        """
        found: dict[str, Answer] = {}
        failed: set[str] = set()
        others: set[str] = set()
        n_broken = 0
        for line in self._mailbox.answers():
            name, answer = _read(line)
            n_broken += not name
            if name and name not in self._asked:
                others.add(name)
            if name in names and answer is not None:
                found[name] = answer
            elif name in names:
                failed.add(name)
        if n_broken > self._n_broken:  # the same files are read for every call
            self.usage.dropped[BROKEN_LINE] += n_broken - self._n_broken
            self._n_broken = n_broken
        if n_failed := len(failed - found.keys()):
            self.usage.dropped[FAILED] += n_failed
        self._count_unknown(others)
        return found

    def _count_unknown(self, others: set[str]) -> None:
        """Count the names that nobody asked for, anew in every call: a later one may ask."""
        if others:
            others.difference_update(self._mailbox.asked())
        self.usage.dropped[UNKNOWN_ID] += len(others) - self._n_unknown
        self._n_unknown = len(others)
        self.usage.dropped += Counter()  # a count that fell to 0 goes


def _read(line: bytes) -> tuple[str, Answer | None]:
    """Name and answer of a line: no answer where the request failed, no name where it broke."""
    try:
        row = json.loads(line)
        response = row.get("response") or {}
        is_ok = not row.get("error") and response.get("status_code", _OK) == _OK
        answer = read_answer(response.get("body")) if is_ok else None
        name = row["custom_id"]
        return (name, answer) if isinstance(name, str) and len(name) <= _MAX_NAME else ("", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", None


def answer_line(name: str, text: str) -> bytes:
    """A whole answer as a line of a file of answers."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    body = {"choices": [{**choice, "finish_reason": "stop"}]}
    response = {"status_code": _OK, "request_id": name, "body": body}
    row = {"id": name, "custom_id": name, "response": response, "error": None}
    return json.dumps(row, ensure_ascii=False, sort_keys=True).encode()


def name_of(line: bytes) -> str:
    """Whose answer a line is; '' where it cannot be told, or the request failed."""
    name, answer = _read(line)
    return "" if answer is None else name


_NO_REQUEST: Final = (
    ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError,
)  # fmt: skip
"""What a line of something else brings about in what reads requests."""


def read_requests(lines: Iterator[bytes]) -> Iterator[tuple[str, Prompt]]:
    """The requests of a file, by name.

    Raises:
        ValueError: a line is no request of this form.
    """
    for line in lines:
        try:
            row = json.loads(line)
            body = row["body"]
            system, user = (message["content"] for message in body["messages"])
            form = body.get("response_format")
            schema = json.dumps(form["json_schema"]["schema"]) if form else ""
            if "$ref" in schema or "$dynamicRef" in schema:  # a validator would fetch it
                raise ValueError("a schema that refers elsewhere")
            prompt = Prompt(system, user, schema=schema, max_tokens=int(body["max_tokens"]))
            yield str(row["custom_id"]), prompt
        except _NO_REQUEST as error:
            raise ValueError(f"no request of a batch: {line[:80]!r}") from error
