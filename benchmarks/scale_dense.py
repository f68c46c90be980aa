"""The dense way: every source scores every video for every user, as a measure of the sparse one.

It holds arrays of users times videos, so it is for small catalogues. Leaves ranking and re-ranking
to the stages, which see only candidates in either case.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.scale_world import NIGHT, plant_shard
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import USER_ID, VIDEO_ID
from vidrec_tasks.jobs.find_candidates import read_search
from vidrec_tasks.jobs.shared.reading import read_histories, read_rules, rows_of
from vidrec_tasks.recommending.lists.block import AskingBlock, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates, merge
from vidrec_tasks.recommending.lists.eligibility import Eligible, from_bits
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.reranker import rerank_lists
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.lists.sources.alike import Alike
from vidrec_tasks.recommending.lists.sources.crowd import Crowd
from vidrec_tasks.recommending.lists.sources.dot import Dot
from vidrec_tasks.recommending.lists.sources.finding import above, top
from vidrec_tasks.recommending.lists.sources.item_items import ItemItem
from vidrec_tasks.recommending.lists.sources.portrait import Portrait
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.recommending.lists.sources.source import Found, Source
from vidrec_tasks.running.job import Context
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import RecommendingSettings, Settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

MOST_VIDEOS: Final = 50_000
"""Beyond, a block's scores by all models would be gigabytes."""
SHARD: Final = 1
"""Whose users are asked: others than those that models learned from."""


def measure_equal(settings: Settings, n_users: int) -> dict[str, Any]:
    """Share of listed rows that the dense way lists too, of a planted store's users.

    Args:
        settings: of the store.
        n_users: how many are asked.
    """
    store = Store(settings.store_url)
    run = Runs(store).of_night(NIGHT)
    plant_shard(run, SHARD, n_users)
    for job in ("build_profiles", "embed_users"):
        run_job(Order(job, NIGHT, str(SHARD), owner="scale"), settings)
    context = Context(settings, store, run, str(SHARD))
    search, histories = read_search(context), read_histories(context)
    rules = read_rules(context, NIGHT, histories.user_ids)
    portraits = context.read_table(context.own("portraits"))
    vectors = context.read_array(context.own("portraits"), "vectors")
    asked = {
        "portraits": rows_of(portraits, vectors, histories.user_ids),
        "user_vectors": context.read_array(context.own("user_vectors"), "vectors"),
    }
    both = [
        _lists(search, histories, rules, settings.recommending, asked, is_dense=is_dense)
        for is_dense in (False, True)
    ]
    candidates, lists = zip(*both, strict=True)
    return {
        "lists_equal_dense": round(_shared(*lists), 5),
        "candidates_equal_dense": round(_shared(*candidates), 5),
        "users": histories.n_users,
        "videos": search.models.content.n_videos,
    }


def _lists(
    search: Search,
    histories: Histories,
    rules: UserRules,
    settings: RecommendingSettings,
    asked: dict[str, npt.NDArray[np.float32]],
    *,
    is_dense: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates and lists of all users."""
    find = find_densely if is_dense else find_candidates
    tables = []
    for nums, block in histories.blocks():
        mine = {name: vectors[nums] for name, vectors in asked.items()}
        tables.append(find(search, block, rules.eligible(block.user_ids), settings, **mine)[1])
    candidates = pd.concat(tables, ignore_index=True)
    models = search.models
    ranked = rank_candidates(models, histories, candidates, scorer=models.configuration.scorer)
    return candidates, rerank_lists(ranked, histories, models.content, rules, settings)


def find_densely(
    search: Search,
    histories: Histories,
    eligible: Eligible,
    settings: RecommendingSettings,
    **asked: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """As `find_candidates`, by scores of all users times all videos."""
    block = AskingBlock(
        models=search.models, histories=histories, search=search,
        eligible=eligible.without(histories), settings=settings, **asked,  # type: ignore[arg-type]
    )  # fmt: skip
    allowed = from_bits(eligible.cells, eligible.n_videos)[eligible.cell_of]
    allowed[histories.user_nums(), histories.video_nums] = False
    found = [(source.name, *_found(source, block, allowed)) for source in SOURCES]
    return merge(found, histories, search.models.content, settings)


def _found(source: Source, block: AskingBlock, allowed: npt.NDArray[np.bool_]) -> Found:
    models, n = block.models, block.settings.n_per_source
    if isinstance(source, Crowd):
        measured, counts = source.measure(block)
        return top(np.broadcast_to(measured, allowed.shape), allowed & counts, n)
    if isinstance(source, ItemItem):
        scores = block.item_scores(source.model)
        return top(scores, allowed & (scores > 0), n)
    if isinstance(source, Dot):
        return top(block.users @ models.video_vectors.T, allowed, n)
    if isinstance(source, Alike):
        profiles = block.recent_profiles if source.recent else block.content_profiles
        return above(_nearest(profiles, models.content.fused, allowed, n), block.settings.min_score)
    if isinstance(source, Portrait):
        portraits, text = block.portraits, block.search.text
        if portraits is None or text is None:
            portraits, text = block.portrait_profiles, models.content.fused
        return above(_nearest(portraits, text, allowed, n), block.settings.min_score)
    return source.find(block)  # exploration scores all new videos of a small catalogue


def _nearest(
    queries: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    allowed: npt.NDArray[np.bool_],
    n: int,
) -> Found:
    return top(queries @ vectors.T, allowed & queries.any(axis=1)[:, None], n)


def _shared(sparse: pd.DataFrame, dense: pd.DataFrame) -> float:
    """Share of the sparse way's rows that the dense way has too."""
    rows, others = (
        pd.MultiIndex.from_frame(table[[USER_ID, VIDEO_ID]]) for table in (sparse, dense)
    )
    return float(rows.isin(others).mean())
