"""A container engine for `make compose-test`, and the images that it builds on.

An engine that answers is used as it is, with the images that .env.example names. Where there is
none, root on Debian bookworm gets one: Debian's docker.io, with Compose 2 and buildx out of the
packages of Debian's next release, in a folder of its own, ended when the test ends. Such a machine
may reach no registry of images, so STAND-INS are made of Debian's packages (`stand_ins/`), under
names that say so.
"""

import os
import re
import shutil
import subprocess
import tarfile
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
BASE: Final = "vidrec-stand-in/debian:bookworm"
IMAGES: Final = {
    "PYTHON_IMAGE": ("python", "vidrec-stand-in/python:3.11-debian"),
    "POSTGRES_IMAGE": ("postgres", "vidrec-stand-in/postgres:15-debian"),
    "REDIS_IMAGE": ("redis", "vidrec-stand-in/redis:7.0-debian"),
}
"""Variable of .env -> the folder of its stand-in, and the stand-in's name."""
S3: Final = ("s3", "vidrec-stand-in/s3:moto")
"""Made of the image that is tested, so later than the others."""
TORCH_INDEX: Final = "file:///opt/torch-index"
PLUGINS: Final = ("docker-compose", "docker-buildx")
MADE_OF: Final = "vidrec.made-of"
LONGEST_START_S: Final = 60.0
LONGEST_STOP_S: Final = 330.0


class EngineError(Exception):
    """No engine can be had here; the message says what to do."""


@dataclass
class Engine:
    """An engine that answers.

    Attributes:
        environment: what its client needs.
        images: variables of .env for the images, and for the index of torch.
        daemon: the one that was started for the test.
    """

    environment: dict[str, str]
    images: dict[str, str] = field(default_factory=dict)
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def has_stand_ins(self) -> bool:
        """Whether images were made here."""
        return bool(self.images.get("POSTGRES_IMAGE"))

    def docker(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """A command of its client, which must succeed."""
        return run(["docker", *words], env=self.environment, **options)

    def kill_all(self, container: str) -> None:
        """Kill every process of a container from inside; the command goes with them."""
        command = ["docker", "exec", container, "sh", "-c", "kill -9 -1"]
        subprocess.run(command, env=self.environment, capture_output=True, check=False)

    def make_s3(self) -> str:
        """The stand-in for the object store; returns its name."""
        folder, name = S3
        lock = ROOT / "requirements-e2e.txt"
        make(self, folder, name, {"requirements-e2e.txt": lock.read_bytes()}, of=image_id(self))
        return name

    def stop(self) -> None:
        """End the daemon, if it was started here; it stops its containers first."""
        if self.daemon is None:
            return
        self.daemon.terminate()
        self.daemon.wait(LONGEST_STOP_S)
        self.daemon = None


def image_id(engine: Engine) -> str:
    """Which vidrec:local there is."""
    asked = engine.docker("image", "inspect", "--format", "{{.Id}}", "vidrec:local")
    return asked.stdout.strip()


def find_or_start(folder: Path) -> Engine:
    """The engine that answers, or one of the test's own in a folder.

    Raises:
        EngineError: there is none, and none can be started here.
    """
    given = dict(os.environ)
    if answers(given):
        engine = Engine(given)
        if os.environ.get("STAND_INS"):
            make_stand_ins(engine, folder)
        return engine
    refuse_other_systems()
    folder.mkdir(parents=True, exist_ok=True)
    install()
    mount_control_groups()
    environment = {
        **given, "DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_BUILDKIT": "1",
        "DOCKER_CONFIG": str(folder / "config"),
    }  # fmt: skip
    fetch_plugins(folder / "config" / "cli-plugins", folder / "apt")
    engine = Engine(environment, daemon=start_daemon(folder, environment))
    make_stand_ins(engine, folder)
    return engine


def answers(environment: dict[str, str]) -> bool:
    """Whether an engine with Compose 2 is there."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "version"], ["docker", "compose", "version"])
    return all(
        subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 0
        for words in asked
    )


def refuse_other_systems() -> None:
    """Only where this is known to work, an engine is started.

    Raises:
        EngineError: another system, or not as root.
    """
    system = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    if os.getuid() != 0 or "VERSION_CODENAME=bookworm" not in system:
        message = (
            "no container engine with Compose 2 answers; start Docker, or run this as root on "
            "Debian bookworm, where one is installed and started for the test alone"
        )
        raise EngineError(message)


def install() -> None:
    """The engine's packages of Debian; the daemon that comes with them is not started."""
    programs = {"dockerd": "docker.io", "iptables": "iptables", "debootstrap": "debootstrap"}
    wanted = [package for program, package in programs.items() if shutil.which(program) is None]
    if not wanted:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted], env=quiet)


