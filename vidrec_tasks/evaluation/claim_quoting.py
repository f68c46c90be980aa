"""Claim quoting: whether words that a sentence quotes are those of a title or a name."""

import unicodedata
from functools import lru_cache


def is_quote_of(quoted: str, whole: str) -> bool:
    """Whether the letters and digits quoted are those of the whole, or its beginning when cut."""
    shown, meant = letters(quoted), letters(whole)
    if not shown:
        return False
    return meant.startswith(shown) if quoted.endswith("…") else meant == shown


@lru_cache(maxsize=1 << 16)
def letters(text: str) -> str:
    """The letters and digits of a text, folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
