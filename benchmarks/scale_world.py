"""A store in the middle of a night, planted: drawn embeddings, histories and a short training.

Everything that the list stages read is there as the jobs before them would have left it, for any
number of users: a shard's users are made when the shard is, from (seed, shard) alone.
"""

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.scale_draws import DIM, SEED, Drawn, draw_embeddings, draw_plays
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.interactions import duration_statistics, weigh
from vidrec_tasks.columns import EVENT_AT, IS_CANONICAL, USER_ID, VIDEO_ID
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.content.index import build_index
from vidrec_tasks.errors import InputError
from vidrec_tasks.jobs.find_candidates import TEXT_LIMIT
from vidrec_tasks.jobs.shared.judging import none_judged
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.relevance import NOTHING
from vidrec_tasks.recommending.lists.scorers.trees import Trees
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.lending import lend
from vidrec_tasks.recommending.models.models import Configuration, Models
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.training.examples import gather_examples
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.recommending.training.held_out import hold_out_later
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Ref, key_of
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.store import Store

Floats = npt.NDArray[np.float32]

log = logging.getLogger("benchmarks.scale")

NIGHT: Final = date(2026, 9, 1)
TOWER_USERS: Final = 2_000
"""Users whom the towers learn from: the use of models is measured, not how good they are."""
TRAINING_USERS: Final = 8_000
"""Users whom item-item models and popularity are counted from: their rows are what a list costs."""
TREE_USERS: Final = 500
"""Users whose later events the trees learn from: a night's forests have as many trees."""
TREE_DAYS: Final = 7.0
"""Days of these events."""
WINDOW_DAYS: Final = 60
EMBEDDINGS: Final = "embeddings.npy"
"""Beside the store: what a shard's portraits are drawn from."""
REGIONS: Final = ("DE", "FR", "ES", "IT", "PL", "SE")
TOWERS: Final = "models.evaluation"
"""Where the towers are kept while the rest is fitted; no list job reads it."""
BY_COLUMN: Final = 1_000
"""Videos beyond which linear models are solved by column: in the same way in every catalogue."""
DRAWN: Final = 99_999
"""Number of the shard whose users are those that explanations count."""

SHARED: Final = (
    "videos", "users", "content", "duplicates", "content_index", "watch_statistics",
    "models.serving", "popularity", "peers", "video_vectors", "relevance",
)  # fmt: skip
"""What the list stages read beside a shard's own."""


def settings_of(store: Path, users_per_shard: int, **groups: Any) -> Settings:
    """The usual settings over a store, but for what is given."""
    inputs = {"users_per_shard": users_per_shard}
    return Settings(store_url=str(store), threads=1, inputs=inputs, **groups)


def plant_shared(settings: Settings, n_videos: int) -> None:
    """Videos, content, indexes and models: the same for any number of users.

    What is there is kept, so that what takes long may be stopped and go on.
    """
    run = open_run(settings, n_user_shards=1)
    drawn = Drawn.of(n_videos)
    path = Path(settings.store_url) / EMBEDDINGS
    is_there = run.find("content") is not None
    fused: Floats = np.load(path, mmap_mode="c") if is_there else draw_embeddings(drawn, path)
    videos = _videos(drawn)
    topics = [[f"topic {topic}"] for topic in drawn.topic_of]
    if not is_there:
        _keep(run, "videos", table=videos)
        _keep(run, "users", table=_no_users())
        _keep(run, "duplicates", table=no_duplicates())
        text = fused if n_videos <= TEXT_LIMIT else fused[:0]  # beyond, no list job reads it
        _keep(run, "content", table=_content_table(videos, topics), text=text, fused=fused)
    log.info("%d videos", n_videos)
    if run.find("content_index") is None:
        index = build_index(fused, settings.content)
        _keep(run, "content_index", index=index.poured(), info=index.info)
        log.info("content index: %s", index.info)
    events = shard_events(drawn, 0, TRAINING_USERS)
    _keep(run, "watch_statistics", table=duration_statistics(events, videos, night=NIGHT))
    if run.find("models.serving") is None:
        _keep_models(run, settings, videos, fused, topics, events)
        log.info("models")
    _keep(run, "relevance", table=none_judged(), learned=dict(NOTHING))  # nobody is asked
    run_job(Order("index_video_vectors", NIGHT), settings)
    if run.find("peers") is None:
        _keep_peers(run, settings, drawn, videos)
        log.info("peers")


def open_run(settings: Settings, *, n_user_shards: int, n_user_buckets: int = 0) -> Run:
    """A run of the night with so many shards of users; it names what another one had shared."""
    store = Store(settings.store_url)
    pinned = Runs(store).pinned(NIGHT)
    shared = [] if pinned is None else _shared_of(Runs(store).get(pinned["run_id"]))
    record = RunRecord(
        f"{NIGHT}-{n_user_shards:08x}", NIGHT.isoformat(), "planted", settings.digest(), "code",
        n_user_shards, 1, "current", n_user_buckets=n_user_buckets,
    )  # fmt: skip
    run = Runs(store).open(record)
    for ref in shared:
        run.remember(ref)
    return run


