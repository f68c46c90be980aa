"""The end of a night as a DAG a scenario, its jobs in name only; run as a script, it prints states.

``python override_dags.py SCENARIO…``; Airflow parses it too, from a DAG folder of its own.
"""

import sys
from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, task
from vidrec_flow import publication

from vidrec_tasks.errors import GateError
from vidrec_tasks.running import overriding, runner

SCENARIOS = {
    "passed": (True, True, ""),
    "shut": (False, False, ""),
    "approved": (False, True, "Approve"),
    "refused": (False, True, "Reject"),
}
"""Name -> whether the gates pass, whether a person may be asked, what the person answers."""

RUN = "2026-09-01-0000abcd"


def act(name: str) -> None:
    """Put the scenario in the place of the jobs and of the person."""
    passes, may_be_asked, answer = SCENARIOS[name]

    def run_job(order: Any, settings: Any) -> dict[str, Any]:
        if order.task_id == "check_gates" and not passes:
            raise GateError("index_recall 0.1 (at least 0.9)")
        if order.task_id == "publish_lists" and not passes:
            assert order.approval.run_id == RUN
            assert order.approval.by == "admin"
        return {"job": order.task_id, "run_id": RUN, "counts": {}, "artefacts": []}

    def execute(self: Any, context: Any) -> Any:
        assert RUN in self.subject
        assert "* index_recall is 0.1" in self.body
        event = {"chosen_options": [answer], "params_input": {}, "responded_at": datetime.now(UTC),
                 "responded_by_user": {"id": "1", "name": "admin"}}  # fmt: skip
        return self.execute_complete(context, event)

    question = {"run_id": RUN, "night": "2026-09-01", "failed": ["index_recall is 0.1"]}
    runner.run_job = run_job  # type: ignore[assignment]
    overriding.question_about = lambda *_: question if may_be_asked else {}
    ApprovalOperator.execute = execute  # type: ignore[method-assign]


def end_of_night(name: str) -> DAG:
    """A DAG of what comes after the measuring."""
    with DAG(f"end_{name}", schedule=None, start_date=datetime(2026, 9, 1, tzinfo=UTC)) as dag:

        @task
        def evaluate_lists() -> None:
            """What publication waits for."""

        publication(evaluate_lists())
    return dag


DAGS = [end_of_night(name) for name in SCENARIOS]
globals().update({dag.dag_id: dag for dag in DAGS})

if __name__ == "__main__":
    for name, dag in zip(SCENARIOS, DAGS, strict=True):
        if name in sys.argv[1:]:
            act(name)
            run = dag.test()
            states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
            sys.stdout.write(f"\nSTATES {name} {run.state} {sorted(states.items())}\n")
