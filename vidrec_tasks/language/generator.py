"""Generators: language models that complete prompts, by a sentence, by JSON or within a grammar.

Says what a generator is and chooses one; the models themselves live in `causal` and `endpoint`,
imported only when chosen, so whoever only names a generator stays light.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.usage import Usage
from vidrec_tasks.settings import LanguageSettings

Answered = TypeVar("Answered")

# A full stop after a digit waits for what follows: "4.5" is one number, not two sentences.
_SENTENCE_END = re.compile(r"""(?<!\d)[.!?]["')\]]*(?=\s|$)|[。！？]|(?<=\d)[.!?](?=\s)|\n""")


class Prompt(NamedTuple):
    """What a generator is asked.

    With neither ``schema`` nor ``grammar`` the answer is its first sentence.

    Attributes:
        system: the standing instruction, the same for many prompts (its work is shared).
        user: the facts of this prompt.
        start: the words the answer begins with; they are part of the answer returned. Not for JSON.
        schema: the text of a JSON Schema; the answer is a whole JSON text that is valid by it.
            Give every string a ``maxLength``, or a small model may write until it is cut.
        grammar: a grammar in llguidance's dialect of Lark that the whole answer after ``start``
            matches; a generator that cannot decode within it is held to it afterwards.
        max_tokens: tokens the answer may have; 0: the setting ``max_new_tokens``.
    """

    system: str
    user: str
    start: str = ""
    schema: str = ""
    grammar: str = ""
    max_tokens: int = 0


class Generator(Protocol):
    """Completes prompts; deterministic for the same sequence of prompts."""

    @property
    def identity(self) -> str:
        """Name, revision and precision: a part of every cache key."""

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One answer a prompt, in order; an empty string where there was no valid one."""


@runtime_checkable
class Judge(Protocol):
    """Answers yes or no; deterministic for the same sequence of prompts."""

    @property
    def identity(self) -> str:
        """Name, revision and precision: a part of every cache key."""

    def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
        """Log odds of yes against no for each prompt, in nats; None where there was no answer.

        Raises:
            ModelError: there was none at all, or the model cannot be used.
        """


class Mailbox(Protocol):
    """Where prompts wait for somebody who answers them later; see `batching`."""

    def answers(self) -> Iterator[bytes]:
        """The lines of every file of answers, in the order of the files' names."""

    def leave(self, requests: Mapping[str, bytes]) -> None:
        """Leave requests, name -> line, in place of those left before by the same job and night."""

    def asked(self) -> Iterator[str]:
        """The names of all requests that any job of any night left, also those answered since."""


class LazyGenerator:
    """A generator that is loaded when it is first asked, and counts what it was asked.

    A night on which no evidence changed knows its generator by name alone and loads nothing.

    Args:
        settings: as for `load_generator`.
        cache: a folder for dequantised weights, made when absent.
        mailbox: where prompts wait in mode 'batch'.

    Raises:
        ModelError: the model or the endpoint's address cannot be used.
    """

    def __init__(
        self, settings: LanguageSettings, *, cache: Path, mailbox: Mailbox | None = None
    ) -> None:
        self._settings, self._cache, self._mailbox = settings, cache, mailbox
        self._identity = _identity_of(settings, cache)
        self._loaded: Generator | None = None
        self.usage = Usage()

    @property
    def identity(self) -> str:
        """Name, revision and precision."""
        return self._identity

    @property
    def n_asked(self) -> int:
        """Prompts so far."""
        return self.usage.n_asked

    @property
    def dropped(self) -> Counter[str]:
        """Prompts without a valid answer so far, by reason."""
        return self.usage.dropped

    @property
    def unanswered(self) -> set[Hashable]:
        """Prompts that nobody answered yet; a later night asks again."""
        return self.usage.unanswered

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One answer a prompt, in order; an empty string where there was no valid one."""
        return self._counted(self._load().complete, prompts)

    def log_odds(self, prompts: Sequence[Prompt]) -> list[float | None]:
        """Log odds of yes against no for each prompt; None where there was no answer.

        Raises:
            ModelError: the generator gives none, or no answer came at all.
        """
        loaded = self._load()
        if not isinstance(loaded, Judge):
            raise ModelError(
                f"language model {self._identity}: it gives sentences and no log odds; "
                "set VIDREC_LANGUAGE__RELEVANCE_CALLS to 0"
            )
        return self._counted(loaded.log_odds, prompts)

    def _load(self) -> Generator:
        if self._loaded is None:
            self._loaded = load_generator(
                self._settings, cache=self._cache, usage=self.usage, mailbox=self._mailbox
            )
        return self._loaded

    def _counted(
        self, ask: Callable[[Sequence[Prompt]], list[Answered]], prompts: Sequence[Prompt]
    ) -> list[Answered]:
        self.usage.n_asked += len(prompts)
        started = time.perf_counter()
        try:
            return ask(prompts)
        finally:
            self.usage.seconds += time.perf_counter() - started


def unanswered_of(generator: Generator) -> Set[Hashable]:
    """Prompts that nobody answered yet, of a generator that has such; a later night asks again.

    What stands in for their answers must not be kept under the generator's identity.
    """
    return getattr(generator, "unanswered", frozenset())


def _identity_of(settings: LanguageSettings, cache: Path) -> str:
    if settings.writer == "endpoint":
        return load_generator(settings, cache=cache).identity
    if settings.writer == "batch":
        from vidrec_tasks.language.batching import identity_of as batch_identity

        return batch_identity(settings)
    from vidrec_tasks.language.causal import identity_of

    return identity_of(settings)


def load_generator(
    settings: LanguageSettings,
    *,
    cache: Path,
    usage: Usage | None = None,
    mailbox: Mailbox | None = None,
) -> Generator:
    """The generator the settings name: a local model, an endpoint, or files answered later.

    Args:
        settings: `mode`, or an endpoint that wins over a model; see `LanguageSettings`.
        cache: a folder for dequantised weights, made when absent.
        usage: what it counts its tokens and drops in.
        mailbox: where prompts wait in mode 'batch'.

    Raises:
        ModelError: the model or the endpoint's address cannot be used.
    """
    if settings.writer == "batch":
        from vidrec_tasks.language.batching import BatchGenerator

        if mailbox is None:
            raise ModelError(
                "language model: nothing here keeps batch files; "
                "set VIDREC_LANGUAGE__MODE to another than 'batch'"
            )
        return BatchGenerator(settings, mailbox, usage=usage)
    if settings.writer == "endpoint":
        from vidrec_tasks.language.endpoint import EndpointGenerator

        return EndpointGenerator(settings, usage=usage)
    from vidrec_tasks.language.causal import load_causal

    return load_causal(settings, cache=cache, usage=usage)


def has_sentence(text: str) -> bool:
    """Whether the text already holds a whole sentence."""
    return _SENTENCE_END.search(text) is not None


def first_sentence(text: str) -> str:
    """The text up to its first sentence end, spaces made single; all of it when none ends."""
    text = text.strip()
    end = _SENTENCE_END.search(text)
    return " ".join((text[: end.end()] if end else text).split())
