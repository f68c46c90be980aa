import logging

import pytest

from benchmarks.one_line_errors import run
from vidrec_tasks.errors import InputError


def test_what_vidrec_says_is_one_line_and_a_missing_file_is_named(
    caplog: pytest.LogCaptureFixture, tmp_path: object
) -> None:
    def bad() -> None:
        raise InputError("links: 3 of 3 rows name no video (first: v9)")

    def missing() -> None:
        with open(f"{tmp_path}/nowhere.csv", encoding="utf-8"):
            pass

    for main, words in ((bad, "3 of 3 rows"), (missing, "nowhere.csv: no such file")):
        caplog.clear()
        with caplog.at_level(logging.ERROR), pytest.raises(SystemExit, match="1"):
            run(main)
        assert words in caplog.text
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("said", "code"), [(None, 0), (0, 0), (2, 2)])
def test_the_code_of_a_benchmark_is_the_code_of_its_command(said: int | None, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: said)
    assert ended.value.code == code
