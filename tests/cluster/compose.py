"""Reads docker-compose.yaml as an engine would: variables filled, merged, ready to be started."""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:[?-])([^}]*))?\}")
ENV_LINE = re.compile(r"(\w+)=(\S+)")


@dataclass(frozen=True)
class Service:
    """A service of the file, as it would be started.

    Attributes:
        name: its name, which is its host name in the containers' network.
        command: its program with arguments; empty: what the image starts by itself.
        environment: what the file and the image set.
        health: the command of its health check; empty: it runs once and ends.
        after: services that must be up, or done, before it.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    health: list[str]
    after: list[str]
    profiles: list[str] = field(default_factory=list)


def read_services(root: Path, secret: dict[str, str]) -> dict[str, Service]:
    """The services that start without a profile, in an order in which each finds what it needs."""
    read = yaml.safe_load((root / "docker-compose.yaml").read_text())
    image = image_environment(root)
    found = {name: _service(name, said, secret, image) for name, said in read["services"].items()}
    chosen = {name: service for name, service in found.items() if not service.profiles}
    ordered: dict[str, Service] = {}
    while len(ordered) < len(chosen):
        ready = [name for name, service in chosen.items()
                 if name not in ordered and set(service.after) <= set(ordered)]  # fmt: skip
        assert ready, "services wait for each other"
        ordered |= {name: chosen[name] for name in ready}
    return ordered


def database_script(root: Path, secret: dict[str, str]) -> str:
    """What the PostgreSQL image runs when its volume is new."""
    read = yaml.safe_load((root / "docker-compose.yaml").read_text())
    return fill(read["configs"]["databases"]["content"], secret)


def image_environment(root: Path) -> dict[str, str]:
    """What the Dockerfile sets for every service that is built from it."""
    lines = (root / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    return {
        name: value
        for line in lines
        if line.startswith("ENV ")
        for name, value in ENV_LINE.findall(line)
    }


def new_secrets(root: Path) -> dict[str, str]:
    """A random value for every empty secret of .env.example, as make_env.sh writes them."""
    lines = (root / ".env.example").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if line and line[0] != "#")
    fernet = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made = {name: value or secrets.token_hex(32) for name, value in said.items()}
    return {**made, "AIRFLOW_FERNET_KEY": fernet}


def fill(text: str, known: dict[str, str]) -> str:
    """A text with its variables filled in.

    Raises:
        KeyError: a variable that must be set is not; the message is the file's own.
    """

    def value(found: re.Match[str]) -> str:
        name, mark, word = found.groups()
        if name is None:
            return "$"
        if known.get(name):
            return known[name]
        if mark == ":-":
            return word
        raise KeyError(f"{name}: {word}")

    return VARIABLE.sub(value, text)


def _service(
    name: str, said: dict[str, Any], secret: dict[str, str], image: dict[str, str]
) -> Service:
    is_ours = said["image"].startswith("vidrec:")
    environment = {key: fill(str(value), secret) for key, value in said["environment"].items()}
    health = said.get("healthcheck", {}).get("test", [])
    return Service(
        name,
        [fill(word, secret) for word in said.get("command", [])],
        {**(image if is_ours else {}), **environment},
        [fill(word, secret) for word in health],
        [other for other, how in said.get("depends_on", {}).items() if how.get("required", True)],
        said.get("profiles", []),
    )
