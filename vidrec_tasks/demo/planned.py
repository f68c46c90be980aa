"""Planned: a video of the demo world before it is written, and the market that it stands in."""

from dataclasses import dataclass, field

import pandas as pd

from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.demo.spoken import SpokenLine
from vidrec_tasks.demo.topics import Topic
from vidrec_tasks.demo.wording import description


@dataclass
class PlannedVideo:
    """One video of the world: its row of the catalogue, and what is planted in it.

    Attributes:
        topics: the one or two topics that it is about, the main one first.
        appeal: how much it is liked whatever it is about; about 0 on average, in log odds.
        role: ``plain``, or which special case it is.
        reupload_of: the video that it shows again, if it does.
        shape: width and height of its film, in pixels.
        fps: frames a second of its film.
        has_media: whether the catalogue names a file.
        spoken: what is said in its film, in order of time.
        has_captions: whether a caption file with it lies beside the film.
    """

    video_id: str
    topics: list[Topic]
    creator_id: str
    title: str
    duration_s: float
    published_at: pd.Timestamp
    appeal: float
    tags: list[str]
    role: str = "plain"
    reupload_of: str = ""
    language: str = "en"
    status: str = ACTIVE
    shape: tuple[int, int] = (320, 180)
    fps: int = 8
    has_media: bool = True
    spoken: tuple[SpokenLine, ...] = ()
    has_captions: bool = False
    expires_at: pd.Timestamp | None = None
    updated_at: pd.Timestamp | None = None
    age_rating: int = 0
    regions: list[str] = field(default_factory=list)

    @property
    def topic_names(self) -> list[str]:
        """The names of its topics."""
        return [topic.name for topic in self.topics]

    @property
    def text(self) -> str:
        """Its description."""
        return description(self.title, self.topics, self.tags, self.duration_s)


@dataclass(frozen=True)
class Market:
    """Which topics are wanted more than they are made.

    Attributes:
        topics: all of the world.
        underserved: the topic with few videos and many who want them; '' in a small world.
        plentiful: the topics whose audience wants it.
        affected: the creators of the plentiful topics: it is their gap.
    """

    topics: tuple[Topic, ...]
    underserved: str = ""
    plentiful: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
