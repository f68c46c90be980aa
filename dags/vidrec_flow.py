"""The flow of a night: the tasks and their arrows, shared by the nightly and the rebuild DAG."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import task, task_group
from vidrec_dag_defaults import RECOMMENDATIONS, job_task
from vidrec_links import linked
from vidrec_override import override


@task
def shards_of(receipt: dict[str, Any], kind: str) -> list[str]:
    """The shards that the receipt counted: what the tasks below are mapped over."""
    return list(receipt[kind])


def encoding_queue() -> str:
    """The queue of the workers that encode; wrong settings are told by the tasks, not here."""
    from vidrec_tasks.errors import SettingsError
    from vidrec_tasks.settings import read_settings

    try:
        return read_settings().encoding_queue
    except SettingsError:
        return "default"


def night_flow() -> None:
    """Lay the tasks of a night into the DAG that is being defined."""
    validated = linked(job_task("validate_inputs")())
    videos = shards_of.override(task_id="split_videos")(validated, "video_shards")
    users = shards_of.override(task_id="split_users")(validated, "user_shards")

    @task_group
    def content() -> None:
        """What the videos are: knows no user."""
        keyframes = job_task("extract_keyframes").expand(shard=videos)
        embeddings = job_task("embed_videos", queue=encoding_queue()).expand(shard=videos)
        duplicates = job_task("find_duplicates")()
        index = job_task("build_content_index")()
        keyframes >> embeddings >> duplicates >> index

    @task_group
    def audience() -> tuple[Any, Any]:
        """Who watches: profiles first, the sentence about them after."""
        profiles = job_task("build_profiles").expand(shard=users)
        portraits = job_task("write_portraits").expand(shard=users)
        profiles >> portraits
        return profiles, portraits

    @task_group
    def models() -> None:
        """Two fits in one task: one is measured, the other serves with what it chose."""
        trained = linked(job_task("train_models")())
        vectors = job_task("index_video_vectors")()
        embedded = job_task("embed_users").expand(shard=users)
        trained >> vectors >> embedded

    @task_group
    def lists(shard: str) -> None:
        """One shard of users: candidates to explained lists."""
        found = job_task("find_candidates")(shard)
        ranked = job_task("rank_candidates")(shard)
        reranked = job_task("rerank_lists")(shard)
        found >> ranked >> reranked >> job_task("explain_lists")(shard)

    @task_group
    def beside() -> None:
        """Beside the lists: similar videos, strangers, queries, creators."""
        job_task("list_similar")()
        job_task("list_fallbacks")()
        job_task("answer_queries")()
        job_task("summarise_audiences")()

    evaluated = linked(job_task("evaluate_lists")())

    made = content()
    profiles, portraits = audience()
    trained = models()
    listed = lists.expand(shard=users)
    extras = beside()

    made >> profiles >> trained >> [listed, extras]
    # Explanations may cite a portrait's topics, so lists wait for the portraits too.
    portraits >> listed
    [listed, extras] >> evaluated
    publication(evaluated)


def publication(evaluated: Any) -> None:
    """From measured lists to what readers see, and the report."""
    checked = linked(job_task("check_gates")())
    approval = override(checked)
    # One of two: the gates passed, or a person approved; the job asks for the same again.
    publish = job_task("publish_lists", outlets=[RECOMMENDATIONS], trigger_rule="one_success")
    published = linked(publish(approval=approval))
    report = linked(job_task("write_report", trigger_rule="all_done")())

    # Nothing is published that did not pass its gates; a rejected run fails here, in the open.
    evaluated >> checked >> published
    # The report is written of a failed night too: that is when it is read.
    published >> report
    # A run is as green as its last tasks: the report alone would call a failed night a success.
    published >> EmptyOperator(task_id="night_is_published")
