"""validate_inputs: what it takes, what it leaves out and counts, whatever the night."""

from pathlib import Path

from tests.jobs.test_runner_nights import write_inputs
from tests.jobs.worlds import NIGHT
from tests.stores import UNKNOWN
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store


def test_who_asked_to_be_forgotten_is_in_no_later_input(tmp_path: Path) -> None:
    settings, store = read_settings({}, store_url=str(tmp_path)), Store(str(tmp_path))
    write_inputs(store)
    (tmp_path / "inputs" / "deletions.csv").write_text("user_id\nb\n\nnobody\n")
    receipt = run_job(Order("validate_inputs", NIGHT), settings)
    run = Runs(store).of_night(NIGHT)
    assert run.read_table("interactions.0")["user_id"].tolist() == ["a"]
    assert receipt["counts"]["interactions_forgotten"] == 1
    assert receipt["counts"]["deletions_read"] == 2
    (path,) = (tmp_path / "erasures" / "ledger").iterdir()
    ledger = path.read_text()
    assert '"b"' not in ledger
    assert "nobody" not in ledger


def test_accepted_rejected_and_left_out_add_up_to_what_was_read(tmp_path: Path) -> None:
    settings, store = read_settings({}, store_url=str(tmp_path)), Store(str(tmp_path))
    write_inputs(store)
    with (tmp_path / "inputs" / "interactions.csv").open("a") as file:
        file.write("c,v1,2026-08-25T10:00:00Z,stare\n,v1,2026-08-25T10:00:00Z,play\n")
        file.write("c,v9,2026-08-25T10:00:00Z,play\n")
    lenient = settings.model_copy(
        update={"inputs": settings.inputs.model_copy(update={"max_reject_share": 1.0})}
    )
    counts = run_job(Order("validate_inputs", NIGHT), lenient)["counts"]
    rejects = Runs(store).of_night(NIGHT).read_table("rejects")
    assert sorted(rejects["reason"]) == [
        UNKNOWN, "user_id is missing", "video is not in the catalogue of the night",
    ]  # fmt: skip
    left_out = (
        "accepted", "rejected", "after_night", "forgotten", "opted_out", "delivered_again",
    )  # fmt: skip
    assert counts["interactions_read"] == 6 == sum(counts[f"interactions_{n}"] for n in left_out)
