import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scale_overhead import n_tasks
from benchmarks.scale_page import index_bytes, page
from benchmarks.scale_search import measure_search
from benchmarks.scale_stages import LIST_JOBS, LIST_STAGES
from vidrec_tasks.content.index import build_index
from vidrec_tasks.settings import ContentSettings, Settings


def run_of(users: int, peak_gib: float) -> dict[str, object]:
    """A job a hundredth of a second a user, ten rows of a hundred bytes each."""
    return {
        "users": users,
        "seconds": dict.fromkeys(LIST_JOBS, users / 100),
        "list_rows": 10 * users,
        "list_text_bytes": 1_000 * users,
        "peak_gib": peak_gib,
    }


def scale_of() -> dict[str, object]:
    return {
        "ratios": {"search_vs_faiss_flat": 0.9},
        "figures": {
            "users_per_s": 20.0, "growth_exponent": 1.0, "peak_gib": 2.0, "videos": 5_000,
            "search_recall": 1.0, "orchestration_share": None, "users_per_shard": 10_000,
            "stage_ms_a_user": 30.0, "catalogue_exponent": 0.2, "lists_equal_dense": 0.99,
            "dense": {"videos": 500, "users": 100}, "users_vs_implicit": None,
            "against": {"videos": 500, "users": 1_000, "stage_ms_a_user": 19.0,
                        "users_per_s": 30.0},
            "search": {"k": 200, "dim": 384, "kind": "exact", "recall": 1.0,
                       "users_per_s": {"vidrec": 9.0, "faiss_flat": 10.0, "product_alone": 50.0}},
            "runs": [run_of(1_000, 1.0), run_of(10_000, 1.9)],
        },
    }  # fmt: skip


def test_the_page_follows_from_the_rates() -> None:
    said = page(scale_of(), {"figures": {"rows": 1_000_000, "publish_s": 10.0}})
    assert "the cost of 50,000 videos and 100,000 users" in said  # ten times, never more
    assert "| all | 1.4 | |" in said  # five jobs, 0.01 s each, 1e5 users
    # three of them, 0.83 hours, grow by 10 ** 0.2
    assert "would take 0.5 core-hours more by the measured exponent of 0.2" in " ".join(
        said.split()
    )
    assert "1,000,000 rows of 100 bytes as text, 0.1 GB a run" in said
    assert "10 seconds by one connection at the 100,000 rows/s" in said
    assert "VIDREC_INPUTS__USERS_PER_SHARD=10000` (10 user shards)" in said
    assert "takes 1.9 GiB, as measured" in said
    assert "| find, rank and rerank, ms a user | 19.0 | 500 | 1,000 |" in said
    assert "| find, rank and rerank, ms a user | 30.0 | 5,000 | 10,000 |" in said


def test_runs_of_other_sizes_stand_beside_it() -> None:
    other = scale_of()
    other["figures"] |= {  # type: ignore[operator]
        "videos": 700, "users_per_s": 44.0, "orchestration_share": 0.05, "growth_exponent": 0.9,
    }  # fmt: skip
    said = page(scale_of(), beside=[other])
    assert "the cost of 50,000 videos and 100,000 users" in said  # of the first one
    assert "| all list jobs, users/s | 20.0 | 5,000 | 10,000 |" in said
    assert "| all list jobs, users/s | 44.0 | 700 | 10,000 |" in said
    assert "list jobs' time over users | 0.9 | 700 | 1,000 to 10,000 |" in said
    assert "profiles and lists | 5.0% | 700 | 100,000 |" in said


def test_the_committed_page_is_of_the_committed_figures(root: Path) -> None:
    figures = {
        path.stem: json.loads(path.read_text())
        for path in (root / "docs" / "measured").glob("*.json")
    }
    said = page(
        figures["scale-1000000"], figures["publishing"],
        [figures["night"], figures["night-200000"]],
        [figures["scale-200000"]],
    )  # fmt: skip
    assert (root / "docs" / "SCALE.md").read_text(encoding="utf-8") == said


def test_a_whole_night_is_told_job_by_job() -> None:
    jobs = {"train_models": {"seconds": 1234.5, "shards": 1, "peak_gib": 2.5},
            "write_report": {"seconds": 1.0, "shards": 1, "peak_gib": None}}  # fmt: skip
    figures = {"videos": 2_000, "users": 500, "published": True, "hours": 0.5, "jobs": jobs,
               "list_rows": 5_000, "gates_passed": 9, "gates": 9}  # fmt: skip
    said = page(scale_of(), nights=[{"figures": figures}])
    assert "2,000 videos with titles and no films, 500 users" in said
    assert "All settings are the defaults." in said
    assert "what was learned serves" not in said
    figures["settings"], figures["note"] = {"VIDREC_THREADS": "1"}, "Beside nothing else."
    for job in LIST_STAGES:
        jobs[job] = {"seconds": 2.0, "shards": 1, "peak_gib": 1.0}
    other = page(scale_of(), nights=[{"figures": figures}])
    assert "not the defaults: `VIDREC_THREADS=1`." in other
    assert "by which no trees serve" in other
    assert "find, rank and\n  rerank took 12 ms of a task a user" in other
    assert "\nBeside nothing else.\n" in other
    assert "The night was published after\n0.5 hours with 5,000 list rows; 9 of\n9 gates" in said
    assert "| `train_models` | 1 | 1,234.5 | 2.5 |" in said
    assert "| `write_report` | 1 | 1.0 | not measured |" in said


def test_the_page_says_which_lists_trees_ordered() -> None:
    bare, served = scale_of(), scale_of()
    served["figures"] |= {"scorer": "trees"}  # type: ignore[operator]
    assert "No trees order the lists here" in page(bare)
    assert "ordered by trees, as on most nights." in page(served)
    both = page(served, beside=[bare])
    assert "but for those over\n5,000 videos, which would cost more with them." in both


def test_what_was_not_measured_is_not_guessed() -> None:
    scale = scale_of()
    said = page(scale)
    assert "Not measured here: give `--night`" in said
    assert "not computed here: give `--publishing`" in said
    assert "as a share of the time of profiles and lists | not measured |" in said
    assert "`implicit` was not measured" in said


def test_an_index_of_codes_holds_a_byte_a_dimension_and_a_number() -> None:
    assert index_bytes(10_000, 64, 64) == 10_000 * 72 + 400 * 64 * 4
    # of a million with 96 coordinates FAISS wrote 497,719,718
    assert index_bytes(1_000_000, 384, 96) == pytest.approx(497_719_718, rel=0.001)


def test_a_night_has_a_task_a_job_and_shard() -> None:
    settings = Settings(inputs={"users_per_shard": 10, "videos_per_shard": 5})
    assert n_tasks(20, 15, settings) == 7 * 2 + 2 * 3 + 16


def test_an_exact_index_finds_what_flat_search_finds() -> None:
    vectors = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = measure_search(build_index(vectors, ContentSettings()), vectors, vectors)
    assert found["recall"] == pytest.approx(1.0)
    assert set(found["users_per_s"]) == {
        "vidrec", "faiss_flat", "faiss_flat_by_matrices", "product_alone",
    }  # fmt: skip
