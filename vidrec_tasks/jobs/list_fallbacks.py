"""list_fallbacks: lists for users without one of their own."""

from vidrec_tasks.columns import (
    DEFAULT_SEGMENT,
    SEGMENT,
    USER_ID,
    VIDEO_NUM,
    WEIGHT,
)
from vidrec_tasks.jobs.shared.reading import moment_of, read_content
from vidrec_tasks.jobs.shared.visits import watched_by_shard
from vidrec_tasks.recommending.beside.fallbacks import list_fallbacks as list_them
from vidrec_tasks.recommending.catalogue.crowds import newest_of
from vidrec_tasks.running.job import Context, Made, job


@job()
def list_fallbacks(context: Context) -> Made:
    """List what is popular, fresh and varied, for everybody and for kinds of strangers."""
    videos, moment = context.read_table("videos"), moment_of(context.night)
    table = list_them(
        videos,
        context.read_table("users"),
        read_content(context),
        watched_by_shard(context, (USER_ID, VIDEO_NUM, WEIGHT)),
        newest=newest_of(watched_by_shard(context, ()), moment=moment),
        moment=moment,
        settings=context.settings.recommending,
    )
    counts = {
        "segments": int(table[SEGMENT].nunique()),
        "default_rows": int((table[SEGMENT] == DEFAULT_SEGMENT).sum()),
        "rows": len(table),
    }
    return Made({"fallbacks": {"table": table}}, counts)
