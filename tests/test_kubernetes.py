"""deploy/kubernetes as far as it can be judged without a cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from vidrec_tasks.settings import known_names

BOUND = {"VIDREC_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}


@pytest.fixture(scope="module")
def values(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((root / "deploy/kubernetes/values.yaml").read_text())
    return read


@pytest.fixture(scope="module")
def pods(root: Path) -> dict[str, Any]:
    folder = root / "deploy" / "kubernetes" / "pods"
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))}


def test_settings_in_it_are_known(values: dict[str, Any], pods: dict[str, Any]) -> None:
    named = [variable["name"] for variable in values["env"]]
    for pod in pods.values():
        named += [variable["name"] for variable in pod["spec"]["containers"][0]["env"]]
    ours = {name for name in named if name.startswith("VIDREC_")}
    assert ours
    assert ours <= set(known_names())


def test_tasks_and_services_are_given_the_same(
    values: dict[str, Any], pods: dict[str, Any]
) -> None:
    def given(variables: list[dict[str, str]]) -> dict[str, str]:
        return {v["name"]: v["value"] for v in variables if v["name"] != "VIDREC_POD_TEMPLATES"}

    services = given(values["env"])
    for name, pod in pods.items():
        container = pod["spec"]["containers"][0]
        task = given(container["env"])
        cpus = container["resources"]["requests"]["cpu"]
        wanted = services | dict.fromkeys(BOUND, cpus)  # a thread a CPU that is asked for
        assert {key: task.get(key) for key in wanted} == wanted, name
        assert pod["spec"]["enableServiceLinks"] is False


def test_no_secret_is_written_down(root: Path) -> None:
    for path in (root / "deploy" / "kubernetes").rglob("*.yaml"):
        for line in path.read_text().splitlines():
            plain = line.split("#")[0]
            assert "PASSWORD" not in plain, path
            assert "ACCESS_KEY" not in plain, path


def test_the_images_and_the_version_are_the_same(
    root: Path, values: dict[str, Any], pods: dict[str, Any]
) -> None:
    image = f"{values['images']['airflow']['repository']}:{values['images']['airflow']['tag']}"
    assert {pod["spec"]["containers"][0]["image"] for pod in pods.values()} == {image}
    lock = (root / "requirements.txt").read_text().splitlines()
    assert f"apache-airflow=={values['airflowVersion']}" in lock


def test_every_template_is_mounted_where_the_setting_looks(values: dict[str, Any]) -> None:
    folder = {v["name"]: v["value"] for v in values["env"]}["VIDREC_POD_TEMPLATES"]
    (mount,) = values["volumeMounts"]
    (volume,) = values["volumes"]
    assert mount["mountPath"] == folder
    assert mount["name"] == volume["name"]
