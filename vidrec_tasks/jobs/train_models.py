"""train_models: the evaluation fit chooses and is measured; the serving fit repeats its choice.

Both are made in one job, because the serving fit takes the configuration that the evaluation fit
chose on events before its own cut.
"""

from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.checking import check
from vidrec_tasks.jobs._job import Context, Made, job
from vidrec_tasks.jobs._reading import (
    epoch_of,
    evaluation_night,
    moment_of,
    read_content,
    weigh_all,
)
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.fitting import fit_models
from vidrec_tasks.recommending.models import Configuration, Models
from vidrec_tasks.recommending.popularity import WINDOW_DAYS


@job(
    needs=("videos", "interactions.*", "watch_statistics", "content", "duplicates"),
    makes=("models.evaluation", "models.serving", "popularity"),
    settings=("audience", "recommending", "evaluation"),
)
def train_models(context: Context) -> Made:
    """Fit twice: on events before the held-out days, and on all events before the night."""
    content = read_content(context)
    past = weigh_all(context, evaluation_night(context))
    evaluation = _fit(context, content, gather(past), evaluation_night(context))
    visits = weigh_all(context, context.night)
    serving = _fit(context, content, gather(visits), context.night, evaluation.configuration)
    popularity = _popularity(visits, context.night)
    check(popularity, "popularity", key=(VIDEO_ID,), columns=("n_viewers_recent",))
    counts: dict[str, Any] = {
        "events": len(visits),
        "events_evaluation": len(past),
        "users": int(visits[USER_ID].nunique()),
        "tower_epochs": evaluation.configuration.tower_epochs,
        "held_out_users": evaluation.configuration.n_held_out,
    }
    return Made(
        {
            "models.evaluation": evaluation.to_parts(),
            "models.serving": serving.to_parts(),
            "popularity": {"table": popularity},
        },
        counts,
    )


def _fit(
    context: Context,
    content: Content,
    histories: Histories,
    night: date,
    configuration: Configuration | None = None,
) -> Models:
    return fit_models(
        histories,
        content,
        context.settings.recommending,
        cut=epoch_of(night),
        half_life_days=context.settings.audience.half_life_days,
        configuration=configuration,
    )


def _popularity(visits: pd.DataFrame, night: date) -> pd.DataFrame:
    """Users who watched each video in the window before the night."""
    since = moment_of(night) - pd.Timedelta(days=WINDOW_DAYS)
    recent = visits[visits["is_watched"] & (visits[EVENT_AT] >= since)]
    n = recent.groupby(VIDEO_ID)[USER_ID].nunique().rename("n_viewers_recent").reset_index()
    return n.assign(window_days=WINDOW_DAYS)
