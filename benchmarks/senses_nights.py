"""Nights over real clips with and without their texts: what hearing and reading add.

The first night reads every clip; nothing changes before the second. ``quiet`` clips have neither
captions nor sound; whether something is written in them is only known when they were looked at.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.nights import NIGHT, count_as_published, in_a_process

READING: Final = "read_texts"
OFF: Final = {"captions": False, "speech_model": "none", "screen_model": "none"}


def measure_nights(clips: Path, quiet: Sequence[str]) -> dict[str, Any]:
    """Seconds of the content jobs over all clips and over the quiet ones.

    Args:
        clips: the folder of the films.
        quiet: names of those without captions and sound.
    """
    names = sorted(path.name for path in clips.iterdir())
    every, plain = _nights(clips, names, {}), _nights(clips, names, OFF)
    still, still_plain = _nights(clips, quiet, {}), _nights(clips, quiet, OFF)
    first, second = (_total(night) for night in every)
    counts = every[0]["counts"][READING]
    return {
        "night_films": len(names),
        "night_s": first,
        "night_s_without_texts": _total(plain[0]),
        "night_read_texts_s": every[0]["seconds"][READING],
        "night_counts": {name: counts[name] for name in ("looked_into", "heard", "screens_read")},
        "quiet_films": len(quiet),
        "quiet_night_s": _total(still[0]),
        "quiet_night_s_without_texts": _total(still_plain[0]),
        "quiet_read_texts_s": still[0]["seconds"][READING],
        "unchanged_night_s": second,
        "unchanged_read_texts_s": every[1]["seconds"][READING],
        "unchanged_share": round(every[1]["seconds"][READING] / first, 4),
        "unchanged_night_share": round(second / first, 4),
    }


def _total(night: Mapping[str, Any]) -> float:
    return round(sum(night["seconds"].values()), 2)


def _nights(clips: Path, names: Sequence[str], texts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What two nights over some clips took, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as folder:
        store = Path(folder) / "store"
        media = store / "inputs" / "media"
        media.mkdir(parents=True)
        for name in names:
            shutil.copyfile(clips / name, media / name)
        titles = [f"Clip {num}" for num in range(len(names))]
        table = pd.DataFrame({"video_id": [f"c{n:03d}" for n in range(len(names))]})
        table.assign(title=titles, uri=names).to_csv(store / "inputs" / "videos.csv", index=False)
        nights = []
        for night in (NIGHT, NIGHT + timedelta(days=1)):
            nights.append(in_a_process(store, night, texts))
            count_as_published(store, night)
        return nights