def mount_control_groups() -> None:
    """Limits need them; on a machine without an init system nobody has mounted them."""
    place = Path("/sys/fs/cgroup")
    if any(place.iterdir()):
        return
    run(["mount", "-t", "cgroup2", "none", str(place)])


def mirror() -> str:
    """Where this machine's apt has Debian from.

    Raises:
        EngineError: it has none.
    """
    asked = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME)",
        "Created-By: Packages",
    ]
    for line in run(asked).stdout.splitlines():
        uri, _, suite = line.partition(" ")
        if suite == "bookworm":
            return uri
    message = "apt knows no mirror of bookworm; run apt-get update"
    raise EngineError(message)


def fetch_plugins(into: Path, folder: Path) -> None:
    """Compose 2 and buildx, taken out of packages of the next release without installing these."""
    if all((into / name).exists() for name in PLUGINS):
        return
    into.mkdir(parents=True, exist_ok=True)
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources.list").write_text(f"deb [signed-by={keys}] {mirror()} trixie main\n")
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists", "Dir::Cache::archives": folder / "archives",
        "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "APT::Sandbox::User": "root",
    }  # fmt: skip
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    run([*apt, "update"])
    run([*apt, "download", *PLUGINS], cwd=folder)
    for name in PLUGINS:
        (package,) = folder.glob(f"{name}_*.deb")
        run(["dpkg-deb", "--extract", str(package), str(folder / name)])
        shutil.copy2(folder / name / "usr/libexec/docker/cli-plugins" / name, into / name)
    shutil.rmtree(folder)


