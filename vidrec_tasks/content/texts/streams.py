"""Streams: a film's text subtitles and its sound, read by FFmpeg's demuxers through PyAV."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard

from vidrec_tasks.content.decoding.containers import open_container, read_only
from vidrec_tasks.content.decoding.surveying import LEAP_S
from vidrec_tasks.content.texts.passages import MAX_CUES, Cue
from vidrec_tasks.content.texts.speech import RATE

Floats = npt.NDArray[np.float32]

TEXT_CODECS: Final = ("mov_text", "subrip", "srt", "webvtt", "ass", "ssa", "text")
MAX_TRACKS: Final = 8
MAX_PACKETS: Final = 5_000_000
MAX_CUE_BYTES: Final = 4_000
WINDOW_S: Final = 30.0
"""Seconds that are heard together where a film is not heard whole: what Whisper reads at once."""


GAP_S: Final = 1.0
"""Seconds without sound from which silence stands for them: less is a clock's own unrest."""


def _begin_of(container: InputContainer) -> float:
    """What a film's clock says where it begins: transport streams are cut out of hours of them."""
    return float(container.start_time or 0) / av.time_base


def film_seconds(container: InputContainer) -> float:
    """How long a film says it is; 0 where it does not."""
    return max(float(container.duration or 0) / av.time_base, 0.0)


def sound_streams(container: InputContainer) -> list[Any]:
    """The streams of sound that can be decoded."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def look(file: BinaryIO, *, max_pixels: int) -> dict[str, Any]:
    """What a film has to be read and heard.

    Args:
        file: the film, open; left open.
        max_pixels: as `containers.open_film` has it.

    Returns:
        ``film_s``, ``has_sound``, and ``tracks``: name, tag (of the language), is_forced, cues
        (``[at_s, until_s, text]``) of each stream of text.

    Raises:
        MediaError: it cannot be opened.
    """
    file.seek(0)
    with open_container(file, max_pixels) as container:
        streams = [
            stream
            for stream in container.streams.subtitles
            if stream.codec_context is not None and stream.codec_context.name in TEXT_CODECS
        ][:MAX_TRACKS]
        found = {
            "film_s": round(film_seconds(container), 3),
            "has_sound": bool(sound_streams(container)),
        }
        cues = _cues(container, streams) if streams else {}
        tracks = [
            {
                "name": f"stream {stream.index}",
                "tag": str(stream.metadata.get("language", "")),
                "is_forced": bool(stream.disposition & stream.disposition.forced),
                "cues": cues[stream.index],
            }
            for stream in streams
        ]
    return {**found, "tracks": tracks}


def windows(film_s: float, most_s: float) -> list[tuple[float, float]]:
    """From where to where a film is heard, spread over it: at most so many seconds."""
    if film_s <= 0 or film_s <= most_s:
        return [(0.0, most_s)]
    n = max(int(most_s // WINDOW_S), 1)
    length = min(WINDOW_S, most_s)
    starts = np.linspace(0, film_s - length, n)
    return [(float(start), float(start) + length) for start in starts]


def sound(
    file: BinaryIO, parts: list[tuple[float, float]], *, max_pixels: int
) -> Iterator[tuple[float, Floats]]:
    """Yield parts of a film's sound: the second at which each begins, and its samples ``(n,)``.

    Args:
        file: the film, open; left open.
        parts: from where to where, in seconds.
        max_pixels: as `containers.open_film` has it.

    Raises:
        MediaError: it cannot be opened.
    """
    file.seek(0)
    with open_container(file, max_pixels) as container:
        streams = sound_streams(container)
        if not streams:
            return
        read_only(container, streams[0])
        for start, end in parts:
            yield _part(container, streams[0], start, end)


def _part(container: InputContainer, stream: Any, start: float, end: float) -> tuple[float, Floats]:
    """The samples of a part, with silence where there is none, and the second they begin at."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    origin = _begin_of(container)
    if start > 0:
        try:
            container.seek(int((start + origin) * av.time_base), backward=True)
        except FFmpegError:
            return start, np.zeros(0, np.float32)
    begins, n, samples = start, 0, [np.zeros(0, np.float32)]
    n_most = int((end - start) * RATE)
    for frame in _frames(container, stream):
        at_s = None if frame.time is None else float(frame.time) - origin
        if at_s is not None and at_s < start - 1.0 and start > 0:
            continue
        ahead = 0.0 if at_s is None else at_s - (begins + n / RATE)
        if n == 0 and at_s is not None and (start > 0 or 0 < ahead < LEAP_S):
            begins = max(at_s, 0.0)
        elif GAP_S < ahead < LEAP_S:  # of a leap further on, the clock was started anew
            samples.append(np.zeros(min(int(ahead * RATE), n_most - n), np.float32))
            n += len(samples[-1])
        frame.pts = None  # the resampler fills no gaps
        try:
            for plain in resampler.resample(frame):
                part = np.asarray(plain.to_ndarray(), dtype=np.float32).ravel()
                samples.append(part)
                n += len(part)
        except (FFmpegError, ValueError):
            continue
        if n >= n_most:
            break
    heard = np.nan_to_num(np.concatenate(samples)[:n_most])
    return begins, np.clip(heard, -1.0, 1.0)


def _frames(container: InputContainer, stream: Any) -> Iterator[Any]:
    try:
        for packet, _ in zip(container.demux(stream), range(MAX_PACKETS), strict=False):
            try:
                yield from packet.decode()
            except (FFmpegError, ValueError):
                continue
    except (FFmpegError, IndexError, UnicodeDecodeError):  # what came before is heard
        return


def _cues(container: InputContainer, streams: list[Any]) -> dict[int, list[list[Any]]]:
    chosen = {stream.index for stream in streams}
    for other in container.streams:
        if other.index not in chosen:
            other.discard = Discard.all
    found: dict[int, list[list[Any]]] = {index: [] for index in chosen}
    origin = _begin_of(container)
    try:
        for packet, _ in zip(container.demux(streams), range(MAX_PACKETS), strict=False):
            own = found[packet.stream.index]
            if packet.size and packet.pts is not None and len(own) <= MAX_CUES:
                own += _of_packet(packet, origin)
    except (FFmpegError, IndexError, UnicodeDecodeError):  # what came before is read
        pass
    return found


def _of_packet(packet: Any, origin: float) -> list[list[Any]]:
    try:
        subtitles = cast(list[Any], packet.decode())
    except (FFmpegError, ValueError, UnicodeDecodeError):
        return []
    at_s = max(float(packet.pts * packet.time_base) - origin, 0.0)
    until_s = at_s + float((packet.duration or 0) * packet.time_base)
    texts = [getattr(subtitle, "dialogue", b"")[:MAX_CUE_BYTES] for subtitle in subtitles]
    return [[at_s, until_s, text.decode("utf-8", "replace")] for text in texts if text]


def as_cues(rows: list[list[Any]]) -> list[Cue]:
    """The cues of a track, as `look` gives them."""
    return [Cue(float(at_s), float(until_s), str(text)) for at_s, until_s, text in rows]
