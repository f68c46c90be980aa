"""Spoken: what is said in the demo world's films, by topic; neither titles nor descriptions say it.

No word here may name or hint at who somebody is.
"""

from dataclasses import dataclass
from typing import Final

N_QUOTED: Final = 4
"""Words of a line, its last ones, that people search for."""


@dataclass(frozen=True)
class SpokenLine:
    """A sentence that is said in a film.

    Attributes:
        at_s: when it begins, in seconds of the film.
        text: the sentence.
    """

    at_s: float
    text: str

    @property
    def quote(self) -> str:
        """Its last words, as somebody would search for them who remembers it."""
        return quote_of(self.text)


def quote_of(text: str) -> str:
    """The last words of a sentence."""
    return " ".join(text.rstrip(".").split()[-N_QUOTED:])


def _lines(text: str) -> tuple[str, ...]:
    return tuple(" ".join(line.split()) for line in text.split("|"))


LINES: Final = {
    "cats": _lines(
        "She slept through the thunder and only woke for the sound of the tin opener."
        "|He always circles three times before he lies down on the blanket."
        "|Watch how the tail keeps the balance on the narrow fence."
        "|At night the pupils open wide and the hunt for moths begins."
    ),
    "coffee": _lines(
        "The water should be a little below boiling when it touches the grounds."
        "|Pour in small circles and wait until the bubbles have settled."
        "|A finer grind makes it bitter and a coarser one leaves it sour."
        "|Heat the cup first because cold porcelain steals the aroma."
    ),
    "rockets": _lines(
        "The fuel is colder than the winter at the south pole."
        "|Eight minutes later the crew is floating and the pencil drifts away."
        "|The first stage falls back and lands on a platform at sea."
        "|Every valve is tested twice before the tanks are filled."
    ),
    "motorcycles": _lines(
        "Clean the carburettor before you blame the spark plug."
        "|The rust came off with vinegar and a great deal of patience."
        "|Check the tyre pressure while the rubber is still cold."
        "|The clutch cable was frozen and had to be replaced."
    ),
    "gardening": _lines(
        "Dig the hole twice as wide as the roots need it."
        "|Snails avoid the copper ring around the young plants."
        "|Water early in the morning before the ground becomes hot."
        "|The old leaves go on the heap and come back as soil."
    ),
    "pagodas": _lines(
        "The builders used no nails and every beam locks into the next."
        "|On a clear day you can count nine storeys from the bridge."
        "|The bell on the upper floor rings when the wind turns."
        "|A dragon of glazed clay guards each corner of the house."
    ),
    "coins": _lines(
        "Never polish the surface or half of the value is gone."
        "|The emperor looks to the left on the earlier pieces."
        "|A farmer found the jar under the roots of an oak."
        "|Hold it by the rim and turn it towards the lamp."
    ),
    "astronomy": _lines(
        "The light that you see tonight left before there were people."
        "|Wait twenty minutes until your eyes are used to the dark."
        "|The shadows are longest where day and night meet."
        "|A thin cloud of dust hides the middle of it."
    ),
    "photography": _lines(
        "Close the shutter slowly and hold your breath while it clicks."
        "|The shadows turn blue in the hour after sunset."
        "|Meter for the bright wall and let the rest go dark."
        "|Put the horizon on the lower third of the picture."
    ),
    "microscopy": _lines(
        "The purple dots are the nuclei and the pink ones are fibres."
        "|Put a drop of oil on the glass before you turn the lens."
        "|The sample is thinner than a hair and it dries in seconds."
        "|Focus on the edge first and then move to the middle."
    ),
    "horses": _lines(
        "The ears turn backwards when something makes it nervous."
        "|Brush the mane from below and begin with the ends."
        "|The blacksmith comes every six weeks to look at the hooves."
        "|A handful of oats is enough after a short walk."
    ),
    "mathematics": _lines(
        "Suppose that there were a largest one and add it to itself."
        "|Both sides vanish when the angle becomes very small."
        "|Draw the triangle again and cut it along the height."
        "|The remainder is always smaller than the number you divide by."
    ),
}
"""Topic -> sentences that are said in films about it."""
