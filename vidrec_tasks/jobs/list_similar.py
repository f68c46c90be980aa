"""list_similar: videos like each video, for the page of a video."""

from vidrec_tasks.columns import (
    DESCRIPTION,
    TITLE,
    VIDEO_ID,
)
from vidrec_tasks.jobs.shared.reading import moment_of, read_content, read_models
from vidrec_tasks.recommending.beside.similar import Reach
from vidrec_tasks.recommending.beside.similar import list_similar as list_them
from vidrec_tasks.recommending.catalogue.likeness import Likeness
from vidrec_tasks.recommending.lists.rules import visible
from vidrec_tasks.recommending.models.covisitation import COVISITATION
from vidrec_tasks.running.job import Context, Made, job


@job()
def list_similar(context: Context) -> Made:
    """Blend content and co-watching for every video that may be shown."""
    settings = context.settings.recommending
    videos = context.read_table("videos")
    content = read_content(context)
    models = read_models(context, "serving", content)
    allowed = visible(videos, moment=moment_of(context.night))
    table = list_them(
        content,
        models.items[COVISITATION.name],
        models.popularity.n_users,
        allowed=allowed,
        n=settings.n,
        settings=settings,
        likeness=Likeness.of(content, list(videos[TITLE] + "\n" + videos[DESCRIPTION])),
        reach=Reach.of(videos),
    )
    counts = {
        "videos": int(allowed.sum()),
        "with_list": int(table[VIDEO_ID].nunique()),
        "rows": len(table),
    }
    return Made({"similar": {"table": table}}, counts)