def plant_shard(run: Run, shard: int, n_users: int) -> list[Ref]:
    """The events and portraits of a shard's users, as the jobs before the lists leave them."""
    fused = np.load(Path(run.store.url) / EMBEDDINGS, mmap_mode="r")
    events = shard_events(Drawn.of(len(fused)), shard, n_users)
    ids = pd.Series(sorted(events[USER_ID].unique()), dtype="str")
    rng = np.random.default_rng([SEED, shard, 1])
    near = fused[rng.integers(0, len(fused), len(ids))]
    portraits = to_unit(near + 0.5 * rng.standard_normal(near.shape).astype(np.float32) / DIM**0.5)
    return [
        _keep(run, f"interactions.{shard}", n_users, table=events),
        _keep(run, f"judged.{shard}", n_users, table=none_judged()),
        _keep(run, f"portraits.{shard}", n_users, table=ids.to_frame(USER_ID), vectors=portraits),
    ]


def shard_events(drawn: Drawn, shard: int, n_users: int) -> pd.DataFrame:
    """Plays of a shard's users, as `interactions` holds them."""
    rng = np.random.default_rng([SEED, shard])
    plays = draw_plays(drawn, rng, n_users, WINDOW_DAYS)
    events = pd.DataFrame(
        {
            USER_ID: [f"u{shard:05d}-{num:06d}" for num in plays.users],
            VIDEO_ID: [video_id(num) for num in plays.videos],
            EVENT_AT: pd.Timestamp(NIGHT, tz="UTC") - pd.to_timedelta(plays.ago_s, unit="s"),
            "event_type": "play",
            "watched_s": plays.watched_s,
            "value": np.nan,
            "session_id": "",
        }
    ).astype({USER_ID: "str", VIDEO_ID: "str", "event_type": "str", "session_id": "str"})
    events[EVENT_AT] = events[EVENT_AT].astype("datetime64[us, UTC]")
    events["row_num"] = np.arange(len(events))
    return events.sort_values([USER_ID, EVENT_AT, "row_num"], ignore_index=True)


def video_id(num: int) -> str:
    """The id of a video; in the order of the numbers."""
    return f"v{num:07d}"


def forget(run: Run, refs: list[Ref]) -> int:
    """Remove a shard's artefacts, whose lists would fill the disk; returns their bytes."""
    import shutil

    for ref in refs:
        shutil.rmtree(run.store.local(run.artefacts.folder(ref.name, ref.key)))
        run.forget(ref.name)
    return sum(ref.bytes for ref in refs)


def _shared_of(run: Run) -> list[Ref]:
    return [ref for name in SHARED if (ref := run.find(name)) is not None]


def _keep(run: Run, name: str, n_users: int = 0, **parts: Any) -> Ref:
    """Plant an artefact; what an ended run left of as many users is kept, that of others is not."""
    key = key_of({"planted": name, "run": run.run_id, "n_users": n_users})
    ref = run.artefacts.write(name, key, parts)
    run.remember(ref)
    return ref


def _videos(drawn: Drawn) -> pd.DataFrame:
    n = len(drawn.topic_of)
    rng = np.random.default_rng([SEED, 5])
    night = pd.Timestamp(NIGHT, tz="UTC")
    empty: list[list[str]] = [[] for _ in range(n)]
    table = pd.DataFrame(
        {
            VIDEO_ID: [video_id(num) for num in range(n)],
            "title": [f"Film {num} of topic {topic}" for num, topic in enumerate(drawn.topic_of)],
            "description": "", "tags": pd.Series(empty, dtype=object),
            "categories": pd.Series(empty, dtype=object),
            "creator_id": [f"c{num % max(1, n // 20)}" for num in range(n)], "language": "en",
            "duration_s": drawn.duration_s,
            "published_at": night - pd.to_timedelta(rng.integers(1, 400, n), unit="D"),
            "expires_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
            "status": "active", "age_rating": rng.choice([0, 12, 18], n, p=[0.8, 0.15, 0.05]),
            "regions": _regions(n, rng), "uri": "",
            "updated_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
        }
    )  # fmt: skip
    return table.astype({VIDEO_ID: "str", "title": "str", "creator_id": "str", "status": "str"})


def _regions(n: int, rng: np.random.Generator) -> pd.Series:
    """One video in ten is bound to a few regions."""
    bound = [[region] for region in REGIONS]
    drawn = np.where(rng.random(n) < 0.1, rng.integers(0, len(REGIONS), n), -1)
    return pd.Series([bound[region] if region >= 0 else [] for region in drawn], dtype=object)


