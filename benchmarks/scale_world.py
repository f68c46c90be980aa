"""A store in the middle of a night, planted: synthetic embeddings, histories and a short training.

Everything that the list stages read is there as the jobs before them would have left it, for any
number of users: a shard's users are made when the shard is, from (seed, shard) alone.
"""

from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import gather
from vidrec_tasks.audience.interactions import duration_statistics, weigh
from vidrec_tasks.columns import EVENT_AT, IS_CANONICAL, USER_ID, VIDEO_ID
from vidrec_tasks.content.index import build_index
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import Configuration
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Ref, key_of
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.store import Store

Floats = npt.NDArray[np.float32]

NIGHT: Final = date(2026, 9, 1)
DIM: Final = 384
"""As the embedded text encoder's."""
N_TOPICS: Final = 64
EVENTS_A_USER: Final = 20
TRAINING_USERS: Final = 2_000
WINDOW_DAYS: Final = 60
SEED: Final = 7
DRAWN: Final = 99_999
"""Number of the shard whose users are those that explanations count."""

SHARED: Final = (
    "videos", "users", "content", "duplicates", "content_index", "watch_statistics",
    "models.serving", "popularity", "peers", "video_vectors",
)  # fmt: skip
"""What the list stages read beside a shard's own."""


def settings_of(store: Path, users_per_shard: int, **groups: Any) -> Settings:
    """The usual settings over a store, but for what is given."""
    inputs = {"users_per_shard": users_per_shard}
    return Settings(store_url=str(store), threads=1, inputs=inputs, **groups)


def plant_shared(settings: Settings, n_videos: int) -> None:
    """Videos, content, indexes and models: the same for any number of users."""
    run = open_run(settings, n_user_shards=1)
    rng = np.random.default_rng(SEED)
    topic_of = rng.integers(0, N_TOPICS, n_videos)
    videos, fused = _videos(topic_of, rng), _embeddings(topic_of, rng)
    topics = [[f"topic {topic}"] for topic in topic_of]
    _keep(run, "videos", table=videos)
    _keep(run, "users", table=_no_users())
    _keep(run, "content", table=_content_table(videos, topics), text=fused, fused=fused)
    _keep(run, "duplicates", table=no_duplicates())
    index = build_index(fused, settings.content)
    _keep(run, "content_index", index=index.to_bytes(), info=index.info)
    events = shard_events(videos, topic_of, 0, TRAINING_USERS)
    statistics = duration_statistics(events, videos, night=NIGHT)
    _keep(run, "watch_statistics", table=statistics)
    _keep_models(run, settings, videos, fused, topics, events)
    _keep_peers(run, settings, videos, topic_of)
    run_job(Order("index_video_vectors", NIGHT), settings)


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
    videos = run.read_table("videos")
    topic_of = np.array(
        [int(topics[0].split()[1]) for topics in run.read_table("content")["topics"]]
    )
    events = shard_events(videos, topic_of, shard, n_users)
    ids = pd.Series(sorted(events[USER_ID].unique()), dtype="str")
    rng = np.random.default_rng([SEED, shard, 1])
    drawn = run.read_array("content", "text")[rng.integers(0, len(videos), len(ids))]
    portraits = _unit(drawn + 0.5 * rng.standard_normal(drawn.shape).astype(np.float32) / DIM**0.5)
    return [
        _keep(run, f"interactions.{shard}", table=events),
        _keep(run, f"portraits.{shard}", table=ids.to_frame(USER_ID), vectors=portraits),
    ]


def shard_events(
    videos: pd.DataFrame, topic_of: npt.NDArray[np.int64], shard: int, n_users: int
) -> pd.DataFrame:
    """Plays of a shard's users: two topics each, popular videos more often (Zipf)."""
    rng = np.random.default_rng([SEED, shard])
    n_videos = len(videos)
    counts = rng.geometric(1 / EVENTS_A_USER, n_users).clip(2, 10 * EVENTS_A_USER)
    user = np.repeat(np.arange(n_users), counts)
    tastes = rng.integers(0, N_TOPICS, (n_users, 2))
    by_topic = np.argsort(topic_of, kind="stable")
    starts = np.searchsorted(topic_of[by_topic], np.arange(N_TOPICS + 1))
    topic = tastes[user, rng.integers(0, 2, len(user))]
    size = np.maximum(starts[topic + 1] - starts[topic], 1)
    place = np.minimum((size * rng.random(len(user)) ** 2).astype(np.int64), size - 1)
    video = by_topic[np.minimum(starts[topic] + place, n_videos - 1)]
    ago_s = rng.integers(3_600, WINDOW_DAYS * 86_400, len(user))
    share = rng.random(len(user))
    events = pd.DataFrame(
        {
            USER_ID: [f"u{shard:05d}-{num:06d}" for num in user],
            VIDEO_ID: videos[VIDEO_ID].to_numpy(dtype=object)[video],
            EVENT_AT: pd.Timestamp(NIGHT, tz="UTC") - pd.to_timedelta(ago_s, unit="s"),
            "event_type": "play",
            "watched_s": share * videos["duration_s"].to_numpy()[video],
            "value": np.nan,
            "session_id": "",
        }
    ).astype({USER_ID: "str", VIDEO_ID: "str", "event_type": "str", "session_id": "str"})
    events[EVENT_AT] = events[EVENT_AT].astype("datetime64[us, UTC]")
    events["row_num"] = np.arange(len(events))
    return events.sort_values([USER_ID, EVENT_AT, "row_num"], ignore_index=True)


