"""Catalogue: plans the videos of the demo world, with what is planted in each."""

from collections import Counter
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.demo.planned import Market, PlannedVideo
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.specials import plant_specials
from vidrec_tasks.demo.topics import Topic, topics_for
from vidrec_tasks.demo.voices import plan_voices
from vidrec_tasks.demo.wording import chinese_title, creator_ids, titles, with_second

SHAPES: Final = ((320, 180), (320, 180), (256, 256), (180, 320), (320, 240))
"""Width and height of films, in pixels."""

MIN_DURATION_S, MAX_DURATION_S = 6.0, 120.0
UNDERSERVED_SUPPLY: Final = 0.4
FULL_SUPPLY: Final = 1.35
"""Videos of a topic, as a multiple of an ordinary one's, for the wanted and the plentiful."""
N_TOPICS_WITH_MARKET: Final = 6
UNTAGGED_SHARE, CHINESE_SHARE, TWO_TOPICS_SHARE, RECENT_SHARE = 0.125, 0.07, 0.2, 0.3


def plan_catalogue(size: Size) -> tuple[list[PlannedVideo], Market]:
    """Plan all videos of a world, by video_id."""
    rng = np.random.default_rng([size.seed, 1])
    topics = topics_for(size.videos)
    wanted, plentiful = _choose_market(topics, rng)
    mains = _deal_topics(topics, size.videos, wanted, plentiful, rng)
    creators = _creators(topics, mains, plentiful)
    videos = _plain_videos(size, mains, creators, (wanted, *plentiful), rng)
    plant_specials(videos, size, wanted, rng)
    plan_voices(videos, size)
    affected = tuple(sorted(c for name in plentiful for c in creators[name]))
    return videos, Market(topics, wanted, plentiful, affected)


def catalogue_table(videos: list[PlannedVideo]) -> pd.DataFrame:
    """The videos as the table of the contract, as text."""
    rows = [
        {
            "video_id": video.video_id,
            "title": video.title,
            "description": video.text,
            "tags": "|".join(video.tags),
            "categories": video.topics[0].category if video.tags else "",
            "creator_id": video.creator_id,
            "language": video.language,
            "duration_s": f"{video.duration_s:.3f}",
            "published_at": as_text(video.published_at),
            "expires_at": as_text(video.expires_at),
            "status": video.status,
            "age_rating": video.age_rating or "",
            "regions": "|".join(video.regions),
            "uri": f"{video.video_id}.mp4" if video.has_media else "",
            "updated_at": as_text(video.updated_at),
        }
        for video in videos
    ]
    return pd.DataFrame(rows, dtype=str)


def as_text(moment: pd.Timestamp | None) -> str:
    """A moment in ISO 8601, to the second, UTC."""
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _choose_market(
    topics: tuple[Topic, ...], rng: np.random.Generator
) -> tuple[str, tuple[str, ...]]:
    """One wanted topic, alone in its category, and two plentiful ones, where there are enough."""
    if len(topics) < N_TOPICS_WITH_MARKET:
        return "", ()
    shelves = Counter(topic.category for topic in topics)
    wanted = str(rng.choice([topic.name for topic in topics if shelves[topic.category] == 1]))
    others = [topic.name for topic in topics if topic.name != wanted]
    first, second = rng.choice(others, 2, replace=False).tolist()
    return wanted, (first, second)


def _deal_topics(
    topics: tuple[Topic, ...],
    n_videos: int,
    wanted: str,
    plentiful: tuple[str, ...],
    rng: np.random.Generator,
) -> list[Topic]:
    """The main topic of each video, in an order without pattern."""
    supply = np.array(
        [
            UNDERSERVED_SUPPLY if topic.name == wanted
            else FULL_SUPPLY if topic.name in plentiful else 1.0
            for topic in topics
        ]
    )  # fmt: skip
    upto = np.rint(np.cumsum(supply) / supply.sum() * n_videos).astype(int)
    counts = np.diff(upto, prepend=0)
    dealt = [topic for topic, count in zip(topics, counts, strict=True) for _ in range(count)]
    return [dealt[place] for place in rng.permutation(n_videos)]


