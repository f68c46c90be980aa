"""``make compose-test``: docker-compose.yaml in real containers, from the build to a backup.

Prints a table, a line a step with what was seen, and writes it to var/compose-test/table.md. Ends
what it started: containers and volumes of its project, and the engine, if it had to start one. The
images stay, so that the next run is quicker. STAND_INS=1 makes stand-ins for an engine that is
there.
"""

import json
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.containers.engine import HERE, ROOT, Engine, find_or_start, run
from tests.containers.stack import Stack, wait_for
from vidrec_tasks.night import JOBS

OUT: Final = ROOT / "var" / "compose-test"
WORLD: Final = ("--videos", "12", "--users", "12", "--nights", "6", "--seed", "7")
LONGEST_NIGHT_S: Final = 1800.0
ENDED: Final = ("success", "failed")
ALL_HEALTHY: Final = {
    "api-server", "dag-processor", "postgres", "redis", "scheduler", "triggerer", "worker-1",
    "worker-2", "worker-gpu",
}  # fmt: skip
OVERRIDE: Final = {"may_be_overridden", "approve_rejected_run", "note_approval"}
"""Tasks that ask a person about a rejected night: these pass their gates."""
ENCODING: Final = {plan.name for plan in JOBS if plan.is_encoding}
"""The jobs that run on the gpu queue."""


class Failed(Exception):
    """A step saw something else than it should."""


def must(holds: object, message: str) -> None:
    """A condition of a step.

    Raises:
        Failed: it does not hold.
    """
    if not holds:
        raise Failed(message)