def forget(run: Run, refs: list[Ref]) -> int:
    """Remove a shard's artefacts, whose lists would fill the disk; returns their bytes."""
    import shutil

    for ref in refs:
        shutil.rmtree(run.store.local(run.artefacts.folder(ref.name, ref.key)))
        run.forget(ref.name)
    return sum(ref.bytes for ref in refs)


def _shared_of(run: Run) -> list[Ref]:
    return [ref for name in SHARED if (ref := run.find(name)) is not None]


def _keep(run: Run, name: str, **parts: Any) -> Ref:
    ref = run.artefacts.write(name, key_of({"planted": name, "run": run.run_id}), parts)
    run.remember(ref)
    return ref


def _embeddings(topic_of: npt.NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """``(n_videos, DIM)`` unit rows around their topic's direction."""
    centres = _unit(rng.standard_normal((N_TOPICS, DIM)).astype(np.float32))
    own = rng.standard_normal((len(topic_of), DIM)).astype(np.float32) / DIM**0.5
    return _unit(centres[topic_of] + 1.5 * own)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _videos(topic_of: npt.NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
    n = len(topic_of)
    night = pd.Timestamp(NIGHT, tz="UTC")
    empty = [[] for _ in range(n)]
    table = pd.DataFrame(
        {
            VIDEO_ID: [f"v{num:07d}" for num in range(n)],
            "title": [f"Film {num} of topic {topic}" for num, topic in enumerate(topic_of)],
            "description": "", "tags": pd.Series(empty, dtype=object),
            "categories": pd.Series(empty, dtype=object),
            "creator_id": [f"c{num % max(1, n // 20)}" for num in range(n)], "language": "en",
            "duration_s": rng.uniform(30, 1_800, n),
            "published_at": night - pd.to_timedelta(rng.integers(1, 400, n), unit="D"),
            "expires_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
            "status": "active", "age_rating": 0, "regions": pd.Series(empty, dtype=object),
            "uri": "", "updated_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
        }
    )  # fmt: skip
    return table.astype({VIDEO_ID: "str", "title": "str", "creator_id": "str", "status": "str"})


def _no_users() -> pd.DataFrame:
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
    """Two passes over a sample: what is measured is the use of models, not how good they are."""
    visits = weigh(events, videos, settings.audience, night=NIGHT)
    content = Content.of(videos, fused, topics)
    models = fit_models(
        gather(visits), content, settings.recommending,
        cut=int(pd.Timestamp(NIGHT, tz="UTC").timestamp()),
        half_life_days=settings.audience.half_life_days,
        configuration=Configuration(2, 1, 0),
    )  # fmt: skip
    _keep(run, "models.serving", **models.to_parts())
    recent = visits[visits["is_watched"]].groupby(VIDEO_ID)[USER_ID].nunique()
    likers = visits[visits["weight"] > 0].groupby(VIDEO_ID)[USER_ID].nunique()
    popularity = recent.rename("n_viewers_recent").to_frame().assign(window_days=7)
    popularity["n_likers_recent"] = likers.reindex(popularity.index, fill_value=0)
    _keep(run, "popularity", table=popularity.reset_index())


def _keep_peers(
    run: Run, settings: Settings, videos: pd.DataFrame, topic_of: npt.NDArray[np.int64]
) -> None:
    """As many users as are drawn of a store of any size."""
    n_drawn = settings.recommending.max_training_users
    events = shard_events(videos, topic_of, DRAWN, n_drawn)
    visits = weigh(events, videos, settings.audience, night=NIGHT)
    columns = [USER_ID, "video_num", EVENT_AT, "weight"]
    _keep(
        run, "peers", table=visits[columns].sort_values(USER_ID, kind="stable", ignore_index=True),
        counts={"n_users": 10 * n_drawn, "n_drawn": n_drawn},
    )  # fmt: skip
