"""Languages: of a caption file's name, of a stream's tag, or told from the words themselves."""

from functools import cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from py3langid.langid import MODEL_FILE, LanguageIdentifier

FLAGS: Final = ("forced", "sdh", "cc", "hi", "default", "auto", "full", "asr", "orig")
"""What names of caption files say beside their language; ``hi`` is for the hard of hearing."""

MIN_CHARS: Final = 20
"""Characters below which no language is told from a text."""

MIN_PROBABILITY: Final = 0.5
_NO_LANGUAGE: Final = ("", "und", "zxx", "mul", "mis", "qaa")


@cache
def language_of(tag: str) -> str:
    """The language of a tag (``en``, ``eng``, ``pt-BR``) in the shortest code, '' for none."""
    code = tag.strip().replace("_", "-").lower()
    if code in _NO_LANGUAGE or not code.replace("-", "").isalnum():
        return ""
    try:
        return str(Locale.parse(code, sep="-").language)
    except (UnknownLocaleError, ValueError):
        pass
    try:  # of a region that is not known the language is
        return str(Locale.parse(code.split("-")[0]).language)
    except (UnknownLocaleError, ValueError):
        return ""


def is_tag(token: str) -> bool:
    """Whether a part of a file's name speaks of captions: a language or a flag."""
    return token.lower() in FLAGS or bool(language_of(token))


def detect(text: str) -> str:
    """The language of a text, '' where it is too short or it is not clear."""
    if len(text) < MIN_CHARS:
        return ""
    language, probability = _identifier().classify(text)
    return str(language) if float(probability) >= MIN_PROBABILITY else ""


@cache
def _identifier() -> Any:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
