"""The night: its jobs, what each needs and makes, and what each counts; declared here alone.

From this table follow the order of a night without Airflow, the tasks of the DAG with their arrows
and their mapping over shards, what a job may read and must write, the stages of the page and of the
report, the funnel, and docs/NIGHT.md. It imports nothing, so that a DAG file may read it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Per = Literal["", "video_shard", "user_shard"]

INPUTS: Final = "inputs"
CONTENT: Final = "content"
AUDIENCE: Final = "audience"
MODELS: Final = "models"
LISTS: Final = "lists"
BESIDE: Final = "beside"
PUBLICATION: Final = "publication"

GROUPS: Final = {
    INPUTS: "The input tables: read once, checked and pinned.",
    CONTENT: "What the videos are; no user is known here.",
    AUDIENCE: "Who watches: a profile of each user, then a portrait of them.",
    MODELS: "Two fits: one chooses the configuration and is measured; the other serves.",
    LISTS: "For each shard of users: from candidates to explained lists.",
    BESIDE: "Parallel to the lists: similar videos, fallback lists, answers to queries, insights.",
    PUBLICATION: "Measures the lists, checks the gates, publishes the tables, writes the report.",
}
"""Stage -> what it is: the groups of the DAG and of the page, in order."""


@dataclass(frozen=True)
class JobPlan:
    """What is declared of a job; `vidrec_tasks.jobs.<name>` carries it out.

    Attributes:
        name: of the job, its file and its task.
        group: the stage it belongs to.
        needs: artefacts it reads: ``name``, ``kind.#`` (its own shard) or ``kind.*`` (all shards).
        makes: artefacts it writes: ``name``, ``kind.#``, or ``kind.*`` where it makes all shards.
        settings: groups of settings that change the outcome.
        per: what it is mapped over; '' runs once.
        parents: roles of earlier runs it takes something from.
        after: jobs that must be done before, although it reads nothing that they make.
        is_encoding: it runs encoders or the language model, on the workers that are meant for it.
        reads_what_is_there: it reads any artefact of the run that exists, and needs none.
        counts: what the funnel shows of its receipt: (of what, the step in words, the count).
    """

    name: str
    group: str
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    per: Per = ""
    parents: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    is_encoding: bool = False
    reads_what_is_there: bool = False
    counts: tuple[tuple[str, str, str], ...] = ()


JOBS: Final = (
    JobPlan(
        "validate_inputs",
        INPUTS,
        makes=(
            "videos", "transcripts", "users", "interactions.*", "interactions_later",
            "watch_statistics", "queries", "rejects",
        ),
        settings=("inputs", "evaluation"),
        counts=(
            ("interactions", "read", "interactions_read"),
            ("interactions", "accepted", "interactions_accepted"),
            ("videos", "read", "videos_read"),
            ("videos", "in the catalogue", "videos_accepted"),
        ),
    ),
    JobPlan(
        "extract_keyframes",
        CONTENT,
        needs=("videos",),
        makes=("keyframes.#",),
        settings=("content",),
        per="video_shard",
        parents=("features",),
        counts=(
            ("videos", "with a video file", "with_media"),
            ("videos", "in quarantine", "quarantined"),
        ),
    ),
    JobPlan(
        "read_texts",
        CONTENT,
        needs=("videos", "transcripts", "keyframes.#"),
        makes=("texts.#",),
        settings=("content", "texts"),
        per="video_shard",
        parents=("features", "previous"),
        is_encoding=True,
        counts=(
            ("videos", "with captions", "captioned"),
            ("videos", "heard now", "heard"),
            ("videos", "waiting to be heard", "waiting"),
            ("videos", "with text on the screen", "with_screen_text"),
        ),
    ),
    JobPlan(
        "embed_videos",
        CONTENT,
        needs=("videos", "keyframes.#", "texts.#"),
        makes=("embeddings.#",),
        settings=("content",),
        per="video_shard",
        parents=("features",),
        is_encoding=True,
    ),
    JobPlan(
        "learn_vocabulary",
        CONTENT,
        needs=("videos", "embeddings.*", "texts.*"),
        makes=("vocabulary",),
        settings=("content", "texts"),
        parents=("previous",),
        counts=(("topics", "of the catalogue", "topics"),),
    ),
    JobPlan(
        "write_cards",
        CONTENT,
        needs=("videos", "embeddings.#", "texts.#", "vocabulary"),
        makes=("cards.#",),
        settings=("content", "texts", "language"),
        per="video_shard",
        parents=("previous",),
        is_encoding=True,
        counts=(
            ("videos", "with a card", "videos"),
            ("videos", "with topics", "with_topics"),
        ),
    ),
    JobPlan(
        "find_duplicates",
        CONTENT,
        needs=("videos", "keyframes.*", "embeddings.*"),
        makes=("duplicates",),
        settings=("content",),
    ),
    JobPlan(
        "build_content_index",
        CONTENT,
        needs=("videos", "embeddings.*", "cards.*"),
        makes=("content", "frames", "said", "written", "content_index"),
        settings=("content",),
    ),
    JobPlan(
        "build_profiles",
        AUDIENCE,
        needs=("videos", "users", "interactions.#", "watch_statistics", "content"),
        makes=("profiles.#",),
        settings=("audience",),
        per="user_shard",
        counts=(("interactions", "taken as visits", "visits"), ("users", "known", "users")),
    ),
    JobPlan(
        "write_portraits",
        AUDIENCE,
        needs=("videos", "content", "profiles.#"),
        makes=("portraits.#",),
        settings=("language", "content"),
        per="user_shard",
        parents=("previous",),
        is_encoding=True,
    ),
    JobPlan(
        "draw_peers",
        AUDIENCE,
        needs=("profiles.*",),
        makes=("peers",),
        settings=("recommending",),
        counts=(("users", "drawn as peers", "users"),),
    ),
    JobPlan(
        "train_models",
        MODELS,
        needs=("videos", "interactions.*", "watch_statistics", "content", "duplicates"),
        makes=(
            "models.evaluation", "models.champion", "models.serving", "popularity",
            "held_out_lists",
        ),
        settings=("audience", "recommending", "evaluation"),
        parents=("previous",),
    ),
    JobPlan(
        "learn_relevance",
        MODELS,
        needs=(
            "videos", "interactions.*", "watch_statistics", "content", "cards.*", "held_out_lists",
        ),
        makes=("relevance",),
        settings=("audience", "recommending", "evaluation", "language"),
        parents=("previous",),
        is_encoding=True,
    ),
    JobPlan(
        "index_video_vectors",
        MODELS,
        needs=("videos", "content", "duplicates", "models.serving"),
        makes=("video_vectors",),
        settings=("content",),
    ),
    JobPlan(
        "embed_users",
        MODELS,
        needs=(
            "videos", "content", "duplicates", "models.serving", "video_vectors", "profiles.#",
        ),
        makes=("user_vectors.#",),
        settings=("recommending",),
        per="user_shard",
    ),
    JobPlan(
        "find_candidates",
        LISTS,
        needs=(
            "videos", "users", "content", "duplicates", "content_index", "models.serving",
            "video_vectors", "profiles.#", "portraits.#", "user_vectors.#",
        ),
        makes=("candidates.#",),
        settings=("recommending",),
        per="user_shard",
        counts=(
            ("users", "with candidates", "users"),
            ("rows", "candidates", "candidates"),
        ),
    ),
    JobPlan(
        "rank_candidates",
        LISTS,
        needs=(
            "videos", "content", "duplicates", "models.serving", "video_vectors",
            "profiles.#", "candidates.#",
        ),
        makes=("ranked.#",),
        settings=("recommending",),
        per="user_shard",
        counts=(("rows", "ranked", "ranked"),),
    ),
    JobPlan(
        "judge_lists",
        LISTS,
        needs=("videos", "cards.*", "profiles.#", "portraits.#", "relevance", "ranked.#"),
        makes=("judged.#",),
        settings=("language",),
        per="user_shard",
        parents=("previous",),
        is_encoding=True,
    ),
    JobPlan(
        "rerank_lists",
        LISTS,
        needs=(
            "videos", "users", "content", "duplicates", "models.serving", "video_vectors",
            "relevance", "profiles.#", "ranked.#", "judged.#",
        ),
        makes=("lists.#",),
        settings=("recommending",),
        per="user_shard",
        counts=(("users", "with a list", "with_a_list"), ("rows", "in lists", "rows")),
    ),
    JobPlan(
        "explain_lists",
        LISTS,
        needs=(
            "videos", "content", "duplicates", "models.serving", "video_vectors", "popularity",
            "peers", "profiles.#", "lists.#",
        ),
        makes=("explained.#",),
        settings=("recommending", "publishing"),
        per="user_shard",
        counts=(("rows", "verified", "verified"),),
    ),
    JobPlan(
        "list_similar",
        BESIDE,
        needs=("videos", "content", "duplicates", "models.serving"),
        makes=("similar",),
        settings=("recommending",),
        counts=(("videos", "with similar videos", "with_list"),),
    ),
    JobPlan(
        "list_fallbacks",
        BESIDE,
        needs=("videos", "users", "content", "duplicates", "profiles.*"),
        makes=("fallbacks",),
        settings=("recommending",),
    ),
    JobPlan(
        "answer_queries",
        BESIDE,
        needs=("videos", "queries", "content", "frames", "said", "written"),
        makes=("answers",),
        settings=("searching", "content", "recommending"),
        is_encoding=True,
    ),
    JobPlan(
        "summarise_audiences",
        BESIDE,
        needs=("videos", "content", "profiles.*"),
        makes=("insights",),
        settings=("insights", "language"),
        is_encoding=True,
    ),
    JobPlan(
        "evaluate_lists",
        PUBLICATION,
        needs=(
            "videos", "users", "interactions.*", "watch_statistics", "content", "duplicates",
            "models.evaluation", "models.champion", "models.serving", "relevance",
            "content_index", "video_vectors", "portraits.*", "explained.*",
        ),
        makes=("metrics",),
        settings=("audience", "recommending", "evaluation"),
        parents=("previous",),
    ),
    JobPlan(
        "check_gates",
        PUBLICATION,
        needs=(
            "metrics", "explained.*", "profiles.*", "similar", "fallbacks", "duplicates", "videos",
            "users", "rejects",
        ),
        makes=("gates",),
        settings=("evaluation", "recommending", "content"),
        parents=("previous",),
        after=("answer_queries", "summarise_audiences"),  # the last thing before publishing
    ),
    JobPlan(
        "publish_lists",
        PUBLICATION,
        needs=(
            "explained.*", "portraits.*", "profiles.*", "similar", "fallbacks", "answers",
            "insights", "texts.*", "cards.*", "metrics", "gates",
        ),
        makes=("publication",),
        settings=("publishing",),
        counts=(("rows", "published", "recommendations"),),
    ),
    JobPlan(
        "write_report",
        PUBLICATION,
        makes=("report",),
        after=("publish_lists",),
        reads_what_is_there=True,
    ),
)  # fmt: skip
"""The jobs of a night, in an order that works."""

NIGHT: Final = tuple(plan.name for plan in JOBS)
OPENS: Final = NIGHT[0]
"""The job that opens the run; every other one is given it."""
REPORTS: Final = NIGHT[-1]
"""The job that says what became of the night, a failed one too."""

BY_HAND: Final = ("answer_request", "roll_back", "forget_users")
"""The jobs that are called from a form or by hand."""


def plan_of(name: str) -> JobPlan:
    """What is declared of a job.

    Raises:
        KeyError: no job of a night has this name.
    """
    return _BY_NAME[name]


def jobs_in(group: str) -> tuple[JobPlan, ...]:
    """The jobs of a stage, in order."""
    return tuple(plan for plan in JOBS if plan.group == group)


def kind_of(name: str) -> str:
    """The kind of an artefact or a pattern: ``profiles`` of ``profiles.3`` and ``profiles.#``."""
    kind, _, shard = name.rpartition(".")
    return kind if shard in ("#", "*") or shard.isdigit() else name


