import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.finished_nights import NIGHT, settings_of
from tests.stores import record_of
from vidrec_tasks.content import fusion, inverted
from vidrec_tasks.content.index import Index, checksum_of
from vidrec_tasks.contracts.artefacts import MODALITIES
from vidrec_tasks.errors import ContractError
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

VIDEOS = ["v1", "v2", "v3", "v4"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path, content={"card_weight": 0.0})


def run_with(settings: Settings, shards: list[list[str]]) -> Run:
    """A run whose videos were looked at in shards; video vN's vectors are N-th unit vectors."""
    record = record_of(f"{NIGHT}-x", n_video_shards=len(shards))
    run = Runs(Store(settings.store_url)).open(record)
    made = {"videos": {"table": videos()}}
    for number, names in enumerate(shards):
        made[f"embeddings.{number}"] = embeddings(names)
        made[f"keyframes.{number}"] = keyframes(names)
        made[f"cards.{number}"] = cards(names)
    for name, parts in made.items():
        run.remember(run.artefacts.write(name, key_of({"of": name}), parts))
    return run


def videos() -> pd.DataFrame:
    lists = pd.Series([["Cats"], [], [], []], dtype=object)
    times = pd.to_datetime(["2026-01-04", "2026-01-03", "2026-01-02", "2026-01-01"], utc=True)
    return pd.DataFrame(
        {"video_id": VIDEOS, "tags": lists, "categories": pd.Series([[]] * 4, dtype=object),
         "published_at": times}
    )  # fmt: skip


def unit_rows(names: list[str]) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[[int(name[1:]) % 8 for name in names]]


def embeddings(names: list[str]) -> dict[str, object]:
    concepts = pd.Series([[["dog, domestic dog", 0.8]] for _ in names], dtype=object)
    table = pd.DataFrame(
        {"video_id": names, "checksum": "c", "concepts": concepts}
        | {f"{name}_encoder": "e" for name in MODALITIES}
        | {f"has_{name}": True for name in MODALITIES}
    )
    frames = [name for name in reversed(names) for _ in range(2)]
    frame_table = pd.DataFrame(
        {"video_id": frames, "frame_num": [1, 0] * len(names), "at_s": 1.0, "path": "p.jpg"}
    )
    matrices = {part: unit_rows(names) for part in (*MODALITIES, "fused")}
    passages = pd.DataFrame(
        {"video_id": names, "passage_num": 0, "at_s": 2.0, "language": "en", "text": "a cat",
         "checksum": "c"}
    )  # fmt: skip
    return {
        "table": table, **matrices, "frame_table": frame_table, "frame_vectors": unit_rows(frames),
        **{f"{name}_table": passages for name in ("said", "written")},
        **{f"{name}_vectors": unit_rows(names) for name in ("said", "written")},
    }  # fmt: skip


def cards(names: list[str], dim: int = 8) -> dict[str, object]:
    """Cards that all say the same: the first unit vector."""
    topics = pd.Series([["dog"] for _ in names], dtype=object)
    vectors = np.zeros((len(names), dim), dtype=np.float32)
    vectors[:, :1] = 1
    return {"table": pd.DataFrame({"video_id": names, "topics": topics}), "vectors": vectors}


def keyframes(names: list[str]) -> dict[str, object]:
    media = pd.DataFrame({"video_id": names, "checksum": "same"})
    empty = {name: pd.Series(dtype=str) for name in ("video_id", "frame_hash", "frame_luma")}
    table = pd.DataFrame(
        {**empty, "frame_num": pd.Series(dtype="int64"), "at_s": pd.Series(dtype=float)}
    )
    return {"table": table, "media": media[media["video_id"].isin(["v1", "v3"])]}


@pytest.mark.parametrize("shards", [[VIDEOS], [["v4", "v1"], ["v3", "v2"]]])
def test_content_follows_the_order_of_the_videos_whatever_the_shards(
    settings: Settings, shards: list[list[str]]
) -> None:
    run = run_with(settings, shards)
    receipt = run_job(Order("build_content_index", NIGHT), settings)
    table = run.read_table("content")
    assert table["video_id"].tolist() == VIDEOS
    for part in (*MODALITIES, "fused"):
        assert (run.read_array("content", part) == unit_rows(VIDEOS)).all()
    assert table["topics"].tolist() == [["cats"], ["dog"], ["dog"], ["dog"]]
    assert receipt["counts"]["frames"] == 8


def test_cards_are_fused_with_what_they_weigh(settings: Settings) -> None:
    run = run_with(settings, [["v4", "v1"], ["v3", "v2"]])
    content = settings.content.model_copy(update={"card_weight": 0.5})
    run_job(Order("build_content_index", NIGHT), settings.model_copy(update={"content": content}))
    fused = run.read_array("content", "fused")
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, rtol=1e-5)
    own = fused[np.arange(4), [1, 2, 3, 4]]
    # text, frame, said and written weigh 0.6, 0.4, 0.2 and 0.1, all in one direction
    np.testing.assert_allclose(fused[:, 0] / own, 0.5 / 1.3, rtol=1e-5)
    assert (run.read_array("content", "text") == unit_rows(VIDEOS)).all()


