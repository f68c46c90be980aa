"""An OpenAI-compatible endpoint as a generator: bounded, patient, and silent about its key.

Speaks ``POST {endpoint_url}/chat/completions`` with temperature 0 and, for a prompt with a schema,
``response_format``, in the first of the forms in `protocol` that the server takes.
"""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import httpx
from anyio import fail_after
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
)

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.odds import SCHEMA
from vidrec_tasks.language.protocol import (
    FORMS,
    PATH,
    Answer,
    judged,
    judged_odds,
    odds_request_of,
    read_answer,
    request_of,
)
from vidrec_tasks.language.usage import LATE, NO_ANSWER, REFUSED, Usage
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

N_ATTEMPTS = 4
MAX_CONCURRENT = 8
"""Calls under way at once; many servers queue or refuse beyond."""

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_ANSWER_BYTES = 1_000_000
_WORD_TOKENS = 16
"""For yes or no as JSON."""
_REFUSED = frozenset({400, 413, 422})
"""What a server says to one request that it cannot take: an unknown option, too long a prompt."""
_FAILED = 500


class _Line(NamedTuple):
    """A client and the event loop that it lives in, which calls of several threads share."""

    portal: BlockingPortal
    client: httpx.AsyncClient


class _Reply(NamedTuple):
    """A response, its body read as far as an answer may be long."""

    status: int
    body: bytes


class _Unavailable(Exception):
    """No answer to one prompt; worth another try unless the server refused it."""

    def __init__(self, message: str, *, reason: str = NO_ANSWER) -> None:
        super().__init__(message)
        self.reason = reason