def _no_users() -> pd.DataFrame:
    """A users table of nobody: users are planted a shard at a time, whatever their hashes."""
    texts = {name: pd.Series(dtype="str") for name in (USER_ID, "region", "language")}
    return pd.DataFrame(
        {**texts, "max_age_rating": pd.Series(dtype="float64"), "opted_out": pd.Series(dtype=bool)}
    )


def no_duplicates() -> pd.DataFrame:
    """The duplicates of a catalogue without any."""
    texts = {name: pd.Series(dtype="str") for name in (VIDEO_ID, "group_id")}
    return pd.DataFrame({**texts, IS_CANONICAL: pd.Series(dtype=bool)})


def _content_table(videos: pd.DataFrame, topics: list[list[str]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            VIDEO_ID: videos[VIDEO_ID], "has_text": True, "has_frame": False, "checksum": "c",
            "text_encoder": "planted", "frame_encoder": "planted",
            "concepts": pd.Series([[] for _ in topics], dtype=object),
            "topics": pd.Series(topics, dtype=object),
        }
    )  # fmt: skip


def _keep_models(
    run: Run,
    settings: Settings,
    videos: pd.DataFrame,
    fused: Floats,
    topics: list[list[str]],
    events: pd.DataFrame,
) -> None:
    """Two passes of the towers over a sample; what is counted, over more; trees that serve."""
    visits = weigh(events, videos, settings.audience, night=NIGHT)
    content, everybody = Content.of(videos, fused, topics), gather(visits)
    cut = int(pd.Timestamp(NIGHT, tz="UTC").timestamp())
    if run.find(TOWERS) is None:
        chosen = settings.recommending.model_copy(update={"dense_linear_limit": BY_COLUMN})
        towers = fit_models(
            everybody.take(np.arange(TOWER_USERS)), content, chosen,
            cut=cut, half_life_days=settings.audience.half_life_days,
            configuration=Configuration(2, 1, 0),
        )  # fmt: skip
        _keep(run, TOWERS, **towers.to_parts())
        log.info("towers")
    models = Models.from_parts(run.parts(TOWERS), content)
    shape = LinearShape(dense_limit=BY_COLUMN)
    n_videos = content.n_videos
    items = {model.name: model.fit(everybody, n_videos, shape) for model in ITEM_MODELS}
    popularity = measure_popularity(everybody, content, cut=cut)
    lent = lend(content.fused, popularity.n_users)
    models = replace(models, items=items, popularity=popularity, lent=lent)
    models = _served_by_trees(models, everybody, settings)
    _keep(run, "models.serving", **models.to_parts())
    recent = visits[visits["is_watched"]].groupby(VIDEO_ID)[USER_ID].nunique()
    likers = visits[visits["weight"] > 0].groupby(VIDEO_ID)[USER_ID].nunique()
    shown = recent.rename("n_viewers_recent").to_frame().assign(window_days=7)
    shown["n_likers_recent"] = likers.reindex(shown.index, fill_value=0)
    _keep(run, "popularity", table=shown.reset_index())


def _served_by_trees(models: Models, everybody: Histories, settings: Settings) -> Models:
    """The models with trees that order the lists, as those of most nights do.

    The models have seen the events that the trees learn from: what is measured is what they cost.
    """
    held = hold_out_later(
        everybody, cut=models.cut, days=TREE_DAYS, seed=SEED,
        published_at_s=models.content.published_at_s,
    )  # fmt: skip
    if held is None:
        message = f"none of {everybody.n_users:,} planted users liked something new at last"
        raise InputError(message)
    some = np.arange(min(TREE_USERS, held.asked.users.n_users))
    asked = replace(
        held.asked, users=held.asked.users.take(some), targets=held.asked.targets[:TREE_USERS]
    )
    trees = Trees()
    learned = {trees.name: trees.learn(gather_examples(models, asked, settings.recommending))}
    configuration = replace(models.configuration, learned=learned, scorer=trees.name)
    return replace(models, configuration=configuration)


def _keep_peers(run: Run, settings: Settings, drawn: Drawn, videos: pd.DataFrame) -> None:
    """As many users as are drawn of a store of any size."""
    n_drawn = settings.recommending.max_training_users
    events = shard_events(drawn, DRAWN, n_drawn)
    visits = weigh(events, videos, settings.audience, night=NIGHT)
    columns = [USER_ID, "video_num", EVENT_AT, "weight"]
    _keep(
        run, "peers", table=visits[columns].sort_values(USER_ID, kind="stable", ignore_index=True),
        counts={"n_users": 10 * n_drawn, "n_drawn": n_drawn},
    )  # fmt: skip
