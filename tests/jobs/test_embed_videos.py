from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.content.films import scene, write_film
from tests.content.tiny_models import save_bert
from tests.jobs.worlds import finish
from vidrec_tasks.errors import StoreError
from vidrec_tasks.running.runner import Order, run_job, run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_bert(tmp_path_factory.mktemp("models") / "tiny-bert"))


class World:
    """Three videos, one of them without media, in a store of their own."""

    def __init__(self, folder: Path, encoder: str) -> None:
        self.folder, self.encoder = folder, encoder
        self.media = folder / "inputs" / "media"
        self.media.mkdir(parents=True)
        for num, name in enumerate(("a", "b")):
            write_film(self.media / f"{name}.mp4", [scene(10 * num + i) for i in range(6)])
        self.titles = {"va": "a dog", "vb": "the red car", "vc": "grass"}

    def settings(self, videos_per_shard: int = 100) -> Settings:
        return Settings(
            store_url=str(self.folder),
            inputs={"need_interactions": False, "videos_per_shard": videos_per_shard},
            content={"text_encoder": self.encoder, "n_keyframes": 2, "precision": "fp32"},
        )

    def embed(self, night: date, **settings: int) -> dict[str, int]:
        """Run a night up to embed_videos; returns the sums of its shards' counts."""
        uris = ["a.mp4", "b.mp4", ""]
        table = {"video_id": list(self.titles), "title": list(self.titles.values()), "uri": uris}
        pd.DataFrame(table).to_csv(self.folder / "inputs" / "videos.csv", index=False)
        receipts = run_night(night, self.settings(**settings), until="embed_videos")
        counts = [r["counts"] for r in receipts if r["job"] == "embed_videos"]
        return {name: sum(count[name] for count in counts) for name in counts[0]}

    def run(self, night: date) -> Run:
        return Runs(Store(str(self.folder))).of_night(night)

    def finish(self, night: date) -> None:
        """Let a night count as published, so that the next one builds on it."""
        finish(self.run(night))

    def vectors(self, night: date, part: str) -> dict[str, Any]:
        run = self.run(night)
        found = {}
        for ref in run.refs():
            if ref.name.startswith("embeddings."):
                ids = run.read_table(ref.name)["video_id"]
                found |= dict(zip(ids, run.read_array(ref.name, part), strict=True))
        return found


@pytest.fixture
def world(tmp_path: Path, encoder: str) -> World:
    return World(tmp_path, encoder)


def test_a_night_embeds_texts_and_films(world: World) -> None:
    counts = world.embed(FIRST)
    assert (counts["texts_encoded"], counts["films_encoded"]) == (3, 2)
    assert world.vectors(FIRST, "fused").keys() == {"va", "vb", "vc"}
    lengths = [np.linalg.norm(row) for row in world.vectors(FIRST, "frame").values()]
    np.testing.assert_allclose(sorted(lengths), [0, 1, 1], atol=1e-5)


@pytest.mark.parametrize("videos_per_shard", [100, 1])
def test_the_next_night_embeds_what_changed_however_it_is_split(
    world: World, videos_per_shard: int
) -> None:
    world.embed(FIRST)
    world.finish(FIRST)
    world.titles["va"] = "a cat"
    counts = world.embed(SECOND, videos_per_shard=videos_per_shard)
    assert (counts["videos"], counts["reused"]) == (3, 2)
    assert (counts["texts_encoded"], counts["films_encoded"]) == (1, 0)
    before, after = world.vectors(FIRST, "fused"), world.vectors(SECOND, "fused")
    np.testing.assert_array_equal(before["vb"], after["vb"])
    assert not np.allclose(before["va"], after["va"])


def test_a_lost_keyframe_is_named_with_the_way_out(world: World) -> None:
    settings = world.settings()
    world.embed(FIRST)
    for path in (world.folder / "features" / "keyframes").rglob("0.jpg"):
        path.unlink()
    with pytest.raises(StoreError, match="extract_keyframes"):
        run_job(Order("embed_videos", FIRST, "0", force=True), settings)


def test_thumbnails_are_read_as_they_were_written(world: World) -> None:
    world.embed(FIRST)
    run = world.run(FIRST)
    frames = run.read_table("embeddings.0", "frame_table")
    root = world.folder / "features" / "keyframes"
    assert all(cv2.imread(str(root / path)) is not None for path in frames["path"])
    assert frames["video_id"].tolist() == ["va", "va", "vb", "vb"]
