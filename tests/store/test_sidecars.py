"""Caption files lie beside a film by its name, and nowhere else."""

from pathlib import Path

import pytest

from vidrec_tasks.content.texts.captions import SUFFIXES
from vidrec_tasks.content.texts.languages import is_tag
from vidrec_tasks.store.media import Media
from vidrec_tasks.store.sidecars import Sidecars, read_small
from vidrec_tasks.store.store import Store

ENOUGH = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs" / "media"
    folder.mkdir(parents=True)
    for name in ("film.mp4", "film.2.mp4", "other.mp4"):
        (folder / name).write_bytes(b"film")
    return folder


def found(folder: Path, uri: str = "film.mp4") -> list[str]:
    media = Media(Store(str(folder.parents[1])), "")
    return list(Sidecars(media, SUFFIXES, is_tag).of(media.find(uri)))


def test_names_with_languages_and_flags_belong_to_the_film(folder: Path) -> None:
    mine = ["film.ass", "film.en.forced.srt", "film.en.srt", "film.mp4.vtt", "film.pt-BR.VTT"]
    for name in [*mine, "other.srt", "film.2.srt", "film.final.srt", "filmen.srt", "film.txt"]:
        (folder / name).write_text("x")
    assert found(folder) == sorted(mine)
    assert found(folder, "film.2.mp4") == ["film.2.srt"]


def test_a_film_alone_has_none(folder: Path) -> None:
    assert found(folder) == []
    assert found(folder, "gone.mp4") == []


def test_a_link_that_leads_outside_is_left_out(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.srt"
    secret.write_text("1\n00:00:01,000 --> 00:00:02,000\nsecret\n")
    (folder / "film.srt").symlink_to(secret)
    assert found(folder) == []


def test_a_link_that_leads_to_itself_is_left_out(folder: Path) -> None:
    (folder / "film.srt").symlink_to(folder / "film.srt")
    (folder / "film.vtt").write_text("WEBVTT")
    assert found(folder) == ["film.vtt"]


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    path = folder / "film.srt"
    path.write_bytes(b"x" * (ENOUGH + 1))
    media = Media(Store(str(folder.parents[1])), "")
    data, problem = read_small(media.find("film.srt"), max_bytes=ENOUGH)
    assert data == b""
    assert problem == "caption file is too large (1.0 MiB, at most 1)"


def test_a_file_that_changed_since_it_was_found_is_not_read(folder: Path) -> None:
    (folder / "film.srt").write_text("before")
    media = Media(Store(str(folder.parents[1])), "")
    file = media.find("film.srt")
    (folder / "film.srt").write_text("after it was found")
    assert read_small(file, max_bytes=ENOUGH) == (b"", "caption file changed while it was read")
