"""Films for measuring: long-GOP 2-minute 720p H.264, as platforms hold them, made with ffmpeg."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

SOURCES: Final = (
    "mandelbrot=size=1280x720:rate=30:maxiter=150,noise=alls=3:allf=t",
    "testsrc2=size=1280x720:rate=30,noise=alls=3:allf=t",
)
BASE_FRAMES: Final = 500
GOP: Final = 250
LENGTH_S: Final = 120


def ffmpeg_path() -> str | None:
    """Where ffmpeg is; None where it is not installed."""
    return shutil.which("ffmpeg")


def make_films(folder: Path, n: int) -> list[Path]:
    """Make films of 2 minutes, 30 frames a second, a key frame every 250.

    A piece of 17 seconds is encoded from each of two sources (x264 veryfast, CRF 25) and repeated
    without encoding again; the copies differ in where they begin and in their metadata, so each is
    another file. Decoding costs what it would for a film encoded in one go.
    """
    bases = [_base(folder / f"base{number}.mp4", source) for number, source in enumerate(SOURCES)]
    films = []
    for number in range(n):
        film = folder / f"film{number:02}.mp4"
        _run(
            "-stream_loop", "8", "-i", str(bases[number % len(bases)]), "-t", str(LENGTH_S),
            "-c", "copy", "-metadata", f"title=film {number}", str(film),
        )  # fmt: skip
        films.append(film)
    for base in bases:
        base.unlink()
    return films


def _base(path: Path, source: str) -> Path:
    _run(
        "-f", "lavfi", "-i", source, "-frames:v", str(BASE_FRAMES), "-c:v", "libx264",
        "-preset", "veryfast", "-crf", "25", "-pix_fmt", "yuv420p", "-g", str(GOP),
        "-keyint_min", str(GOP), "-sc_threshold", "0", str(path),
    )  # fmt: skip
    return path


def _run(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True)
