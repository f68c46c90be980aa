"""Films that talk: a synthesiser's voice, noise, music and captions, made by ffmpeg."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.content.films import ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc=s=160x90:r=10")


@cache
def has_voice() -> bool:
    """Whether ffmpeg is there and was built with the synthesiser flite."""
    if shutil.which("ffmpeg") is None:
        return False
    said = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True)
    return " flite " in said.stdout


def write_sounding(path: Path, sound: str, *, seconds: float) -> Path:
    """A film with the sound of a lavfi source."""
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", sound, "-t", str(seconds), "-c:v", "mpeg4", "-c:a", "aac",
           str(path))  # fmt: skip
    return path


def write_talking(path: Path, text: str, *, silent_s: float = 0.0) -> Path:
    """A film in which a synthetic voice says a text, after some silence; skipped without one."""
    if not has_voice():
        pytest.skip("ffmpeg has no synthesiser (flite)")
    voice = f"flite=text='{text}':voice=slt,adelay={int(1_000 * silent_s)}"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", voice, "-shortest", "-c:v", "mpeg4", "-c:a", "aac",
           str(path))  # fmt: skip
    return path


def write_captioned(
    path: Path, captions: Path, *, codec: str = "mov_text", language: str = "eng"
) -> Path:
    """A film with a stream of text inside, and no sound."""
    ffmpeg(*PICTURE, "-i", str(captions), "-t", "12", "-c:v", "mpeg4", "-c:s", codec,
           "-metadata:s:s:0", f"language={language}", str(path))  # fmt: skip
    return path
