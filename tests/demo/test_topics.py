"""The words of the demo world."""

from itertools import islice

import numpy as np
import pytest

from vidrec_tasks.demo.photographs import SOURCES, photograph
from vidrec_tasks.demo.topics import TOPICS, Topic, topics_for
from vidrec_tasks.demo.wording import chinese_title, creator_ids, description, titles
from vidrec_tasks.language.words import INSTRUCTION_WORDS, has_sensitive


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_no_word_hints_at_who_somebody_is_or_commands(topic: Topic) -> None:
    texts = [topic.name, topic.category, topic.chinese, *topic.tags, *topic.queries,
             *topic.subjects, *topic.aspects]  # fmt: skip
    assert [text for text in texts if has_sensitive(text)] == []
    words = {word for text in texts for word in text.lower().split()}
    assert words & INSTRUCTION_WORDS == set()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_titles_repeat_only_as_further_parts(topic: Topic) -> None:
    drawn = list(islice(titles(topic, np.random.default_rng(1)), 120))
    assert len(set(drawn)) == 120
    assert drawn[100].endswith("part 3")
    assert topic.chinese in chinese_title(topic, 4)


def test_a_description_names_topic_and_length() -> None:
    coins = next(topic for topic in TOPICS if topic.name == "coins")
    text = description("A worn penny", [coins], ["coins", "mint"], 90)
    assert text == (
        "A worn penny: 1.5 minutes about coins, with mint and numismatics. Filed under collecting."
    )


def test_larger_worlds_have_more_topics() -> None:
    assert [len(topics_for(n)) for n in (8, 60, 84, 5000)] == [2, 8, 12, 12]


def test_creators_are_all_different() -> None:
    assert len(set(creator_ids(95))) == 95


def test_every_photograph_is_there_without_a_download() -> None:
    named = {name for topic in TOPICS for name in (*topic.photographs, *topic.backdrops)}
    assert named <= set(SOURCES)
    for name in SOURCES:
        height, width, n_channels = photograph(name).shape
        assert min(height, width) >= 300
        assert n_channels == 3
