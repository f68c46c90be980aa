"""Claim likeness: whether two videos are alike, or parts of one series, judged anew."""

import re
from collections.abc import Container, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.units import asked_rows, rows_with_content, spread_rows

MUCH: Final = 0.98
"""Share of random pairs that must be less alike than what is called much alike.

Below what writers ask for, since two draws of pairs differ: of 20,000 by 0.1 of a hundredth.
"""
_DRAWN: Final = 20_000
_LEAST: Final = 100
"""Pairs from which a catalogue has a hundredth part."""
_MARKS: Final = re.compile(r"\b(?:part|episode|ep|chapter|no|vol|video|s|e)\b")

_LOOKED_AT: Final = 300
_PART_WORDS: Final = frozenset((
    "part", "parte", "partie", "teil", "folge", "episode", "épisode", "episodio", "ep", "chapter",
    "chapitre", "capítulo", "kapitel", "lesson", "lektion", "day", "tag", "no", "nr", "vol",
    "video", "e",
))  # fmt: skip


class Alike:
    """The vectors of a catalogue, compared anew.

    Args:
        video_ids: ``(n,)``.
        vectors: ``(n, dim)``; a zero row has nothing to compare.
        only: the videos that will be asked for; None: any.
        known: ``(n_known,)`` the rows that are not zero; None: they are looked for.
    """

    def __init__(
        self,
        video_ids: Sequence[str],
        vectors: npt.NDArray[np.float32],
        only: Container[str] | None = None,
        known: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self._vectors = vectors
        self._known = rows_with_content(vectors) if known is None else known
        self._rows, self._asked = asked_rows(video_ids, vectors, self._known, only)

    def is_much(self, one: str, other: str) -> bool:
        """Whether two videos are more alike than nearly all pairs of the catalogue."""
        rows = [self._rows.get(video_id) for video_id in (one, other)]
        if None in rows or not len(self._cosines):
            return False
        cosine = float(np.dot(*_unit(self._asked[np.array(rows, dtype=np.int64)])))
        below = float((self._cosines < cosine).mean())
        return below >= MUCH

    @cached_property
    def _cosines(self) -> npt.NDArray[np.float64]:
        """Of pairs of different videos; none where there are too few to judge by."""
        n = len(self._known)
        n_pairs = n * (n - 1) // 2
        if n_pairs < _LEAST:
            return np.zeros(0)
        if n_pairs <= _DRAWN:
            unit = _unit(spread_rows(self._vectors, self._known))
            return np.asarray((unit @ unit.T)[np.tril_indices(n, k=-1)])
        draw = np.random.default_rng(20_231).integers(0, n, size=(2, 2 * _DRAWN))
        draw = draw[:, draw[0] != draw[1]][:, :_DRAWN]
        one, other = (_unit(spread_rows(self._vectors, self._known[places])) for places in draw)
        return np.asarray((one * other).sum(axis=1))


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    rows_64 = rows.astype(np.float64)
    return np.asarray(rows_64 / np.sqrt(np.square(rows_64).sum(axis=1, keepdims=True)))


def _is_of_a_part(pieces: list[str], place: int) -> bool:
    """Whether a number stands behind a word for parts or at an end of its title.

    ``pieces``: of the title, every second one a number; four digits are a year and no word.
    """
    head = pieces[:place]
    rest = [piece for piece in pieces[place + 1 :] if not (piece.isdigit() and len(piece) == 4)]
    before, behind = "".join(pieces[:place]).rstrip(), pieces[place + 1].lstrip()
    if before.endswith(("#", "第")):
        return True
    before = before.removesuffix(".")
    words = "".join(char if char.isalpha() else " " for char in before).split()
    ends_in_letters = before[-1:].isalpha()
    if words and ends_in_letters and words[-1] in _PART_WORDS:
        return True
    has_words = [any(char.isalnum() for char in "".join(part)) for part in (head, rest)]
    return not has_words[1] or (not has_words[0] and behind[:1] in tuple(".:)]-–—"))


def numbered(title: str) -> tuple[str, int] | None:
    """A title without the last number of up to three digits that counts parts, and that number."""
    pieces = re.split(r"(\d+)", title.casefold()[:_LOOKED_AT])  # every second piece is a number
    places = [
        place
        for place in range(1, len(pieces), 2)
        if len(pieces[place]) <= 3 and _is_of_a_part(pieces, place)
    ]
    if not places:
        return None
    number = int(pieces[places[-1]])
    pieces[places[-1]] = " "
    name = "".join(char if char.isalnum() else " " for char in "".join(pieces))
    has_name = any(not word.isdigit() for word in _MARKS.sub(" ", name).split())
    return (" ".join(name.split()), number) if has_name else None
