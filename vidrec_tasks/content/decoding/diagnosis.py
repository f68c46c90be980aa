"""Diagnosis: why a file that gave no frame gave none, in words that are true.

A reason comes from a parser: FFmpeg's demuxers, the boxes of an MP4 file, the packets of a
transport stream, or the mark that a kind of file must begin with. Bytes found anywhere prove
nothing.
"""

from typing import BinaryIO, Final

from vidrec_tasks.content.decoding.boxes import NAMES as NAMES_OF_BOXES
from vidrec_tasks.content.decoding.boxes import top_level
from vidrec_tasks.content.decoding.containers import (
    Film,
    OpeningError,
    is_still,
    moving_streams,
    open_film,
    packets,
    streams_in_words,
)

HEAD: Final = 4096
SOUND: Final = (
    "mp3", "wav", "aac", "ac3", "eac3", "flac", "amr", "amrnb", "amrwb", "aiff", "au", "ape", "wv",
    "tta", "mpc", "mpc8", "w64", "caf", "dts", "dtshd", "voc", "loas", "gsm", "truehd", "dsf",
)  # fmt: skip
LISTS: Final = (
    "hls", "concat", "dash", "sdp", "rtsp", "webm_dash_manifest", "imf", "rtp", "vapoursynth",
    "avisynth",
)  # fmt: skip
SUBTITLES: Final = (
    "srt", "webvtt", "ass", "sami", "microdvd", "mpl2", "subviewer", "ttml", "lrc", "vobsub",
    "jacosub", "pjs", "realtext", "stl", "sup", "scc", "mcc", "aqtitle", "vplayer", "subviewer1",
)  # fmt: skip
KINDS: Final = (
    (b"#EXTM3U", "is a playlist that names other files, not a video file"),
    (b"PK\x03\x04", "is an archive, not a video file"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive, not a video file"),
    (b"Rar!", "is an archive, not a video file"),
    (b"\x1f\x8b", "is an archive, not a video file"),
    (b"%PDF", "is a document, not a video file"),
)
"""What a kind of file must begin with."""

NAMES: Final = {
    "h264": "H.264", "hevc": "HEVC", "av1": "AV1", "libdav1d": "AV1", "vvc": "VVC", "vp8": "VP8",
    "vp9": "VP9", "mpeg4": "MPEG-4", "mpeg2video": "MPEG-2", "mpeg1video": "MPEG-1",
    "h263": "H.263", "prores": "ProRes", "mjpeg": "Motion JPEG", "theora": "Theora",
}  # fmt: skip
SCRAMBLED: Final = "video is encrypted (a scrambled transport stream)"
TS_PACKET: Final = 188
TS_SYNC: Final = 0x47
TS_LOOKED_AT: Final = 2_000


def diagnose(file: BinaryIO, *, max_pixels: int) -> str:
    """The reason why an open file holds no frame that can be decoded.

    Raises:
        OSError: the file cannot be read.
        MediaError: its frames are too large.
    """
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        return "file is empty (0 bytes)"
    for mark, reason in KINDS:
        if head.startswith(mark):
            return reason
    if head.lstrip()[:5].lower() in (b"<!doc", b"<html", b"<?xml"):
        return "is a web page or XML, not a video file"
    try:
        with open_film(file, max_pixels=max_pixels) as film:
            reason = _of_film(film, file)
        return reason or _of_pictures(file, max_pixels)
    except OpeningError as error:
        return _of_refusal(error, file)


def _of_refusal(error: OpeningError, file: BinaryIO) -> str:
    name = error.format_name
    if not error.is_barred:
        return _of_unopened(error, file)
    if name in SOUND:
        return "holds sound only, no video stream"
    if name in LISTS:
        return "is a list that names other files, not a video file"
    if name in SUBTITLES:
        return "holds subtitles only, no video"
    if name == "webp_pipe" and _is_animated(file):
        return "is an animated picture of an unsupported kind (WebP)"
    if name.endswith("_pipe") or name in ("image2", "ico", "jpegxl_anim", "xbm", "tiff"):
        return "is a picture, not a video file"
    return f"is of an unsupported kind ({name})"


def _of_unopened(error: OpeningError, file: BinaryIO) -> str:
    boxes = list(top_level(file))
    if boxes and boxes[0] in NAMES_OF_BOXES:
        if b"moov" not in boxes:
            return "MP4 file without an index (moov): truncated"
        return f"MP4 file whose index cannot be read ({error.words})"
    if _is_scrambled(file):
        return SCRAMBLED
    if not error.format_name:
        return "is not a video file of a known kind"
    return f"cannot be opened as {error.format_name.split(',')[0]} ({error.words})"


def _of_film(film: Film, file: BinaryIO) -> str:
    """What a container says; '' where it says nothing against its pictures."""
    if is_still(film.container):
        return "is a picture, not a video file"
    if film.why_not:
        return film.why_not
    if film.stream is None:
        return _of_other_streams(film)
    if film.format_name == "mpegts" and _is_scrambled(file):
        return SCRAMBLED
    is_mp4 = film.format_name.startswith("mov")
    if is_mp4 and not {b"mdat", b"moof"} & set(top_level(file)):
        return "holds a header only, no picture data"
    return ""


def _of_pictures(file: BinaryIO, max_pixels: int) -> str:
    """Of a film whose pictures may be decoded, and none could be."""
    with open_film(file, max_pixels=max_pixels) as film:
        if next(packets(film), None) is not None:
            codec = film.pictures.codec_context.name
            return (
                f"no frame of its {NAMES.get(codec, codec)} video can be decoded: "
                "index or data are damaged"
            )
    with open_film(file, max_pixels=max_pixels) as film:  # encrypted packets were left out
        is_there = any(packet.size for packet in film.container.demux(film.pictures))
    return "video is encrypted" if is_there else "holds a header only, no picture data"


def _of_other_streams(film: Film) -> str:
    """Of a container whose pictures are no film, or have no decoder."""
    streams = streams_in_words(film)
    if moving_streams(film.container):
        return f"there is no decoder for its video ({streams})"
    if film.container.streams.audio:
        return "holds sound only, no video stream"
    if film.container.streams.video:
        return "is a picture, not a video file"
    return f"holds no video stream ({film.format_name.split(',')[0]}: {streams or 'nothing'})"


def _is_scrambled(file: BinaryIO) -> bool:
    """Whether most packets of a transport stream are scrambled (ISO/IEC 13818-1, 2.4.3.3)."""
    file.seek(0)
    data = file.read(TS_PACKET * TS_LOOKED_AT)
    begin = max(data.find(bytes([TS_SYNC])), 0)
    heads = [data[place : place + 4] for place in range(begin, len(data) - 4, TS_PACKET)]
    with_payload = [head for head in heads if head[0] == TS_SYNC and head[3] & 0x10]
    if 2 * len(with_payload) < len(heads):
        return False  # no transport stream
    return 2 * sum(bool(head[3] & 0xC0) for head in with_payload) > len(with_payload)


def _is_animated(file: BinaryIO) -> bool:
    """Whether a WebP file says that it is more than one picture (its header VP8X, flag 2)."""
    file.seek(0)
    head = file.read(21)
    return len(head) == 21 and head[12:16] == b"VP8X" and bool(head[20] & 2)
