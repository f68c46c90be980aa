"""Containers: a film's file opened by FFmpeg's demuxers, through PyAV, and its stream of pictures.

FFmpeg reads through one Python file that is open already and may open nothing else: what is decoded
is what was opened, whatever its bytes name or a folder now holds.
"""

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, cast

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.format import Flags
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from vidrec_tasks.content.decoding.boxes import is_protected, lies_outside, tracks
from vidrec_tasks.errors import MediaError

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,ogg,asf,gif,mxf,"
    "rm,ivf,h264,hevc,av1,obu,m4v,h263,h261,vc1,dv,nut,wtv,yuv4mpegpipe,apng,swf,bink,smk,roq,"
    "nsv,ea,film_cpk,rawvideo,mjpeg,mjpeg_2000,dirac,vvc,c93,flic,4xm,pva,nuv,r3d,gxf,lvf,mv"
)
"""Formats that hold pictures themselves. Playlists (HLS, DASH, concat, SDP) stay out: they name
other files and addresses, and a film from outside may not choose what is read."""

JPEG: Final = "jpeg_pipe"
MJPEG: Final = "mjpeg"
"""Demuxers of one JPEG picture, which FFmpeg takes many for, and of many."""

STILL_BRANDS: Final = ("heic", "heix", "heim", "heis", "mif1", "avif", "mif2", "jpeg")
"""Brands of ISO files that hold pictures; their sequences have others (hevc, msf1, avis)."""

NO_FILM: Final = (
    Disposition.attached_pic
    | Disposition.timed_thumbnails
    | Disposition.still_image
    | Disposition.metadata
    | Disposition.dependent
)
"""Covers, chapter pictures, stills, depth maps: streams of pictures that are not the film."""

BUFFER: Final = 1 << 16
MAX_ASPECT: Final = 5
"""Pixels more than so many times wider than high, or higher than wide, are a damaged header's."""

if TYPE_CHECKING:  # PyAV names the stream in its stub alone
    VideoPacket: TypeAlias = Packet[VideoStream]
else:
    VideoPacket = Packet

MAX_ERRORS: Final = 64
"""Errors of the demuxer, one after another without a packet between them, that end reading."""


class OpeningError(MediaError):
    """A file that no demuxer takes.

    Args:
        format_name: the demuxer that was asked, '' when none knows the file.
        words: what it said.
        is_barred: the format is known and not read here.
    """

    def __init__(self, format_name: str, words: str, *, is_barred: bool) -> None:
        self.format_name = format_name
        self.words = words
        self.is_barred = is_barred
        super().__init__(f"{format_name or 'no demuxer'}: {words}")


@dataclass(frozen=True)
class Film:
    """An open film.

    Attributes:
        container: as PyAV has it.
        stream: the pictures that are the film; None when there are none.
        n_bytes: the file's length.
        why_not: why its pictures may not be decoded although they could be; '' when they may.
    """

    container: InputContainer
    stream: VideoStream | None
    n_bytes: int
    why_not: str = ""

    @property
    def format_name(self) -> str:
        """FFmpeg's name of the container."""
        return self.container.format.name

    @property
    def has_broken_clock(self) -> bool:
        """Whether the format lets its clock jump (transport and program streams)."""
        return bool(Flags(self.container.format.flags) & Flags.ts_discont)

    @property
    def pictures(self) -> VideoStream:
        """The stream.

        Raises:
            MediaError: there is none.
        """
        if self.stream is None:
            message = "holds no video stream"
            raise MediaError(message)
        return self.stream

    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, 1 where nothing sensible is declared."""
        declared = self.pictures.sample_aspect_ratio
        if declared and Fraction(1, MAX_ASPECT) <= declared <= MAX_ASPECT:
            return declared
        return Fraction(1)


@contextmanager
def open_film(file: BinaryIO, *, max_pixels: int, nth: int = 0) -> Iterator[Film]:
    """Open a film from its first byte.

    Args:
        file: the open file; left open.
        nth: which of the streams that may be the film, the likeliest first.
        max_pixels: pixels beyond which decoders refuse a frame, whatever was declared.

    Raises:
        OpeningError: no demuxer takes it.
        MediaError: its frames are declared larger than allowed.
    """
    n_bytes = file.seek(0, 2)
    file.seek(0)
    container, too_large = _opened(file, max_pixels)
    with container:
        streams = _film_streams(container)
        stream = streams[nth] if nth < len(streams) else None
        read_only(container, stream)
        if stream is not None:
            _refuse_large(stream, max_pixels, too_large)
            stream.codec_context.options = {"max_pixels": str(max_pixels)}
        why_not = _why_not(file, container, stream)
        yield Film(container, stream, n_bytes, why_not)


def read_only(container: InputContainer, stream: VideoStream | AudioStream | None) -> None:
    """Leave every other stream unread, and decode this one on one thread."""
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    if stream is not None:
        stream.codec_context.thread_count = 1


def is_still(container: InputContainer) -> bool:
    """Whether a file says that it holds pictures that do not move."""
    return container.metadata.get("major_brand", "").strip() in STILL_BRANDS


def moving_streams(container: InputContainer) -> list[VideoStream]:
    """Streams of pictures that are no covers, stills or the like; some may have no decoder."""
    return [stream for stream in container.streams.video if not stream.disposition & NO_FILM]


def packets(film: Film) -> Iterator[VideoPacket]:
    """The film's packets from here on but encrypted ones; an error is asked about again."""
    n_errors = 0
    while n_errors < MAX_ERRORS:
        try:
            for packet in film.container.demux(film.pictures):
                if packet.size:
                    n_errors = 0
                    if not packet.has_sidedata("encryption_info"):
                        yield packet
        except (FFmpegError, UnicodeDecodeError, IndexError):  # the last: a stream appeared
            n_errors += 1
        else:
            return


