"""Keyframe folders: a film's frames are there whole or not at all, once a way of decoding."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from vidrec_tasks.store.keyframe_folders import KeyframeFolders
from vidrec_tasks.store.store import Store


@pytest.fixture
def folders(tmp_path: Path) -> KeyframeFolders:
    return KeyframeFolders(Store(str(tmp_path)), "way1")


def decode(workspace: Path, *checksums: str, picture: bytes = b"jpg") -> pd.DataFrame:
    """Frames as the decoder leaves them: two thumbnails a film in the workspace."""
    rows = []
    for checksum in checksums:
        (workspace / checksum).mkdir()
        for num in range(2):
            (workspace / checksum / f"{num}.jpg").write_bytes(picture)
            rows.append((checksum, num, f"{checksum}/{num}.jpg"))
    return pd.DataFrame(rows, columns=["checksum", "frame_num", "path"])


def keep(folders: KeyframeFolders, *checksums: str, picture: bytes = b"jpg") -> pd.DataFrame:
    with folders.workspace() as workspace:
        return folders.keep(decode(workspace, *checksums, picture=picture), workspace)


def test_what_a_killed_task_left_goes_after_two_days(tmp_path: Path) -> None:
    folders = KeyframeFolders(Store(str(tmp_path)), "w")
    base = Path(str(folders.folder))
    for name, age_days in ((".workspace-old", 3), (".workspace-new", 1)):
        (base / name).mkdir(parents=True)
        moment = time.time() - age_days * 86_400
        os.utime(base / name, (moment, moment))
    with folders.workspace():
        pass
    assert [path.name for path in base.iterdir()] == [".workspace-new"]


def test_a_film_that_was_never_decoded_is_not_found(folders: KeyframeFolders) -> None:
    assert folders.find("aa") is None


def test_a_kept_film_is_found_with_the_paths_of_its_pictures(folders: KeyframeFolders) -> None:
    kept = keep(folders, "aa", "bb")
    assert kept["path"].tolist() == ["way1/aa/0.jpg", "way1/aa/1.jpg", "way1/bb/0.jpg",
                                     "way1/bb/1.jpg"]  # fmt: skip
    found = folders.find("bb")
    assert found is not None
    pd.testing.assert_frame_equal(found, kept.iloc[2:].reset_index(drop=True))
    assert all((folders.root / path).read_bytes() == b"jpg" for path in kept["path"])


def test_another_way_of_decoding_knows_nothing_of_it(
    folders: KeyframeFolders, tmp_path: Path
) -> None:
    keep(folders, "aa")
    assert KeyframeFolders(Store(str(tmp_path)), "way2").find("aa") is None


def test_the_quicker_of_two_runs_is_kept(folders: KeyframeFolders) -> None:
    keep(folders, "aa", picture=b"first")
    kept = keep(folders, "aa", picture=b"second")
    assert {(folders.root / path).read_bytes() for path in kept["path"]} == {b"first"}
    assert [path.name for path in folders.folder.iterdir()] == ["aa"]


def test_a_run_that_is_overtaken_between_two_steps_keeps_the_others(
    folders: KeyframeFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        target.mkdir()
        (target / "0.jpg").write_bytes(b"theirs")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    keep(folders, "aa")
    assert (folders.folder / "aa" / "0.jpg").read_bytes() == b"theirs"
    assert [path.name for path in folders.folder.iterdir()] == ["aa"]


def test_a_failure_while_decoding_leaves_nothing_behind(folders: KeyframeFolders) -> None:
    def fail() -> None:
        with folders.workspace() as workspace:
            decode(workspace, "aa")
            raise OSError("the film is torn")

    with pytest.raises(OSError, match="torn"):
        fail()
    assert folders.find("aa") is None
    assert list(folders.folder.iterdir()) == []


def test_no_films_leave_no_folders(folders: KeyframeFolders) -> None:
    assert keep(folders).empty
    assert list(folders.folder.iterdir()) == []


def test_no_films_change_no_column_of_the_others(folders: KeyframeFolders) -> None:
    """The same night made again decodes nothing, and has the same bytes."""
    some = keep(folders, "aa")
    none = keep(folders)
    assert none["path"].dtype == some["path"].dtype
