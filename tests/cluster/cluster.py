"""docker-compose.yaml as processes of this machine: each service's own command and environment.

What an engine would give is put in place: host names are loopback addresses with free ports, the
image's folders are folders of the test, and the PostgreSQL image's first start is done by hand.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.cluster.compose import Service, database_script, new_secrets, read_services
from tests.cluster.ports import free_ports
from tests.cluster.processes import Process, wait_until

BINARIES: Final = Path("/usr/lib/postgresql")
VENV: Final = ".venv-cluster"
SLOWEST_START_S: Final = 240.0
LONGEST_SET_UP_S: Final = 300.0

ONE_HOST: Final = {
    "AIRFLOW__API__HOST": "127.0.0.1",
    # only what a test asks for runs, and at once
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # a lost worker is noticed in seconds, where a real cluster would wait for minutes
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""What differs from the file beside addresses: it makes a test quick and leaves results alone."""


@dataclass
class Addresses:
    """Where things are that the file knows by the names of containers."""

    postgres: int
    redis: int
    api: int
    scheduler_health: int
    log_servers: list[int]

    @classmethod
    def free(cls) -> "Addresses":
        """Ports that nobody uses now."""
        ports = free_ports(9)
        return cls(*ports[:4], ports[4:])

    def translate(self, text: str) -> str:
        """A text of the file with loopback addresses in it."""
        pairs = {
            "@postgres:5432": f"@127.0.0.1:{self.postgres}",
            "@redis:6379": f"@127.0.0.1:{self.redis}",
            "api-server:8080": f"127.0.0.1:{self.api}",
            "localhost:8080": f"127.0.0.1:{self.api}",
            "localhost:8974": f"127.0.0.1:{self.scheduler_health}",
        }
        for there, here in pairs.items():
            text = text.replace(there, here)
        return text


