"""What `make compose-test` and the backup are made of, as far as no engine is needed."""

import subprocess
from pathlib import Path

import yaml

from tests.containers import engine
from tests.test_compose import VARIABLE


class Loader(yaml.SafeLoader):
    """Knows the tag by which Compose takes something out of the file beneath."""


Loader.add_constructor("!reset", lambda loader, node: None)


def test_the_file_over_the_compose_file_names_services_of_it(root: Path) -> None:
    compose = yaml.safe_load((root / "docker-compose.yaml").read_text())
    small = yaml.load((root / "tests/containers/small.yaml").read_text(), Loader)
    assert set(small["services"]) <= set(compose["services"])
    assert set(small["services"]) >= {"scheduler", "dag-processor", "worker-gpu"}


def test_stand_ins_say_that_they_are_and_stand_for_what_the_file_names(root: Path) -> None:
    text = (root / "docker-compose.yaml").read_text()
    variables = {name for name, _, _ in VARIABLE.findall(text)}
    assert set(engine.IMAGES) <= variables
    for folder, image in [*engine.IMAGES.values(), engine.S3]:
        assert image.startswith("vidrec-stand-in/")
        lines = (engine.HERE / "stand_ins" / folder / "Dockerfile").read_text().splitlines()
        assert lines[0].startswith("# Stands in for ")
        (base,) = [line.split()[1] for line in lines if line.startswith("FROM ")]
        assert base in (engine.BASE, "vidrec:local")


def test_a_backup_replaces_none(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [root / "scripts" / "backup.sh", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is there already; name a new folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_backup_or_a_damaged_one_is_not_restored(root: Path, tmp_path: Path) -> None:
    def restore() -> subprocess.CompletedProcess[str]:
        script = [root / "scripts" / "restore.sh", tmp_path]
        return subprocess.run(script, capture_output=True, text=True, check=False)

    assert "is damaged or no backup" in restore().stderr
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  airflow.dump\n")
    (tmp_path / "airflow.dump").write_text("other bytes")
    done = restore()
    assert done.returncode == 1
    assert "is damaged or no backup" in done.stderr
