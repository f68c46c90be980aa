"""Generators: language models that complete prompts, one sentence each.

Says what a generator is and chooses one; the models themselves live in `causal` and `endpoint`,
imported only when chosen, so whoever only names a generator stays light.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

# A full stop after a digit waits for what follows: "4.5" is one number, not two sentences.
_SENTENCE_END = re.compile(r"""(?<!\d)[.!?]["')\]]*(?=\s|$)|[。！？]|(?<=\d)[.!?](?=\s)|\n""")


class Prompt(NamedTuple):
    """What a generator is asked.

    Attributes:
        system: the standing instruction, the same for many prompts (its work is shared).
        user: the facts of this prompt.
        start: the words the answer begins with; they are part of the sentence returned.
    """

    system: str
    user: str
    start: str = ""


class Generator(Protocol):
    """Completes prompts; deterministic for the same sequence of prompts."""

    @property
    def identity(self) -> str:
        """Name, revision and precision: a part of every cache key."""

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One sentence a prompt, in order; an empty string where there was no answer."""


def load_generator(settings: LanguageSettings, *, cache: Path) -> Generator:
    """The generator the settings name: an endpoint, the embedded model, a folder or a hub id.

    Args:
        settings: an endpoint wins over a model; see `LanguageSettings`.
        cache: a folder for dequantised weights, made when absent.

    Raises:
        ModelError: the model or the endpoint's address cannot be used.
    """
    if settings.endpoint_url:
        from vidrec_tasks.language.endpoint import EndpointGenerator

        return EndpointGenerator(settings)
    from vidrec_tasks.language.causal import load_causal

    return load_causal(settings, cache=cache)


def has_sentence(text: str) -> bool:
    """Whether the text already holds a whole sentence."""
    return _SENTENCE_END.search(text) is not None


def first_sentence(text: str) -> str:
    """The text up to its first sentence end, spaces made single; all of it when none ends."""
    text = text.strip()
    end = _SENTENCE_END.search(text)
    return " ".join((text[: end.end()] if end else text).split())