def test_frames_are_in_order_with_their_vectors(settings: Settings) -> None:
    run = run_with(settings, [["v4", "v1"], ["v3", "v2"]])
    run_job(Order("build_content_index", NIGHT), settings)
    frames = run.read_table("frames")
    assert frames["video_id"].tolist() == [name for name in VIDEOS for _ in range(2)]
    assert frames["frame_num"].tolist() == [0, 1] * 4
    assert (run.read_array("frames", "vectors") == unit_rows(frames["video_id"].tolist())).all()


def test_the_index_belongs_to_the_fused_vectors(settings: Settings) -> None:
    run = run_with(settings, [VIDEOS])
    run_job(Order("build_content_index", NIGHT), settings)
    parts = run.parts("content_index")
    index = Index.from_parts(parts)
    assert index.info["checksum"] == checksum_of(run.read_array("content", "fused"))
    assert index.search(unit_rows(["v3"]), 1)[1][0, 0] == 2


def test_a_video_without_embeddings_is_named(settings: Settings) -> None:
    run_with(settings, [["v1", "v2", "v4"]])
    with pytest.raises(ContractError, match=r"1 of 4 videos have none \(first: v3\)"):
        run_job(Order("build_content_index", NIGHT), settings)


def test_a_video_without_a_card_is_named(settings: Settings) -> None:
    run = run_with(settings, [VIDEOS])
    run.remember(run.artefacts.write("cards.0", key_of({"of": "few"}), cards(["v1", "v2", "v3"])))
    with pytest.raises(ContractError, match=r"cards: 1 of 4 videos have none.*run write_cards"):
        run_job(Order("build_content_index", NIGHT), settings)


def test_videos_with_the_same_file_are_duplicates_the_earliest_canonical(
    settings: Settings,
) -> None:
    run = run_with(settings, [["v4", "v1"], ["v3", "v2"]])
    receipt = run_job(Order("find_duplicates", NIGHT), settings)
    found = run.read_table("duplicates")
    assert found["video_id"].tolist() == ["v1", "v3"]
    assert found["group_id"].tolist() == ["v3", "v3"]
    assert found["is_canonical"].tolist() == [False, True]
    assert receipt["counts"] == {"videos": 4, "in_groups": 2, "groups": 1}


def test_what_is_held_does_not_grow_with_the_modalities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "_BLOCK", 64)
    monkeypatch.setattr(inverted, "ADDED_ROWS", 64)
    settings = settings_of(tmp_path, content={"card_weight": 0.5})
    n_videos, n_shards, dim = 4_000, 20, 2_048
    run = Runs(Store(settings.store_url)).open(record_of(f"{NIGHT}-x", n_video_shards=n_shards))
    names = [f"v{num}" for num in range(n_videos)]
    made: dict[str, dict[str, object]] = {
        "videos": {"table": pd.concat([videos()] * (n_videos // 4)).assign(video_id=names)}
    }
    rng = np.random.default_rng(0)
    for num in range(n_shards):
        some = names[num::n_shards]
        wide = {
            part: rng.standard_normal((len(some), dim), dtype=np.float32)
            for part in (*MODALITIES, "fused")
        }
        parts = {**embeddings(some), **wide, "frame_vectors": wide["frame"].repeat(2, axis=0)}
        made |= {f"embeddings.{num}": parts, f"cards.{num}": cards(some, dim)}
        made[f"keyframes.{num}"] = keyframes(some)
    for name, parts in made.items():
        run.remember(run.artefacts.write(name, key_of({"of": name}), parts))
    a_matrix = n_videos * dim * 4
    del made, wide, parts
    tracemalloc.start()  # FAISS is not counted: it holds a copy of its own
    try:
        run_job(Order("build_content_index", NIGHT), settings)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert run.read_array("content", "fused").nbytes == a_matrix
    assert most < 1.5 * a_matrix, f"{most / a_matrix:.1f} of a matrix"


def test_a_shard_of_another_width_is_named(settings: Settings) -> None:
    run = run_with(settings, [["v4", "v1"], ["v3", "v2"]])
    narrow = {**embeddings(["v3", "v2"]), "frame": unit_rows(["v3", "v2"])[:, :4]}
    run.remember(run.artefacts.write("embeddings.1", key_of({"of": "narrow"}), narrow))
    with pytest.raises(ContractError, match=r"embeddings\.1: frame is float32 \(4,\)"):
        run_job(Order("build_content_index", NIGHT), settings)
