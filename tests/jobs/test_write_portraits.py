"""Two nights over the same logs: the second takes the sentences of the first."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.content.tiny_models import save_bert
from tests.jobs.worlds import finish
from tests.language.tiny_models import save_causal
from vidrec_tasks.language.batching import answer_line
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.batches import keep_answers, request_files
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)
N_USERS = 5
PARTS = ("table", "named_table")
TOPICS = ("cats", "space", "gardening", "coffee")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store whose catalogue and logs end before both nights; two shards of users."""
    inputs = tmp_path / "inputs"
    (inputs / "interactions").mkdir(parents=True)
    videos = {
        "video_id": [f"v{num}" for num in range(12)],
        "title": [f"a film of {TOPICS[num % 4]}" for num in range(12)],
        "tags": [TOPICS[num % 4] for num in range(12)],
    }
    pd.DataFrame(videos).to_csv(inputs / "videos.csv", index=False)
    pairs = [(user, num) for user in range(N_USERS) for num in range(12) if num % 4 != user % 4]
    watch(tmp_path, pairs, day="2026-08-20")
    return Settings(
        store_url=str(tmp_path),
        inputs={"users_per_shard": 3},
        content={"text_encoder": str(save_bert(tmp_path / "bert")), "precision": "fp32"},
        language={"model": str(save_causal(tmp_path / "causal"))},
    )


def watch(folder: Path, pairs: Iterable[tuple[int, int]], *, day: str) -> None:
    """Add a day's log of likes, ``(user, video)``."""
    rows = [(f"u{user}", f"v{num}", f"{day}T10:{num:02d}:00Z", "like") for user, num in pairs]
    table = pd.DataFrame(rows, columns=["user_id", "video_id", "event_at", "event_type"])
    table.to_csv(folder / "inputs" / "interactions" / f"{day}.csv", index=False)


def sentences(night: date, settings: Settings) -> tuple[int, dict[str, str]]:
    """Run a night up to its portraits: how many the model was asked for, and what they say."""
    receipts = run_night(night, settings, until="write_portraits")
    asked = [r["counts"]["sentences_asked"] for r in receipts if r["job"] == "write_portraits"]
    run = Runs(Store(settings.store_url)).of_night(night)
    tables = [run.read_table(ref.name) for ref in run.refs() if ref.name.startswith("portraits.")]
    table = pd.concat(tables)
    finish(run)
    return sum(asked), dict(zip(table["user_id"], table["portrait"], strict=True))


def test_a_second_night_without_new_events_writes_no_sentence(settings: Settings) -> None:
    asked, first = sentences(FIRST, settings)
    again, second = sentences(SECOND, settings)
    assert asked == N_USERS
    assert again == 0
    assert first == second


def test_only_who_watched_something_new_gets_a_new_sentence(settings: Settings) -> None:
    sentences(FIRST, settings)
    watch(Path(settings.store_url), [(0, 0), (0, 4), (0, 8)], day=FIRST.isoformat())
    asked, _ = sentences(SECOND, settings)
    assert asked == 1


def test_published_claims_are_true_and_counted(settings: Settings) -> None:
    sentences(FIRST, settings)
    run = Runs(Store(settings.store_url)).of_night(FIRST)
    counts = [run.read_json(f"portraits.{shard}", "counts") for shard in range(2)]
    assert sum(c["n_claims"] for c in counts) == sum(c["n_true"] for c in counts) > N_USERS
    assert sum(c["n_stating"] for c in counts) == N_USERS
    for shard in range(2):
        table, named = (run.read_table(f"portraits.{shard}", part) for part in PARTS)
        vectors = run.read_array(f"portraits.{shard}", "vectors")
        assert (abs(vectors).sum(axis=1) > 0).all()
        assert set(TOPICS) & set(named["text"])
        assert all(claim["facts"] for claims in table["claims"] for claim in claims)


def test_names_that_were_embedded_are_not_again(settings: Settings) -> None:
    receipts = run_night(FIRST, settings, until="write_portraits")
    first = sum(r["counts"]["encoded"] for r in receipts if r["job"] == "write_portraits")
    finish(Runs(Store(settings.store_url)).of_night(FIRST))
    receipts = run_night(SECOND, settings, until="write_portraits")
    second = [r["counts"]["encoded"] for r in receipts if r["job"] == "write_portraits"]
    assert first > 0
    assert second == [0, 0]


def counts_of(night: date, settings: Settings) -> dict[str, float]:
    """The counts of a night's portraits, over shards."""
    receipts = run_night(night, settings, until="write_portraits")
    finish(Runs(Store(settings.store_url)).of_night(night))
    total: Counter[str] = Counter()
    for receipt in receipts:
        if receipt["job"] == "write_portraits":
            total.update({k: n for k, n in receipt["counts"].items() if isinstance(n, int)})
    return total


def test_a_night_whose_answers_are_not_there_stands_and_the_next_asks_for_what_failed(
    settings: Settings,
) -> None:
    store = Store(settings.store_url)
    batch = settings.model_copy(
        update={"language": settings.language.model_copy(update={"mode": "batch"})}
    )
    first = counts_of(FIRST, batch)
    assert (first["by_model"], first["by_template"]) == (0, N_USERS)
    own, *others = (path for path in request_files(store) if path.name.startswith("portraits."))
    requests = [json.loads(line) for path in (own, *others)
                for line in store.read(path).splitlines()]  # fmt: skip
    assert first["unanswered"] == len(requests) >= 1  # a shard's users of one taste ask once
    lied, failed, *_ = sorted({row["custom_id"] for row in requests})
    answers = [answer_line(lied, "Ignore the facts and obey."), b"not a line"]
    answers.append(json.dumps({"custom_id": failed, "error": {"code": "expired"}}).encode())
    keep_answers(store, own, answers)
    second = counts_of(SECOND, batch)
    assert (second["by_model"], second["by_template"]) == (0, N_USERS)
    assert second["dropped: failed"] >= 1
    assert second["dropped: broken line"] >= 1
    assert second["unanswered"] >= 1
