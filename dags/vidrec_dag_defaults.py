"""What every vidrec DAG shares: retries, pools, tags, the night, and how a task calls its job."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Param, task
from airflow.sdk.exceptions import AirflowFailException
from vidrec_next_steps import say_next_step

if TYPE_CHECKING:
    from airflow.sdk.bases.decorator import Task

    from vidrec_tasks.settings import Settings

TAGS = ["vidrec"]
POOL = "vidrec_compute"


def parsed_settings() -> Settings:
    """The settings while a DAG is parsed; the defaults where they are wrong: the tasks tell it."""
    from vidrec_tasks.errors import SettingsError
    from vidrec_tasks.settings import Settings, read_settings

    try:
        return read_settings()
    except SettingsError:
        return Settings.model_construct()


def task_timeout() -> timedelta:
    """How long a task may take before Airflow ends it."""
    return timedelta(seconds=parsed_settings().task_timeout_s)


DEFAULT_ARGS = {
    "owner": "vidrec",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "execution_timeout": task_timeout(),
    "on_failure_callback": say_next_step,
}
OPEN = "Run Parameters"
"""The section of a form that Airflow opens by itself: what is asked first stands there."""

RECOMMENDATIONS = Asset("vidrec_recommendations", uri="vidrec://results/current_recommendations")

NIGHT_PARAM = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Night",
    description_md="The date of the night, such as 2026-09-01: only events before its 00:00 UTC "
    "exist "
    "for it. Empty: the end of this run's interval.",
    section=OPEN,
)
REFRESH_PARAM = Param(
    False,
    type="boolean",
    title="Refresh",
    description_md="Read the inputs again, with events that came late: a new run of the night. "
    "Off: a night that was read before is computed from the same inputs again.",
    section="Inputs",
)

FUTURE_PARAM = Param(
    False,
    type="boolean",
    title="Future",
    description_md="Allow a night after today. Off: it is refused, since readers would stay on "
    "it until that day.",
    section="Inputs",
)


def night_of(dag_run: Any) -> date:
    """The night a DAG run stands for: its param, else its interval's end, else when it ran."""
    asked = (dag_run.conf or {}).get("night")
    if asked:
        return date.fromisoformat(asked)
    moment = dag_run.data_interval_end or dag_run.run_after
    return moment.astimezone(UTC).date()


def doc_of(task_id: str) -> str:
    """What a task's page says of its job: the job's own first words, read without importing it."""
    spec = importlib.util.find_spec(f"vidrec_tasks.jobs.{task_id}")
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as source:
        return ast.get_docstring(ast.parse(source.read())) or ""


def pod_of(task_id: str) -> dict[str, Any]:
    """What tells the KubernetesExecutor the pod of a task, if a template for it is there.

    Other executors do not look at it.
    """
    from vidrec_tasks.night import plan_of

    folder = parsed_settings().pod_templates
    for name in (task_id, plan_of(task_id).group) if folder else ():
        template = Path(folder, f"{name}.yaml")
        if template.is_file():
            return {"executor_config": {"pod_template_file": str(template)}}
    return {}


def job_task(task_id: str, **options: Any) -> Task[..., dict[str, Any]]:
    """A task that runs the job of its name for the run's night and one shard."""

    @task(task_id=task_id, pool=POOL, doc_md=doc_of(task_id), **pod_of(task_id), **options)
    def carry_out(
        shard: str = "",
        approval: dict[str, str] | None = None,
        *,
        dag_run: Any = None,
        outlet_events: Any = None,
    ) -> dict[str, Any]:
        """Import the job here: nothing heavy is imported when a DAG is parsed."""
        from vidrec_tasks.running.job import Approval
        from vidrec_tasks.running.runner import Order, postcard, run_job

        conf = dag_run.conf or {}
        order = Order(
            task_id,
            night_of(dag_run),
            shard,
            owner=f"airflow:{dag_run.dag_id}:{dag_run.run_id}",
            refresh=bool(conf.get("refresh")),
            is_cold=bool(conf.get("is_cold", dag_run.dag_id == "vidrec_rebuild")),
            approval=Approval(**approval) if approval else None,
            may_be_future=bool(conf.get("future")),
        )
        receipt = postcard(answer_or_fail(run_job, order, settings_for(conf)))
        for asset in options.get("outlets", ()):
            outlet_events[asset].extra = {"run_id": receipt["run_id"], **receipt["counts"]}
        return receipt

    return carry_out


def by_hand(
    task_id: str,
    words: dict[str, str],
    also: Callable[[], dict[str, Any]] = dict,
    *,
    waits: bool = False,
    **options: Any,
) -> Task[..., dict[str, Any]]:
    """A task that runs a job outside the night with words from the form.

    Args:
        task_id: the job's name.
        words: the job's argument -> the form's param.
        also: called in the task, gives further arguments of the job.
        waits: its retries are for a night that is under way; what else fails has the usual ones.
        options: passed to ``@task``.
    """

    @task(task_id=task_id, doc_md=doc_of(task_id), **options)
    def carry_out(*, params: Any = None, dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
        """Import the job here: nothing heavy is imported when a DAG is parsed."""
        from vidrec_tasks.errors import RunUnderWay, VidrecError
        from vidrec_tasks.running.by_hand import run_by_hand

        arguments = {argument: params[param] for argument, param in words.items()}
        try:
            return answer_or_fail(
                run_by_hand, task_id, request_id=dag_run.run_id, **arguments, **also()
            )
        except VidrecError as error:
            is_for_good = waits and not isinstance(error, RunUnderWay)
            if is_for_good and ti.try_number > DEFAULT_ARGS["retries"]:
                raise AirflowFailException(str(error)) from error
            raise

    return carry_out


def airflow_places() -> dict[str, Any]:
    """Where Airflow keeps its logs and, if the connection is there, its own database.

    A task does not reach that database by itself: Airflow 3 hides its URL from tasks.
    """
    from airflow.configuration import conf
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    logs = conf.get("logging", "base_log_folder", fallback="")
    try:
        connection = Connection.get("vidrec_airflow_db")
    except AirflowNotFoundException:
        return {"airflow_logs": logs}
    return {"airflow_logs": logs, "airflow_url": connection.get_uri()}


def settings_for(conf: dict[str, Any]) -> Any:
    """The settings, with what the form says of encoders."""
    from vidrec_tasks.settings import read_settings

    names = ("text_encoder", "frame_encoder")
    encoders = {name: conf[name] for name in names if conf.get(name)}
    return read_settings(**({"content": encoders} if encoders else {}))


def answer_or_fail(call: Any, *args: Any, **words: Any) -> Any:
    """Call a job; errors that a retry cannot fix fail the task at once."""
    from vidrec_tasks.errors import GateError, InputError, SettingsError

    try:
        return call(*args, **words)
    except (GateError, InputError, SettingsError) as error:
        raise AirflowFailException(str(error)) from error
