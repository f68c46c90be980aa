"""explain_lists: a reason for each row of a shard's lists, checked before it is shown."""

from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    EVENT_AT,
    EXPIRES_AT,
    EXPLANATION_VERIFIED,
    IS_WATCHED,
    TOPICS,
    USER_ID,
    VALID_UNTIL,
    VERIFIED,
    VIDEO_ID,
)
from vidrec_tasks.evaluation.claims import N_CLAIMS, N_TRUE, check_explanations
from vidrec_tasks.jobs.shared.reading import moment_of, read_content, read_histories, read_models
from vidrec_tasks.recommending.explaining.attribution import cite_history
from vidrec_tasks.recommending.explaining.counterfactual import compare_without_cited
from vidrec_tasks.recommending.explaining.explanations import explain_lists as explain
from vidrec_tasks.recommending.explaining.explanations import replace_failed
from vidrec_tasks.running.job import Context, Made, job


@job()
def explain_lists(context: Context) -> Made:
    """Attribute, word, check; what fails is replaced by what claims least and checked again."""
    settings = context.settings.recommending
    models = read_models(context, "serving", read_content(context))
    histories = read_histories(context)
    scorer = models.configuration.scorer
    cited = cite_history(models, histories, context.read_table(context.own("lists")), scorer=scorer)
    facts = _facts(context)
    drafted = explain(cited, *facts, settings, night=context.night)
    checks = _check(context, drafted, facts)
    replaced, n_replaced = replace_failed(drafted, checks, language=settings.explanation_language)
    checks = _check(context, replaced, facts) if n_replaced else checks
    explained = replaced.assign(**{EXPLANATION_VERIFIED: checks[VERIFIED].to_numpy()})
    explained[VALID_UNTIL] = _valid_until(context, explained[VIDEO_ID])
    counterfactual = compare_without_cited(
        models,
        histories,
        explained,
        scorer=scorer,
        rng=np.random.default_rng(settings.seed),
    )
    claims = {
        "n_claims": int(checks[N_CLAIMS].sum()),
        "n_true": int(checks[N_TRUE].sum()),
        "n_replaced": n_replaced,
        "n_counterfactual": counterfactual.n_rows,
        "n_lowered": counterfactual.n_lowered,
    }
    counts = {"rows": len(explained), "verified": int(checks[VERIFIED].sum()), **claims}
    return Made({context.own("explained"): {"table": explained, "claims": claims}}, counts)


Facts = tuple[pd.DataFrame, dict[str, Any], pd.DataFrame, pd.DataFrame, pd.DataFrame]


def _facts(context: Context) -> Facts:
    """Videos, topics, profiles, what was watched, popularity: what a reason may rest on."""
    content = context.read_table("content")
    visits = context.read_table(context.own("profiles"), "visits")
    seen = visits[visits[IS_WATCHED]]
    watched = seen.groupby([USER_ID, VIDEO_ID])[EVENT_AT].max().rename("last_event_at")
    return (
        context.read_table("videos"),
        dict(zip(content[VIDEO_ID], content[TOPICS], strict=True)),
        context.read_table(context.own("profiles")),
        watched.reset_index(),
        context.read_table("popularity"),
    )


def _check(context: Context, explained: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    fresh_days = context.settings.recommending.fresh_days
    return check_explanations(explained, *facts, night=context.night, fresh_days=fresh_days)


def _valid_until(context: Context, video_ids: pd.Series) -> pd.Series:
    """The configured hours after the night, or the video's expiry if that is sooner."""
    end = moment_of(context.night) + pd.Timedelta(hours=context.settings.publishing.valid_hours)
    expiry = context.read_table("videos").set_index(VIDEO_ID)[EXPIRES_AT]
    expires_at = video_ids.map(expiry)
    return expires_at.where(expires_at < end, end)
