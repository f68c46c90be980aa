"""Real small films: their streams of text are read, their speech is heard, other sounds are not."""

from pathlib import Path

import numpy as np
import pytest

from tests.content.films import ffmpeg
from tests.content.talking import PICTURE, write_captioned, write_sounding, write_talking
from vidrec_tasks.content.encoding.model_files import speech_files
from vidrec_tasks.content.texts.films import FilmFile, hear, look_into
from vidrec_tasks.content.texts.speech import RATE, Segment, kept
from vidrec_tasks.content.texts.streams import sound, windows
from vidrec_tasks.errors import MediaError
from vidrec_tasks.settings import ContentSettings, TextSettings

MOST_PIXELS = 10_000_000
SRT = """1
00:00:01,000 --> 00:00:03,000
Warm <b>milk</b>

2
00:00:04,000 --> 00:00:06,000
over coffee
"""


def look(path: Path, **more: float) -> dict[str, object]:
    return look_into({"f": FilmFile(path)}, ContentSettings(**more))["f"]  # type: ignore[arg-type]


def listen(path: Path, *, film_s: float = 0.0, **more: object) -> dict[str, object]:
    settings = TextSettings(**more)  # type: ignore[arg-type]
    folder = speech_files("embedded").folder
    files = {"f": FilmFile(path, film_s=film_s)}
    return hear(files, folder, settings, max_pixels=MOST_PIXELS)["f"]


@pytest.mark.parametrize(
    ("codec", "suffix"), [("mov_text", "mp4"), ("srt", "mkv"), ("webvtt", "mkv"), ("ass", "mkv")]
)
def test_streams_of_text_are_read_with_their_seconds(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    captions = tmp_path / "c.srt"
    captions.write_text(SRT)
    found = look(write_captioned(tmp_path / f"film.{suffix}", captions, codec=codec))
    assert found["has_sound"] is False
    (track,) = found["tracks"]  # type: ignore[misc]
    assert track["tag"] == "eng"
    assert [round(at_s, 1) for at_s, _, _ in track["cues"]] == [1.0, 4.0]
    assert "milk" in track["cues"][0][2]


def test_a_film_without_streams_of_text_has_none(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "film.mp4", "anullsrc", seconds=1)
    found = look(path)
    assert found["has_sound"] is True
    assert found["tracks"] == []


def test_what_is_no_film_is_a_failure_and_costs_no_other(tmp_path: Path) -> None:
    good = write_sounding(tmp_path / "good.mp4", "anullsrc", seconds=1)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"\0\0\0\x20ftypisom" + bytes(range(256)) * 40)
    files = {"bad": FilmFile(bad), "gone": FilmFile(tmp_path / "gone.mp4"), "good": FilmFile(good)}
    answers = look_into(files, ContentSettings())
    assert "failure" in answers["bad"]
    assert "failure" in answers["gone"]
    assert answers["good"]["has_sound"] is True


def test_a_film_that_changed_since_it_was_hashed_is_a_failure(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "film.mp4", "anullsrc", seconds=1)
    status = path.stat()
    stamp = (status.st_dev, status.st_ino, status.st_size, 1, 1)
    answer = look_into({"f": FilmFile(path, stamp)}, ContentSettings())["f"]
    assert answer["failure"] == "media file changed while it was read"


def test_speech_is_heard_with_its_second(tmp_path: Path) -> None:
    text = "A small telescope shows the rings of Saturn. You can also see the moons of Jupiter."
    answer = listen(write_talking(tmp_path / "film.mp4", text, silent_s=4.0))
    heard = " ".join(str(cue[2]) for cue in answer["cues"]).lower()  # type: ignore[attr-defined]
    assert {"telescope", "rings", "moons", "jupiter"} <= set(heard.replace(".", "").split())
    assert 3.0 < answer["cues"][0][0] < 5.5  # type: ignore[index]
    assert answer["language"] == "en"


@pytest.mark.parametrize(
    "sound",
    [
        "anullsrc",
        "sine=f=440",
        "anoisesrc=c=pink:a=0.4:seed=1",
        "anoisesrc=c=white:a=0.2:seed=2,tremolo=f=4",
        "aevalsrc='0.3*sin(2*PI*t*(330+110*floor(mod(2*t,4))))*exp(-3*mod(2*t,1))'",
    ],
)
def test_silence_tones_noise_and_melodies_are_no_words(tmp_path: Path, sound: str) -> None:
    answer = listen(write_sounding(tmp_path / "film.mp4", sound, seconds=12))
    assert answer["cues"] == []
    assert answer["heard_s"] > 10  # type: ignore[operator]


