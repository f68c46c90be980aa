"""The contracts of the five input tables."""

from typing import Final

from vidrec_tasks import columns as c
from vidrec_tasks.contracts.schema import Column, Table

LONGEST_S: Final = 1e7
"""Four months: more is milliseconds in a column of seconds, or a torn number."""
ACTIVE: Final = "active"
"""The status of a video that may be listed."""
HIGHEST_RATING: Final = 1e6
"""Squares and sums of ratings stay finite."""

VIDEOS: Final = Table(
    "videos",
    "The catalogue: one row per video.",
    (c.VIDEO_ID,),
    (
        Column(c.VIDEO_ID, "id", "The video's own id.", required=True),
        Column(c.TITLE, "text", "Title; may be empty.", required=False),
        Column(c.DESCRIPTION, "text", "Description."),
        Column(c.TAGS, "list", "Tags; the topics of the video come from these first."),
        Column(c.CATEGORIES, "list", "Categories."),
        Column(c.CREATOR_ID, "text", "Who published it."),
        Column(c.LANGUAGE, "text", "Language code."),
        Column(c.DURATION_S, "number", "Length in seconds.", minimum=0, maximum=LONGEST_S),
        Column(c.PUBLISHED_AT, "time", "When it became visible (UTC)."),
        Column(
            c.EXPIRES_AT,
            "time",
            "When it stops being visible (UTC); empty or in the far future: never.",
            may_be_never=True,
        ),
        Column(
            c.STATUS,
            "text",
            "'active', or anything else to keep it out of lists.",
            default=ACTIVE,
        ),
        Column(
            c.AGE_RATING,
            "integer",
            "Youngest age allowed, in years.",
            minimum=0,
            maximum=21,
            default=0,
        ),
        Column(c.REGIONS, "list", "Regions where it may be shown; empty: everywhere."),
        Column(c.URI, "text", "Media file: a path inside inputs/media or an absolute one."),
        Column(c.UPDATED_AT, "time", "When this row last changed (UTC)."),
        Column(
            c.TRANSCRIPT,
            "text",
            "What is said in it: a caption file inside inputs/media (.vtt, .srt, .ass), or the "
            "text itself, with times or without.",
        ),
    ),
)

INTERACTIONS: Final = Table(
    "interactions",
    "The logs: one row per event.",
    (),
    (
        Column(c.USER_ID, "id", "Who.", required=True),
        Column(c.VIDEO_ID, "id", "What.", required=True),
        Column(c.EVENT_AT, "time", "When (UTC).", required=True),
        Column(c.EVENT_TYPE, "text", "What happened.", required=True, one_of=c.EVENT_TYPES),
        Column(
            c.EVENT_ID, "text", "The event's own id; a second one with the same id is rejected."
        ),
        Column(c.WATCHED_S, "number", "Seconds watched.", minimum=0, maximum=LONGEST_S),
        Column(
            c.VALUE,
            "number",
            "The value of a rating.",
            minimum=-HIGHEST_RATING,
            maximum=HIGHEST_RATING,
        ),
        Column(c.SESSION_ID, "text", "The session."),
        Column(c.SURFACE, "text", "Where it was shown."),
        Column(c.POSITION, "number", "Position in the list where it was shown, from 1.", minimum=0),
        Column(c.REC_RUN_ID, "text", "The run that recommended it."),
    ),
)

USERS: Final = Table(
    "users",
    "Optional: what is known of a user beside the logs. No demographics.",
    (c.USER_ID,),
    (
        Column(c.USER_ID, "id", "The user's own id.", required=True),
        Column(c.REGION, "text", "Region code."),
        Column(c.LANGUAGE, "text", "Language code."),
        Column(c.MAX_AGE_RATING, "number", "Highest age rating shown, in years.", minimum=0),
        Column(c.OPTED_OUT, "flag", "True: no profile, portrait or list is made.", default=False),
    ),
)

QUERIES: Final = Table(
    "queries",
    "Optional: what people search for.",
    (c.QUERY,),
    (
        Column(c.QUERY, "id", "The text searched for.", required=True),
        Column(c.COUNT, "number", "How often.", minimum=0, maximum=1e15, default=1),
    ),
)

DELETIONS: Final = Table(
    "deletions",
    "Optional: users to forget.",
    (c.USER_ID,),
    (
        Column(c.USER_ID, "id", "Whom to forget.", required=True),
        Column(c.REQUESTED_AT, "time", "When it was asked for (UTC)."),
    ),
)

INPUTS: Final = (VIDEOS, INTERACTIONS, USERS, QUERIES, DELETIONS)