def maker_of(kind: str) -> JobPlan:
    """The job that makes artefacts of a kind.

    Raises:
        KeyError: none does.
    """
    return _MAKERS[kind]


def is_by_video(kind: str) -> bool:
    """Whether artefacts of a kind are split by video; all others that are split are by user."""
    return maker_of(kind).per == "video_shard"


def upstream_of(plan: JobPlan) -> tuple[JobPlan, ...]:
    """The jobs that must be done before a job, in the order of the night."""
    makers = {maker_of(kind_of(pattern)).name for pattern in plan.needs} | set(plan.after)
    return tuple(other for other in JOBS if other.name in makers)


def nearest_upstream(plan: JobPlan) -> tuple[JobPlan, ...]:
    """Of `upstream_of` those that no other of them waits for: the arrows that need be drawn."""
    above = upstream_of(plan)
    beyond = frozenset[str]().union(*map(_all_upstream, above))
    return tuple(other for other in above if other.name not in beyond)


@cache
def _all_upstream(plan: JobPlan) -> frozenset[str]:
    above = upstream_of(plan)
    return frozenset(other.name for other in above).union(*map(_all_upstream, above))


_BY_NAME: Final = {plan.name: plan for plan in JOBS}
_MAKERS: Final = {kind_of(pattern): plan for plan in JOBS for pattern in plan.makes}
