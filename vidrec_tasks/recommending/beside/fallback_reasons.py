"""Fallback reasons: a true sentence for a video in a list that belongs to no user."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.language.quoting import plain_topic
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.crowds import WINDOW_DAYS
from vidrec_tasks.recommending.explaining.explanation_templates import write_sentence
from vidrec_tasks.recommending.reason_codes import NEW_VIDEO, POPULAR_NOW
from vidrec_tasks.settings import RecommendingSettings

IN_TOPIC: Final = "in_topic"
IN_CATALOGUE: Final = "in_catalogue"

FALLBACK_TEMPLATES: Final[dict[str, dict[str, str]]] = {
    "en": {IN_TOPIC: "About “{topic}”.", IN_CATALOGUE: "From the catalogue."},
    "zh": {IN_TOPIC: "关于“{topic}”。", IN_CATALOGUE: "来自片库。"},
}
"""Language -> reason code -> sentence; the others are `explanation_templates`'."""


class FallbackReasons:
    """Finds reasons.

    Args:
        content: topics of the videos.
        n_viewers: ``(n_videos,)`` users who watched a video in the window before the night.
        n_likers: ``(n_videos,)`` those of them who liked it.
        age_days: ``(n_videos,)`` days since publication, infinite where unknown.
        settings: fresh_days, explanation_language.
    """

    def __init__(
        self,
        content: Content,
        n_viewers: npt.NDArray[np.int64],
        n_likers: npt.NDArray[np.int64],
        age_days: npt.NDArray[np.float64],
        settings: RecommendingSettings,
    ) -> None:
        self._content = content
        self._n_viewers = n_viewers
        self._is_liked = 2 * n_likers >= n_viewers  # what most dislike is not called popular
        self._age_days = age_days
        self._settings = settings
        watched = n_viewers[n_viewers > 0]
        # as in users' explanations: popular is what the median watched video is, or more
        self._min_viewers = max(2.0, float(np.median(watched))) if len(watched) else np.inf

    def of(self, num: int, *, topic: str = "") -> tuple[str, str]:
        """Reason code and sentence of a video.

        Args:
            num: the video.
            topic: of the list, when it has one; a video about it says so.
        """
        if topic and topic in self._content.topics[num] and plain_topic(topic) == topic:
            return IN_TOPIC, self._own(IN_TOPIC, topic=topic)
        n_viewers, age = int(self._n_viewers[num]), float(self._age_days[num])
        if n_viewers >= self._min_viewers and self._is_liked[num]:
            places = {"n_viewers": n_viewers, "window": WINDOW_DAYS}
            return POPULAR_NOW, self._shared(POPULAR_NOW, places)
        if 0 <= age <= self._settings.fresh_days:
            template = NEW_VIDEO if age >= 1 else NEW_VIDEO + "+today"
            return NEW_VIDEO, self._shared(template, {"age": int(age)})
        return IN_CATALOGUE, self._own(IN_CATALOGUE)

    def _own(self, code: str, **places: str) -> str:
        return FALLBACK_TEMPLATES[self._settings.explanation_language][code].format(**places)

    def _shared(self, template: str, places: dict[str, Any]) -> str:
        return write_sentence(template, places, language=self._settings.explanation_language)