def streams_in_words(film: Film) -> str:
    """What the demuxer says of the film's streams, on one line."""
    av.logging.set_level(av.logging.INFO)  # at which FFmpeg describes a container
    try:
        dump: str = cast(Any, film.container).dumps_format()  # missing in its stub
    finally:
        av.logging.set_level(None)
    return "; ".join(re.findall(r"Stream #\d+:\d+[^:]*: (\w+: [^,\n]+)", dump))[:200]


@contextmanager
def open_container(file: BinaryIO, max_pixels: int) -> Iterator[InputContainer]:
    """A file's container and nothing else, for a reader of other streams than pictures.

    Raises:
        OpeningError: no demuxer takes it.
    """
    container, _ = _opened(file, max_pixels)
    with container:
        yield container


def _opened(
    file: BinaryIO, max_pixels: int, format_name: str | None = None
) -> tuple[InputContainer, tuple[int, int]]:
    """The container, and the size of a picture that was refused as too large."""
    guards = {
        "format_whitelist": FORMATS,
        "protocol_whitelist": "none",
        "max_pixels": str(max_pixels),
    }
    av.logging.set_skip_repeated(False)
    with av.logging.Capture() as messages:
        av.logging.set_level(av.logging.ERROR)
        try:
            container = av.open(
                file,
                "r",
                format=format_name,
                options=guards,
                buffer_size=BUFFER,
                io_open=_open_nothing,
                metadata_errors="replace",
            )
        except (FFmpegError, ValueError, OSError) as error:
            lines = [
                (name, words.strip()) for _, name, words in messages if name in av.formats_available
            ]
            name, words = lines[-1] if lines else ("", type(error).__name__)
            barred = next((name for name, words in lines if "not on whitelist" in words), "")
            refusal = OpeningError(barred or name, words, is_barred=bool(barred))
            if barred == JPEG and _are_many(file, max_pixels):
                file.seek(0)
                return _opened(file, max_pixels, MJPEG)
            raise refusal from error
        finally:
            av.logging.set_level(None)
    sizes = (re.match(r"Picture size (\d+)x(\d+) exceeds", words) for _, _, words in messages)
    return container, next(((int(m[1]), int(m[2])) for m in sizes if m), (0, 0))


def _are_many(file: BinaryIO, max_pixels: int) -> bool:
    """Whether a file of JPEG pictures one after another is a film rather than a picture."""
    file.seek(0)
    with contextlib.suppress(MediaError, FFmpegError):
        container, _ = _opened(file, max_pixels, MJPEG)
        with container:
            some = [packet.size for _, packet in zip(range(2), container.demux(), strict=False)]
            return len(some) > 1 and all(some)
    return False


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> Any:
    """What FFmpeg gets when a film names another file or an address.

    Raises:
        PermissionError: always.
    """
    message = "a video file may not refer to other files"
    raise PermissionError(message)


def _film_streams(container: InputContainer) -> list[VideoStream]:
    """Moving pictures: those of more than one frame first, then the default, then the largest."""
    if is_still(container):
        return []
    moving = moving_streams(container)
    decodable = [stream for stream in moving if stream.codec_context is not None]

    def worth(stream: VideoStream) -> tuple[bool, bool, int, int]:
        size = stream.codec_context.width * stream.codec_context.height
        is_default = bool(stream.disposition & Disposition.default)
        return stream.frames != 1, is_default, size, -stream.index

    return sorted(decodable, key=worth, reverse=True)


def _why_not(file: BinaryIO, container: InputContainer, stream: VideoStream | None) -> str:
    if "mp4" in container.format.name:
        place = file.tell()
        found = tracks(file)
        file.seek(place)
        if any(is_protected(track) for track in found):
            return "video is encrypted"
        if any(lies_outside(track) for track in found):
            return "its frames are in another file, which is not opened"
    if stream is not None and "enc_key_id" in stream.metadata:  # WebM
        return "video is encrypted"
    return ""


def _refuse_large(stream: VideoStream, max_pixels: int, too_large: tuple[int, int]) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if not width * height:  # its decoder does not say what it refused
        width, height = too_large
    if width * height > max_pixels:
        message = f"frames are too large ({width} × {height}, at most {max_pixels:,} pixels)"
        raise MediaError(message)
