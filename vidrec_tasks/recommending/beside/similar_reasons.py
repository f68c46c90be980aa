"""Similar reasons: one true sentence on what two videos share."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.language.quoting import plain_topic
from vidrec_tasks.recommending.catalogue.content import Content

SIMILAR_TEMPLATES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "watched": "Watched by the same users.",
        "watched+topic": "Watched by the same users, also about “{topic}”.",
        "topic": "Also about “{topic}”.",
        "content": "Similar in content.",
        "popular": "Liked by many users.",
        "other": "Another video of the catalogue.",
    },
    "zh": {
        "watched": "同一批用户也看过。",
        "watched+topic": "同一批用户也看过，同样关于“{topic}”。",
        "topic": "同样关于“{topic}”。",
        "content": "内容相似。",
        "popular": "受许多用户喜欢。",
        "other": "片库中的另一个视频。",
    },
}
"""Language -> what is shared -> sentence."""

_MIN_LIKENESS: Final = 0.3
"""Cosine from which two videos are said to be similar; random pairs of titles have 0.1."""

_MANY_USERS: Final = 10


@dataclass(frozen=True)
class Pair:
    """Two videos, and what spoke for putting them together.

    Attributes:
        num: the video that is looked at.
        other: the one beside it.
        is_watched_together: whether co-watching spoke louder than content.
        likeness: cosine of their content.
    """

    num: int
    other: int
    is_watched_together: bool
    likeness: float


class Reasons:
    """Finds reasons.

    Args:
        content: topics of the videos.
        n_users: ``(n_videos,)`` users who liked a video.
        language: 'en' or 'zh'.
    """

    def __init__(
        self, content: Content, n_users: npt.NDArray[np.float32], *, language: str
    ) -> None:
        self._templates = SIMILAR_TEMPLATES[language]
        self._n_users = n_users
        self._sentences: dict[str, str] = {}
        self._topics = [
            [topic for topic in topics if plain_topic(topic) == topic] for topics in content.topics
        ]
        self._n_videos: dict[str, int] = {}
        for topics in self._topics:
            for topic in set(topics):
                self._n_videos[topic] = self._n_videos.get(topic, 0) + 1

    def of(self, pair: Pair) -> str:
        """The reason of a pair: what it shares, told by what spoke for it."""
        topic = self._shared_topic(pair)
        if pair.is_watched_together:
            return self._said("watched+topic" if topic else "watched", topic)
        if topic:
            return self._said("topic", topic)
        if pair.likeness >= _MIN_LIKENESS:
            return self._said("content")
        return self._said("popular" if self._n_users[pair.other] >= _MANY_USERS else "other")

    def _shared_topic(self, pair: Pair) -> str:
        """The most telling topic that both carry: the one of the fewest videos."""
        shared = set(self._topics[pair.num]) & set(self._topics[pair.other])
        return min(shared, key=lambda topic: (self._n_videos[topic], topic), default="")

    def _said(self, what: str, topic: str = "") -> str:
        sentence = self._templates[what].format(topic=topic)
        return self._sentences.setdefault(sentence, sentence)  # one text, however many rows
