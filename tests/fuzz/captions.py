"""Fuzz of captions: mangled WebVTT, SubRip and SubStation files; passages or a reason, no crash.

``python -m tests.fuzz.captions --files 10000`` (`make fuzz`).
"""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from tests.fuzz import command
from tests.fuzz.media import MANGLES, Mangle
from vidrec_tasks.content.texts.captions import SUFFIXES, CaptionError, read_captions
from vidrec_tasks.content.texts.passages import MAX_PASSAGES, Cue
from vidrec_tasks.content.texts.tracks import captions_track

SEED: Final = 11
FILM_S: Final = 600.0
LONGEST: Final = 40
"""Cues of a whole file."""

_WORDS: Final = (
    "the bread rises", "♪ la la ♪", "[applause]", "<i>softly</i> she said", "{\\an8}above", "& < >",
    "naïve café", "面包正在发酵", "مرحبا بالعالم", "e\u0301 combining", "👩\u200d🍳 cooks",
    "-->", "NOTE",
)  # fmt: skip


def _swap_lines(data: bytearray, rng: np.random.Generator) -> bytearray:
    lines = data.split(b"\n")
    rng.shuffle(lines)  # type: ignore[arg-type]
    return bytearray(b"\n".join(lines))


def _repeat(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data * int(rng.integers(2, 30))


def _wild_numbers(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Times that run backwards, or are longer than any film."""
    digits = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    for place in rng.choice(digits, min(len(digits), int(rng.integers(1, 60)))) if digits else ():
        data[place] = int(rng.integers(0x30, 0x3A))
    return data


def _long_number(data: bytearray, rng: np.random.Generator) -> bytearray:
    place = data.find(b":", int(rng.integers(0, max(len(data), 1))))
    data[max(place, 0) : max(place, 0)] = b"9" * int(rng.integers(1, 5_000))
    return data


def _other_encoding(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Written, or marked, in another encoding than it is read in."""
    text = data.decode("utf-8", "replace")
    name = str(rng.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "gb18030", "shift_jis"]))
    marks = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0")
    return bytearray(marks[int(rng.integers(0, len(marks)))] + text.encode(name, "replace"))


def _tags(data: bytearray, rng: np.random.Generator) -> bytearray:
    first = int(rng.integers(0, max(len(data), 1)))
    data[first:first] = bytes(rng.choice(_REPEATED)) * int(rng.integers(1, 9_000))
    return data


_REPEATED: Final = (b"<", b"{\\", b"&#", b"[", b"()", b"<a", b"< ", b"7", b"\n", b" ", b"&#1;")

CAPTION_MANGLES: Final[tuple[Mangle, ...]] = (
    *MANGLES, _swap_lines, _repeat, _wild_numbers, _long_number, _other_encoding, _tags,
)  # fmt: skip


def mangled(num: int) -> tuple[str, bytes]:
    """Name and bytes of a mangled caption file: the same number, the same file."""
    rng = np.random.default_rng([SEED, num])
    suffix = SUFFIXES[int(rng.integers(0, len(SUFFIXES)))]
    data = bytearray(_whole(suffix, rng).encode())
    for _ in range(1 + num % 3):
        if len(data) > 16:
            data = CAPTION_MANGLES[int(rng.integers(0, len(CAPTION_MANGLES)))](data, rng)
    return f"{num:05d}{suffix}", bytes(data)


def _whole(suffix: str, rng: np.random.Generator) -> str:
    starts = np.sort(rng.uniform(0, FILM_S, int(rng.integers(1, LONGEST))))
    cues = [(float(at), float(at) + 2.5, str(rng.choice(_WORDS))) for at in starts]
    if suffix == ".vtt":
        lines = [f"{_clock(a)} --> {_clock(b)}\n{text}\n" for a, b, text in cues]
        return "\n".join(["WEBVTT\n", *lines])
    if suffix == ".srt":
        timed = [(_clock(a, ","), _clock(b, ","), text) for a, b, text in cues]
        return "\n".join(
            f"{num}\n{a} --> {b}\n{text}\n" for num, (a, b, text) in enumerate(timed, start=1)
        )
    events = [f"Dialogue: 0,{_clock(a)[1:-1]},{_clock(b)[1:-1]},Default,,0,0,0,,{text}"
              for a, b, text in cues]  # fmt: skip
    head = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    form = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    return head + form + "\n".join(events) + "\n"


def _clock(seconds: float, mark: str = ".") -> str:
    minutes, rest = divmod(round(1_000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1_000:02d}{mark}{rest % 1_000:03d}"


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Read mangled caption files; returns how many gave passages and how many were refused.

    Raises:
        AssertionError: a file ended neither way, or a passage is not one that tables can hold.
    """
    del folder  # nothing is written
    ends: Counter[str] = Counter()
    for num in range(n):
        name, data = mangled(num)
        cues, reason = _read(data, name)
        if reason:
            assert len(reason) < 300, name
            assert reason.isprintable(), name
            ends["refused"] += 1
            continue
        track = captions_track(name, "key", cues)
        assert 0 < len(track.passages) <= MAX_PASSAGES, name
        for passage in track.passages:
            cue = passage.cue
            assert cue.text, name
            assert "\n" not in cue.text, name
            cue.text.encode()  # no half of a surrogate pair
            assert 0 <= cue.at_s <= cue.until_s < float("inf"), name
        starts = [passage.cue.at_s for passage in track.passages]
        assert starts == sorted(starts), name
        ends["gave passages"] += 1
    return ends


def _read(data: bytes, name: str) -> tuple[list[Cue], str]:
    try:
        return read_captions(data, name, film_s=FILM_S), ""
    except CaptionError as error:
        return [], str(error)


if __name__ == "__main__":
    said = "{n} mangled caption files: {found}; no crash"
    raise SystemExit(command.run(fuzz, "files", 10_000, said, about=__doc__))
