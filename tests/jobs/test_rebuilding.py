"""A rebuild with another encoder, of another width, on a store that readers are looking at."""

from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.content.tiny_models import WORDS, save_bert
from tests.jobs import small_nights
from vidrec_tasks.content.index import Index, checksum_of
from vidrec_tasks.jobs.answer_request import answer_request
from vidrec_tasks.jobs.roll_back import roll_back
from vidrec_tasks.night import NIGHT
from vidrec_tasks.publishing.engine import results_url
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.running.runner import Order, run_job, run_night, shards_for
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST, SECOND, THIRD, FOURTH = (date(2026, 9, day) for day in (1, 2, 3, 4))
N_VIDEOS, N_USERS = 24, 30
REMOVED = "v05"
OLD_DIM, NEW_DIM = 16, 24


class House:
    """A small catalogue with logs, two encoders, and what was seen while nights ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.encoders = {
            dim: str(save_bert(folder / f"bert-{dim}", dim=dim)) for dim in (OLD_DIM, NEW_DIM)
        }
        (folder / "store" / "inputs").mkdir(parents=True)
        _videos().to_csv(folder / "store" / "inputs" / "videos.csv", index=False)
        _events().to_csv(folder / "store" / "inputs" / "interactions.csv", index=False)
        self.seen: dict[str, str | None] = {}
        self.current: list[str | None] = []

    def settings(self, dim: int) -> Settings:
        return small_nights.settings_of(
            self.folder / "store",
            inputs={"users_per_shard": 20, "videos_per_shard": 15},
            content={"text_encoder": self.encoders[dim], "precision": "fp32"},
            recommending={"patience": 1, "n": 5},
            insights={"k_anonymity": 2},
            evaluation={"max_ndcg_drop": 1.0, "min_list_share": 0.1},
        )

    @property
    def store(self) -> Store:
        return Store(str(self.folder / "store"))

    def run(self, night: date) -> Run:
        return Runs(self.store).of_night(night)

    def current_run_id(self) -> str | None:
        reader = Reader(results_url(self.settings(OLD_DIM), self.store))
        try:
            return reader.current_run_id()
        finally:
            reader.close()

    def rebuild(self, night: date, dim: int) -> None:
        """Every job as the rebuild's tasks call it, with a look at the readers after each."""
        for task_id in NIGHT:
            for shard in shards_for(task_id, self.store, night):
                order = Order(task_id, night, shard, owner="rebuild", is_cold=True)
                run_job(order, self.settings(dim))
            self.seen[task_id] = self.current_run_id()

    @cached_property
    def is_lived(self) -> bool:
        """A night, a rebuild of the next, the films of a third, and one as before, less a video."""
        run_night(FIRST, self.settings(OLD_DIM))
        self.current.append(self.current_run_id())
        self.rebuild(SECOND, NEW_DIM)
        self.current.append(self.current_run_id())
        run_night(THIRD, self.settings(NEW_DIM), until="embed_videos")
        videos = _videos()
        videos = videos[videos["video_id"] != REMOVED]
        videos.to_csv(self.folder / "store" / "inputs" / "videos.csv", index=False)
        run_night(FOURTH, self.settings(OLD_DIM))
        return True


def _videos() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    titles = [" ".join(rng.choice(WORDS, 4)) for _ in range(N_VIDEOS)]
    return pd.DataFrame(
        {
            "video_id": [f"v{num:02}" for num in range(N_VIDEOS)],
            "title": titles,
            "tags": [f"topic {num % 4}" for num in range(N_VIDEOS)],
            "creator_id": [f"c{num % 3}" for num in range(N_VIDEOS)],
            "duration_s": 60,
            "published_at": "2026-08-01T00:00:00Z",
        }
    )


def _events() -> pd.DataFrame:
    """Who likes a topic watches its videos, eight each, up to the evening before the last night."""
    rows = []
    begin = datetime(2026, 8, 25, tzinfo=UTC)
    for user in range(N_USERS):
        for step in range(9):
            video = (user % 4 + 4 * (step + user)) % N_VIDEOS
            at = begin + timedelta(hours=26 * step + user / 10)
            event = {"user_id": f"u{user:02}", "video_id": f"v{video:02}", "event_type": "play"}
            rows.append({**event, "event_at": at.isoformat(), "watched_s": 50})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("rebuild"))
    assert house.is_lived
    return house


