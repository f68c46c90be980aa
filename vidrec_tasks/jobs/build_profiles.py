"""build_profiles: what a shard's users watch, how, and of what: behaviour, topics, a vector."""

from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.profiles import build_profiles as build
from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    IS_COLD,
    PUBLISHED_AT,
    VIDEO_ID,
)
from vidrec_tasks.jobs.shared.reading import read_topics, shard_users
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.store.codecs import Part

READ = (VIDEO_ID, CREATOR_ID, DURATION_S, PUBLISHED_AT)


@job()
def build_profiles(context: Context) -> Made:
    """Weigh the shard's visits and sum them up a user."""
    videos = context.read_rows("videos", columns=READ)
    interactions = context.read_table(context.own("interactions"))
    visits = weigh(
        interactions,
        videos,
        context.settings.audience,
        night=context.night,
        statistics=context.read_table("watch_statistics"),
    )
    profiles = build(
        interactions,
        visits,
        videos,
        context.read_array("content", "fused"),
        read_topics(context),
        context.settings.audience,
        night=context.night,
        users=shard_users(context),
    )
    table = profiles.table
    parts: dict[str, Part] = {"table": table, "content": profiles.content, "visits": visits}
    counts = {"users": len(table), "cold": int(table[IS_COLD].sum()), "visits": len(visits)}
    return Made({context.own("profiles"): parts}, counts)
