"""The declaration of a night holds together, and what follows from it is what runs."""

import pytest

from vidrec_tasks.night import (
    GROUPS,
    JOBS,
    NIGHT,
    JobPlan,
    is_by_video,
    jobs_in,
    kind_of,
    maker_of,
    nearest_upstream,
    upstream_of,
)
from vidrec_tasks.settings import Settings


def test_every_need_is_made_by_an_earlier_job() -> None:
    done: set[str] = set()
    for plan in JOBS:
        assert {other.name for other in upstream_of(plan)} <= done, plan.name
        done.add(plan.name)


def test_every_artefact_has_one_maker() -> None:
    kinds = [kind_of(pattern) for plan in JOBS for pattern in plan.makes]
    assert len(kinds) == len(set(kinds))
    assert all(maker_of(kind).name in NIGHT for kind in kinds)


def test_a_shard_is_needed_only_of_what_is_split_alike() -> None:
    for plan in JOBS:
        for pattern in plan.needs:
            if pattern.endswith(".#"):
                assert plan.per == (
                    "video_shard" if is_by_video(kind_of(pattern)) else "user_shard"
                )


def test_every_job_is_in_a_stage_that_is_described() -> None:
    assert [plan for group in GROUPS for plan in jobs_in(group)] == list(JOBS)
    assert all(GROUPS.values())


def test_groups_of_settings_that_a_job_names_exist() -> None:
    groups = {name for name in Settings.model_fields}
    assert {name for plan in JOBS for name in plan.settings} <= groups


@pytest.mark.parametrize("plan", JOBS, ids=lambda plan: plan.name)
def test_the_arrows_that_are_drawn_lead_to_everything_above(plan: JobPlan) -> None:
    reached: set[str] = set()
    waiting = list(nearest_upstream(plan))
    while waiting:
        other = waiting.pop()
        reached.add(other.name)
        waiting += nearest_upstream(other)
    assert {other.name for other in upstream_of(plan)} <= reached


def test_nothing_is_published_before_everything_else_is_done() -> None:
    """The gates come last: what a person may overrule is all that is left to do then."""
    (gates,) = nearest_upstream(next(plan for plan in JOBS if plan.name == "publish_lists"))
    assert gates.name == "check_gates"
