"""The flow of a night: the tasks and their arrows, shared by the nightly and the rebuild DAG."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import task, task_group
from vidrec_dag_defaults import RECOMMENDATIONS, job_task, parsed_settings
from vidrec_links import linked
from vidrec_override import override

from vidrec_tasks.night import (
    AUDIENCE,
    BESIDE,
    CONTENT,
    GROUPS,
    JOBS,
    LISTS,
    MODELS,
    OPENS,
    REPORTS,
    JobPlan,
    jobs_in,
    nearest_upstream,
)

EVALUATES = "evaluate_lists"
LINKED = ("train_models",)
"""Beside those of the publication, the tasks from which Airflow's UI leads to the night's page."""

AFTER_GATES = ("publish_lists", REPORTS)
"""Their arrows are drawn by hand: see `publication`."""


@task
def shards_of(receipt: dict[str, Any], kind: str) -> list[str]:
    """The shards that the receipt counted: what the tasks below are mapped over."""
    return list(receipt[kind])


def night_flow() -> None:
    """Lay the tasks of a night into the DAG that is being defined, as the night declares them."""
    opened = linked(job_task(OPENS)())
    shards = {
        "video_shard": shards_of.override(task_id="split_videos")(opened, "video_shards"),
        "user_shard": shards_of.override(task_id="split_users")(opened, "user_shards"),
    }
    laid: dict[str, Any] = {OPENS: opened}
    for group in (CONTENT, AUDIENCE, MODELS, BESIDE):
        laid |= stage(group, shards)
    laid |= lists(shards["user_shard"])
    laid[EVALUATES] = linked(job_task(EVALUATES)())
    laid |= publication(laid[EVALUATES])
    draw_arrows([plan for plan in JOBS if plan.name not in AFTER_GATES], laid)


def draw_arrows(plans: Iterable[JobPlan], laid: dict[str, Any]) -> None:
    """From each task that was laid to those that need what it makes; none within a mapped stage."""
    for plan in plans:
        for other in nearest_upstream(plan):
            if other.name in laid and laid[other.name] is not laid[plan.name]:
                laid[other.name] >> laid[plan.name]


def queue_of(plan: JobPlan) -> dict[str, str]:
    """What sends a job to the workers that are meant for encoders, if it is one for them."""
    return {"queue": parsed_settings().encoding_queue} if plan.is_encoding else {}


def stage(group: str, shards: dict[str, Any]) -> dict[str, Any]:
    """The tasks of a stage, each mapped over the shards that it has; job -> its task."""
    laid: dict[str, Any] = {}

    @task_group(group_id=group, tooltip=GROUPS[group])
    def lay() -> None:
        for plan in jobs_in(group):
            made = job_task(plan.name, **queue_of(plan))
            laid[plan.name] = made.expand(shard=shards[plan.per]) if plan.per else made()

    lay()
    return {name: linked(done) if name in LINKED else done for name, done in laid.items()}


def lists(shards: Any) -> dict[str, Any]:
    """The lists of one shard of users after another's: the whole stage is mapped as one."""

    @task_group(group_id=LISTS, tooltip=GROUPS[LISTS])
    def lay(shard: str) -> None:
        inner = {plan.name: job_task(plan.name, **queue_of(plan))(shard) for plan in jobs_in(LISTS)}
        draw_arrows(jobs_in(LISTS), inner)

    return dict.fromkeys((plan.name for plan in jobs_in(LISTS)), lay.expand(shard=shards))


def publication(evaluated: Any) -> dict[str, Any]:
    """From measured lists to what readers see, and the report; job -> its task.

    A person may stand between the gates and the publication, so these arrows are drawn by hand.
    """
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
    return {"check_gates": checked, "publish_lists": published, REPORTS: report}
