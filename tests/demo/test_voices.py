"""What the demo's films say: planned to fit, heard from the files, and measured."""

import re
from pathlib import Path

import av
import pandas as pd
import pytest

from vidrec_tasks.content.encoding.model_files import speech_files
from vidrec_tasks.content.texts.captions import read_captions
from vidrec_tasks.content.texts.films import FilmFile, hear
from vidrec_tasks.demo import voices
from vidrec_tasks.demo.films import render
from vidrec_tasks.demo.hearing import spoken_found, written_found
from vidrec_tasks.demo.spoken import LINES
from vidrec_tasks.demo.topics import TOPICS
from vidrec_tasks.demo.truth import read_truth
from vidrec_tasks.demo.voices import FLITE, NONE, WORD_S, narrator, spoken_searches
from vidrec_tasks.demo.world import World
from vidrec_tasks.settings import TextSettings

N_HEARD = 12

needs_voice = pytest.mark.skipif(narrator() == NONE, reason="ffmpeg has no synthesiser (flite)")


def test_every_topic_has_lines_that_neither_titles_nor_descriptions_have() -> None:
    assert set(LINES) == {topic.name for topic in TOPICS}
    written = " ".join(str(topic) for topic in TOPICS).casefold()
    for line in (line for lines in LINES.values() for line in lines):
        assert re.fullmatch(r"[A-Za-z ]+\.", line)  # nothing that a filter graph would read
        assert line.rstrip(".").casefold() not in written


def test_half_of_the_films_that_can_speak_do_and_every_line_fits(usual_world: World) -> None:
    videos = usual_world.videos
    speaking = [video for video in videos if video.spoken]
    assert 0.3 * len(videos) < len(speaking) < 0.6 * len(videos)
    assert 3 <= sum(video.has_captions for video in videos) < len(speaking) / 2
    for video in speaking:
        ends = [line.at_s + WORD_S * len(line.text.split()) for line in video.spoken]
        assert ends[-1] <= video.duration_s
        assert all(end < line.at_s for end, line in zip(ends, video.spoken[1:], strict=False))


def test_a_reupload_says_what_its_source_says(usual_world: World) -> None:
    by_id = {video.video_id: video for video in usual_world.videos}
    copies = [video for video in usual_world.videos if video.reupload_of]
    assert [by_id[copy.reupload_of].spoken for copy in copies] == [copy.spoken for copy in copies]


@needs_voice
def test_films_are_heard_to_say_what_is_planned(tmp_path: Path, usual_world: World) -> None:
    """Over many lines: a processor's kernels decide whether a single doubtful one is believed."""
    speaking = [v for v in usual_world.videos if v.spoken and v.role == "plain"][:N_HEARD]
    files = {v.video_id: FilmFile(tmp_path / f"{v.video_id}.mp4") for v in speaking}
    for video in speaking:
        render(video, files[video.video_id].path, seed=usual_world.size.seed)
    heard = hear(files, speech_files("embedded").folder, TextSettings(), max_pixels=10**8)
    n_words = n_heard = 0
    for video in speaking:
        words = " ".join(line.text for line in video.spoken).split()
        said = " ".join(str(cue[2]) for cue in heard[video.video_id]["cues"]).casefold()
        n_words += len(words)
        n_heard += sum(word.strip(".").casefold() in said for word in words)
    assert n_words > 150
    assert n_heard > 0.6 * n_words


@needs_voice
def test_the_truth_holds_the_lines(tiny: Path, tiny_world: World) -> None:
    truth = read_truth(tiny)
    assert truth["narrator"] == FLITE
    planned = {v.video_id: [(s.at_s, s.text) for s in v.spoken] for v in tiny_world.videos}
    assert any(planned.values())
    for name, lines in planned.items():
        assert [(s["at_s"], s["text"]) for s in truth["videos"][name]["spoken"]] == lines


def test_films_that_say_nothing_have_no_sound(tiny: Path, tiny_world: World) -> None:
    for video in tiny_world.videos:
        if video.has_media and video.role == "plain":
            with av.open(str(tiny / "inputs" / "media" / f"{video.video_id}.mp4")) as container:
                is_voiced = bool(video.spoken) and narrator() == FLITE
                assert bool(container.streams.audio) == is_voiced


def test_a_caption_file_holds_the_lines(tiny: Path, tiny_world: World) -> None:
    captioned = [video for video in tiny_world.videos if video.has_captions]
    beside = sorted((tiny / "inputs" / "media").glob("*.vtt"))
    assert [path.name for path in beside] == [f"{v.video_id}.en.vtt" for v in captioned]
    for video, path in zip(captioned, beside, strict=True):
        cues = read_captions(path.read_bytes(), path.name)
        assert [(cue.at_s, cue.text) for cue in cues] == [(s.at_s, s.text) for s in video.spoken]


def test_without_a_synthesiser_only_captions_are_searched(
    usual_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned = {line.quote for v in usual_world.videos if v.has_captions for line in v.spoken}
    monkeypatch.setattr(voices, "narrator", lambda: NONE)
    asked = [query for query, _ in spoken_searches(usual_world.videos, usual_world.size)]
    assert asked
    assert set(asked) <= captioned


def test_a_search_counts_where_the_right_film_is_first_at_the_right_second() -> None:
    spoken = [{"at_s": 2.5, "text": "The bell rings when the wind turns."}]
    truth = {
        "videos": {"a": {"spoken": spoken}, "b": {"spoken": []}},
        "spoken_queries": ["when the wind turns", "never asked of anybody"],
    }
    found = pd.DataFrame(
        {
            "query": ["when the wind turns"] * 2,
            "rank": [1, 2],
            "video_id": ["a", "b"],
            "matched": ["title+said", "said"],
            "at_s": [2.2, 9.0],
        }
    )
    assert spoken_found(found, truth) == {"n_asked": 2, "n_found": 1, "n_at_second": 1}
    late = found.assign(at_s=[8.0, 9.0])
    assert spoken_found(late, truth)["n_at_second"] == 0
    assert spoken_found(found.assign(matched="title"), truth)["n_found"] == 0
    assert spoken_found(found.assign(video_id=["b", "a"]), truth)["n_found"] == 0


def test_a_title_counts_as_read_when_all_its_words_were() -> None:
    truth = {"videos": {name: {"written": "A foal, part 2"} for name in "ab"}}
    texts = pd.DataFrame(
        {
            "video_id": ["a", "a", "b", "b"],
            "source": ["screen", "screen", "screen", "title"],
            "text": ["A foal,", "part 2", "A foal", "part 2"],
        }
    )
    assert written_found(texts, truth) == {"n_read": 2, "n_right": 1}