def start_daemon(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the engine.

    Raises:
        EngineError: it does not answer.
    """
    command = [
        "dockerd", "--host", environment["DOCKER_HOST"], "--data-root", str(folder / "data"),
        "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "dockerd.pid"),
    ]  # fmt: skip
    with (folder / "dockerd.log").open("ab") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + LONGEST_START_S
    while not answers(environment):
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.terminate()
            message = f"the engine does not start; see {folder}/dockerd.log"
            raise EngineError(message)
        time.sleep(0.5)
    return daemon


def make_stand_ins(engine: Engine, folder: Path) -> None:
    """Make what is missing, and let the engine's images name it."""
    folder.mkdir(parents=True, exist_ok=True)
    base = make_base(engine, folder)
    for variable, (name, image) in IMAGES.items():
        given = python_files(folder) if name == "python" else {}
        make(engine, name, image, given, of=base)
        engine.images[variable] = image
    engine.images["TORCH_INDEX"] = os.environ.get("TORCH_INDEX") or TORCH_INDEX


def make_base(engine: Engine, folder: Path) -> str:
    """Debian by debootstrap, with this machine's mirror and certificates; returns its id."""
    if not is_made(engine, BASE, "debootstrap"):
        system = folder / "debian"
        shutil.rmtree(system, ignore_errors=True)
        include = "--include=ca-certificates,netbase,tzdata"
        run(["debootstrap", "--variant=minbase", include, "bookworm", str(system), mirror()])
        lines = run(["apt-get", "indextargets", "--format",
                     "deb $(REPO_URI) $(CODENAME) $(COMPONENT)",
                     "Created-By: Packages"])  # fmt: skip
        sources = {line for line in lines.stdout.splitlines() if " bookworm" in line}
        (system / "etc/apt/sources.list").write_text("\n".join(sorted(sources)) + "\n")
        own = Path("/usr/local/share/ca-certificates")
        for certificate in own.glob("*.crt") if own.is_dir() else ():
            shutil.copy(certificate, system / "usr/local/share/ca-certificates")
        run(["chroot", str(system), "update-ca-certificates"])
        run(["chroot", str(system), "apt-get", "clean"])
        archive = folder / "debian.tar"
        run(["tar", "-C", str(system), "-c", "-f", str(archive), "."])
        engine.docker("import", "--change", f"LABEL {MADE_OF}=debootstrap", str(archive), BASE)
        archive.unlink()
        shutil.rmtree(system)
    return engine.docker("image", "inspect", "--format", "{{.Id}}", BASE).stdout.strip()


def python_files(folder: Path) -> dict[str, bytes]:
    """pip's configuration, and torch's wheel for processors if pip here has it at hand."""
    asked = subprocess.run(["python3", "-m", "pip", "config", "get", "global.index-url"],
                           capture_output=True, text=True, check=False)  # fmt: skip
    configuration = "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n"
    if asked.returncode == 0:
        configuration += f"index-url = {asked.stdout.strip()}\n"
    files = {"given/etc/pip.conf": configuration.encode()}
    if os.environ.get("TORCH_INDEX"):
        return files
    wheels = folder / "wheels"
    pins = re.findall(r"^torch==.*$", (ROOT / "requirements.txt").read_text(), re.M)
    subprocess.run(["python3", "-m", "pip", "download", "--quiet", "--no-index", "--no-deps",
                    "--python-version", "3.11", "--only-binary", ":all:", "--dest", str(wheels),
                    *pins], capture_output=True, check=False)  # fmt: skip
    found = sorted(wheels.glob("torch-*+cpu*.whl"))
    if not found:
        message = "this machine has no wheel of torch for processors; set TORCH_INDEX to its index"
        raise EngineError(message)
    wheel = found[-1]
    link = f'<a href="{wheel.name.replace("+", "%2B")}">{wheel.name}</a>\n'
    files["given/opt/torch-index/torch/index.html"] = link.encode()
    files[f"given/opt/torch-index/torch/{wheel.name}"] = wheel.read_bytes()
    return files


def make(engine: Engine, name: str, image: str, given: dict[str, bytes], *, of: str) -> None:
    """Build a stand-in unless one of the same files on the same base is there."""
    files = {path.name: path.read_bytes() for path in sorted((HERE / "stand_ins" / name).iterdir())}
    files |= given
    digest = sha256(of.encode())
    for path, data in sorted(files.items()):
        digest.update(path.encode() + sha256(data).digest())
    key = digest.hexdigest()[:16]
    if is_made(engine, image, key):
        return
    context = Path(os.environ.get("TMPDIR", "/tmp")) / f"vidrec-stand-in-{name}.tar"
    with tarfile.open(context, "w") as archive:
        for path, data in files.items():
            add(archive, path, data)
    try:
        with context.open("rb") as stream:
            engine.docker("build", "--quiet", "--pull=false", "--label", f"{MADE_OF}={key}",
                          "--label", "vidrec.stand-in=yes", "--tag", image, "-",
                          stdin=stream)  # fmt: skip
    finally:
        context.unlink()


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """A file into an archive."""
    from io import BytesIO

    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, BytesIO(data))


def is_made(engine: Engine, image: str, key: str) -> bool:
    """Whether an image is there and made of this."""
    label = f'{{{{index .Config.Labels "{MADE_OF}"}}}}'
    asked = subprocess.run(
        ["docker", "image", "inspect", "--format", label, image],
        env=engine.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() == key


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """A command that must succeed; what it wrote is in the error.

    Raises:
        EngineError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          **options)  # type: ignore[call-overload] # fmt: skip
    if done.returncode:
        message = f"{' '.join(command[:8])}: exit code {done.returncode}\n{done.stderr[-3000:]}"
        raise EngineError(message)
    finished: subprocess.CompletedProcess[str] = done
    return finished
