"""The example back end of docs/READING.md, over both databases, as a client calls it."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args, get_origin, get_type_hints

import pytest
from fastapi.testclient import TestClient

from tests.publishing.worlds import publish, run_id
from vidrec_tasks.publishing import answers
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.tables import RESULTS


def example(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("back_end", root / "examples" / "back_end.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def client(root: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("VIDREC_READER_URL", url)
    with TestClient(example(root).app) as made:
        yield made


def test_it_serves_a_list_its_reasons_similar_videos_and_a_search(
    publisher: Publisher, client: TestClient
) -> None:
    publish(publisher, 1)
    own = client.get("/users/u2/list", params={"n": 2}).json()
    assert own["list"] == "own"
    assert [video["video_id"] for video in own["videos"]] == ["v1", "v2"]
    assert all(video["explanation"] == "Popular now." for video in own["videos"])
    assert [video["video_id"] for video in client.get("/videos/v1/similar").json()] == ["v2", "v3"]
    found = client.get("/search", params={"q": "a cat"}).json()
    assert [set(row) for row in found] == [{"video_id", "matched", "at_s"}] * len(found)
    assert found


def test_a_stranger_gets_the_list_of_a_segment_or_of_everybody(
    publisher: Publisher, client: TestClient
) -> None:
    publish(publisher, 1)
    theirs = client.get("/users/nobody/list", params={"segment": "region:CH"}).json()
    assert (theirs["list"], [video["video_id"] for video in theirs["videos"]]) == (
        "region:CH",
        ["v9"],
    )
    assert client.get("/users/nobody/list").json()["list"] == "__default__"
    assert client.get("/videos/nothing/similar").json() == []
    assert client.get("/search", params={"q": "nobody asked this"}).json() == []


@pytest.mark.parametrize("n", [0, -1, 1_000_000])
def test_nobody_asks_for_all_rows(publisher: Publisher, client: TestClient, n: int) -> None:
    publish(publisher, 1)
    for path in ("/users/u2/list", "/videos/v1/similar", "/search?q=a+cat"):
        assert client.get(path, params={"n": n, "q": "a cat"}).status_code == 422


def test_before_the_first_night_it_says_so_and_follows_the_next_one(
    publisher: Publisher, client: TestClient
) -> None:
    assert client.get("/healthy").status_code == 503
    assert client.get("/users/u1/list").json()["videos"] == []
    for number in (1, 2):
        publish(publisher, number)
        assert client.get("/healthy").json() == {"run_id": run_id(number)}


def test_the_example_is_short(root: Path) -> None:
    text = (root / "examples" / "back_end.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60


KINDS = {
    str: "TEXT", float: "DOUBLE", int: "INTEGER", bool: "BOOLEAN", dict: "JSON", list: "JSON",
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("recommendations", answers.Recommendation),
        ("fallback_recommendations", answers.Fallback),
        ("similar_videos", answers.SimilarVideo),
        ("search_results", answers.Found),
        ("video_texts", answers.Passage),
        ("video_cards", answers.VideoCard),
    ],
)
def test_typed_rows_are_those_of_the_views(table: str, row: type) -> None:
    declared = {}
    for name, kind in get_type_hints(row).items():
        may_be_null = type(None) in get_args(kind)
        kind = get_args(kind)[0] if may_be_null else kind
        written = KINDS.get(get_origin(kind) or kind, "DATETIME")
        declared[name] = (written, may_be_null)
    columns = RESULTS[table].columns
    assert declared == {
        column.name: (str(column.type).split("(")[0], bool(column.nullable)) for column in columns
    }
