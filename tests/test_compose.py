"""docker-compose.yaml as far as it can be judged without a container engine."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from vidrec_tasks.settings import known_names

VARIABLE = re.compile(r"\$\{(\w+)(:[?-])?([^}]*)\}")
RUNS_ONCE = {"set-up", "object-store-bucket"}
"""Services that do one thing and end: others wait for their success, so they have no health."""

ASK_AIRFLOW = """
import json, sys
from airflow.cli import cli_parser
from airflow.configuration import conf

asked = json.load(sys.stdin)
parser = cli_parser.get_parser()
for command in asked["commands"]:
    parser.parse_args(command)
known = {
    f"AIRFLOW__{section}__{option}".upper()
    for section, said in conf.configuration_description.items()
    for option in said["options"]
}
print(json.dumps(sorted(set(asked["names"]) - known)))
"""


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker-compose.yaml").read_text()


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def commands(services: dict[str, Any], program: str) -> list[list[str]]:
    """Every command line of a program, in lists and in scripts, without its first word."""
    found = []
    for service in services.values():
        command = service.get("command", [])
        lines = [
            shlex.split(line) for word in command if "\n" in word for line in word.splitlines()
        ]
        found += [line[1:] for line in [command, *lines] if line and line[0] == program]
    return found


def test_it_is_valid_against_the_compose_specification(compose: dict[str, Any]) -> None:
    spec = find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    schemas = Path(spec.origin).parent / "builtin_schemas" / "vendor"
    jsonschema.validate(compose, json.loads((schemas / "compose-spec.json").read_text()))


def test_the_services_of_a_cluster_are_there(services: dict[str, Any]) -> None:
    needed = {
        "postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer", "worker-1",
        "worker-2", "object-store",
    }  # fmt: skip
    assert needed <= set(services)
    assert services["object-store"]["profiles"] == ["s3"]


def test_every_service_has_a_health_check_or_runs_once(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name in RUNS_ONCE:
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"], name


def test_every_service_has_limits(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name


def test_no_secret_has_a_default(text: str, compose: dict[str, Any]) -> None:
    for name, mark, _ in VARIABLE.findall(text):
        if re.search("PASSWORD|SECRET|KEY", name):
            assert mark == ":?", f"{name} would start with a default"
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|(?<!ACCESS_)KEY$|_CONN$|BROKER_URL|REDISCLI_AUTH", name):
                assert VARIABLE.search(str(value)), f"{name} is written down"


def test_the_example_names_every_variable_and_no_secret(root: Path, text: str) -> None:
    lines = (root / ".env.example").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if line and line[0] != "#")
    used = {name: mark for name, mark, _ in VARIABLE.findall(text)}
    assert set(said) == set(used)
    assert {name for name, value in said.items() if not value} == {
        name for name, mark in used.items() if mark == ":?"
    }


def test_make_env_fills_every_secret_once(root: Path, tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text((root / ".env.example").read_text())
    script = ["bash", str(root / "scripts" / "make_env.sh"), str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True)
    made = (tmp_path / ".env").read_text()
    said = dict(line.split("=", 1) for line in made.splitlines() if line and line[0] != "#")
    assert all(said.values())
    assert len(set(said.values())) == len(said)
    assert len(said["AIRFLOW_JWT_SECRET"].encode()) >= 64
    assert len(base64.urlsafe_b64decode(said["AIRFLOW_FERNET_KEY"])) == 32
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    again = subprocess.run(script, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (tmp_path / ".env").read_text() == made


def test_the_two_databases_have_roles_of_their_own(compose: dict[str, Any]) -> None:
    environment = compose["services"]["worker-1"]["environment"]
    metadata = environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    results = environment["VIDREC_RESULTS_URL"]
    assert "//airflow:${AIRFLOW_DB_PASSWORD" in metadata
    assert metadata.endswith("/airflow")
    assert "//vidrec:${RESULTS_DB_PASSWORD" in results
    assert results.endswith("/vidrec")
    script = compose["configs"]["databases"]["content"]
    assert "//vidrec_page:${READER_DB_PASSWORD" in environment["VIDREC_READER_URL"]
    for line in (
        "GRANT CONNECT ON DATABASE vidrec TO vidrec_page",
        "CREATE DATABASE airflow OWNER airflow",
        "CREATE DATABASE vidrec OWNER vidrec",
    ):
        assert line in script


def test_every_airflow_service_has_what_all_must_share(services: dict[str, Any]) -> None:
    shared = {
        "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CELERY__RESULT_BACKEND", "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__CORE__AUTH_MANAGER",
    }  # fmt: skip
    airflow = [service for service in services.values() if service["image"] == "vidrec:local"]
    assert len(airflow) >= 7
    for name in shared:
        values = {service["environment"][name] for service in airflow}
        assert len(values) == 1, name
    url = airflow[0]["environment"]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    assert url.endswith("/execution/")


def test_workers_can_share_a_host_and_serve_both_queues(services: dict[str, Any]) -> None:
    workers = [service for name, service in services.items() if name.startswith("worker-")]
    environments = [worker["environment"] for worker in workers]
    ports = {env["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] for env in environments}
    assert len(ports) == len(workers)
    assert "8794" not in ports  # the triggerer's
    always = [worker["command"] for worker in workers if "profiles" not in worker]
    assert len(always) >= 2
    queues = " ".join(command[command.index("--queues") + 1] for command in always)
    assert "default" in queues
    assert "gpu" in queues


def test_only_the_ui_is_open_and_to_this_machine_alone(services: dict[str, Any]) -> None:
    opened = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert opened == {"api-server": ["${API_BIND:-127.0.0.1}:${API_PORT:-8080}:8080"]}


def test_services_volumes_and_configs_that_are_named_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(compose["volumes"])


def test_vidrec_settings_in_it_are_known(services: dict[str, Any]) -> None:
    said = {name for service in services.values() for name in service.get("environment", {})}
    ours = {name for name in said if name.startswith("VIDREC_")}
    assert ours
    assert ours <= set(known_names())


@pytest.mark.airflow
def test_airflow_knows_every_command_and_every_option(
    services: dict[str, Any], tmp_path: Path
) -> None:
    said = {name for service in services.values() for name in service.get("environment", {})}
    asked = [
        [VARIABLE.sub(lambda found: found[3] or "x", word) for word in command]
        for command in commands(services, "airflow")
        if command[0] != "users"  # comes with FAB, which is installed in the image alone
    ]
    assert len(asked) >= 9
    question = {"commands": asked, "names": [name for name in said if name.startswith("AIRFLOW__")]}
    plain = {name: value for name, value in os.environ.items() if "AIRFLOW__" not in name}
    answer = subprocess.run(
        [sys.executable, "-c", ASK_AIRFLOW],
        input=json.dumps(question),
        env={**plain, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2_000:]
    assert json.loads(answer.stdout.splitlines()[-1]) == []


def test_the_image_is_made_of_files_that_are_there(root: Path) -> None:
    dockerfile = (root / "Dockerfile").read_text()
    kept = {
        line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        name
        for line in dockerfile.splitlines()
        if line.startswith("COPY ")
        for name in line.split()[1:-1]
    }
    assert copied == kept
    assert all((root / name).exists() for name in copied)


def test_the_image_adds_to_the_lock_and_contradicts_it_nowhere(root: Path) -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (line.split("#")[0].strip() for line in (root / name).read_text().splitlines())
        return {line.split("==")[0].lower(): line.split("==")[1] for line in lines if line}

    lock, cluster = pins("requirements.txt"), pins("requirements-cluster.txt")
    assert not set(lock) & set(cluster)
    assert {"apache-airflow-providers-fab", "s3fs"} <= set(cluster)
    assert cluster["s3fs"] == lock["fsspec"]  # s3fs asks for the fsspec of its own version
