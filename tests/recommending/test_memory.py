"""No array of users times videos: what lists, served or simple, hold of a million videos."""

import tracemalloc
from functools import lru_cache

import numpy as np
import pandas as pd
import scipy.sparse as sp

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.content.index import build_index
from vidrec_tasks.evaluation.baselines import Crowd, baseline_lists, count_likers
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.reranker import rerank_lists
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.models.attention import TargetAttention
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.models import Configuration, Models, make_tower
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.recommending.models.tower import TowerShape
from vidrec_tasks.settings import ContentSettings, RecommendingSettings

N_VIDEOS, N_USERS, DIM = 1_000_000, 256, 8
AN_ARRAY = N_USERS * N_VIDEOS
"""Bytes of one mask of users times videos; of their scores four times as much."""
SETTINGS = RecommendingSettings()


def catalogue(rng: np.random.Generator) -> pd.DataFrame:
    ages_days = rng.integers(1, 400, N_VIDEOS)
    return pd.DataFrame(
        {
            "video_id": [f"v{num:07d}" for num in range(N_VIDEOS)],
            "creator_id": "c",
            "duration_s": 60.0,
            "published_at": worlds.NIGHT - pd.to_timedelta(ages_days, unit="D"),
            "expires_at": pd.Series([pd.NaT] * N_VIDEOS, dtype="datetime64[us, UTC]"),
            "status": "active",
            "age_rating": rng.choice([0, 18], N_VIDEOS, p=[0.9, 0.1]),
            "regions": [[]] * N_VIDEOS,
        }
    )


def watched(rng: np.random.Generator) -> Histories:
    """Each user has met 20 videos, some of them often."""
    n = 20 * N_USERS
    return gather(
        pd.DataFrame(
            {
                "user_id": [f"u{num:03d}" for num in np.repeat(np.arange(N_USERS), 20)],
                "video_num": (N_VIDEOS ** rng.random(n)).astype(np.int64) - 1,
                "event_at": worlds.NIGHT - pd.to_timedelta(rng.integers(1, 900, n), unit="h"),
                "weight": 1.0,
            }
        )
    )


def linked(rng: np.random.Generator, a_row: int) -> SparseModel:
    """What each of 20,000 watched videos speaks for."""
    rows = np.repeat(np.arange(20_000), a_row)
    cells = (rng.random(len(rows), dtype=np.float32), (rows, rng.integers(0, N_VIDEOS, len(rows))))
    return SparseModel(sp.csr_matrix(cells, shape=(N_VIDEOS, N_VIDEOS)))


@lru_cache(maxsize=1)
def world() -> tuple[Models, Histories, pd.DataFrame]:
    rng = np.random.default_rng(1)
    videos, histories = catalogue(rng), watched(rng)
    fused = rng.standard_normal((N_VIDEOS, DIM), dtype=np.float32)
    fused /= np.linalg.norm(fused, axis=1, keepdims=True)
    topics = [[f"topic {num}"] for num in range(50)]
    content = Content.of(videos, fused, [topics[num % 50] for num in range(N_VIDEOS)])
    shape = TowerShape(dim=DIM, length=8, n_layers=1)
    models = Models(
        content,
        make_tower(content, np.zeros(N_VIDEOS, dtype=bool), shape).eval(),
        TargetAttention(DIM),
        {model.name: linked(rng, 50) for model in ITEM_MODELS},
        linked(rng, 20),
        measure_popularity(histories, content, cut=worlds.CUT),
        Configuration(1, 0, 0),
        worlds.CUT,
        30.0,
    )
    return models, histories, videos


def test_no_list_stage_holds_as_much_as_one_mask_of_users_times_videos() -> None:
    models, histories, videos = world()
    exactly = ContentSettings(index_exact_limit=10 * N_VIDEOS)
    vectors, fused = models.video_vectors, models.content.fused
    search = Search(models, build_index(vectors, exactly), build_index(fused, exactly))
    child = worlds.users(u000=("DE", 6.0, False), u001=("DE", 18.0, False))
    rules = UserRules(videos, child, moment=worlds.NIGHT, default_max_age_rating=18)
    tracemalloc.start()
    try:
        eligible = rules.eligible(histories.user_ids)
        nums, candidates = find_candidates(search, histories, eligible, SETTINGS)
        peaks = [peak()]
        ranked = rank_candidates(models, histories, candidates, scorer="blend")
        peaks.append(peak())
        lists = rerank_lists(ranked, histories, models.content, rules, SETTINGS)
        peaks.append(peak())
    finally:
        tracemalloc.stop()
    assert (nums >= 0).all()
    assert len(lists) == N_USERS * SETTINGS.n
    assert max(peaks) < AN_ARRAY, [f"{taken / 2**20:.0f} MiB" for taken in peaks]


def test_simple_lists_hold_less_than_one_mask_of_users_times_videos() -> None:
    models, histories, videos = world()
    rules = UserRules(videos, worlds.users(), moment=worlds.NIGHT, default_max_age_rating=18)
    crowd = Crowd(count_likers(histories, N_VIDEOS, cut=worlds.CUT), histories)
    tracemalloc.start()
    try:
        lists = baseline_lists(histories, crowd, models.content, rules, n=10)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert all((rows[:, :10] >= 0).all() for rows in lists.values())
    assert taken < AN_ARRAY, f"{taken / 2**20:.0f} MiB"


def peak() -> int:
    """Bytes at most since the last call, over what is held now and is not freed."""
    now, most = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    held, HELD[0] = HELD[0], now
    return most - held


HELD = [0]
"""Bytes that were held at the last call: what stages keep for the next block, some per video."""
