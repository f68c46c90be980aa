"""Derived queries: from tags, concepts and titles in turn, none twice."""

import pandas as pd

from vidrec_tasks.searching.queries import MAX_LENGTH, derive_queries

VIDEOS = pd.DataFrame(
    {
        "title": ["A cat", "Rocket", "Rocket", ""],
        "tags": [["cats", "funny"], ["cats"], ["space"], []],
    }
)
CONCEPTS = [[["tabby, tabby cat", 0.8]], None, [["missile", 0.4], ["rocket", 0.3]], []]


def derived(n: int) -> list[tuple[str, int]]:
    table = derive_queries(VIDEOS, CONCEPTS, n=n)
    return list(zip(table["query"], table["count"], strict=True))


def test_tags_concepts_and_titles_take_turns_the_most_carried_first() -> None:
    assert derived(4) == [("cats", 2), ("missile", 1), ("Rocket", 2), ("funny", 1)]


def test_no_query_is_asked_twice_whatever_its_case() -> None:
    texts = [text.casefold() for text, _ in derived(50)]
    assert len(texts) == len(set(texts))


def test_a_concept_is_asked_for_by_its_first_name() -> None:
    assert "tabby" in dict(derived(50))


def test_a_long_title_is_cut_at_a_word() -> None:
    videos = pd.DataFrame({"title": ["word " * 60], "tags": [[]]})
    (query,) = derive_queries(videos, [None], n=3)["query"]
    assert len(query) <= MAX_LENGTH
    assert query.endswith("word")


def test_an_empty_catalogue_gives_no_query() -> None:
    assert derive_queries(VIDEOS.iloc[:0], [], n=3).empty
