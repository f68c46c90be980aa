"""Paraphrasing: captions in other words, so that a title shares meaning with a query, not words."""

import re
from typing import Final

WORDS: Final = {
    "man": "guy", "woman": "lady", "person": "somebody", "people": "folks", "child": "kid",
    "children": "kids", "kid": "little one", "baby": "infant", "girl": "young lady",
    "boy": "little lad", "performer": "entertainer", "players": "teams", "cyclists": "bikers",
    "surfer": "wave rider", "archers": "bowmen", "batter": "hitter", "engineer": "technician",
    "hands": "fingers", "dog": "hound", "puppy": "young hound", "cat": "feline", "cow": "cattle",
    "horse": "stallion", "rabbit": "bunny", "bear": "grizzly", "lion": "big feline",
    "chimpanzees": "apes", "cockatoo": "parrot", "swan": "waterbird", "frog": "toad",
    "deer": "stag", "car": "automobile", "jeep": "off-roader", "boat": "vessel", "bus": "coach",
    "bike": "bicycle", "motorcycle": "motorbike", "motorbike": "two-wheeler", "road": "street",
    "street": "avenue", "path": "trail", "pond": "small lake", "river": "stream",
    "beach": "seashore", "meadow": "field", "grass": "lawn", "lawn": "turf", "hill": "slope",
    "valley": "lowland", "mountain": "alpine", "rock": "boulder", "rocks": "boulders",
    "trees": "woods", "snow": "white winter ground", "water": "waterhole", "wave": "breaker",
    "court": "gym floor", "room": "hall", "kitchen": "at the stove", "sofa": "couch",
    "bed": "mattress", "door": "entrance", "window": "windowpane", "table": "desk",
    "book": "novel", "glasses": "spectacles", "mug": "cup", "cups": "beakers", "ball": "toy ball",
    "football": "soccer ball", "food": "ingredients", "rice": "grains", "pan": "skillet",
    "pot": "saucepan", "cake": "dessert", "pancake": "crepe", "knife": "blade",
    "makeup": "cosmetics", "pool": "basin", "net": "scoop", "guitar": "strings",
    "film": "movie", "animation": "cartoon", "drawing": "sketch", "line": "pencil",
    "classroom": "school lesson", "stage": "platform", "suit": "jacket and tie",
    "walking": "strolling", "running": "galloping", "swimming": "gliding", "riding": "on top of",
    "driving": "racing", "eating": "munching", "playing": "having fun with", "juggling": "kicking",
    "pouring": "filling", "cutting": "slicing up", "slicing": "chopping", "stirring": "moving",
    "mixing": "blending", "flipping": "tossing", "cooking": "simmering", "cleaning": "tidying",
    "sitting": "resting", "lying": "stretched out", "jumping": "bouncing", "talking": "speaking",
    "holding": "with", "looking": "gazing", "reading": "leafing", "signing": "gesturing",
    "shooting": "aiming", "hitting": "striking", "skateboarding": "doing board tricks",
    "skateboard": "board on wheels", "skiing": "going downhill", "sledding": "sliding down",
    "surfing": "riding the sea", "doing": "practising", "taking": "lifting", "turning": "bending",
    "barking": "noisy", "roaring": "growling", "shuffling": "moving around", "changing": "draining",
    "applying": "putting on", "testing": "trying out", "interacting": "together",
    "preening": "grooming", "standing": "upright", "brown": "chestnut", "red": "crimson",
    "black": "dark", "white": "pale", "silver": "metallic", "yellow": "golden", "blue": "azure",
    "fluffy": "furry", "dry": "withered", "fast": "at speed", "small": "little", "wild": "untamed",
    "night": "after dark", "indoor": "inside", "outdoors": "in the open", "moving": "in motion",
}  # fmt: skip
"""Word -> other words; what is not here stays (names, and words without another)."""

_SMALL: Final = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "by", "with", "and", "or", "from", "into"]
)
_WORD: Final = re.compile(r"[a-z]+")


def paraphrase(caption: str) -> str:
    """A caption in other words, its halves in the other order."""
    words = caption.casefold().split()
    middle = next(
        (place for place, word in enumerate(words) if word in _SMALL and place > 0), len(words)
    )
    turned = [*words[middle:], *words[:middle]]
    return " ".join(_WORD.sub(lambda word: WORDS.get(word[0], word[0]), word) for word in turned)
