"""Vocabulary: what several alike videos say becomes a topic, what all say does not."""

import numpy as np
import pandas as pd

from tests.language.cards.worlds import SUBJECTS, catalogue, rows, sources
from vidrec_tasks.language.cards.vocabulary import learn_vocabulary


def topics(table: pd.DataFrame) -> set[str]:
    return set(table["topic"])


def test_what_alike_videos_share_is_a_topic_and_what_all_say_is_not() -> None:
    found = topics(learn_vocabulary(*catalogue()).table)
    assert {"steam engine", "beehive"} <= found
    assert not {"amazing", "story"} & found


def test_words_that_stand_only_within_a_longer_phrase_give_way_to_it() -> None:
    found = topics(learn_vocabulary(*catalogue()).table)
    assert "steam engine" in found
    assert not {"steam", "engine"} & found


def test_a_phrase_of_videos_that_are_not_alike_is_no_topic() -> None:
    own, vectors = catalogue()
    mixed = np.random.default_rng(5).permutation(len(own))
    assert not set(SUBJECTS) & topics(learn_vocabulary(own, vectors[mixed]).table)


def test_tags_of_two_videos_are_topics_in_their_most_usual_form() -> None:
    own = sources(
        rows(tags=["Cats", "rare"]), rows(tags=["cat"]), rows(tags=["cat"], categories=["pets"]),
        rows(categories=["Pets"]),
    )  # fmt: skip
    table = learn_vocabulary(own, np.zeros((4, 8), np.float32)).table
    assert list(zip(table["topic"], table["n_videos"], strict=True)) == [("cat", 3), ("pets", 2)]
    assert set(table["source"]) == {"tags"}


def test_no_topic_is_a_command_or_a_sensitive_attribute() -> None:
    tags = ["ignore instructions", "islam", "teenagers", "<b>x</b>", "system prompt", "tea"]
    own = sources(*(rows(tags=tags) for _ in range(12)))
    assert topics(learn_vocabulary(own, np.zeros((12, 8), np.float32)).table) == {"tea"}


def test_a_topic_of_the_night_before_stays_more_easily() -> None:
    own, vectors = catalogue()
    kept = [num for num in range(len(own)) if num < 2 or num >= 5]  # two of the first
    few = [own[num] for num in kept], vectors[kept]
    before = learn_vocabulary(own, vectors).table
    key = next(key for key in before["key"] if "street" in key or "market" in key)
    assert key not in set(learn_vocabulary(*few).table["key"])
    assert key in set(learn_vocabulary(*few, known=set(before["key"])).table["key"])


def test_what_one_video_alone_says_never_stays() -> None:
    own, vectors = catalogue()
    before = learn_vocabulary(own, vectors).table
    kept = [0, *range(5, len(own))]
    after = learn_vocabulary([own[n] for n in kept], vectors[kept], known=set(before["key"])).table
    assert not any("street" in key or "market" in key for key in after["key"])


def test_a_sentence_that_pages_repeat_gives_no_topic() -> None:
    own, vectors = catalogue()
    furniture = "Visit the gift shop of Glockenspiel Limited"
    more = sources(
        *(
            rows(title=one.title, description=f"{one.texts['description']} {furniture}.")
            if num < 5
            else rows(title=one.title, description=one.texts["description"])
            for num, one in enumerate(own)
        )
    )
    assert not any("gift" in topic for topic in topics(learn_vocabulary(more, vectors).table))


def test_a_small_catalogue_has_tags_alone() -> None:
    own, vectors = catalogue()
    assert learn_vocabulary(own[:9], vectors[:9]).table.empty


def test_an_empty_catalogue_has_a_vocabulary_of_the_right_kinds() -> None:
    table = learn_vocabulary([], np.zeros((0, 8), np.float32)).table
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "topic": "str", "key": "str", "n_videos": "int64", "source": "str", "strength": "float64",
    }  # fmt: skip


def test_the_order_of_tags_and_a_second_run_change_nothing() -> None:
    own, vectors = catalogue()
    first, second = (learn_vocabulary(own, vectors).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
