"""Media: files inside one folder and nowhere else; a uri that names none says why."""

import hashlib
import os
from pathlib import Path

import pytest

from vidrec_tasks.errors import StoreError
from vidrec_tasks.stamps import ChangedError
from vidrec_tasks.store.media import Media, MediaFile, checksum_file
from vidrec_tasks.store.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store whose media folder holds a film and a folder; a secret lies beside it."""
    folder = tmp_path / "inputs" / "media"
    (folder / "sub").mkdir(parents=True)
    (folder / "film.mp4").write_bytes(b"film")
    (folder / "sub" / "two words.mp4").write_bytes(b"words")
    (tmp_path / "inputs" / "secret.mp4").write_bytes(b"secret")
    return folder


@pytest.fixture
def media(tmp_path: Path, folder: Path) -> Media:
    return Media(Store(str(tmp_path)), "")


def test_a_path_inside_the_folder_is_found_with_its_size_and_time(
    media: Media, folder: Path
) -> None:
    found = media.find("film.mp4")
    assert (found.path, found.size, found.problem) == (folder / "film.mp4", 4, "")
    assert found.mtime_ns == (folder / "film.mp4").stat().st_mtime_ns


def test_absolute_paths_and_file_urls_mean_the_same_file(media: Media, folder: Path) -> None:
    film = folder / "sub" / "two words.mp4"
    for uri in ("sub/two words.mp4", str(film), film.as_uri(), "sub/../sub/two words.mp4"):
        assert media.find(uri).path == film


def test_a_percent_sign_in_a_plain_path_is_a_percent_sign(media: Media, folder: Path) -> None:
    (folder / "100%25.mp4").write_bytes(b"x")
    assert media.find("100%25.mp4").path == folder / "100%25.mp4"


def test_a_configured_folder_is_used_instead(tmp_path: Path, folder: Path) -> None:
    elsewhere = Media(Store(str(tmp_path)), str(folder / "sub"))
    assert elsewhere.find("two words.mp4").path == folder / "sub" / "two words.mp4"
    assert elsewhere.find("film.mp4").path is None


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("gone.mp4", "media file is missing"),
        ("sub", "media is not a file"),
        ("", "media is not a file"),
        ("../secret.mp4", "media lies outside the media folder"),
        ("sub/../../secret.mp4", "media lies outside the media folder"),
        ("/etc/passwd", "media lies outside the media folder"),
        ("file:///etc/passwd", "media lies outside the media folder"),
        ("file://elsewhere/film.mp4", "media is remote (file on elsewhere), fetch it first"),
        ("C:\\media\\clip.mp4", "media file is missing"),
        ("Talk: part 2.mp4", "media file is missing"),
        ("file:///%2e%2e/%2e%2e/etc/passwd", "media lies outside the media folder"),
        ("https://example.org/film.mp4", "media is remote (https), fetch it first"),
        ("s3://bucket/film.mp4", "media is remote (s3), fetch it first"),
        ("film.mp4\0", "uri is not a path"),
        ("file:///film%00.mp4", "uri is not a path"),
        ("//[film.mp4", "media lies outside the media folder"),
        ("http://[film.mp4", "media is remote (http), fetch it first"),
        ("file://[film.mp4", "uri is not a path"),
        ("\ud800.mp4", "uri is not a path"),
        ("x" * 5000, "media file is missing"),
        ("film.mp4/more", "media file is missing"),
    ],
)
def test_a_uri_that_cannot_be_read_says_why_and_stops_nothing(
    media: Media, uri: str, problem: str
) -> None:
    found = media.find(uri)
    assert (found.path, found.problem, found.size) == (None, problem, -1)


def test_a_link_out_of_the_folder_is_not_followed(media: Media, folder: Path) -> None:
    (folder / "link.mp4").symlink_to(folder.parent / "secret.mp4")
    (folder / "out").symlink_to(folder.parent)
    for uri in ("link.mp4", "out/secret.mp4"):
        assert media.find(uri).problem == "media lies outside the media folder"


def test_a_link_inside_the_folder_is_its_file(media: Media, folder: Path) -> None:
    (folder / "link.mp4").symlink_to(folder / "film.mp4")
    assert media.find("link.mp4").path == folder / "film.mp4"


def test_a_link_to_itself_is_a_missing_file(media: Media, folder: Path) -> None:
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    assert media.find("loop.mp4").problem == "media file is missing"


def test_the_checksum_is_that_of_the_bytes_not_of_the_name(folder: Path) -> None:
    (folder / "copy.mp4").write_bytes(b"film")
    expected = hashlib.sha256(b"film").hexdigest()
    for name in ("film.mp4", "copy.mp4"):
        assert checksum_file(MediaFile(folder / name)) == expected


def test_a_file_that_was_replaced_since_it_was_found_is_not_hashed(
    media: Media, folder: Path
) -> None:
    film = folder / "film.mp4"
    found = media.find("film.mp4")
    assert checksum_file(found)
    status = film.stat()
    other = folder / "other.mp4"
    other.write_bytes(b"mlif")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))  # size and time are the same
    other.rename(film)
    with pytest.raises(ChangedError):
        checksum_file(found)


def test_a_file_that_was_written_to_since_it_was_found_is_not_hashed(
    media: Media, folder: Path
) -> None:
    film = folder / "film.mp4"
    found = media.find("film.mp4")
    film.write_bytes(b"mlif")
    os.utime(film, ns=(found.mtime_ns, found.mtime_ns))
    with pytest.raises(ChangedError):
        checksum_file(found)


def test_hashing_a_large_file_says_how_far_it_is(
    media: Media, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.store.media.PROGRESS", 4 << 20)
    caplog.set_level("INFO")
    with (folder / "large.mp4").open("wb") as file:
        file.truncate(9 << 20)
    checksum_file(media.find("large.mp4"))
    assert len([line for line in caplog.messages if "GiB hashed" in line]) == 2


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("Talk: part 2.mp4", "Talk: part 2.mp4"),
        ("C:\\media\\clip.mp4", "C:\\media\\clip.mp4"),
        (" clip.mp4 ", "clip.mp4"),
        ("cafe\u0301.mp4", "caf\u00e9.mp4"),
        ("caf\u00e9.mp4", "cafe\u0301.mp4"),
        ("a://b.mp4", "a:b.mp4"),
    ],
)
def test_a_name_is_found_whatever_its_marks_and_composition(
    media: Media, folder: Path, name: str, uri: str
) -> None:
    if "/" in name:
        assert media.find(name).problem == "media is remote (a), fetch it first"
        return
    (folder / name).write_bytes(b"x")
    assert media.find(uri).path == folder / name


def test_of_two_names_that_are_alike_none_is_guessed(media: Media, folder: Path) -> None:
    (folder / " clip.mp4").write_bytes(b"x")
    (folder / "clip.mp4 ").write_bytes(b"y")
    assert media.find("clip.mp4").problem == "media file is missing"


def test_a_link_by_a_name_alike_does_not_lead_out(media: Media, folder: Path) -> None:
    (folder / " clip.mp4").symlink_to(folder.parent / "secret.mp4")
    assert media.find("clip.mp4").path is None


def test_a_file_of_an_object_store_that_cannot_be_fetched_is_named_and_leaves_no_half(
    tmp_path: Path,
) -> None:
    store = Store("memory://media/fetched")
    store.write(store.path("inputs", "media", "film.mp4"), b"film")
    media = Media(store, "")
    found = media.find("film.mp4")
    checksum = hashlib.sha256(b"film").hexdigest()
    assert media.bring(found.path, tmp_path / "copy.mp4", checksum).read_bytes() == b"film"
    found.path.unlink()
    with pytest.raises(StoreError, match=r"media: cannot fetch .*check free space in"):
        media.bring(found.path, tmp_path / "again.mp4", checksum)
    assert not (tmp_path / "again.mp4").exists()


@pytest.mark.parametrize(
    "uri",
    ["simplecache::memory://media/secret", " memory://media/secret", "memory:/media/secret",
     "x/../../../secret", "/secret", "file:///secret", "http://169.254.169.254/latest"],
)  # fmt: skip
def test_no_uri_leads_to_another_place_of_an_object_store(uri: str) -> None:
    store = Store("memory://media/inside")
    secret = store.root.parent / "secret"
    secret.write_bytes(b"secret")
    found = Media(store, "").find(uri)
    assert (found.path, bool(found.problem)) == (None, True)
