"""The suite that every preset passes: inherit it in ``test_<preset>.py`` with an example of files.

class TestGorse(PresetSuite):
    example = Example(GORSE, files={"feedback.csv": …}, rated={"items.csv": …}, unused="colour")
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import pytest

from tests.importing.worlds import CONTRACTS, World, write
from vidrec_tasks.__main__ import main
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.importing.staging import MARK

COUNTED_OF_ALL = {"torn_lines", "unused_columns"}


@dataclass(frozen=True)
class Example:
    """Other people's files, tiny, in the format as its makers publish it.

    Attributes:
        preset: what reads them.
        files: name -> text: every file that the preset reads, and no row that a contract rejects.
        rated: one of `files` once more, so that the videos 10, 20 and 30 are rated 18, nothing and
            16, with one column that is not used.
        unused: that column.
    """

    preset: Preset
    files: Mapping[str, str]
    rated: Mapping[str, str]
    unused: str

    def needed(self) -> dict[str, str]:
        """Those without which nothing can be imported."""
        files = [file for file in self.preset.files if file.is_needed]
        return {name: text for name, text in self.files.items() if _fits(name, files)}

    def without(self, file: File) -> dict[str, str]:
        """All but one."""
        return {name: text for name, text in self.files.items() if not _fits(name, [file])}


class PresetSuite:
    """What holds of every preset; ``example`` says which, with files for it."""

    example: ClassVar[Example]

    @pytest.fixture
    def preset(self) -> Preset:
        return self.example.preset

    def bring(self, world: World, files: Mapping[str, str]) -> dict[str, int]:
        return world.bring(self.example.preset.name, dict(files))

    def test_its_name_is_that_of_its_module(self, preset: Preset) -> None:
        module = import_module(f"vidrec_tasks.importing.{preset.name}")
        assert preset in vars(module).values()
        assert preset.stage.__module__ == module.__name__
        assert (module.__doc__ or "").strip()

    def test_it_reads_a_file_at_least_and_brings_tables_of_ours(self, preset: Preset) -> None:
        assert any(file.is_needed for file in preset.files)
        patterns = [pattern for file in preset.files for pattern in file.patterns]
        assert [pattern for pattern in patterns if pattern != pattern.lower()] == []
        assert set(preset.brings) <= set(CONTRACTS)

    def test_help_tells_its_files_and_its_options(
        self, preset: Preset, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            main(["import_data", "--help"])
        said = capsys.readouterr().out
        (line,) = re.findall(rf"^  {preset.name}: (.+)$", said, re.M)
        assert [str(file) for file in preset.files if str(file) not in line] == []
        options = [f"--{option.name}" for option in preset.options]
        assert [option for option in options if option not in said] == []

    def test_a_missing_folder_is_named_with_the_next_step(
        self, preset: Preset, tmp_path: Path
    ) -> None:
        match = rf"{preset.name}: .*nowhere is not a folder; --from names the folder"
        with pytest.raises(InputError, match=match):
            import_data(preset.name, tmp_path / "nowhere", tmp_path / "inputs")
        assert not (tmp_path / "inputs").exists()

    def test_a_missing_file_is_named_with_what_lies_there(
        self, preset: Preset, world: World
    ) -> None:
        for num, file in enumerate(file for file in preset.files if file.is_needed):
            theirs = write(world.theirs / str(num), {**self.example.without(file), "note.txt": "x"})
            said = rf"{preset.name}: no {re.escape(str(file))} in .*\(found .*note\.txt"
            with pytest.raises(InputError, match=said):
                import_data(preset.name, theirs, world.store / "inputs")
        assert not list(world.store.rglob("*.parquet"))

    def test_an_option_that_it_does_not_know_is_refused(self, preset: Preset, world: World) -> None:
        write(world.theirs, self.example.files)
        with pytest.raises(InputError, match=f"{preset.name} has no option colour"):
            import_data(preset.name, world.theirs, world.store / "inputs", colour="red")

    def test_every_file_that_it_reads_is_tried(self, preset: Preset) -> None:
        files = self.example.files
        assert [file for file in preset.files if self.example.without(file) == files] == []

    def test_its_tables_pass_the_contracts_and_all_rows_are_counted(
        self, preset: Preset, world: World
    ) -> None:
        counts = self.bring(world, self.example.files)
        there = {path.stem for path in (world.store / "inputs").glob("*.parquet")}
        assert there == set(preset.brings)
        assert {table: len(world.rows(table)) for table in preset.brings} == {
            table: counts[table] for table in preset.brings
        }
        assert counts.keys() >= COUNTED_OF_ALL
        assert counts["torn_lines"] == 0

    def test_the_needed_files_alone_bring_a_catalogue(self, world: World) -> None:
        self.bring(world, self.example.needed())
        assert len(world.rows("videos")) > 0

    def test_the_files_of_others_stay_as_they_are(self, world: World) -> None:
        self.bring(world, self.example.files)
        after = {path.name: path.read_text(encoding="utf-8") for path in world.theirs.iterdir()}
        assert after == self.example.files

    def test_the_same_files_give_the_same_bytes(self, world: World) -> None:
        inputs = world.store / "inputs"
        written = []
        for _ in range(2):
            self.bring(world, self.example.files)
            paths = sorted(path for path in inputs.iterdir() if path.is_file())
            written.append({path.name: path.read_bytes() for path in paths})
        assert written[0] == written[1]
        assert MARK in written[0]

    def test_an_empty_file_is_refused_and_nothing_is_written(self, world: World) -> None:
        for name in self.example.needed():
            match = rf"{re.escape(name)} is empty: not even a header"
            with pytest.raises(InputError, match=match):
                self.bring(world, {**self.example.files, name: ""})
        assert not list(world.store.rglob("*.parquet"))

    def test_an_age_rating_is_never_lost_and_what_is_not_used_is_named(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        self.bring(world, {**self.example.files, **self.example.rated})
        ages = {row["video_id"]: row["age_rating"] for row in world.rows("videos")}
        assert ages == {"10": 18, "20": 0, "30": 16}
        (name,) = self.example.rated
        said = f"columns of {name} are not used: "
        (line,) = [text for text in caplog.messages if said in text]
        assert line.split(said)[1].split(", ") == [self.example.unused]


def _fits(name: str, files: Sequence[File]) -> bool:
    patterns = [pattern for file in files for pattern in file.patterns]
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