def _creators(
    topics: tuple[Topic, ...], mains: list[Topic], plentiful: tuple[str, ...]
) -> dict[str, list[str]]:
    """The creators of each topic: those of a plentiful one make nothing else."""
    # two of three or four videos each in a world of 60; more of more in larger ones
    n_each = max(1, round(0.7 * float(np.sqrt(len(mains) / len(topics)))))
    names = iter(creator_ids(len(topics) * (n_each + 1)))
    made = {topic.name: [next(names) for _ in range(n_each)] for topic in topics}
    others = [topic.name for topic in topics if topic.name not in plentiful]
    for here, there in zip(others, others[1:] + others[:1], strict=True):
        made[here].append(made[there][0])
    for name in plentiful:
        made[name].append(next(names))
    return made


def _plain_videos(
    size: Size,
    mains: list[Topic],
    creators: dict[str, list[str]],
    alone: tuple[str, ...],
    rng: np.random.Generator,
) -> list[PlannedVideo]:
    width = max(3, len(str(size.videos)))
    sources = {topic.name: titles(topic, rng) for topic in topics_for(size.videos)}
    durations = _durations(mains, rng)
    videos = []
    for number, main in enumerate(mains):
        topics = [main, *_second_topic(main, mains, alone, rng)]
        is_chinese = rng.random() < CHINESE_SHARE
        fps = 8 if durations[number] < 45 else 5
        shape = SHAPES[rng.integers(len(SHAPES))]
        published_at, updated_at = _dates(size, rng)
        creator_id = str(rng.choice(creators[main.name]))
        plain = chinese_title(main, number) if is_chinese else next(sources[main.name])
        videos.append(
            PlannedVideo(
                video_id=f"v{number + 1:0{width}d}",
                topics=topics,
                creator_id=creator_id,
                title=plain if is_chinese else with_second(plain, topics),
                duration_s=round(durations[number] * fps) / fps,
                published_at=published_at,
                appeal=round(float(np.clip(rng.normal(0, 0.4), -1, 1)), 3),
                tags=_tags(topics, rng, always=main.name in alone),
                language="zh" if is_chinese else "en",
                shape=shape,
                fps=fps,
                updated_at=updated_at,
            )
        )
    return videos


def _durations(mains: list[Topic], rng: np.random.Generator) -> list[float]:
    """Seconds of each video, spread alike in every topic: length tells nothing of taste."""
    durations = np.zeros(len(mains))
    for name in {topic.name: None for topic in mains}:
        places = [place for place, topic in enumerate(mains) if topic.name == name]
        spread = (np.arange(len(places)) + rng.uniform(0, 1, len(places))) / len(places)
        seconds = MIN_DURATION_S * (MAX_DURATION_S / MIN_DURATION_S) ** spread
        durations[places] = rng.permutation(seconds)
    return [float(seconds) for seconds in durations]


def _second_topic(
    main: Topic, mains: list[Topic], alone: tuple[str, ...], rng: np.random.Generator
) -> list[Topic]:
    """A fifth of the videos are about two things; those of the planted market about one."""
    if main.name in alone or rng.random() >= TWO_TOPICS_SHARE:
        return []
    others = [t for t in mains if t.name != main.name and t.name not in alone]
    return [others[rng.integers(len(others))]] if others else []


def _tags(topics: list[Topic], rng: np.random.Generator, *, always: bool) -> list[str]:
    """Names of the topics and two or three finer tags; one video in eight has none."""
    if rng.random() < UNTAGGED_SHARE and not always:
        return []
    finer = rng.choice(topics[0].tags, rng.integers(2, 4), replace=False).tolist()
    return [*(topic.name for topic in topics), *finer]


def _dates(size: Size, rng: np.random.Generator) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    """Published up to 90 days before the logs or within them; some edited before the nights."""
    first_night = pd.Timestamp(size.two_nights[0], tz="UTC")
    days_in = (first_night - size.begin) / pd.Timedelta(days=1) - 0.5
    days = rng.uniform(0, days_in) if rng.random() < RECENT_SHARE else -rng.uniform(0, 90)
    published_at = (size.begin + pd.Timedelta(days=float(days))).floor("s")
    if rng.random() >= 0.3:
        return published_at, None
    edited = published_at + (first_night - published_at) * float(rng.uniform(0, 0.95))
    return published_at, edited.floor("s")
