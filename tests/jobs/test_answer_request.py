"""answer_request over a published run of three videos, with encoders that know three words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.content.modalities.registry import MODALITIES
from vidrec_tasks.content.modalities.texts import Text
from vidrec_tasks.contracts.artefacts import ARTEFACTS
from vidrec_tasks.errors import InputError, MissingArtefact, ModelError
from vidrec_tasks.jobs.answer_request import N_SHOWN, answer_request
from vidrec_tasks.jobs.shared import search
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.artefacts import Artefacts
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)
RUN_ID = "2026-09-01-aaaaaaaa"
WORDS = ("cat", "rocket", "sea")
TITLES = ["A cat", "Rocket", "The sea at night"]


class KnowsWords:
    """Encodes each of three words as an axis."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.text = self.frame = self

    def encode(self, texts: Sequence[str], blocks: Sequence[int] | None = None) -> np.ndarray:
        rows = [[word in text.casefold() for word in WORDS] for text in texts]
        return np.array(rows, dtype=np.float32)

    encode_queries = encode


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Store]:
    monkeypatch.setattr(search, "Encoders", KnowsWords)
    settings = read_settings({}, store_url=str(tmp_path / "store"))
    store = Store(settings.store_url)
    _open_run(settings, store)
    publisher = Publisher(make_engine(results_url(settings, store)))
    publisher.prepare()
    now = datetime(2026, 9, 1, 3, tzinfo=UTC)
    publisher.open_run(RUN_ID, night=NIGHT, started_at=now, manifest={}, metrics={}, gates={})
    publisher.load(RUN_ID, {})
    publisher.publish(RUN_ID, now)
    return settings, store


def _open_run(settings: Settings, store: Store) -> None:
    record = record_of(RUN_ID, settings=settings.model_dump(mode="json"))
    run = Runs(store).open(record)
    n = len(TITLES)
    never = pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]")
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num}" for num in range(n)],
            "title": TITLES,
            "description": [""] * n,
            "tags": [["x"]] * n,
            "status": ["active"] * n,
            "published_at": never,
            "expires_at": never,
            "age_rating": [0] * n,
            "regions": [[]] * n,
        }
    )
    frames = pd.DataFrame({"video_id": ["v0", "v1"], "at_s": [1.5, 2.5]})
    text = KnowsWords().encode(TITLES)
    artefacts = Artefacts(store)
    for name, parts in {
        "videos": {"table": videos},
        "content": {"table": videos[["video_id"]], "text": text},
        "frames": {"table": frames, "vectors": text[:2]},
    }.items():
        run.remember(artefacts.write(name, "key", parts))


def ask(store: tuple[Settings, Store], *queries: str, **more: Any) -> dict[str, Any]:
    return answer_request(*store, request_id="r1", queries=queries, **more)


def test_a_request_is_answered_with_titles_and_seconds(store: tuple[Settings, Store]) -> None:
    first = ask(store, "rocket")["rows"][0]
    assert {name: first[name] for name in ("query", "rank", "video_id", "title", "matched")} == {
        "query": "rocket", "rank": 1, "video_id": "v1", "title": "Rocket", "matched": "title+seen",
    }  # fmt: skip
    assert first["at_s"] == 2.5


def test_the_answers_stand_in_their_table_under_the_request(store: tuple[Settings, Store]) -> None:
    said = ask(store, "cat", "sea", n_results=2)
    table = Reader(results_url(*store)).table("adhoc_search_results")
    assert len(table) == said["n_rows"] == 4
    assert set(table["run_id"]) == {RUN_ID}
    assert set(table["request_id"]) == {"r1"}


def test_asking_again_replaces_the_answers(store: tuple[Settings, Store]) -> None:
    ask(store, "cat", "sea")
    ask(store, "cat")
    table = Reader(results_url(*store)).table("adhoc_search_results")
    assert set(table["query"]) == {"cat"}


@pytest.mark.parametrize(
    ("made_by", "is_other"),
    [("words@1/bfloat16", False), ("words@0/float32", True), ("", False)],
)
def test_queries_by_another_model_than_that_of_the_vectors_are_refused(
    store: tuple[Settings, Store], monkeypatch: pytest.MonkeyPatch, made_by: str, *, is_other: bool
) -> None:
    monkeypatch.setattr(KnowsWords, "text_identity", "words@1/float32", raising=False)
    run = Runs(store[1]).of_night(NIGHT)
    table = run.read_table("content").assign(text_encoder=made_by)
    text = run.read_array("content", "text")
    run.remember(run.artefacts.write("content", "other", {"table": table, "text": text}))
    if is_other:
        with pytest.raises(ModelError, match=r"made by words@0, and the encoder is words@1 now"):
            ask(store, "cat")
    else:
        assert ask(store, "cat")["rows"][0]["video_id"] == "v0"


def test_blank_and_repeated_queries_are_left_out(store: tuple[Settings, Store]) -> None:
    assert ask(store, "cat", "  cat ", " ")["n_queries"] == 1


def test_what_is_said_is_of_postcard_size(store: tuple[Settings, Store]) -> None:
    said = ask(store, *(f"cat {num}" for num in range(40)))
    assert said["n_rows"] == 120
    assert len(said["rows"]) <= N_SHOWN
    assert len({row["query"] for row in said["rows"]}) == 40


def test_a_request_without_a_word_is_an_error(store: tuple[Settings, Store]) -> None:
    with pytest.raises(InputError, match="none of 1 queries contains a word"):
        ask(store, " ")


def test_before_the_first_night_there_is_nothing_to_search(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    with pytest.raises(MissingArtefact, match="no night is published yet"):
        ask((settings, Store(str(tmp_path))), "cat")


class Younger(Text):
    name = part = "speech"


class YoungerWithMoments(Younger):
    moments = "speeches"


@pytest.mark.parametrize("younger", [Younger(), YoungerWithMoments()])
def test_a_night_older_than_a_modality_is_searched_without_it(
    store: tuple[Settings, Store], monkeypatch: pytest.MonkeyPatch, younger: Text
) -> None:
    expected = ask(store, "rocket")["rows"]
    content = ARTEFACTS["content"]
    declared = {**content.parts, younger.name: content.parts["text"]}
    monkeypatch.setitem(ARTEFACTS, "content", replace(content, parts=declared))
    monkeypatch.setattr(search, "MODALITIES", (*MODALITIES, younger))
    assert ask(store, "rocket")["rows"] == expected
