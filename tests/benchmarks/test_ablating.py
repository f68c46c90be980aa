"""Ablation: each part is taken away alone, and what it was worth has its sign and its interval."""

from argparse import ArgumentTypeError

import numpy as np
import pytest

from benchmarks.ablating import ABLATIONS, Ablation, ablate, named, print_ablations, without_content
from tests.benchmarks.test_quality import content_of
from vidrec_tasks.recommending.lists.features import NAMES
from vidrec_tasks.recommending.lists.sources.registry import SOURCES


def test_what_is_left_out_exists() -> None:
    known = {*NAMES, *(source.name for source in SOURCES)}
    left_out = {name for part in ABLATIONS.values() for name in part.changes.get("left_out", ())}
    assert left_out
    assert left_out <= known


def test_a_part_is_worth_what_the_lists_lose_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    n = 40
    asked = [{num % 3} for num in range(n)]
    best = np.array([[num % 3, 9] for num in range(n)])
    second, none = best[:, ::-1], np.tile([7, 8], (n, 1))
    seen: list[Ablation] = []

    def lists_without(part: Ablation) -> np.ndarray:
        seen.append(part)
        return {"time": none, "content": second}.get(names[id(part)], best)

    names = {id(part): name for name, part in ABLATIONS.items()}
    found = dict(ablate(named("all"), lists_without, best, asked))
    assert seen == list(ABLATIONS.values())
    assert found["time"]["gain"] == pytest.approx(1.0)
    second_place = 1 - 1 / np.log2(3)
    assert found["content"]["gain"] == pytest.approx(second_place)
    assert found["content"]["gain_low"] == pytest.approx(second_place)
    assert found["trees"]["gain"] == found["trees"]["gain_high"] == 0
    print_ablations(found)
    assert capsys.readouterr().out.splitlines()[1].split() == ["time"] + ["0.0000"] + ["1.0000"] * 3


def test_videos_without_content_keep_their_ids_alone() -> None:
    bare = without_content(content_of(4))
    assert not bare.fused.any()
    assert bare.video_ids.tolist() == list("abcd")
    assert not any(bare.topics)


def test_parts_are_named_between_commas_and_others_are_refused() -> None:
    assert named("time,content") == ["time", "content"]
    with pytest.raises(ArgumentTypeError, match="no part is named 'weather'; there are time, "):
        named("time,weather")
