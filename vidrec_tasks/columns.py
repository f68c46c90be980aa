"""Each column word, once: every frame in vidrec spells its columns with these names."""

from typing import Final

# ids outside, dense numbers inside
USER_ID: Final = "user_id"
VIDEO_ID: Final = "video_id"
CREATOR_ID: Final = "creator_id"
EVENT_ID: Final = "event_id"
SESSION_ID: Final = "session_id"
RUN_ID: Final = "run_id"
GROUP_ID: Final = "group_id"
USER_NUM: Final = "user_num"
VIDEO_NUM: Final = "video_num"
FRAME_NUM: Final = "frame_num"
ROW_NUM: Final = "row_num"

# videos
TITLE: Final = "title"
DESCRIPTION: Final = "description"
TAGS: Final = "tags"
CATEGORIES: Final = "categories"
LANGUAGE: Final = "language"
DURATION_S: Final = "duration_s"
PUBLISHED_AT: Final = "published_at"
EXPIRES_AT: Final = "expires_at"
STATUS: Final = "status"
AGE_RATING: Final = "age_rating"
REGIONS: Final = "regions"
URI: Final = "uri"
UPDATED_AT: Final = "updated_at"
TRANSCRIPT: Final = "transcript"

# interactions
EVENT_AT: Final = "event_at"
EVENT_TYPE: Final = "event_type"
WATCHED_S: Final = "watched_s"
VALUE: Final = "value"
SURFACE: Final = "surface"
POSITION: Final = "position"
REC_RUN_ID: Final = "rec_run_id"
WEIGHT: Final = "weight"
WATCHED_SHARE: Final = "watched_share"
WATCH_QUANTILE: Final = "watch_quantile"
IS_WATCHED: Final = "is_watched"

# users, queries, deletions
REGION: Final = "region"
MAX_AGE_RATING: Final = "max_age_rating"
OPTED_OUT: Final = "opted_out"
QUERY: Final = "query"
COUNT: Final = "count"
REQUESTED_AT: Final = "requested_at"

# rejects and quarantine
TABLE: Final = "table"
REASON: Final = "reason"
SAMPLE: Final = "sample"
N_ROWS: Final = "n_rows"

# content
SIZE: Final = "size"
MTIME_NS: Final = "mtime_ns"
AT_S: Final = "at_s"
PATH: Final = "path"
SHARPNESS: Final = "sharpness"
FRAME_HASH: Final = "frame_hash"
FRAME_LUMA: Final = "frame_luma"
SOUND: Final = "sound"
CHECKSUM: Final = "checksum"
CONCEPTS: Final = "concepts"
TRACK: Final = "track"
PASSAGE_NUM: Final = "passage_num"
UNTIL_S: Final = "until_s"
TEXT: Final = "text"
CONFIDENCE: Final = "confidence"
BOX: Final = "box"
NAME: Final = "name"
KEY: Final = "key"
STATE: Final = "state"
SECONDS: Final = "seconds"
IS_CANONICAL: Final = "is_canonical"

# cards
N_VIDEOS: Final = "n_videos"
STRENGTH: Final = "strength"
FORMAT: Final = "format"
MOOD: Final = "mood"
AUDIENCE: Final = "audience"
NAMED: Final = "named"
DROPPED: Final = "dropped"
CARD_SOURCE: Final = "card_source"
CARD_KEY: Final = "card_key"

# audience
N_INTERACTIONS: Final = "n_interactions"
IS_COLD: Final = "is_cold"
TOPICS: Final = "topics"
BEHAVIOUR: Final = "behaviour"
PORTRAIT: Final = "portrait"
PORTRAIT_SOURCE: Final = "portrait_source"
AS_OF: Final = "as_of"
MOMENT: Final = "moment"
CLAIMS: Final = "claims"
STRUCTURE: Final = "structure"

# models
MODEL: Final = "model"
N_VIEWERS_RECENT: Final = "n_viewers_recent"
N_LIKERS_RECENT: Final = "n_likers_recent"
WINDOW_DAYS: Final = "window_days"

# lists
SOURCE: Final = "source"
SOURCE_RANK: Final = "source_rank"
SCORE: Final = "score"
SCORE_COMPONENTS: Final = "score_components"
RELEVANCE_KEY: Final = "relevance_key"
LOG_ODDS: Final = "log_odds"
CITED: Final = "cited"
RANK: Final = "rank"
REASON_CODE: Final = "reason_code"
EXPLANATION: Final = "explanation"
EVIDENCE: Final = "evidence"
EVIDENCE_KEY: Final = "evidence_key"
VERIFIED: Final = "verified"
EXPLANATION_VERIFIED: Final = "explanation_verified"
VALID_UNTIL: Final = "valid_until"
SEGMENT: Final = "segment"
SIMILAR_VIDEO_ID: Final = "similar_video_id"
MATCHED: Final = "matched"
REQUEST_ID: Final = "request_id"

# insights
TOPIC: Final = "topic"
AUDIENCE_SHARE: Final = "audience_share"
TREND: Final = "trend"
COMPLETION: Final = "completion"
SUPPLY: Final = "supply"
GAP: Final = "gap"
N_VIEWERS: Final = "n_viewers"
PERFORMANCE: Final = "performance"
REACHABLE_TOPICS: Final = "reachable_topics"
SUMMARY: Final = "summary"
SUMMARY_SOURCE: Final = "summary_source"

LOOK: Final = "look"
"""A source of texts that finds out what a film has; for others see `content.texts.tracks`."""
REFUSED: Final = "refused"
"""The state of what texts could not be read from."""

EVENT_TYPES: Final = (
    "impression", "play", "complete", "like", "dislike", "skip", "share", "rating",
)  # fmt: skip
"""The values of ``event_type``."""

DEFAULT_SEGMENT: Final = "__default__"
"""The segment that always exists, for a reader who knows nothing of the user."""


def has_column(modality: str) -> str:
    """Whether a video has anything that a modality reads."""
    return f"has_{modality}"


def checksum_column(modality: str) -> str:
    """The checksum of what a video's vector of a modality follows from; '' for nothing."""
    return f"{modality}_checksum"


def encoder_column(modality: str) -> str:
    """The identity of what encoded a video for a modality."""
    return f"{modality}_encoder"