class EndpointGenerator:
    """Asks a server for each sentence, some at once, each again when the server was busy."""

    def __init__(
        self,
        settings: LanguageSettings,
        *,
        n_attempts: int = N_ATTEMPTS,
        max_wait_s: float = 20.0,
        usage: Usage | None = None,
    ) -> None:
        """Check the address; nothing is asked yet.

        Args:
            settings: endpoint_url (with its ``/v1``), endpoint_key, endpoint_timeout_s, model.
            n_attempts: how often one prompt is tried.
            max_wait_s: longest pause between two tries, in seconds.
            usage: what it counts its tokens and drops in.

        Raises:
            ModelError: the address is not an http(s) URL.
        """
        address = urlsplit(settings.endpoint_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ModelError(
                "language endpoint: VIDREC_LANGUAGE__ENDPOINT_URL is not an http(s) URL; "
                "write it with its version, such as http://localhost:8000/v1"
            )
        # a user or password in the address must not reach an identity or a log: httpx logs it
        self._place = f"{address.hostname}{address.path.rstrip('/')}"
        bare = address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
        self._url = bare.rstrip("/") + PATH
        self._login = (
            httpx.BasicAuth(unquote(address.username), unquote(address.password or ""))
            if address.username
            else None
        )
        self._key: SecretStr = settings.endpoint_key
        self._settings = settings
        self._n_attempts = n_attempts
        self._max_wait_s = max_wait_s
        self.usage = usage or Usage()
        self._form = FORMS[0]  # until the server takes another
        self._is_form_known = False
        self._gives_chances: bool | None = None  # until it has answered with them or without

    @property
    def identity(self) -> str:
        """Model and place; neither the key nor a password in the address is part of it."""
        return f"{self._settings.model}@{self._place}:endpoint"

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One answer a prompt, in order; empty where the server gave no valid one.

        Raises:
            ModelError: the server answered none of a batch, or refused the key.
        """
        answers = self._answers_of(prompts, self._ask)
        return [self._judged(p, answer) for p, answer in zip(prompts, answers, strict=True)]

    def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
        """Log odds of yes against no for each prompt; None where there was no answer.

        A server that gives no chances of tokens is asked for the word, which counts as `SURE`.

        Raises:
            ModelError: the server answered none of a batch, or refused the key.
        """
        answers = self._answers_of(prompts, self._ask_odds)
        return [self._odds(p, answer) for p, answer in zip(prompts, answers, strict=True)]

    def _odds(self, prompt: Prompt, answer: "Answer | _Unavailable") -> float | None:
        counted = self._counted(prompt, answer)
        return None if counted is None else judged_odds(prompt, counted, self.usage)

    def _answers_of(self, prompts: Sequence[Prompt], ask: "_Ask") -> "list[Answer | _Unavailable]":
        size = self._settings.batch_size
        timeout_s = self._settings.endpoint_timeout_s
        answers: list[Answer | _Unavailable] = []
        headers = self._headers()
        client = httpx.AsyncClient(timeout=timeout_s, headers=headers, auth=self._login)
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
            line = _Line(portal, client)
            for begin in range(0, len(prompts), size):
                answers += self._answers_of_batch(line, prompts[begin : begin + size], ask)
        return answers

    def _answers_of_batch(
        self, line: _Line, prompts: Sequence[Prompt], ask: "_Ask"
    ) -> "list[Answer | _Unavailable]":
        """Batches bound what a dead server costs: one batch of patience, not thousands."""
        with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
            calls = [pool.submit(self._ask_patiently, line, prompt, ask) for prompt in prompts]
            try:
                answers = [call.result() for call in calls]
            except ModelError:
                pool.shutdown(cancel_futures=True)
                raise
        failures = [answer for answer in answers if isinstance(answer, _Unavailable)]
        # a prompt may be refused for itself (a filter, its length): many at once are not
        is_refused = all(failure.reason == REFUSED for failure in failures)
        if len(failures) == len(prompts) and not (is_refused and len(prompts) < MAX_CONCURRENT):
            message = (
                f"language endpoint {self._place}: {len(failures)} of {len(prompts)} prompts had "
                f"no answer (first: {failures[0]}); see that it runs, or unset "
                "VIDREC_LANGUAGE__ENDPOINT_URL to use the embedded model"
            )
            raise ModelError(message)
        if failures:
            n_failed = len(failures)
            log.warning("%d of %d prompts had no answer: %s", n_failed, len(prompts), failures[0])
        return answers

    def _judged(self, prompt: Prompt, answer: "Answer | _Unavailable") -> str:
        """The answer as it is returned; empty, and counted by its reason, where it is not valid."""
        counted = self._counted(prompt, answer)
        return "" if counted is None else judged(prompt, counted, self.usage)

    def _counted(self, prompt: Prompt, answer: "Answer | _Unavailable") -> Answer | None:
        """The answer, counted; None where there was none, counted by its reason."""
        if isinstance(answer, _Unavailable):
            if answer.reason != REFUSED:  # asked again it would be refused again
                self.usage.unanswered.add(prompt)
            self.usage.drop(answer.reason)
            return None
        self.usage.tokens_in += answer.tokens_in
        self.usage.tokens_out += answer.tokens_out
        return answer

    def _headers(self) -> dict[str, str]:
        key = self._key.get_secret_value()
        # a compressed answer could be a thousand times as long as what was sent
        own = {"Accept-Encoding": "identity"}
        return {**own, "Authorization": f"Bearer {key}"} if key else own

    def _ask_patiently(self, line: _Line, prompt: Prompt, ask: "_Ask") -> "Answer | _Unavailable":
        tries = Retrying(
            stop=stop_after_attempt(self._n_attempts),
            wait=wait_exponential(multiplier=0.5, max=self._max_wait_s),
            retry=retry_if_exception(_is_passing),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            return tries(ask, line, prompt)
        except _Unavailable as error:
            return error

    def _ask(self, line: _Line, prompt: Prompt) -> Answer:
        return self._answer_in(self._post_in_form(line, prompt))

    def _ask_odds(self, line: _Line, prompt: Prompt) -> Answer:
        if self._gives_chances is not False:
            reply = self._post(line, odds_request_of(prompt, self._settings))
            if self._gives_chances or reply.status not in _REFUSED | {_FAILED}:
                answer = self._answer_in(reply)
                if answer.chances is not None:
                    self._gives_chances = True
                    return answer
        answer = self._ask(line, prompt._replace(schema=SCHEMA, max_tokens=_WORD_TOKENS))
        if self._gives_chances is None:
            log.info("language endpoint: gives no chances of tokens; it is asked for yes or no")
            self._gives_chances = False
        return answer

    def _answer_in(self, answer: _Reply) -> Answer:
        if answer.status in _BUSY:
            raise _Unavailable(f"status {answer.status}")
        if answer.status in _REFUSED:
            raise _Unavailable(f"status {answer.status}", reason=REFUSED)
        if answer.status != httpx.codes.OK:
            message = (
                f"language endpoint {self._place}: status {answer.status}; see "
                "VIDREC_LANGUAGE__ENDPOINT_KEY, _ENDPOINT_URL and _MODEL"
            )
            raise ModelError(message)
        if len(answer.body) > _MAX_ANSWER_BYTES:
            raise _Unavailable(f"an answer of more than {_MAX_ANSWER_BYTES} bytes")
        try:
            return read_answer(json.loads(answer.body))
        except (ValueError, RecursionError) as error:
            raise _Unavailable("an answer without choices[0].message.content") from error

    def _post_in_form(self, line: _Line, prompt: Prompt) -> _Reply:
        """Asks for a schema in the first form that the server takes, and remembers it.

        A server may say 500 to a form that it does not know (llama-cpp-python 0.3 does). That says
        so only until a form was answered: from then on a 500 is a failure that passes.
        """
        is_known = self._is_form_known or not prompt.schema  # read before the form: others ask too
        forms = (self._form,) if is_known else FORMS[FORMS.index(self._form) :]
        for form in forms:
            request = request_of(prompt, self._settings, form=form)
            answer = self._post(line, request)
            if answer.status == httpx.codes.OK and prompt.schema:
                if form != self._form:
                    log.info("language endpoint: asked for schemas by %s from now on", form)
                self._form, self._is_form_known = form, True
            if answer.status not in _REFUSED | {_FAILED}:
                break
        return answer

    def _post(self, line: _Line, request: dict[str, Any]) -> _Reply:
        try:
            return line.portal.call(self._reply, line.client, request)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise _Unavailable(type(error).__name__, reason=LATE) from error
        except httpx.HTTPError as error:
            # the type alone: messages of the client may repeat the address with its password
            raise _Unavailable(type(error).__name__) from error

    async def _reply(self, client: httpx.AsyncClient, request: dict[str, Any]) -> _Reply:
        """A reply, within the time of an answer: the client's own limit is for each piece alone."""
        with fail_after(self._settings.endpoint_timeout_s):
            async with client.stream("POST", self._url, json=request) as response:
                return _Reply(response.status_code, await self._read(response))

    async def _read(self, response: httpx.Response) -> bytes:
        """The body, up to a little more than an answer may have."""
        body = b""
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _MAX_ANSWER_BYTES:
                break
        return body


_Ask: TypeAlias = Callable[[_Line, Prompt], Answer]


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, _Unavailable) and error.reason != REFUSED


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("language endpoint: attempt %d failed (%s), trying again", state.attempt_number, error)
