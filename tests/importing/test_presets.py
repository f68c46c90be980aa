import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.importing.preset_suite import PresetSuite
from tests.importing.worlds import World, write
from vidrec_tasks.__main__ import make_parser
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing import reading
from vidrec_tasks.importing.command import options_of
from vidrec_tasks.importing.presets import PRESETS, import_data

FILES = {"interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP\na,x,1787248800\nb,y,1787248801\n"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_every_preset_passes_the_suite() -> None:
    """In ``test_<preset>.py``, which is what shows that it reads what its makers publish."""
    suites = [
        suite
        for preset in PRESETS
        for suite in vars(import_module(f"tests.importing.test_{preset.name}")).values()
        if isinstance(suite, type) and suite is not PresetSuite and issubclass(suite, PresetSuite)
    ]
    assert [suite.example.preset for suite in suites] == list(PRESETS)
    assert [suite.__name__ for suite in suites if not suite.__name__.startswith("Test")] == []


def test_no_two_presets_have_one_name_and_an_option_means_one_thing() -> None:
    names = [preset.name for preset in PRESETS]
    assert len(set(names)) == len(names)
    options = {option for preset in PRESETS for option in preset.options}
    assert len({option.name for option in options}) == len(options)


def test_the_command_line_offers_every_preset() -> None:
    for preset in PRESETS:
        said = make_parser().parse_args(["import_data", "--preset", preset.name, "--from", "x"])
        assert (said.preset, options_of(said)) == (preset.name, {})


def test_the_command_line_hands_over_the_options_that_were_given() -> None:
    words = ["import_data", "--preset", "movielens", "--from", "x", "--overviews", "y.zip"]
    assert options_of(make_parser().parse_args(words)) == {"overviews": Path("y.zip")}


def test_the_readme_names_every_preset(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    (named,) = re.findall(r"import_data --preset ([\w|]+) --from", readme)
    assert named.split("|") == [preset.name for preset in PRESETS]


def test_an_unknown_preset_is_named_with_its_neighbour(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'movielense' is unknown.*did you mean movielens\?"):
        import_data("movielense", tmp_path, tmp_path)


def test_overviews_are_for_movielens_only(world: World) -> None:
    with pytest.raises(InputError, match="overviews is for movielens only"):
        world.bring("personalize", FILES, overviews=Path("x"))


def test_inputs_that_no_import_wrote_are_refused_and_stay(world: World) -> None:
    inputs = write(world.store / "inputs", {"videos.csv": "video_id\nmine\n"})
    with pytest.raises(InputError, match=r"videos\.csv is there and was not written by an import"):
        world.bring("personalize", FILES)
    assert (inputs / "videos.csv").read_text() == "video_id\nmine\n"
    assert names(inputs) == ["videos.csv"]


def test_a_folder_of_input_files_is_refused_too(world: World) -> None:
    write(world.store / "inputs" / "interactions", {"1.csv": "user_id\n"})
    with pytest.raises(InputError, match="was not written by an import"):
        world.bring("personalize", FILES)


def test_a_second_import_replaces_the_first_whole(world: World) -> None:
    world.bring("personalize", {**FILES, "users.csv": "USER_ID\na\n"})
    (world.theirs / "users.csv").unlink()
    world.bring("personalize", {"interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP\nc,z,1787248803\n"})
    assert names(world.store / "inputs") == [
        ".import.json", "interactions.parquet", "videos.parquet",
    ]  # fmt: skip
    assert [row["user_id"] for row in world.rows("interactions")] == ["c"]


def test_an_imported_table_that_was_changed_by_hand_is_not_replaced(world: World) -> None:
    world.bring("personalize", FILES)
    path = world.store / "inputs" / "videos.parquet"
    pd.DataFrame({"video_id": ["mine"]}).to_parquet(path)
    with pytest.raises(InputError, match="was changed since it was imported"):
        world.bring("personalize", FILES)
    assert pd.read_parquet(path)["video_id"].to_list() == ["mine"]


def test_an_import_that_fails_leaves_the_last_one_untouched(world: World) -> None:
    world.bring("personalize", FILES)
    before = {path.name: path.read_bytes() for path in (world.store / "inputs").iterdir()}
    with pytest.raises(InputError, match="lacks"):
        world.bring("personalize", {"items.csv": "NO_ID\nx\n"})
    after = {path.name: path.read_bytes() for path in (world.store / "inputs").iterdir()}
    assert before == after


def test_a_large_file_is_read_in_blocks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 4_096)
    lines = "".join(f"user{i},item{i % 50},{1787248800 + i}\n" for i in range(5_000))
    sizes = []
    real = reading.read_delimited

    def watch(*args: Any, **more: Any) -> Iterator[Any]:
        for chunk in real(*args, **more):
            sizes.append(len(chunk.rows))
            yield chunk

    monkeypatch.setattr(reading, "read_delimited", watch)
    counts = world.bring("personalize", {"interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP\n" + lines})
    assert counts["interactions"] == 5_000
    assert len(sizes) > 10
    assert max(sizes) < 1_000


def test_a_byte_order_mark_does_no_harm_and_another_encoding_is_named(world: World) -> None:
    world.theirs.mkdir()
    text = "\ufeffUSER_ID,ITEM_ID,TIMESTAMP\ncafé,x,1787248800\n"
    (world.theirs / "interactions.csv").write_text(text, encoding="utf-8")
    import_data("personalize", world.theirs, world.store / "inputs")
    assert world.rows("interactions")[0]["user_id"] == "café"
    (world.theirs / "interactions.csv").write_text(text[1:], encoding="latin-1")
    with pytest.raises(InputError, match=r"interactions.csv is not UTF-8: 1 of 2 .* caf.xe9,x"):
        import_data("personalize", world.theirs, world.store / "inputs")
