"""A little of `make fuzz` in every test run, so that it cannot rot."""

from pathlib import Path

from tests.fuzz import answers, batches, captions, cards, endpoint, media, rows


def test_generated_rows_end_in_tables_rejects_or_a_clear_error(tmp_path: Path) -> None:
    # how many are accepted depends on the constants that Hypothesis draws from loaded modules
    found = rows.fuzz(8_000, folder=tmp_path)
    assert found["rows"] >= 8_000
    assert found["accepted"] > 50
    assert found["rejected"] > 100


def test_mangled_films_give_frames_or_a_reason(tmp_path: Path) -> None:
    found = media.fuzz(24, folder=tmp_path)
    assert found["gave frames"] > 0
    assert found["quarantined"] > 0
    assert found.total() == 24


def test_mangled_captions_give_passages_or_a_reason(tmp_path: Path) -> None:
    found = captions.fuzz(1_000, folder=tmp_path)
    assert found["gave passages"] > 100
    assert found["refused"] > 100
    assert found.total() == 1_000


def test_spoiled_batch_files_give_answers_or_reasons(tmp_path: Path) -> None:
    found = batches.fuzz(1_200, folder=tmp_path)
    assert found["answers"] == 1_200
    assert found["prompts answered"] > 10
    for reason in ("broken line", "unknown id", "failed", "not JSON", "off schema"):
        assert found[f"dropped: {reason}"] > 5, reason


def test_hostile_videos_and_answers_give_cards_that_may_be_shown(tmp_path: Path) -> None:
    found = cards.fuzz(400, folder=tmp_path)
    assert found["cards"] == 400
    for what in ("fields by model", "fields by rules", "fields dropped"):
        assert found[what] > 100, what


def test_spoiled_responses_of_an_endpoint_are_used_or_dropped_with_a_reason(
    tmp_path: Path,
) -> None:
    found = endpoint.fuzz(400, folder=tmp_path)
    assert found.total() == 400
    assert found["used"] > 20
    for reason in ("no answer", "refused", "not JSON", "off schema"):
        assert found[f"dropped: {reason}"] > 5, reason


def test_mangled_answers_are_used_or_dropped_with_a_reason(tmp_path: Path) -> None:
    found = answers.fuzz(900, folder=tmp_path)
    assert found.total() == 900
    for kind in ("portrait", "card", "batch"):
        assert found[f"{kind} used"] > 20
        assert found[f"{kind} dropped"] > 20
