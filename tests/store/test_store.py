import resource
from pathlib import Path

import pytest

from vidrec_tasks.contracts.poured import Poured, Write
from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "", "a\\b", "a\0b"])
def test_a_name_cannot_climb_out_of_the_store(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="not a name inside the store"):
        store.path("inputs", name)


def test_a_written_file_is_read_back_and_nothing_is_left_beside_it(store: Store) -> None:
    path = store.path("a", "b.bin")
    store.write(path, b"one")
    store.write(path, b"two")
    assert store.read(path) == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.bin"]


def test_a_store_that_is_a_file_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="VIDREC_STORE_URL"):
        Store(str(tmp_path / "file"))


def test_a_missing_file_is_named_in_the_error(store: Store) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*nothing\.json"):
        store.read_json(store.path("nothing.json"))


def test_a_failed_write_leaves_the_old_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.path("kept.bin")
    store.write(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidrec_tasks.store.store.os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.write(path, b"new")
    assert store.read(path) == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["kept.bin"]


def test_a_file_that_cannot_be_written_is_not_created_either(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    path = store.path("guard")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as on a full disk
    try:
        with pytest.raises(StoreError, match="check free space"):
            store.create(path, b"word")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not store.exists(path)


def test_a_stream_reads_a_piece_and_says_what_is_missing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write(store.path("a.bin"), b"0123456789")
    with store.open(store.path("a.bin")) as stream:
        assert (stream.read(4), stream.read()) == (b"0123", b"456789")
    with pytest.raises(StoreError, match=r"cannot read .*b\.bin"):
        store.open(store.path("b.bin"))


@pytest.mark.parametrize("size", [1, 4])
def test_bytes_of_another_length_than_was_said_are_not_kept(store: Store, size: int) -> None:
    path = store.path("a", "b.bin")
    store.write(path, b"old")
    with pytest.raises(StoreError, match=f"has 3 bytes, {size} were said"):
        store.pour(path, Poured(size, lambda write: write(b"new")))
    assert store.read(path) == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.bin"]


def test_what_fails_in_the_making_is_told_as_it_was_and_nothing_is_left(store: Store) -> None:
    def fail(write: Write) -> None:
        write(b"ne")
        raise ValueError("no more")

    path = store.path("a", "b.bin")
    with pytest.raises(ValueError, match="no more"):
        store.pour(path, Poured(3, fail))
    assert list(path.parent.iterdir()) == []


def test_an_array_in_a_file_without_a_name_leaves_nothing(store: Store) -> None:
    array = store.scratch((4, 2), "float32")
    array[1] = 5
    assert array.tolist() == [[0, 0], [5, 5], [0, 0], [0, 0]]
    assert store.scratch((0, 2), "float32").shape == (0, 2)
    assert list(Path(store.url).iterdir()) == []


def test_room_that_is_not_there_for_such_an_array_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match=r"no room for .* bytes in .*; free some"):
        store.scratch((2**50,), "float32")
