"""explain_lists: a reason for each row of a shard's lists, checked before it is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import (
    CREATOR_ID,
    EVENT_AT,
    EXPIRES_AT,
    EXPLANATION_VERIFIED,
    IS_WATCHED,
    PUBLISHED_AT,
    REASON_CODE,
    TITLE,
    USER_ID,
    VALID_UNTIL,
    VERIFIED,
    VIDEO_ID,
    VIDEO_NUM,
)
from vidrec_tasks.evaluation.claim_likeness import Alike
from vidrec_tasks.evaluation.claim_others import Others
from vidrec_tasks.evaluation.claims import N_CLAIMS, N_TRUE, check_explanations
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.jobs.shared.reading import moment_of, read_content, read_histories, read_serving
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.explaining.attribution import cite_history
from vidrec_tasks.recommending.explaining.counterfactual import (
    Counterfactual,
    compare_without_cited,
    keep_named,
)
from vidrec_tasks.recommending.explaining.explanations import explain_lists as explain
from vidrec_tasks.recommending.explaining.explanations import replace_failed
from vidrec_tasks.recommending.explaining.likeness import Likeness
from vidrec_tasks.recommending.explaining.peers import Peers
from vidrec_tasks.running.job import Context, Made, job


@job()
def explain_lists(context: Context) -> Made:
    """Attribute, word, check; what fails is replaced by what claims least and checked again."""
    settings = context.settings.recommending
    content = read_content(context)
    histories = read_histories(context)
    lists = context.read_table(context.own("lists"))
    cited = _cite(context, content, histories, lists)
    facts, crowd = _facts(context, content, lists), _read_crowd(context, content)
    likeness = Likeness.of(
        content.video_ids.tolist(), content.fused, content.topics,
        seed=settings.seed, only=facts[1], known=content.known_nums,
    )  # fmt: skip
    peers = Peers.of(
        crowd.visits, crowd.readers, moment=moment_of(context.night), is_sample=crowd.is_sample
    )
    drafted = explain(cited, *facts, settings, night=context.night, likeness=likeness, peers=peers)
    del likeness, peers
    release_pages(content.fused)
    check = _checker(context, content, facts, crowd)
    checks = check(drafted)
    replaced, n_replaced = replace_failed(drafted, checks, language=settings.explanation_language)
    checks = check(replaced) if n_replaced else checks
    explained = replaced.assign(**{EXPLANATION_VERIFIED: checks[VERIFIED].to_numpy()})
    explained[VALID_UNTIL] = _valid_until(context, explained[VIDEO_ID], facts[0])
    counterfactual = _compare(context, content, histories, explained)
    claims = {
        "n_explained": len(explained),
        "n_lists": int(explained[USER_ID].nunique()),
        "n_kinds": len(explained[[USER_ID, REASON_CODE]].drop_duplicates()),
        "n_claims": int(checks[N_CLAIMS].sum()),
        "n_true": int(checks[N_TRUE].sum()),
        "n_replaced": n_replaced,
        "n_counterfactual": counterfactual.n_rows,
        "n_lowered": counterfactual.n_lowered,
    }
    counts = {"rows": len(explained), "verified": int(checks[VERIFIED].sum()), **claims}
    return Made({context.own("explained"): {"table": explained, "claims": claims}}, counts)


def _cite(
    context: Context, content: Content, histories: Histories, lists: pd.DataFrame
) -> pd.DataFrame:
    """The lists with what each score came from.

    The models are held for as long as this lasts, and read again in the end: words and checks need
    none of them, and memory of their own.
    """
    models = read_serving(context, content)
    cited = cite_history(models, histories, lists, scorer=models.configuration.scorer)
    release_pages(content.fused)  # of all candidates; what follows looks at a few videos
    return cited


def _compare(
    context: Context, content: Content, histories: Histories, explained: pd.DataFrame
) -> Counterfactual:
    """How often a score falls without what its reason names."""
    models = read_serving(context, content)
    return compare_without_cited(
        models,
        histories,
        keep_named(explained),
        scorer=models.configuration.scorer,
        rng=np.random.default_rng(context.settings.recommending.seed),
    )


_OF_VIDEOS = (VIDEO_ID, TITLE, CREATOR_ID, PUBLISHED_AT, EXPIRES_AT)

Facts = tuple[pd.DataFrame, dict[str, Any], pd.DataFrame, pd.DataFrame, pd.DataFrame]


def _facts(context: Context, content: Content, lists: pd.DataFrame) -> Facts:
    """Videos, topics, profiles, what was watched, popularity: what a reason may rest on.

    Of the videos those alone that are listed or that somebody of the shard met.
    """
    visits = context.read_table(context.own("profiles"), "visits")
    seen = visits[visits[IS_WATCHED]]
    watched = seen.groupby([USER_ID, VIDEO_ID])[EVENT_AT].max().rename("last_event_at")
    touched = {*lists[VIDEO_ID], *visits[VIDEO_ID]}
    videos = context.read_rows("videos", column=VIDEO_ID, values=touched, columns=_OF_VIDEOS)
    nums = np.unique(content.nums_of(list(touched)))
    return (
        videos,
        {content.video_ids[num]: content.topics[num] for num in nums[nums >= 0].tolist()},
        context.read_table(context.own("profiles")),
        watched.reset_index(),
        context.read_table("popularity"),
    )


@dataclass(frozen=True)
class _Crowd:
    """Visits, as user_id, video_id, event_at, weight; writer and checker each count for themselves.

    Attributes:
        visits: of the drawn users.
        readers: of the shard's users.
        is_sample: whether the draw left somebody out.
    """

    visits: pd.DataFrame
    readers: pd.DataFrame
    is_sample: bool


def _read_crowd(context: Context, content: Content) -> _Crowd:
    visits, drawn = context.read_table("peers"), context.read_json("peers", "counts")
    codes, nums = pd.factorize(visits[VIDEO_NUM].to_numpy(), sort=True)
    named = pd.Categorical.from_codes(codes, categories=pd.Index(content.video_ids[nums]))
    return _Crowd(
        visits.assign(**{VIDEO_ID: named}),
        context.read_table(context.own("profiles"), "visits"),
        cast("int", drawn["n_drawn"]) < cast("int", drawn["n_users"]),
    )


def _checker(
    context: Context, content: Content, facts: Facts, crowd: _Crowd
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What judges explanations: it is given tables, and none of what the writer made of them."""
    settings = context.settings.recommending
    others = Others(
        crowd.visits,
        crowd.readers,
        moment=moment_of(context.night),
        is_sample=crowd.is_sample,
        min_users=settings.explanation_min_users,
    )
    return partial(
        check_explanations,
        videos=facts[0], topics=facts[1], profiles=facts[2], watched=facts[3],
        popularity=facts[4], night=context.night, fresh_days=settings.fresh_days,
        others=others, alike=Alike(
            content.video_ids.tolist(), content.fused, only=facts[1], known=content.known_nums
        ),
    )  # fmt: skip


def _valid_until(context: Context, video_ids: pd.Series, videos: pd.DataFrame) -> pd.Series:
    """The configured hours after the night, or the video's expiry if that is sooner."""
    end = moment_of(context.night) + pd.Timedelta(hours=context.settings.publishing.valid_hours)
    expiry = videos.set_index(VIDEO_ID)[EXPIRES_AT]
    expires_at = expiry.reindex(video_ids).set_axis(video_ids.index)
    return expires_at.where(expires_at < end, end)
