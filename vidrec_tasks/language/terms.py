"""Terms: the words of a text as they are counted, in any script; knows no weighting.

Words are folded (case, width, accents, plural); scripts without spaces give characters and pairs.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy.sparse as sp

UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
# Vowel signs of Indic and Arabic scripts are marks, not letters, but belong to the word.
MARKS: Final = "".join(
    chr(code) for code in range(0x0370, 0x1E000) if unicodedata.category(chr(code))[0] == "M"
)
_RUN: Final = re.compile(rf"([{UNSPACED}]+)|((?:(?![{UNSPACED}])[^\W_]|[{MARKS}])+)")
_LATIN_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_APOSTROPHE: Final = re.compile(r"(?<=\w)['’](s\b)?")
_ADDRESS: Final = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)


def split_terms(text: str) -> list[str]:
    """The terms of a text, in order.

    English plurals lose their ending (the "S stemmer", Harman 1991); a run of Chinese or Japanese
    gives each character and each pair of neighbours, for want of spaces; web addresses give none.
    """
    flat = unicodedata.normalize("NFKD", _ADDRESS.sub(" ", text)).casefold()
    flat = unicodedata.normalize("NFC", _LATIN_ACCENTS.sub("", flat))
    terms: list[str] = []
    for run, word in _RUN.findall(_APOSTROPHE.sub("", flat)):
        if run:
            terms += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
        else:
            terms.append(_singular(word))
    return terms


def count_terms(
    texts: Sequence[str], vocabulary: dict[str, int] | None = None
) -> tuple[sp.csr_matrix, dict[str, int]]:
    """How often each text holds each term.

    Args:
        texts: in any script.
        vocabulary: term -> column; other terms are left out. None: all terms, in order of meeting.

    Returns:
        ``(n_texts, n_terms)`` float32, and the vocabulary.
    """
    known: dict[str, int] = {} if vocabulary is None else vocabulary
    columns: list[int] = []
    values: list[int] = []
    offsets = [0]
    for text in texts:
        for term, n in Counter(split_terms(text)).items():
            column = known.setdefault(term, len(known)) if vocabulary is None else known.get(term)
            if column is not None:
                columns.append(column)
                values.append(n)
        offsets.append(len(columns))
    arrays = (
        np.array(values, dtype=np.float32),
        np.array(columns, dtype=np.int64),
        np.array(offsets, dtype=np.int64),
    )
    return sp.csr_matrix(arrays, shape=(len(texts), len(known))), known


def _singular(word: str) -> str:
    if len(word) < 4 or word.endswith(("us", "ss", "is")):
        return word
    # both ways of writing it become one: city and cities, movie and movies
    if len(word) > 4 and word.endswith(("ies", "ie")):
        return word[: -3 if word.endswith("s") else -2] + "y"
    if word.endswith(("xes", "shes", "ches", "sses", "zes")):
        return word[:-2]
    return word.removesuffix("s")