class Check:
    """The steps, in their order; each returns what it saw, in words.

    Args:
        engine: where the stack runs.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.stack = Stack(engine)
        self.nights: list[str] = []
        self.alone: dict[str, str] = {}

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Title, what is done."""
        yield "the image builds from a clean copy, once", self.build
        yield "it has no compiler, no secret, no root", self.inside
        yield "up: everything is healthy", self.up
        yield "what the containers may", self.rights
        yield "a demo world from the image comes into the volume", self.put_inputs
        yield "two nights in one process", self.run_alone
        yield "a night by the API, over queues; a task out of memory", self.first_night
        yield "its tables, read by the reader's role", lambda: self.compare(0)
        yield "the page through FAB's login; logs of every worker", self.page
        yield "a night whose worker is killed (kill -9)", self.second_night
        yield "its tables", lambda: self.compare(1)
        yield "folders of root: forgetting says so, then forgets", self.forget
        yield "docker compose restart", self.restart
        yield "down and up, volumes kept", self.down_and_up
        yield "databases of the version before, migrated by up", self.upgrade
        yield "backup, restored into an empty stack", self.back_up
        yield "the profile s3, with the store on it", self.on_s3

    def needed(self) -> tuple[Callable[[], str], ...]:
        """The steps without which no later one makes sense."""
        return (self.build, self.up, self.put_inputs, self.run_alone, self.first_night)

    def build(self) -> str:
        """Build, and build again: nothing is left to do."""
        before = set(self.images())
        self.stack.compose("build", "set-up")
        started = time.monotonic()
        self.stack.compose("build")
        again_s = time.monotonic() - started
        made = set(self.images()) - before
        must(len(made) <= 1, f"{len(made)} images were made: {made}")
        size = int(self.engine.docker("image", "inspect", "--format", "{{.Size}}",
                                      "vidrec:local").stdout)  # fmt: skip
        must(size < 4e9, f"{size / 1e9:.2f} GB")
        return f"{size / 1e9:.2f} GB; again in {again_s:.0f} s; {len(made)} new image"

    def images(self) -> list[str]:
        """Every image that the engine has, dangling ones too."""
        return self.engine.docker("image", "ls", "--no-trunc", "--quiet").stdout.split()

    def inside(self) -> str:
        """What the image holds."""
        words = "for p in cc gcc g++ clang make; do command -v $p; done; id -u; ls -A /opt/vidrec"
        found = self.engine.docker("run", "--rm", "vidrec:local", "sh", "-c", words).stdout.split()
        uid, *files = found
        must(uid == "50000", f"compilers, or another user: {found}")
        kept = {"torch.txt", "requirements-models.txt", "requirements.txt", "scripts", "dags",
                "requirements-cluster.txt", "requirements-demo.txt", "vidrec_tasks", "plugins",
                }  # fmt: skip
        must(set(files) == kept, f"other files: {sorted(set(files) ^ kept)}")
        return f"uid {uid}; {len(files)} names in its folder"

    def up(self) -> str:
        """Up, healthy, and no error of two workers who make one table."""
        self.stack.up()
        healthy = {c["Service"] for c in self.stack.containers() if c["Health"] == "healthy"}
        must(healthy == ALL_HEALTHY, f"not healthy: {sorted(ALL_HEALTHY ^ healthy)}")
        log = self.stack.compose("logs", "postgres")
        must("celery" not in log, "errors about Celery's tables")
        return f"{len(healthy)} services"

    def rights(self) -> str:
        """No capability, nothing to write but volumes, no secret in a list of processes."""
        n_secrets = 0
        for service in sorted(ALL_HEALTHY - {"postgres"}):
            words = "grep CapEff /proc/self/status; touch /opt/x 2>/dev/null && echo writable"
            said = self.stack.compose("exec", "-T", service, "sh", "-c", f"{words}; true")
            must(said.split() == ["CapEff:", "0000000000000000"], f"{service}: {said}")
        secrets = [value for name, value in self.stack.values.items()
                   if re.search("PASSWORD|SECRET|KEY", name)]  # fmt: skip
        for service in sorted(ALL_HEALTHY):
            words = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; done 2>/dev/null; true"
            lines = self.stack.compose("exec", "-T", service, "sh", "-c", words)
            n_secrets += sum(secret in lines for secret in secrets)
        must(n_secrets == 0, f"{n_secrets} secrets on command lines")
        lines = self.engine.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
        limits = [line for line in lines.stdout.splitlines() if "vidrec-test" in line]
        must(len(limits) == len(ALL_HEALTHY), f"limits: {limits}")
        (OUT / "stats.txt").write_text("\n".join(limits) + "\n")
        return "no capability, read-only, limits in docker stats"

    def put_inputs(self) -> str:
        """Render in the image, put the archive into the volume."""
        world = f"python -m vidrec_tasks demo --into /scratch/world {' '.join(WORLD)}"
        self.stack.tools("sh", "-c", world)
        nights = self.stack.tools("python", "-m", "vidrec_tasks", "demo_nights", "--into",
                                  "/scratch/world")  # fmt: skip
        self.nights = nights.split()
        pack = "tar -C /scratch/world/inputs -c ."
        into = "python -m vidrec_tasks receive_inputs"
        return self.stack.tools("sh", "-c", f"{pack} | {into}").strip().splitlines()[-1]

    def run_alone(self) -> str:
        """What the cluster is compared with."""
        more = ("-e", "VIDREC_STORE_URL=/scratch/alone", "-e", "VIDREC_RESULTS_URL=")
        copy = "mkdir /scratch/alone && cp -a /scratch/world/inputs /scratch/alone/"
        night = "python -m vidrec_tasks night --night"
        for number, date in enumerate(self.nights):
            words = f"{copy if not number else 'true'} && {night} {date}"
            self.stack.tools("sh", "-c", words, more=more)
        listed = self.stack.tools("sh", "-c", "ls /scratch/alone/runs").split()
        for date in self.nights:
            (self.alone[date],) = (name.removesuffix(".json") for name in listed
                                   if name.startswith(date))  # fmt: skip
        return ", ".join(self.alone.values())

    def first_night(self) -> str:
        """The worker of the gpu queue has too little memory until its first task was killed."""
        gpu = self.stack.container("worker-gpu")
        self.set_memory(gpu, "420m")
        web = self.stack.web()
        run_id = web.trigger(self.nights[0])

        def killed() -> Any:
            tasks = web.tasks(run_id)
            must(web.state(run_id) != "failed", "the night failed")
            return [t for t in tasks if t["queue"] == "gpu" and t["state"] == "up_for_retry"]

        wait_for("a task is killed and waits for its retry", killed, LONGEST_NIGHT_S)
        self.set_memory(gpu, "6g")
        tasks = self.end_of(run_id)
        hosts: dict[str, set[str]] = {"default": set(), "gpu": set()}
        for task in tasks:
            if task["hostname"]:
                hosts[task["queue"]].add(task["hostname"])
        names = {service: self.stack.inspect(service, "{{.Config.Hostname}}")
                 for service in ("worker-1", "worker-2", "worker-gpu")}  # fmt: skip
        must(hosts["default"] == {names["worker-1"], names["worker-2"]}, f"{hosts}, {names}")
        must(hosts["gpu"] == {names["worker-gpu"]}, f"{hosts}, {names}")
        encoded = [t for t in tasks if t["queue"] == "gpu"]
        names_there = {t["task_id"].split(".")[-1] for t in encoded}
        must(names_there == ENCODING, f"on the gpu queue: {sorted(names_there)}")
        tries = max(t["try_number"] for t in encoded)
        must(tries > 1, "no task was tried again")
        n_default = len([t for t in tasks if t["queue"] == "default"])
        return (f"success; {n_default} tasks over two workers, {len(encoded)} on the gpu queue; "
                f"killed at 420 MB, success at try {tries}")  # fmt: skip

    def set_memory(self, container: str, size: str) -> None:
        """Another limit for a running container."""
        self.engine.docker("update", "--memory", size, "--memory-swap", size, container)

    def end_of(self, run_id: str) -> list[dict[str, Any]]:
        """Wait for a run; returns its tasks."""
        web = self.stack.web()

        def ended() -> str:
            state = web.state(run_id)
            return state if state in ENDED else ""

        state = wait_for(f"the end of {run_id}", ended, LONGEST_NIGHT_S)
        tasks = web.tasks(run_id)
        left = {t["task_id"].split(".")[-1]: t["state"] for t in tasks if t["state"] != "success"}
        must(state == "success" and set(left) <= OVERRIDE, f"{state}: {left}")
        return tasks

    def compare(self, number: int) -> str:
        """Row for row, exactly."""
        run_id = self.alone[self.nights[number]]
        program = (HERE / "compare.py").read_text()
        url = "sqlite:////scratch/alone/results.sqlite"
        said = self.stack.tools("python", "-c", program, url, run_id)
        n_tables = said.count("rows equal")
        n_rows = sum(map(int, re.findall(r": (\d+) rows equal", said)))
        must(n_tables > 5, said)
        role = self.select_as_reader("update pointer set run_id = run_id")
        must("permission denied" in role, f"the reader may write: {role}")
        return f"{n_tables} of {n_tables} tables, {n_rows} rows equal; the role may not write"

    def select_as_reader(self, query: str) -> str:
        """What the database says to the reader's role."""
        program = (
            "import os, sqlalchemy as sa\n"
            "try:\n"
            "    with sa.create_engine(os.environ['VIDREC_READER_URL']).begin() as c:\n"
            f"        c.execute(sa.text({query!r}))\n"
            "        print('done')\n"
            "except sa.exc.DBAPIError as error:\n"
            "    print(error)\n"
        )
        return self.stack.tools("python", "-c", program)

    def page(self) -> str:
        """The page, and the logs that the API server fetches from workers."""
        web = self.stack.web()
        shut = web.status_without_login("/vidrec/")
        must(shut in (302, 401, 403), f"without a login: {shut}")
        page = web.page_after_login("/vidrec/")
        must(self.nights[0] in page, f"the page does not show the night: {page[:500]}")
        runs = web.ask("GET", "/api/v2/dags/vidrec_nightly/dagRuns")["dag_runs"]
        tasks = [t for t in web.tasks(runs[-1]["dag_run_id"]) if t["state"] == "success"]
        hosts = {task["hostname"]: task for task in tasks if task["hostname"]}
        for task in hosts.values():
            must("vidrec" in web.log(runs[-1]["dag_run_id"], task), f"no log of {task['task_id']}")
        return f"{shut} without a login; the night is on it; logs of {len(hosts)} hosts"

    def second_night(self) -> str:
        """Kill every process of a worker while it has a task."""
        web = self.stack.web()
        host = self.stack.inspect("worker-1", "{{.Config.Hostname}}")
        run_id = web.trigger(self.nights[1])

        def running() -> Any:
            must(web.state(run_id) not in ENDED, "the night ended before a worker was killed")
            return [t for t in web.tasks(run_id) if t["state"] == "running"
                    and t["hostname"] == host and "." in t["task_id"]]  # fmt: skip

        (task, *_) = wait_for("a task on worker-1", running, LONGEST_NIGHT_S, 0.3)
        self.engine.kill_all(self.stack.container("worker-1"))
        tasks = self.end_of(run_id)
        again = [t for t in tasks if t["task_id"] == task["task_id"]
                 and t["map_index"] == task["map_index"]]  # fmt: skip
        must(again[0]["try_number"] > 1, f"{task['task_id']} was not tried again")
        n = int(self.stack.inspect("worker-1", "{{.RestartCount}}"))
        must(n >= 1, "the container was not started again")
        return f"{task['task_id']} tried again, the container started again, success"

    def forget(self) -> str:
        """As an administrator who copies files in does."""
        user = self.select_one_user()
        place = "/var/lib/vidrec/store/inputs"
        self.as_root(f"chown -R 0:0 {place}")
        said = self.stack.fails("python", "-m", "vidrec_tasks", "forget", user)
        must("cannot be changed by this user" in said and "Traceback" not in said, said[-800:])
        must(self.n_lists(user) > 0, "something was erased")
        self.as_root(f"chown -R 50000:50000 {place}")
        self.stack.tools("python", "-m", "vidrec_tasks", "forget", user)
        must(self.n_lists(user) == 0, "the user is still there")
        return "one line, nothing erased; after chown the user is gone"

    def as_root(self, words: str) -> None:
        """A command over the store's volume, as the host's administrator."""
        volume = "vidrec-test_store:/var/lib/vidrec"
        self.engine.docker(
            "run", "--rm", "--user", "0", "-v", volume, "vidrec:local", "sh", "-c", words
        )

    def select_one_user(self) -> str:
        """Somebody with a list."""
        return self.stack.select("vidrec", "select min(user_id) from current_recommendations")

    def n_lists(self, user: str) -> int:
        """How many rows somebody has."""
        query = f"select count(*) from current_recommendations where user_id = '{user}'"
        return int(self.stack.select("vidrec", query))

    def state(self) -> tuple[str, str, str]:
        """What must survive: the lists, Airflow's runs, the store."""
        lists = (
            "select md5(string_agg(t::text, '|' order by t::text)) from current_recommendations t"
        )
        runs = "select count(*) || ' runs' from dag_run where state = 'success'"
        size = "cd /var/lib/vidrec && find . -type f | sort | xargs sha256sum | sha256sum"
        return (self.stack.select("vidrec", lists), self.stack.select("airflow", runs),
                self.stack.tools("sh", "-c", size).split()[0])  # fmt: skip

    def restart(self) -> str:
        """Every container at once."""
        before = self.state()
        self.stack.compose("restart")
        self.stack.up()
        must(self.state() == before, "something changed")
        return "healthy; lists, runs and store as before"

    def down_and_up(self) -> str:
        """Containers go, volumes stay."""
        before = self.state()
        self.stack.compose("down")
        must(not self.stack.containers(), "containers are left")
        self.stack.up()
        must(self.state() == before, "something changed")
        return f"lists, {before[1]} and store as before"

    def upgrade(self) -> str:
        """Take both databases to an earlier schema; `up` brings them to this version's."""
        before = self.state()
        self.stack.compose("stop", "scheduler", "api-server", "dag-processor", "triggerer",
                           "worker-1", "worker-2", "worker-gpu")  # fmt: skip
        heads = (
            self.version("airflow", "alembic_version"),
            self.version("vidrec", "vidrec_version"),
        )
        self.stack.tools("airflow", "db", "downgrade", "--to-version", "3.1.0", "--yes")
        old = self.version("airflow", "alembic_version")
        must(old != heads[0], "Airflow's database is not of an earlier version")
        gone = self.stack.tools("python", "-c", (HERE / "older.py").read_text(),
                                (ROOT / "docs/contract/0.1.json").read_text()).strip()  # fmt: skip
        must("video_texts" in gone, f"the tables lost only {gone!r}")
        must(self.version("vidrec", "vidrec_version") == "0001", "the tables are not older")
        self.stack.up()
        now = (self.version("airflow", "alembic_version"), self.version("vidrec", "vidrec_version"))
        must(now == heads, f"{now} where {heads} was due")
        must(self.state() == before, "something changed")
        self.stack.web().ask("GET", "/api/v2/dags/vidrec_nightly")
        return (f"Airflow's schema {old} to {heads[0]}; tables 0001 to {heads[1]} (without "
                f"{gone}); lists, runs and store as before")  # fmt: skip

    def version(self, database: str, table: str) -> str:
        """Alembic's mark."""
        return self.stack.select(database, f"select version_num from {table}")

    def back_up(self) -> str:
        """To a folder, everything removed, restored, up; a back end's account comes back."""
        self.stack.select("postgres", "alter role vidrec createrole")
        self.stack.tools("python", "-m", "vidrec_tasks", "roles")
        self.stack.select("vidrec", "create role backend login; grant vidrec_reader to backend")
        before = self.state()
        folder = self.stack.folder / "backup"
        env = self.stack.environment
        where = {"cwd": self.stack.folder, "env": env}
        said = run(["scripts/backup.sh", str(folder), *self.stack.options], **where).stdout
        self.stack.compose("down", "--volumes")
        run(["scripts/restore.sh", str(folder), *self.stack.options], **where)
        self.stack.up()
        must(self.state() == before, "something is not as it was")
        may_read = "select has_table_privilege('backend', 'current_recommendations', 'select') and "
        may_connect = "has_database_privilege('backend', 'vidrec', 'connect')"
        must(self.stack.select("vidrec", may_read + may_connect) == "t", "the account may not read")
        page = self.stack.web().page_after_login("/vidrec/")
        must(self.nights[1] in page, "the page does not show the night")
        size = said.strip().splitlines()[-1].split()[1]
        return f"{size}; lists, {before[1]}, store and page as before"

    def on_s3(self) -> str:
        """An empty stack with the store in a bucket, and a night over it."""
        if self.engine.has_stand_ins:
            self.stack.set(OBJECT_STORE_IMAGE=self.engine.make_s3())
        self.stack.compose("down", "--volumes")
        self.stack.set(VIDREC_STORE_URL="s3://vidrec/store")
        self.stack.profiles = ["gpu", "s3"]
        self.stack.up()
        world = f"python -m vidrec_tasks demo --into /scratch/world {' '.join(WORLD)}"
        into = "tar -C /scratch/world/inputs -c . | python -m vidrec_tasks receive_inputs"
        self.stack.tools("sh", "-c", f"{world} >&2 && {into}")
        more = ("-e", "VIDREC_STORE_URL=/scratch/alone", "-e", "VIDREC_RESULTS_URL=")
        copy = "mkdir /scratch/alone && cp -a /scratch/world/inputs /scratch/alone/"
        night = f"python -m vidrec_tasks night --night {self.nights[0]}"
        self.stack.tools("sh", "-c", f"{copy} && {night}", more=more)
        self.end_of(self.stack.web().trigger(self.nights[0]))
        must("store" not in self.stack.tools("sh", "-c", "ls /var/lib/vidrec; echo"), "not on s3")
        return self.compare(0)


