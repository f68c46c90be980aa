"""Inputs that come as a tar archive."""

import io
import tarfile
from pathlib import Path

import pytest

from vidrec_tasks.__main__ import main
from vidrec_tasks.errors import InputError, StoreError
from vidrec_tasks.store.receiving import receive_inputs
from vidrec_tasks.store.store import Store

MOMENT = 1_750_000_000


def archive(files: dict[str, bytes], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as into:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mtime = kind, len(data), MOMENT
            into.addfile(member, io.BytesIO(data))
    packed.seek(0)
    return packed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def inputs(store: Store) -> dict[str, bytes]:
    folder = Path(str(store.path("inputs")))
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_files_come_below_inputs_with_their_times(store: Store, mode: str) -> None:
    files = {"./videos.csv": b"video_id\n", "./media/a/film.mp4": b"\x00" * 3_000_000}
    assert receive_inputs(store, archive(files, mode=mode)) == (2, 3_000_009)
    assert inputs(store) == {name.removeprefix("./"): data for name, data in files.items()}
    path = Path(str(store.path("inputs", "media", "a", "film.mp4")))
    assert path.stat().st_mtime == MOMENT


def test_a_file_that_is_there_is_replaced_and_others_stay(store: Store) -> None:
    receive_inputs(store, archive({"users.csv": b"old", "videos.csv": b"kept"}))
    receive_inputs(store, archive({"users.csv": b"new"}))
    assert inputs(store) == {"users.csv": b"new", "videos.csv": b"kept"}


def test_a_file_that_is_longer_than_the_archive_is_refused(store: Store) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as into:
        member = tarfile.TarInfo("media/holes.mp4")
        holes = {"major": "1", "minor": "0", "name": member.name, "realsize": str(1 << 50)}
        member.pax_headers = {f"GNU.sparse.{name}": value for name, value in holes.items()}
        content = b"1\n0\n512\n".ljust(512, b"\0") + b"x" * 512
        member.size = len(content)
        into.addfile(member, io.BytesIO(content))
    packed.seek(0)
    with pytest.raises(InputError, match="is sparse"):
        receive_inputs(store, packed)
    assert inputs(store) == {}


@pytest.mark.parametrize("name", ["/etc/passwd", "../runs/x.json", "media/../../x"])
def test_no_name_leads_out_of_inputs(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="lies outside the folder"):
        receive_inputs(store, archive({name: b"x"}))
    assert list(Path(store.url).rglob("*")) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(store: Store, kind: bytes) -> None:
    with pytest.raises(InputError, match=r"'videos\.csv' in the archive is a link or a device"):
        receive_inputs(store, archive({"videos.csv": b""}, kind=kind))


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "no whole tar"), (b"video_id\nv1\n" * 500, "no whole tar"), (b"\0" * 10_240, "no file")],
)
def test_what_is_no_archive_is_said(store: Store, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        receive_inputs(store, io.BytesIO(data))


def test_an_archive_that_was_cut_off_leaves_no_half_file(store: Store) -> None:
    whole = archive({"users.csv": b"u1\n", "videos.csv": b"v" * 100_000}).getvalue()
    with pytest.raises(InputError, match="no whole tar"):
        receive_inputs(store, io.BytesIO(whole[:50_000]))
    assert inputs(store) == {"users.csv": b"u1\n"}


def test_a_file_that_cannot_be_written_is_named(store: Store) -> None:
    store.write(store.path("inputs", "media"), b"a file where a folder is meant")
    with pytest.raises(StoreError, match=r"cannot write .*inputs/media/a\.mp4"):
        receive_inputs(store, archive({"media/a.mp4": b"x"}))


def test_the_command_says_what_it_received(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIDREC_STORE_URL", str(tmp_path / "store"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(archive({"users.csv": b"u1\n"})))
    assert main(["receive_inputs"]) == 0
    assert "1 files of 3 bytes" in capsys.readouterr().out
