"""The way round a rejected run: a person is asked in Airflow's UI; no answer means no.

Shut unless VIDREC_PUBLISHING__ALLOW_OVERRIDE is on: then the way is skipped, and the night is red.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import task
from vidrec_dag_defaults import night_of, settings_for

LONGEST_WAIT = timedelta(hours=12)
"""The next night may begin on time whatever a person does."""

SUBJECT = "Publish run {{ ti.xcom_pull(task_ids='may_be_overridden')['run_id'] }} all the same?"
BODY = """Its gates rejected it:
{% for gate in ti.xcom_pull(task_ids='may_be_overridden')['failed'] %}
* {{ gate }}
{%- endfor %}

**Approve** shows these lists to readers, with your name beside the run. **Reject**, or no answer
within 12 hours, leaves them the night that they have.
"""


@task.short_circuit(
    trigger_rule="all_failed",
    ignore_downstream_trigger_rules=False,
    doc_md="may_be_overridden: look whether a person may be asked about a night.",
)
def may_be_overridden(*, dag_run: Any = None) -> dict[str, Any]:
    """What a person is asked, if the gates rejected the night and the setting allows to ask."""
    from vidrec_tasks.running.overriding import question_about

    return question_about(night_of(dag_run), settings_for(dag_run.conf or {}))


@task(doc_md="note_approval: keep who approved which run; publish_lists asks for it.")
def note_approval(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, str]:
    """Who approved which run, and when: what publish_lists asks to see."""
    who = answer["responded_by_user"] or {}
    return {
        "run_id": question["run_id"],
        "by": str(who.get("name") or who.get("id") or "unknown"),
        "at": str(answer["responded_at"]),
    }


def override(checked: Any) -> Any:
    """The tasks of the way round; returns the approval, which is skipped unless there is one."""
    question = may_be_overridden()
    asked = ApprovalOperator(
        task_id="approve_rejected_run",
        subject=SUBJECT,
        body=BODY,
        defaults=ApprovalOperator.REJECT,  # no answer means no
        response_timeout=LONGEST_WAIT,
        execution_timeout=None,
        doc_md="approve_rejected_run: ask a person whether to publish it all the same.",
    )
    # Only a check that failed leads here: after one that passed, all of this is skipped.
    checked >> question >> asked
    # A refusal skips the task next to it. Were that publish_lists, the night would end green.
    note: Any = note_approval  # a task takes what other tasks will have answered
    return note(question, asked.output)
