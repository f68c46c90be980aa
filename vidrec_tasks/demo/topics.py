"""Topics: what the videos of the demo world can be about, with their words and photographs.

No word here may name or hint at who somebody is: portraits repeat these words.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Topic:
    """A topic of the demo world.

    Attributes:
        name: the tag that all its tagged videos carry.
        category: the shelf it stands on; other topics may share it.
        photographs: names in `photographs`, the telling one first.
        backdrops: photographs shown in passing.
        tags: finer tags; a tagged video carries two or three.
        subjects, aspects: a title is one of each.
        chinese: its name for titles in Chinese.
        queries: what people search for.
    """

    name: str
    category: str
    photographs: tuple[str, ...]
    backdrops: tuple[str, ...]
    tags: tuple[str, ...]
    subjects: tuple[str, ...]
    aspects: tuple[str, ...]
    chinese: str
    queries: tuple[str, ...]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


TOPICS: Final = (
    Topic(
        "cats", "animals", ("cat",), ("grass", "brick"),
        _phrases("kitten|whiskers|tabby|purring|cat toys|pet care"),
        _phrases("A tabby cat|A curious kitten|The neighbourhood cat|A sleepy cat|A ginger cat"
                 "|The house cat"),
        _phrases("and the cardboard box|watching birds at the window|learning to jump"
                 "|in the afternoon sun|and a ball of wool|on the garden wall"
                 "|waiting for breakfast|and its whiskers up close"),
        "猫咪", ("cat at the window", "kitten"),
    ),
    Topic(
        "coffee", "food", ("coffee",), ("page", "brick"),
        _phrases("espresso|latte art|roasting|beans|barista|brewing"),
        _phrases("An espresso|A pour-over|A cappuccino|A filter coffee|A cortado|An iced coffee"),
        _phrases("made slowly at home|with freshly ground beans|on a wooden table"
                 "|from a small roastery|explained step by step|with latte art"
                 "|for a rainy morning|without a machine"),
        "咖啡", ("espresso at home", "latte art"),
    ),
    Topic(
        "rockets", "science", ("rocket", "astronaut"), ("moon", "galaxy"),
        _phrases("launch|astronaut|liftoff|orbit|space suit|engines"),
        _phrases("A rocket|A launch vehicle|A crewed capsule|A lunar mission|A space suit"
                 "|A reusable booster"),
        _phrases("on the launch pad|at dawn before liftoff|from countdown to orbit"
                 "|explained with models|and its engines|seen from the tower"
                 "|prepared for flight|after the return"),
        "火箭", ("rocket launch at night", "astronaut"),
    ),
    Topic(
        "motorcycles", "vehicles", ("motorcycle", "motorcycle right"), ("gravel", "brick"),
        _phrases("engine|restoration|garage|two wheels|chain|road trip"),
        _phrases("A red motorcycle|A garage find|A touring bike|A single-cylinder engine"
                 "|A custom build|A classic bike"),
        _phrases("restored over a winter|taken apart bolt by bolt|on a gravel road"
                 "|with a new chain|ready for its first ride|and its exhaust note"
                 "|in a brick garage|before the long trip"),
        "摩托车", ("red motorcycle", "engine restoration"),
    ),
    Topic(
        "gardening", "outdoors", ("flower", "grass"), ("gravel",),
        _phrases("flowers|lawn|dahlia|seeds|compost|bloom"),
        _phrases("A dahlia|A flower bed|A small lawn|A late summer garden|A balcony planter"
                 "|A border of perennials"),
        _phrases("from seed to bloom|after the rain|in full colour|cut back for autumn"
                 "|beside a gravel path|watered the right way|planted in an hour"
                 "|visited by bees"),
        "园艺", ("orange flower", "lawn after rain"),
    ),
    Topic(
        "pagodas", "travel", ("pagoda",), ("gravel", "grass"),
        _phrases("architecture|lakeside|roof tiles|city walk|carved wood|pavilion"),
        _phrases("A lakeside pagoda|A painted tower|A palace garden|A hilltop pavilion"
                 "|A carved roof|A stone stairway"),
        _phrases("in the morning haze|above the water|seen from a boat|and its curved eaves"
                 "|after a long climb|through the seasons|in spring light|restored by hand"),
        "宝塔", ("pagoda by a lake", "carved roof"),
    ),
    Topic(
        "coins", "collecting", ("coins",), ("page", "brick"),
        _phrases("numismatics|bronze|silver|hoard|mint|catalogue"),
        _phrases("A bronze coin|A tray of coins|A silver denarius|A worn penny|A coin hoard"
                 "|A commemorative coin"),
        _phrases("cleaned without scratches|identified by its edge|from a river find"
                 "|sorted by century|under the magnifier|weighed and measured"
                 "|and what it bought|in a new cabinet"),
        "钱币", ("tray of coins", "silver coin"),
    ),
    Topic(
        "astronomy", "science", ("galaxy", "moon"), ("rocket",),
        _phrases("galaxy|moon|telescope|night sky|craters|stargazing"),
        _phrases("A spiral galaxy|The lunar surface|A deep field|A crater field|A star cluster"
                 "|A faint nebula"),
        _phrases("through a small telescope|in one long exposure|mapped in an evening"
                 "|and how far it is|with the naked eye|from a dark sky site|in true colour"
                 "|over one month"),
        "天文", ("galaxies in the night sky", "moon craters"),
    ),
    Topic(
        "photography", "arts", ("camera", "colour wheel"), ("flower", "pagoda"),
        _phrases("camera|tripod|exposure|lens|composition|darkroom"),
        _phrases("A film camera|A tripod shot|A wide-angle lens|A colour chart|A long exposure"
                 "|A field recording"),
        _phrases("set up in a park|on a windy day|and what the light does|compared side by side"
                 "|for a first roll|with one lens only|developed at home|step by step"),
        "摄影", ("camera on a tripod", "long exposure"),
    ),
    Topic(
        "microscopy", "science", ("tissue", "retina", "cell"), ("page",),
        _phrases("microscope|cells|staining|laboratory|magnification|slides"),
        _phrases("A stained section|A single cell|A tissue slide|A net of fine vessels"
                 "|A cell culture|A thin section"),
        _phrases("at forty times magnification|in brightfield|prepared for the microscope"
                 "|stained in two colours|followed for an hour|in sharp focus"
                 "|drawn from the eyepiece|and how to read it"),
        "显微镜", ("stained cells", "under the microscope"),
    ),
    Topic(
        "horses", "animals", ("horse",), ("grass", "gravel"),
        _phrases("riding|stable|paddock|trot|saddle|meadow"),
        _phrases("A grazing horse|A trotting horse|A quiet pony|A horse at dusk|A lead horse"
                 "|A foal"),
        _phrases("in the meadow|on a sandy track|before the ride|and its gait|in the paddock"
                 "|after the storm|with a new saddle|seen against the sky"),
        "马", ("horse at sunset", "pony"),
    ),
    Topic(
        "mathematics", "science", ("handwriting", "page"), ("chessboard",),
        _phrases("algebra|proof|handwriting|equations|integral|notebook"),
        _phrases("A short proof|An integral|A page of algebra|A limit|A lemma|An equation"),
        _phrases("worked out by hand|explained line by line|with one clever step"
                 "|from a lecture notebook|and why it is true|in three ways"
                 "|checked twice|without a calculator"),
        "数学", ("integral by hand", "handwritten equations"),
    ),
)  # fmt: skip
"""In the order in which larger worlds take them in."""

VIDEOS_PER_TOPIC: Final = 7
"""Videos a topic should have before the world takes in another."""


def topics_for(n_videos: int) -> tuple[Topic, ...]:
    """The topics of a world of that size: 2 to 12."""
    return TOPICS[: max(2, min(len(TOPICS), n_videos // VIDEOS_PER_TOPIC))]
