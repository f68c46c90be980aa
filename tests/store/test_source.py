"""Which changes of the library's source change what a run was made by, and a job's digest."""

import shutil
from pathlib import Path

import pytest

from vidrec_tasks.night import BY_HAND, NIGHT
from vidrec_tasks.store.source import ROOT, files_of_job, job_digest, source_digest


def changed(folder: Path, file: str) -> Path:
    """A copy of the library with one more line in a file."""
    root = folder / ROOT.name
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    with (root / file).open("a") as opened:
        opened.write("\n# changed\n")
    return root


def jobs_that_change(folder: Path, file: str) -> set[str]:
    root = changed(folder, file)
    return {job for job in NIGHT if job_digest(job, root) != job_digest(job)}


def test_the_same_source_has_the_same_digests_wherever_it_lies(tmp_path: Path) -> None:
    root = tmp_path / ROOT.name
    shutil.copytree(ROOT, root)
    assert source_digest(root) == source_digest()
    assert [job_digest(job, root) for job in NIGHT] == [job_digest(job) for job in NIGHT]


@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        ("jobs/list_similar.py", {"list_similar"}),
        # it is started by its name, from what both jobs import
        ("content/decoding/worker.py", {"extract_keyframes", "read_texts"}),
        ("evaluation/templates/report.html", {"write_report"}),  # it is no module
        ("demo/tastes.py", set()),
        ("importing/gorse.py", set()),
        ("__main__.py", set()),
    ],
)
def test_a_file_concerns_the_jobs_that_need_it(tmp_path: Path, file: str, jobs: set[str]) -> None:
    assert jobs_that_change(tmp_path, file) == jobs


def test_what_a_worker_imports_concerns_who_starts_it(tmp_path: Path) -> None:
    changes = jobs_that_change(tmp_path, "content/decoding/surveying.py")
    assert "extract_keyframes" in changes
    assert not changes & {"validate_inputs", "train_models", "publish_lists"}


@pytest.mark.parametrize(
    "file", ["__init__.py", "jobs/__init__.py", "settings.py", "store/codecs.py", "night.py",
             "running/runner.py", "contracts/artefacts.py"]
)  # fmt: skip
def test_what_has_a_hand_in_every_artefact_concerns_all_jobs(tmp_path: Path, file: str) -> None:
    assert jobs_that_change(tmp_path, file) == set(NIGHT)


def test_a_run_says_all_of_the_source(tmp_path: Path) -> None:
    for number, file in enumerate(("demo/tastes.py", "evaluation/templates/report.css")):
        assert source_digest(changed(tmp_path / str(number), file)) != source_digest()


def test_migrations_belong_to_who_publishes() -> None:
    assert ROOT / "publishing/migrations/versions/v0001_result_tables.py" in files_of_job(
        "publish_lists"
    )


@pytest.mark.parametrize("job", [*NIGHT, *BY_HAND])
def test_no_job_needs_files_that_only_the_command_line_has(job: str) -> None:
    assert not {ROOT / "__main__.py", ROOT / "demo/world.py"} & files_of_job(job)