@dataclass
class Cluster:
    """The services of docker-compose.yaml on one machine.

    Attributes:
        root: the checkout.
        more: environment of the Airflow services beside the file's: a small world's settings.
        chosen: what .env says beside its secrets.
    """

    root: Path
    more: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vidrec-cluster-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as a user of its own
        self.store = self.folder / "var" / "store"
        self.addresses = Addresses.free()
        self.secret = {**new_secrets(self.root), **self.chosen}
        self.services = read_services(self.root, self.secret)
        self.processes: dict[str, Process] = {}
        for name in ("logs", "log", "var", "scratch"):
            (self.folder / name).mkdir()

    def start(self) -> None:
        """Start every service when what it waits for is up, or done."""
        self._make_databases()
        for name, service in self.services.items():
            self.start_service(name)
            if not service.health:
                process = self.processes.pop(name)
                assert process.wait(LONGEST_SET_UP_S) == 0, process.tail()
        for name in self.services:
            if name in self.processes:
                self.wait_for(name)

    def start_service(self, name: str) -> None:
        """Start one service, as the file says it is started."""
        service = self.services[name]
        self.processes[name] = Process(
            name,
            self._command(service),
            self.environment(name),
            self.root,
            self.folder / "log" / f"{name}.log",
            signal.SIGINT if name == "postgres" else signal.SIGTERM,
        )
        if name in ("postgres", "redis", "api-server"):
            self.wait_for(name)  # the others' condition is service_healthy

    def wait_for(self, name: str) -> None:
        """Wait until a service's own health check is content."""
        wait_until(lambda: self.is_healthy(name), SLOWEST_START_S, f"{name} healthy", 1.0)

    def is_healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        assert self.processes[name].is_running, self.processes[name].tail()
        kind, *words = self.services[name].health
        words = [self._translate(name, word) for word in words]
        command = ["bash", "-c", *words] if kind == "CMD-SHELL" else words
        if command[0] == "redis-cli":
            command[1:1] = ["-p", str(self.addresses.redis)]
        done = subprocess.run(command, env=self.environment(name), cwd=self.root,
                              capture_output=True, check=False)  # fmt: skip
        return done.returncode == 0

    def revive(self) -> None:
        """Start again what ended by itself, as ``restart: unless-stopped`` does."""
        for name, process in list(self.processes.items()):
            if not process.is_running:
                self.start_service(name)

    def stop(self) -> None:
        """Stop what was started, the last first, and remove its folder."""
        for process in reversed(self.processes.values()):
            process.stop()
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where Airflow's UI and API are."""
        return f"http://127.0.0.1:{self.addresses.api}"

    @property
    def results_url(self) -> str:
        """The result tables, by the role of the jobs."""
        return self.environment("worker-1")["VIDREC_RESULTS_URL"]

    def environment(self, name: str) -> dict[str, str]:
        """What a service is given: its own environment, and what stands for the engine's work."""
        said = self.services[name].environment
        own = {key: self._translate(name, value) for key, value in said.items()}
        path = f"{self.root / VENV / 'bin'}:{self.binaries}:{os.environ['PATH']}"
        base = {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8"}
        if name == "postgres":
            return {**base, **own, "PGHOST": str(self.folder / "socket"),
                    "PGPORT": str(self.addresses.postgres)}  # fmt: skip
        if name == "redis":
            return {**base, **own}
        return {**base, **own, **ONE_HOST, **self._ports(name), **self.more}

    @property
    def binaries(self) -> Path:
        """The programs of Debian's newest PostgreSQL."""
        return max(BINARIES.glob("*/bin"), key=lambda path: int(path.parts[-2]))

    def _ports(self, name: str) -> dict[str, str]:
        """The ports that each container has for itself."""
        place = list(self.services).index(name) % len(self.addresses.log_servers)
        return {
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(
                self.addresses.scheduler_health
            ),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.addresses.log_servers[place]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.addresses.log_servers[place]),
        }

    def _translate(self, name: str, text: str) -> str:
        home = self.folder / "homes" / name
        if not home.exists():
            home.mkdir(parents=True)
            (home / "logs").symlink_to(self.folder / "logs")  # the volume that they share
        text = self.addresses.translate(text)
        for there, here in (("/opt/vidrec", self.root), ("/opt/airflow", home),
                            ("/var/lib/vidrec", self.folder / "var"),
                            ("/scratch", self.folder / "scratch")):  # fmt: skip
            text = text.replace(there, str(here))
        return text

    def _command(self, service: Service) -> list[str]:
        words = [self._translate(service.name, word) for word in service.command]
        if service.name == "postgres":  # the image starts it by itself
            options = {"-D": self._data, "-p": self.addresses.postgres, "-h": "127.0.0.1",
                       "-k": self.folder / "socket"}  # fmt: skip
            words = [str(word) for option in options.items() for word in option]
            return [*self._as_server(), str(self.binaries / "postgres"), *words]
        if service.name == "redis":
            options = f"--port {self.addresses.redis} --bind 127.0.0.1 --dir {self.folder}"
            return [word.replace("redis-server -", f"redis-server - {options}") for word in words]
        return [str(self.addresses.api) if word == "8080" else word for word in words]

    @property
    def _data(self) -> Path:
        return self.folder / "postgres"

    def _make_databases(self) -> None:
        """What the PostgreSQL image does at its first start: a server, then the file's script."""
        for name in ("socket", "postgres"):
            (self.folder / name).mkdir()
            if os.getuid() == 0:
                shutil.chown(self.folder / name, "postgres", "postgres")
        password = self.folder / "socket" / "password"
        password.write_text(self.secret["POSTGRES_PASSWORD"])
        password.chmod(0o644)
        self._run([*self._as_server(), str(self.binaries / "initdb"), "-D", str(self._data), "-U",
                   "postgres", "--pwfile", str(password), "--auth-local=trust",
                   "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
                  self.environment("postgres"))  # fmt: skip
        password.unlink()
        control = [*self._as_server(), str(self.binaries / "pg_ctl"), "-D", str(self._data), "-w"]
        socket = f"-c listen_addresses='' -k {self.folder / 'socket'} -p {self.addresses.postgres}"
        environment = self.environment("postgres")
        # without its log the server would hold on to the pipe that its output is read from
        log = str(self.folder / "socket" / "first.log")
        self._run([*control, "-l", log, "-o", socket, "start"], environment)
        try:
            script = database_script(self.root, self.secret)
            self._run(["bash", "-c", script], environment)
        finally:
            self._run([*control, "-m", "fast", "stop"], environment)

    def _as_server(self) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return []
        setpriv = shutil.which("setpriv") or "setpriv"
        return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups"]

    def _run(self, command: list[str], environment: dict[str, Any]) -> None:
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              cwd="/", check=False)  # fmt: skip
        assert done.returncode == 0, f"{command[:6]}: {done.stdout}{done.stderr}"
