"""Catalogues as strangers bring them: bare, in another language, with links that lead nowhere."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.searching_links import measure, read_catalogue
from vidrec_tasks.errors import InputError


def encode(texts: Sequence[str]) -> Any:
    """Unit vectors by the first letter of a text; none of an empty one."""
    rows = np.zeros((len(texts), 8), dtype=np.float32)
    for num, text in enumerate(texts):
        if text.strip():
            rows[num, ord(text.strip()[0]) % 8] = 1
    return rows


ENCODERS: Any = SimpleNamespace(text=SimpleNamespace(encode=encode))


def measured(folder: Path, videos: dict[str, list[str]], links: list[tuple[str, str]]) -> Any:
    pd.DataFrame(videos).to_csv(folder / "videos.csv", index=False)
    table = pd.DataFrame(links, columns=["video_id", "linked_id"])
    table.to_csv(folder / "links.csv", index=False)
    return measure(read_catalogue(folder / "videos.csv", folder / "links.csv"), ENCODERS)


@pytest.mark.parametrize("word", ["cat", "猫和狗", ""])
def test_a_catalogue_of_titles_alone_is_measured(tmp_path: Path, word: str) -> None:
    ids = [f"v{num}" for num in range(30)]
    said = measured(
        tmp_path, {"video_id": ids, "title": [f"{word} {num % 5}" if word else "" for num in
                                             range(30)]}, [("v0", "v5"), ("v1", "v6")]
    )  # fmt: skip
    assert said["n_linked"] == 2
    assert 0 <= said["ours"] <= 1


def test_links_twice_to_themselves_and_to_nowhere_do_not_count(tmp_path: Path) -> None:
    links = [("a", "b"), ("a", "b"), ("a", "a"), ("a", "nowhere"), ("nowhere", "b")]
    videos = {"video_id": ["a", "b", "b"], "title": ["red car", "red cars", "again"]}
    said = measured(tmp_path, videos, links)
    assert (said["n_videos"], said["n_linked"], said["ours"]) == (2, 1, 1.0)


def test_without_a_link_there_is_no_ratio(tmp_path: Path) -> None:
    said = measured(tmp_path, {"video_id": ["a", "b"], "title": ["x", "y"]}, [("a", "nowhere")])
    assert said["ratio"] is None


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"videos\.csv: column video_id is missing; it has id"):
        measured(tmp_path, {"id": ["a"], "title": ["x"]}, [])


def test_a_byte_order_mark_hides_no_column(tmp_path: Path) -> None:
    for name, text in {"v": "video_id\na\nb\n", "l": "video_id,linked_id\na,b\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert read_catalogue(tmp_path / "v", tmp_path / "l").links == {0: {1}}
