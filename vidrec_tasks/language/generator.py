"""Generators: language models that complete prompts, by a sentence, by JSON or within a grammar.

Says what a generator is and chooses one; the models themselves live in `causal` and `endpoint`,
imported only when chosen, so whoever only names a generator stays light.
"""

import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from vidrec_tasks.language.usage import Usage
from vidrec_tasks.settings import LanguageSettings

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


class LazyGenerator:
    """A generator that is loaded when it is first asked, and counts what it was asked.

    A night on which no evidence changed knows its generator by name alone and loads nothing.

    Args:
        settings: as for `load_generator`.
        cache: a folder for dequantised weights, made when absent.

    Raises:
        ModelError: the model or the endpoint's address cannot be used.
    """

    def __init__(self, settings: LanguageSettings, *, cache: Path) -> None:
        self._settings, self._cache = settings, cache
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
    def holds_to_grammars(self) -> bool:
        """Whether it decodes within a grammar; another is only judged by it afterwards."""
        return not self._settings.endpoint_url

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One answer a prompt, in order; an empty string where there was no valid one."""
        if self._loaded is None:
            self._loaded = load_generator(self._settings, cache=self._cache, usage=self.usage)
        self.usage.n_asked += len(prompts)
        started = time.perf_counter()
        try:
            return self._loaded.complete(prompts)
        finally:
            self.usage.seconds += time.perf_counter() - started


def _identity_of(settings: LanguageSettings, cache: Path) -> str:
    if settings.endpoint_url:
        return load_generator(settings, cache=cache).identity
    from vidrec_tasks.language.causal import identity_of

    return identity_of(settings)


def load_generator(
    settings: LanguageSettings, *, cache: Path, usage: Usage | None = None
) -> Generator:
    """The generator the settings name: an endpoint, the embedded model, a folder or a hub id.

    Args:
        settings: an endpoint wins over a model; see `LanguageSettings`.
        cache: a folder for dequantised weights, made when absent.
        usage: what it counts its tokens and drops in.

    Raises:
        ModelError: the model or the endpoint's address cannot be used.
    """
    if settings.endpoint_url:
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
