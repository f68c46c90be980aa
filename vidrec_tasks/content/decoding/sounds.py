"""Sounds: how loud a film is over its first minutes, to tell films of one still picture apart.

A podcast's cover says nothing of the podcast. Loudness over time survives re-encoding, and two
recordings do not share it.
"""

from typing import BinaryIO, Final

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from vidrec_tasks.content.decoding.containers import open_container, read_only

RATE: Final = 8_000
WINDOW_S: Final = 0.5
MAX_S: Final = 120
FLOOR_DB: Final = -60.0
STEP_DB: Final = 0.25
NO_SOUND: Final = "-"
"""Stands for a film without sound; an empty text for one whose sound was not listened to."""

ALIKE: Final = 0.9
"""Correlation of loudness from which two sounds are one: of 33 clips written again as MP3 at
48 kbit/s 32 have 0.92 and more, 55 pairs of other clips of ten seconds and more 0.67 or less."""

FEW: Final = 8
"""Half seconds under which a sound says nothing."""

FLAT_DB: Final = 0.5
"""Standard deviation of loudness under which a sound says nothing."""

MAX_PACKETS: Final = 50_000


def loudness(file: BinaryIO, *, max_pixels: int) -> str:
    """Loudness of a film's first two minutes, a byte for each half second, in hex digits.

    Args:
        file: the film, open; left open.
        max_pixels: as `open_film` has it.

    Raises:
        MediaError: it cannot be opened.
    """
    file.seek(0)
    with open_container(file, max_pixels) as container:
        streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
        if not streams:
            return NO_SOUND
        stream = streams[0]
        read_only(container, stream)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        n_most = RATE * MAX_S
        parts: list[npt.NDArray[np.float32]] = []
        n = 0
        try:
            for packet, _ in zip(container.demux(stream), range(MAX_PACKETS), strict=False):
                for samples in _samples(packet, resampler):
                    parts.append(samples)
                    n += len(samples)
                if n >= n_most:
                    break
        except (FFmpegError, IndexError):  # what came before tells enough, or nothing
            pass
    return _levels(np.concatenate(parts)[:n_most]) if parts else NO_SOUND


def are_one_sound(first: str, second: str) -> bool:
    """Whether two films have the same sound; where either was not listened to, nothing is said."""
    if not first or not second:
        return True
    if NO_SOUND in (first, second):
        return first == second
    steps = [np.frombuffer(bytes.fromhex(text), dtype=np.uint8) for text in (first, second)]
    n = min(len(part) for part in steps)
    if max(len(part) for part in steps) - n > 1 + n // 50:  # one is longer
        return False
    one, other = (part[:n] * STEP_DB for part in steps)
    if n < FEW:
        return True
    if min(one.std(), other.std()) < FLAT_DB:
        return False
    return float(np.corrcoef(one, other)[0, 1]) >= ALIKE


def _samples(
    packet: "av.Packet[av.AudioStream]", resampler: av.AudioResampler
) -> list[npt.NDArray[np.float32]]:
    try:
        return [
            np.asarray(plain.to_ndarray(), dtype=np.float32).ravel()
            for frame in packet.decode()
            for plain in resampler.resample(frame)
        ]
    except (FFmpegError, ValueError):
        return []


def _levels(samples: npt.NDArray[np.float32]) -> str:
    window = int(RATE * WINDOW_S)
    n = max(len(samples) // window, 1)
    whole = np.nan_to_num(samples[: n * window].astype(np.float64))
    power = np.array([np.mean(part**2) for part in np.array_split(whole, n)])
    decibels = np.maximum(10 * np.log10(power + 1e-12), FLOOR_DB) - FLOOR_DB
    return np.clip(np.rint(decibels / STEP_DB), 0, 255).astype(np.uint8).tobytes().hex()