def main() -> int:
    """Run every step; one that all later ones need ends the run when it fails, others do not."""
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    rows: list[tuple[str, str, float]] = []
    engine = find_or_start(ROOT / "var" / "engine")
    rows.append(("an engine with Compose 2", describe(engine), time.monotonic() - started))
    check = Check(engine)
    n_failed = 0
    try:
        for title, step in check.steps():
            say(f"{title} …")
            begun = time.monotonic()
            seen, is_well = outcome(step)
            rows.append((title, seen, time.monotonic() - begun))
            say(f"{seen} ({rows[-1][2]:.0f} s)")
            if not is_well:
                n_failed += 1
                log = OUT / f"failed-{n_failed}.log"
                log.write_text(check.stack.compose("logs", "--no-color"))
                if step in check.needed():
                    break
    finally:
        say("removing what was started")
        check.stack.remove()
        engine.stop()
    write(rows, time.monotonic() - started)
    return 1 if n_failed else 0


def outcome(step: Callable[[], str]) -> tuple[str, bool]:
    """What a step saw, and whether it is what it should see."""
    try:
        return step(), True
    except Exception as error:
        traceback.print_exc()
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        return f"FAILED: {last[0]}", False


def describe(engine: Engine) -> str:
    """Versions, and whether images are stand-ins."""
    version = engine.docker("version", "--format", "{{json .}}").stdout
    server = json.loads(version)["Server"]["Version"]
    compose = engine.docker("compose", "version", "--short").stdout.strip()
    images = "; stand-ins: " + ", ".join(
        name for key, name in engine.images.items() if key.endswith("IMAGE")
    ) if engine.has_stand_ins else ""  # fmt: skip
    return f"engine {server}, Compose {compose}{images}"


def write(rows: list[tuple[str, str, float]], total_s: float) -> None:
    """The table, printed and kept."""
    lines = ["| step | what was seen | s |", "|---|---|---|"]
    lines += [f"| {title} | {seen} | {seconds:.0f} |" for title, seen, seconds in rows]
    lines.append(f"| all | | {total_s:.0f} |")
    text = "\n".join(lines) + "\n"
    Path(OUT / "table.md").write_text(text)
    sys.stdout.write(text)


def say(words: str) -> None:
    """Progress."""
    sys.stderr.write(f"compose-test: {words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