def test_a_long_film_is_heard_in_parts_that_are_spread_over_it() -> None:
    parts = windows(3_600.0, 600.0)
    assert sum(end - start for start, end in parts) == 600.0
    assert parts[0][0] == 0.0
    assert parts[-1][1] == 3_600.0
    assert windows(300.0, 600.0) == [(0.0, 600.0)]
    assert windows(0.0, 600.0) == [(0.0, 600.0)]


def loud_at(path: Path, parts: list[tuple[float, float]]) -> list[float]:
    """The second of the film at which each part is loudest."""
    with path.open("rb", buffering=0) as file:
        return [
            begins + float(np.argmax(np.abs(samples))) / RATE
            for begins, samples in sound(file, parts, max_pixels=MOST_PIXELS)
        ]


BEEP = "aevalsrc='if(between(t,{0},{0}+0.2),sin(2*PI*440*t),0)':s=16000:d={1}"


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_sound_that_begins_later_than_the_picture_has_the_seconds_of_the_film(
    tmp_path: Path, suffix: str
) -> None:
    film = tmp_path / f"film.{suffix}"
    ffmpeg(*PICTURE, "-itsoffset", "20", "-f", "lavfi", "-i", BEEP.format(3, 10), "-t", "30",
           "-c:v", "mpeg4", "-c:a", "aac", str(film))  # fmt: skip
    assert loud_at(film, [(0.0, 600.0)]) == [pytest.approx(23.1, abs=0.3)]


def test_silence_stands_for_seconds_without_sound(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", BEEP.format(5, 8), "-t", "40", "-filter_complex",
           "[1:a]asetpts='if(gt(T,4),PTS+26/TB,PTS)'[c]", "-map", "0:v", "-map", "[c]",
           "-c:v", "mpeg4", "-c:a", "pcm_s16le", str(film))  # fmt: skip
    (found,) = loud_at(film, [(0.0, 600.0)])
    assert found == pytest.approx(31.1, abs=0.5)


def test_parts_of_a_stream_whose_clock_begins_late_are_parts_of_the_film(tmp_path: Path) -> None:
    film = tmp_path / "film.ts"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", BEEP.format(25, 40), "-t", "40", "-c:v", "mpeg2video",
           "-c:a", "mp2", "-output_ts_offset", "36000", str(film))  # fmt: skip
    assert loud_at(film, [(20.0, 30.0)]) == [pytest.approx(25.1, abs=0.5)]


def test_only_so_many_seconds_are_heard(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "film.mp4", "anoisesrc=a=0.1:seed=3", seconds=20)
    answer = listen(path, film_s=20.0, max_speech_s=5.0)
    assert answer["heard_s"] == pytest.approx(5.0, abs=0.2)


def test_a_film_that_takes_too_long_is_a_failure(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "film.mp4", "anoisesrc=a=0.5:seed=4", seconds=60)
    answer = listen(path, speech_timeout_s=0.02)
    # on a busy machine the clock may end it before the processor does
    assert str(answer.get("failure")).startswith(("hearing took more", "hearing did not finish"))


def test_a_model_that_cannot_be_loaded_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    path = write_sounding(tmp_path / "film.mp4", "anullsrc", seconds=1)
    with pytest.raises(MediaError, match="VIDREC_TEXTS__SPEECH_MODEL"):
        hear({"f": FilmFile(path)}, tmp_path, TextSettings(), max_pixels=MOST_PIXELS)


def segment(text: str, **more: float) -> Segment:
    defaults = {"at_s": 0.0, "until_s": 3.0, "no_speech": 0.1, "log_probability": -0.3,
                "compression": 1.2}  # fmt: skip
    return Segment(text=text, **{**defaults, **more})


SENTENCE = "we pour the milk into the cup"


def test_what_the_model_doubts_is_not_believed() -> None:
    assert [cue.text for cue in kept([segment(SENTENCE)])] == [SENTENCE]
    doubted = ({"no_speech": 0.9}, {"log_probability": -1.2}, {"compression": 3.0},
               {"until_s": 0.3}, {"until_s": 60.0})  # fmt: skip
    for doubt in doubted:
        assert kept([segment(SENTENCE, **doubt)]) == []


def test_what_is_short_and_comes_twice_is_not_believed() -> None:
    often = [segment("Thank you."), segment(SENTENCE), segment("thank you")]
    assert [cue.text for cue in kept(often)] == [SENTENCE]


def test_a_few_words_alone_are_not_speech() -> None:
    assert kept([segment("Go", until_s=1.0)]) == []


def test_an_echo_is_said_once() -> None:
    assert len(kept([segment(SENTENCE), segment(SENTENCE.title())])) == 1


def test_what_is_less_sure_has_less_confidence() -> None:
    sure, unsure = kept([segment(SENTENCE), segment("another line of words", log_probability=-0.7)])
    assert 0 < unsure.confidence < sure.confidence < 1
