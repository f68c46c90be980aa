"""docker-compose.yaml as far as it can be judged without a container engine."""

import ast
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
SHELL_ITSELF = re.compile(r"export |requirepass ")
"""Lines that set a variable of the shell, or are what it gives to a program's standard input."""
RUNS_ONCE = {"set-up", "object-store-bucket", "tools"}
"""Services that do one thing and end: others wait for their success, so they have no health."""
BECOME_ANOTHER_USER = {"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}
"""Services whose image starts as root, gives its folder to its own user and becomes that."""
WRITES_ANYWHERE = {"postgres"}
"""Its configuration is put into the container, which a read-only one does not let in."""

SET_UP = [["db", "migrate"], ["pools", "set", "vidrec_compute", "4", "words"]]
"""What scripts/set_up_airflow.py asks Airflow's command line for."""

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


def test_no_limit_asks_for_more_than_the_smallest_host_has(services: dict[str, Any]) -> None:
    for name, service in services.items():
        cpus = service["deploy"]["resources"]["limits"]["cpus"]
        default = VARIABLE.sub(lambda found: found[3], cpus)
        assert float(default) <= 1, f"{name} is refused on a host of one core"


def test_no_container_may_more_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert set(service.get("cap_add", [])) == BECOME_ANOTHER_USER.get(name, set()), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only", False) is (name not in WRITES_ANYWHERE), name


def test_logs_of_containers_do_not_grow_without_end(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_the_image_is_built_once_and_asked_of_no_registry(services: dict[str, Any]) -> None:
    ours = {name: service for name, service in services.items()
            if service["image"] == "vidrec:local"}  # fmt: skip
    assert [name for name, service in ours.items() if "build" in service] == ["set-up"]
    assert {service["pull_policy"] for service in ours.values()} == {"never"}
    assert [name for name in services if "build" in services[name] and name not in ours] == []


def test_every_argument_of_the_build_is_given(root: Path, services: dict[str, Any]) -> None:
    asked = re.findall(r"^ARG (\w+)", (root / "Dockerfile").read_text(), re.M)
    assert set(services["set-up"]["build"]["args"]) == set(asked)


def test_health_checks_start_no_shell_and_no_airflow(root: Path, services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name in RUNS_ONCE:
            continue
        health = service["healthcheck"]
        kind, program, *words = health["test"]
        assert kind == "CMD", f"{name}: what a shell started lives on when the check is ended"
        assert program not in ("airflow", "celery", "sh", "bash"), name
        if program == "python":
            script = root / words[0].removeprefix("/opt/vidrec/")
            assert "airflow" not in imported(script.read_text())
        assert seconds(health["timeout"]) < seconds(health["interval"]), name
        assert seconds(health["start_period"]) >= 60, name


def imported(source: str) -> set[str]:
    """The packages that a program imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


def seconds(duration: str) -> int:
    """A duration of the file, such as 30s or 5m."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def test_no_secret_is_on_a_command_line(services: dict[str, Any]) -> None:
    """A shell's own words are not: what it runs is."""
    for name, service in services.items():
        words = [*service.get("command", []), *service.get("entrypoint", [])]
        for word in words:
            lines = [line for line in word.splitlines() if not SHELL_ITSELF.match(line.strip())]
            named = re.findall(r"\$\$?\{?(\w*(?:PASSWORD|SECRET|AUTH|KEY))", "\n".join(lines))
            assert named == [], name


def test_what_makes_a_bucket_is_waited_for(services: dict[str, Any]) -> None:
    waited = services["set-up"]["depends_on"]["object-store-bucket"]
    assert waited == {"condition": "service_completed_successfully", "required": False}


def test_the_object_store_and_the_jobs_have_the_same_name_and_password(
    services: dict[str, Any],
) -> None:
    jobs, store = services["worker-1"]["environment"], services["object-store"]["environment"]
    assert jobs["AWS_ACCESS_KEY_ID"] == store["MINIO_ROOT_USER"]
    assert jobs["AWS_SECRET_ACCESS_KEY"] == store["MINIO_ROOT_PASSWORD"]
    assert jobs["VIDREC_STORE_URL"].startswith("${VIDREC_STORE_URL:-/var/lib/vidrec/")


def test_every_job_is_given_the_settings_of_the_file(services: dict[str, Any]) -> None:
    ours = [service for service in services.values() if service["image"] == "vidrec:local"]
    assert all(service["env_file"] == [{"path": "settings.env", "required": False}]
               for service in ours)  # fmt: skip


def test_native_threads_are_bound_before_anything_is_loaded(services: dict[str, Any]) -> None:
    environment = services["worker-1"]["environment"]
    names = ("VIDREC_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    assert {environment[name] for name in names} == {"${THREADS:-1}"}


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
    example = (root / ".env.example").read_text()
    (tmp_path / ".env.example").write_text(example)
    script = ["bash", str(root / "scripts" / "make_env.sh"), str(tmp_path)]
    given = {"PATH": os.environ["PATH"], "TORCH_INDEX": "file:///index", "API_PORT": "8081"}
    subprocess.run(script, check=True, capture_output=True, env=given)
    made = (tmp_path / ".env").read_text()
    said, before = values(made), values(example)
    assert all(said.values())
    assert {name: said[name] for name in ("TORCH_INDEX", "API_PORT")} == {
        "TORCH_INDEX": "file:///index", "API_PORT": "8081",
    }  # fmt: skip
    secrets = [value for name, value in said.items() if not before[name]]
    assert len(set(secrets)) == len(secrets)
    changed = {name for name, value in before.items() if value and said[name] != value}
    assert changed <= {"API_PORT", "WORKER_CPUS"}
    assert 1 <= int(said["WORKER_CPUS"]) <= max(1, os.cpu_count() or 1)
    assert len(said["AIRFLOW_JWT_SECRET"].encode()) >= 64
    assert len(base64.urlsafe_b64decode(said["AIRFLOW_FERNET_KEY"])) == 32
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    again = subprocess.run(script, capture_output=True, text=True, check=False, env=given)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (tmp_path / ".env").read_text() == made


def values(text: str) -> dict[str, str]:
    """Name -> value of a file like .env."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and line[0] != "#")


def test_make_env_asks_for_what_nobody_can_guess(root: Path, tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text((root / ".env.example").read_text())
    script = ["bash", str(root / "scripts" / "make_env.sh"), str(tmp_path)]
    given = {"PATH": os.environ["PATH"]}
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=given)
    assert done.returncode == 1
    assert "TORCH_INDEX=<that index> scripts/make_env.sh" in done.stderr
    assert not (tmp_path / ".env").exists()


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
    asked += SET_UP
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
    assert "USER airflow" in dockerfile.splitlines()
    kept = {
        line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        name
        for line in dockerfile.splitlines()
        if line.startswith("COPY ") and "--from=" not in line
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
