"""A bound sentence is made of what it may be made of, whatever a model would choose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.language.binding import Units, Walk
from vidrec_tasks.language.generator import Bounds
from vidrec_tasks.language.grounding import is_grounded

NAMES = ("jazz", "street food", "food")
PHRASES = ("mostly in the evening", "in the evening", "mostly short videos", "short videos")
SAID = (*PHRASES, "prefers short videos")


def encode(text: str) -> list[int]:
    """A token a character."""
    return [ord(sign) for sign in text]


UNITS = Units(encode)


def write(bounds: Bounds, start: str, seed: int) -> str:
    """A sentence whose every token is drawn from those allowed."""
    walk, rng, written = Walk(UNITS, bounds, start), np.random.default_rng(seed), ""
    while not walk.is_done and len(written) < 2_000:
        token = int(rng.choice(sorted(walk.allowed())))
        assert token in walk.tokens()
        walk.take(token)
        written += chr(token)
    return start + written


@given(
    st.integers(0, 10_000), st.sampled_from(["This user watches", "This user enjoys videos about"])
)
def test_whatever_is_chosen_is_grounded_and_names_enough(seed: int, start: str) -> None:
    sentence = write(Bounds(SAID, NAMES, 2), start, seed)
    assert sentence.endswith(".")
    found = is_grounded(sentence, SAID, names=NAMES, min_names=2)
    assert found.ok, (sentence, found.reason)


@given(st.integers(0, 10_000))
def test_no_name_is_said_twice(seed: int) -> None:
    sentence = write(Bounds(SAID, ("jazz", "cats", "maps"), 2), "This user watches", seed)
    assert all(sentence.count(name) <= 1 for name in ("jazz", "cats", "maps"))


def test_a_phrase_of_the_start_is_not_said_again() -> None:
    start = "In the evening, this user watches"
    bounds = Bounds(("mostly in the evening", "in the evening"), ("jazz", "cats"), 2)
    assert all("evening" not in write(bounds, start, seed)[len(start) :] for seed in range(50))


def test_a_sentence_may_not_end_before_it_names_enough() -> None:
    walk = Walk(UNITS, Bounds((), ("jazz", "cats"), 2), "This user watches")
    for token in encode(" jazz"):
        assert token in walk.allowed()
        walk.take(token)
    assert ord(".") not in walk.allowed()
    assert ord(" ") in walk.allowed()


@pytest.mark.parametrize("names", [(), ("",)])
def test_without_a_name_the_sentence_still_ends(names: tuple[str, ...]) -> None:
    assert write(Bounds((), names), "This user watches", 0).endswith(".")
