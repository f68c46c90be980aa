"""Clips: real films searched by their caption, by frames, by titles in other words, and by both."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.paraphrasing import paraphrase
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.modality import Moments
from vidrec_tasks.searching.search import SearchIndex, search
from vidrec_tasks.settings import SearchingSettings

Floats = npt.NDArray[np.float32]

CHINESE: Final = {
    "black swan swimming on a pond": "黑天鹅在池塘里游泳",
    "red car driving fast": "红色汽车快速行驶",
    "brown cow walking on grass": "棕色的牛在草地上走",
    "white dog walking on dry grass": "白狗走在枯草上",
    "horse running on the beach": "马在海滩上奔跑",
    "lion roaring on a rock": "狮子在岩石上吼叫",
    "rabbit eating watermelon": "兔子吃西瓜",
    "man surfing inside a wave": "男人在海浪里冲浪",
    "person pouring coffee into a blue mug": "有人把咖啡倒进蓝色杯子",
    "red apple on a table": "桌上的红苹果",
    "person holding a teddy bear": "有人抱着泰迪熊",
    "fluffy cat sitting by a sofa": "毛茸茸的猫坐在沙发旁",
    "person doing yoga on a terrace": "有人在露台上做瑜伽",
    "man playing a drum kit": "男人打架子鼓",
    "cutting a watermelon": "切西瓜",
    "two people arm wrestling": "两个人掰手腕",
    "person flipping a pancake in a kitchen": "有人在厨房里翻煎饼",
    "rice cooking in a pot": "锅里煮米饭",
    "night camera trap, small wild cat": "夜间红外相机拍到的小野猫",
    "basketball through the hoop, seen from above": "从上方看篮球入筐",
}
"""Captions and what they are in Chinese."""


def measure(folder: Path, encoders: Encoders, workspace: Path) -> dict[str, Any]:
    """R@1, R@5 and MRR of captions over the clips, by each way of looking.

    Args:
        folder: holds clips.csv and clips/.
        encoders: as a night has them.
        workspace: keyframes are written there.
    """
    clips = pd.read_csv(folder / "clips.csv")
    captions = [str(caption) for caption in clips["caption"]]
    table, vectors = _frames(folder / "clips", list(clips["file"]), encoders, workspace)
    titles = [paraphrase(caption) for caption in captions]
    queries = encoders.text.encode(captions), encoders.frame.encode_queries(captions)
    without_text, without_frames = [""] * len(clips), (table.iloc[:0], vectors[:0])
    return {
        "n_clips": len(clips),
        "frames": _found(captions, queries, without_text, (table, vectors), encoders),
        "text": _found(captions, queries, titles, without_frames, encoders),
        "fused": _found(captions, queries, titles, (table, vectors), encoders),
        "fused_by_ranks": _found(
            captions, queries, titles, (table, vectors), encoders, fusion="reciprocal"
        ),
        "half_titles": _half(captions, queries, titles, (table, vectors), encoders),
    }


def measure_chinese(encoders: Encoders) -> dict[str, Any]:
    """What is found by Chinese queries: over English titles, and over Chinese ones."""
    english, chinese = list(CHINESE), list(CHINESE.values())
    # a query is never its own title: the words of a query come from the other half of the caption
    halves = [text[: len(text) // 2 + 1] for text in chinese]
    nothing = pd.DataFrame({"video_id": [], "at_s": []}), np.zeros((0, 1), dtype=np.float32)
    blank = np.zeros((len(english), 1), dtype=np.float32)
    return {
        "n_captions": len(english),
        "over_english_titles": _found(
            chinese, (encoders.text.encode(chinese), blank), english, nothing, encoders
        ),
        "first_half_over_chinese_titles": _found(
            halves, (encoders.text.encode(halves), blank), chinese, nothing, encoders
        ),
        "note": "the embedded text encoder reads English; for Chinese queries over other "
        "languages name a multilingual one, such as "
        "VIDREC_CONTENT__TEXT_ENCODER=sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    }


def _frames(
    folder: Path, files: list[str], encoders: Encoders, workspace: Path
) -> tuple[pd.DataFrame, Floats]:
    films = {_id(num): folder / name for num, name in enumerate(files)}
    frames = extract_keyframes(films, encoders.settings, workspace=workspace).frames
    frames = frames.sort_values(["checksum", "frame_num"], ignore_index=True)
    images = [cv2.imread(str(workspace / path)) for path in frames["path"]]
    table = frames.rename(columns={"checksum": "video_id"})[["video_id", "at_s"]]
    return table, encoders.frame.encode(images).vectors


def _half(
    captions: list[str],
    queries: tuple[Floats, Floats],
    titles: list[str],
    frames: tuple[pd.DataFrame, Floats],
    encoders: Encoders,
) -> dict[str, Any]:
    """The same with every second word of the titles gone, where frames have more to add."""
    short = [" ".join(title.split()[::2]) for title in titles]
    none = (frames[0].iloc[:0], frames[1][:0])
    return {
        "text": _found(captions, queries, short, none, encoders),
        "fused": _found(captions, queries, short, frames, encoders),
    }


def _found(
    captions: list[str],
    queries: tuple[Floats, Floats],
    titles: list[str],
    frames: tuple[pd.DataFrame, Floats],
    encoders: Encoders,
    fusion: str = "evidence",
) -> dict[str, float]:
    """Whether each caption finds its own clip."""
    vectors = encoders.text.encode(titles)
    return found_by(captions, queries, titles, vectors, {"frame": Moments(*frames)}, fusion)


def found_by(
    captions: Sequence[str],
    queries: tuple[Floats, Floats],
    titles: Sequence[str],
    title_vectors: Floats,
    others: Mapping[str, Moments],
    fusion: str = "evidence",
) -> dict[str, float]:
    """Recall and MRR of captions, each of which means the clip of its number.

    Args:
        captions: the queries.
        queries: their vectors for texts and for frames.
        titles: of the clips.
        title_vectors: of the titles.
        others: modality -> its moments.
        fusion: see `SearchingSettings`.
    """
    n = len(captions)
    videos = pd.DataFrame(
        {
            "video_id": [_id(num) for num in range(n)],
            "title": titles,
            "description": "",
            "tags": [[]] * n,
        }
    )
    index = SearchIndex.of(videos, title_vectors, others)
    settings = SearchingSettings.model_validate({"n_results": n, "fusion": fusion})
    ranks = []
    for num, caption in enumerate(captions):
        text, frame = (vectors[[num]] for vectors in queries)
        vectors = {name: frame if name == "frame" else text for name in ("text", *others)}
        allowed = np.ones(n, dtype=bool)
        answer = search(index, [caption], vectors, settings=settings, allowed=allowed)
        own = answer.loc[answer["video_id"] == _id(num), "rank"]
        ranks.append(float(own.iloc[0]) if len(own) else np.inf)
    found = np.array(ranks)
    return {
        "r_at_1": round(float((found <= 1).mean()), 4),
        "r_at_5": round(float((found <= 5).mean()), 4),
        "mrr": round(float((1 / found).mean()), 4),
    }


def _id(num: int) -> str:
    return f"{num:04}"
