"""Voices: gives planned films something to say, and their rendered files sound and captions.

The voice is flite, a synthesiser that Debian's ffmpeg brings along. Where it is not there the films
stay silent; those with a caption file still say what it holds.
"""

import shutil
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle, permutations
from pathlib import Path
from typing import Final

import numpy as np

from vidrec_tasks.demo.planned import PlannedVideo
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.spoken import LINES, SpokenLine
from vidrec_tasks.errors import MediaError

FLITE: Final = "flite"
NONE: Final = "none"
"""Narrators: ffmpeg's synthesiser, or nobody."""

BEGIN_S: Final = 2.5
"""When the first line begins: the title card is over."""

WORD_S: Final = 0.42
"""Seconds of a word; the voices take 0.30."""

APART_S: Final = 8.0
"""Seconds from the end of a line to the next: more than joins two lines to one passage."""

SPEAKING: Final = 2
CAPTIONED: Final = 4
"""One film of two that could speak does; one of four of these has a caption file."""

N_SEARCHES: Final = 6
"""Searches for spoken words: one a topic."""

_VOICES: Final = ("slt", "rms")
_TIMEOUT_S: Final = 60.0


def plan_voices(videos: Sequence[PlannedVideo], size: Size) -> None:
    """Give half of the English films one or two lines about their main topic, in place."""
    rng = np.random.default_rng([size.seed, 6])
    pairs = {name: cycle(rng.permutation(list(permutations(own, 2))).tolist())
             for name, own in LINES.items()}  # fmt: skip
    able = [v for v in videos if v.language == "en" and v.has_media and not v.reupload_of]
    n_spoken = 0
    for video in able[::SPEAKING]:
        video.spoken = tuple(_placed(next(pairs[video.topics[0].name]), video.duration_s))
        video.has_captions = bool(video.spoken) and n_spoken % CAPTIONED == 0
        n_spoken += bool(video.spoken)
    by_id = {video.video_id: video for video in videos}
    for copy in videos:
        if copy.reupload_of:
            copy.spoken = by_id[copy.reupload_of].spoken


def _placed(pair: Sequence[str], duration_s: float) -> Iterator[SpokenLine]:
    """The lines that fit into a film: after the title card, and from its middle."""
    at_s = BEGIN_S
    for text in pair:
        ends = at_s + WORD_S * len(text.split())
        if ends > duration_s:
            return
        yield SpokenLine(round(at_s, 2), text)
        at_s = max(duration_s / 2, ends + APART_S)


@cache
def narrator() -> str:
    """Who speaks here: `FLITE` or `NONE`."""
    if shutil.which("ffmpeg") is None:
        return NONE
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True, check=False
    )
    return FLITE if f" {FLITE} " in said.stdout else NONE


def spoken_searches(filmed: Sequence[PlannedVideo], size: Size) -> list[tuple[str, int]]:
    """Words that are said in a film, one line a topic, and how often people search for them."""
    first: dict[str, str] = {}
    for video in filmed:
        if video.role == "plain" and video.spoken and (video.has_captions or narrator() != NONE):
            first.setdefault(video.topics[0].name, video.spoken[-1].quote)
    quotes = [first[name] for name in sorted(first)[:N_SEARCHES]]
    counts = np.random.default_rng([size.seed, 7]).integers(2, 30, len(quotes))
    return [(quote, int(count)) for quote, count in zip(quotes, counts, strict=True)]


def give_sound(path: Path, video: PlannedVideo) -> None:
    """Let a rendered film say its lines, if somebody can; its pictures are copied as they are.

    Raises:
        MediaError: ffmpeg cannot write it.
    """
    if not video.spoken or narrator() == NONE:
        return
    silent = path.with_name(f"{path.stem}.silent{path.suffix}")
    path.rename(silent)
    command = [
        "ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(silent), "-filter_complex",
        _filters(video), "-map", "0:v", "-map", "[sound]", "-c:v", "copy", "-c:a", "aac",
        "-b:a", "48k", "-t", f"{video.duration_s:.3f}", "-fflags", "+bitexact",
        "-flags:a", "+bitexact", str(path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    silent.unlink()
    if done.returncode:
        message = f"demo: {path.name} cannot be given sound ({done.stderr.strip()[-200:]})"
        raise MediaError(message)


def write_captions(path: Path, video: PlannedVideo) -> None:
    """Write the caption file that lies beside a film, as WebVTT."""
    if not video.has_captions:
        return
    cues = [f"{_clock(line.at_s)} --> {_clock(_end_of(line))}\n{line.text}\n"
            for line in video.spoken]  # fmt: skip
    text = "\n".join(["WEBVTT\n", *cues])
    path.with_name(f"{path.stem}.en.vtt").write_text(text, encoding="utf-8")


def _filters(video: PlannedVideo) -> str:
    """A filter graph that says each line at its second, in the voice of the creator."""
    voice = _VOICES[zlib.crc32(video.creator_id.encode()) % len(_VOICES)]
    lines = [
        f"flite=text='{line.text}':voice={voice},adelay={round(1_000 * line.at_s)}:all=1[l{num}]"
        for num, line in enumerate(video.spoken)
    ]
    names = "".join(f"[l{num}]" for num in range(len(lines)))
    mixed = f"{names}amix=inputs={len(lines)}:normalize=0:duration=longest,apad[sound]"
    return ";".join([*lines, mixed])


def _end_of(line: SpokenLine) -> float:
    return line.at_s + WORD_S * len(line.text.split())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(1_000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1_000:02d}.{rest % 1_000:03d}"