def widths(run: Run) -> dict[str, int]:
    parts = {"content": "fused", "portraits.0": "vectors", "embeddings.0": "text"}
    return {name: run.read_array(name, part).shape[1] for name, part in parts.items()}


def video_ids(run: Run) -> set[str]:
    """Every video that content, lists or tables of a run speak of."""
    names = ("content", "video_vectors", "similar", "fallbacks", "answers", "explained.0")
    columns = ("video_id", "similar_video_id")
    tables = [run.read_table(name) for name in names]
    return {vid for table in tables for name in columns if name in table for vid in table[name]}


def counts(run: Run, job: str) -> list[dict[str, Any]]:
    return [receipt["counts"] for receipt in run.receipts() if receipt["job"] == job]


def test_readers_keep_the_old_run_until_the_new_one_is_published(house: House) -> None:
    old, new = house.current
    assert (old, new) == (house.run(FIRST).run_id, house.run(SECOND).run_id)
    before = NIGHT[: NIGHT.index("publish_lists")]
    assert {house.seen[task_id] for task_id in before} == {old}
    assert house.seen["publish_lists"] == new


def test_everything_of_the_rebuild_has_the_new_width(house: House) -> None:
    assert set(widths(house.run(FIRST)).values()) == {OLD_DIM}
    assert set(widths(house.run(SECOND)).values()) == {NEW_DIM}


def test_the_rebuild_takes_nothing_from_before(house: House) -> None:
    run = house.run(SECOND)
    assert run.record.parents == {}
    assert sum(count["reused"] for count in counts(run, "embed_videos")) == 0
    assert sum(count["texts_encoded"] for count in counts(run, "embed_videos")) > 0


def test_the_night_after_it_embeds_nothing_again(house: House) -> None:
    run = house.run(THIRD)
    assert run.record.parents["features"] == house.run(SECOND).run_id
    assert sum(count["texts_encoded"] for count in counts(run, "embed_videos")) == 0


def test_a_night_with_the_old_encoder_again_mixes_no_widths(house: House) -> None:
    run = house.run(FOURTH)
    assert run.record.parents["previous"] == house.run(SECOND).run_id
    assert set(widths(run).values()) == {OLD_DIM}
    assert run.find("publication") is not None


def test_a_removed_video_leaves_the_index_and_every_list_the_same_night(house: House) -> None:
    before, after = house.run(FIRST), house.run(FOURTH)
    assert REMOVED in video_ids(before)
    assert REMOVED not in video_ids(after)
    info = after.read_json("content_index", "info")
    index = Index.from_parts(after.parts("content_index"))
    assert info["n"] == len(after.read_table("videos")) == N_VIDEOS - 1
    assert index.info["checksum"] == checksum_of(after.read_array("content", "fused"))


def test_a_search_reads_the_current_run_with_its_own_encoder(house: House) -> None:
    for night in (FOURTH, SECOND):
        run_id = house.run(night).run_id
        roll_back(house.settings(OLD_DIM), house.store, request_id="back", run_id=run_id)
        said = answer_request(
            house.settings(OLD_DIM), house.store, request_id="r", queries=["red car"]
        )
        assert (said["run_id"], said["n_rows"]) == (run_id, 10)


def test_rolled_back_the_readers_see_the_old_run_and_its_lists(house: House) -> None:
    old = house.run(FIRST).run_id
    roll_back(house.settings(OLD_DIM), house.store, request_id="back", run_id=old)
    reader = Reader(results_url(house.settings(OLD_DIM), house.store))
    try:
        assert reader.current_run_id() == old
        assert len(reader.list_for("u00", n=5).rows) == 5
        assert {row["run_id"] for row in reader.table("recommendations").to_dict("records")} == {
            old
        }
    finally:
        reader.close()
