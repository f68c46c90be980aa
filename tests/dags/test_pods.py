"""Which pod a task gets on Kubernetes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.airflow


def test_a_job_has_its_own_template_or_its_stages(
    defaults: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDREC_POD_TEMPLATES", str(tmp_path))
    for name in ("train_models", "models", "content"):
        (tmp_path / f"{name}.yaml").write_text("")
    found = {job: defaults.pod_of(job) for job in ("train_models", "embed_videos", "write_report")}
    assert found == {
        "train_models": pod(tmp_path / "train_models.yaml"),
        "embed_videos": pod(tmp_path / "content.yaml"),
        "write_report": {},
    }


def pod(template: Path) -> dict[str, Any]:
    return {"executor_config": {"pod_template_file": str(template)}}


def test_without_the_setting_no_task_has_a_pod(defaults: Any) -> None:
    assert defaults.pod_of("train_models") == {}


def test_the_templates_that_are_kept_are_of_jobs_and_stages(root: Path) -> None:
    from vidrec_tasks.night import GROUPS, NIGHT

    folder = root / "deploy" / "kubernetes" / "pods"
    templates = {path.stem: yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")}
    assert templates
    assert set(templates) - {"default"} <= {*GROUPS, *NIGHT}
    for name, template in templates.items():
        assert template["kind"] == "Pod", name
        (container,) = template["spec"]["containers"]
        assert container["name"] == "base", f"{name}: the executor looks for that name"
        assert container["resources"]["limits"]["memory"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
