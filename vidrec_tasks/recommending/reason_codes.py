"""Reason codes: what a row of a list may say for itself; the words are in `explaining`.

Also the one source that says by itself why a video is listed. Imports nothing heavy.
"""

from typing import Final

BECAUSE_YOU_WATCHED: Final = "because_you_watched"
LIKED_BY_OTHERS: Final = "liked_by_others"
MATCHES_TOPIC: Final = "matches_topic"
BY_CREATOR: Final = "by_creator"
POPULAR_NOW: Final = "popular_now"
NEW_VIDEO: Final = "new_video"
NEW_FOR_YOU: Final = "new_for_you"

REASON_CODES: Final = (
    BECAUSE_YOU_WATCHED, LIKED_BY_OTHERS, MATCHES_TOPIC, BY_CREATOR, POPULAR_NOW, NEW_VIDEO,
    NEW_FOR_YOU,
)  # fmt: skip
"""Every reason code, the most personal first: in this order they stand in for each other."""

EXPLORATION: Final = "exploration"
"""The source of videos that hardly anybody knows; a row of it was chosen for being new."""

FROM_HISTORY: Final = (BECAUSE_YOU_WATCHED, LIKED_BY_OTHERS)
"""What a number that is a function of the history speaks for, unless it says otherwise."""
