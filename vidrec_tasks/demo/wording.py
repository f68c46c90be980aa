"""Wording: titles, descriptions, creators and queries of the demo world."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from vidrec_tasks.demo.topics import Topic

CHINESE_FORMS: Final = ("{name}：第{n}集", "一分钟看{name}（{n}）", "{name}日记 {n}")

_WOODS: Final = "amber birch cedar delta ember fjord grove harbour indigo juniper".split()  # noqa: SIM905
_HOUSES: Final = "films lens studio reel".split()  # noqa: SIM905


def creator_ids(n: int) -> list[str]:
    """``n`` different creators."""
    names = [f"{wood}-{house}" for house in _HOUSES for wood in _WOODS]
    rounds = -(-n // len(names))
    many = [f"{name}-{turn}" if turn else name for turn in range(rounds) for name in names]
    return many[:n]


def titles(topic: Topic, rng: np.random.Generator) -> Iterator[str]:
    """Titles of a topic without end: each pair of subject and aspect once a round."""
    pairs = [(subject, aspect) for subject in topic.subjects for aspect in topic.aspects]
    part = 1
    while True:
        for place in rng.permutation(len(pairs)):
            title = " ".join(pairs[place])
            yield title if part == 1 else f"{title}, part {part}"
        part += 1


def with_second(title: str, topics: Sequence[Topic]) -> str:
    """A title that also says what else the video is about; a reader would not guess it."""
    return f"{title}, with {topics[1].name}" if len(topics) > 1 else title


def chinese_title(topic: Topic, number: int) -> str:
    """A title in Chinese."""
    form = CHINESE_FORMS[number % len(CHINESE_FORMS)]
    return form.format(name=topic.chinese, n=number + 1)


def description(title: str, topics: Sequence[Topic], tags: Sequence[str], duration_s: float) -> str:
    """Two or three plain sentences, from the words of the topics."""
    topic = topics[0]
    finer = [tag for tag in tags if tag in topic.tags]
    first, second = [*finer, *topic.tags][:2]
    length = f"{duration_s:.0f} seconds" if duration_s < 60 else f"{duration_s / 60:.1f} minutes"
    text = f"{title}: {length} about {topic.name}, with {first} and {second}."
    if len(topics) > 1:
        text += f" Also for those who like {topics[1].name}."
    return f"{text} Filed under {topic.category}."


def searches(topics: Sequence[Topic], rng: np.random.Generator) -> list[tuple[str, int]]:
    """What people search for, and how often; the last ones are names of topics in Chinese."""
    texts = [query for topic in topics for query in (*topic.queries, topic.name)]
    texts += [topic.chinese for topic in topics[:2]]
    counts = rng.integers(2, 60, len(texts))
    return [(text, int(count)) for text, count in zip(texts, counts, strict=True)]
