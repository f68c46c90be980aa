"""Search for what is said: known-item queries taken from a sentence, never from a title.

No set of films with speech and titles is at hand that is large enough, so overviews of movies stand
for what is said in them: real sentences about the same things as the titles, split into passages.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, MATCHED, QUERY, RANK, VIDEO_ID
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.modality import Moments
from vidrec_tasks.content.texts.passages import split_text
from vidrec_tasks.language.words import FUNCTION_WORDS
from vidrec_tasks.searching.search import SearchIndex, search
from vidrec_tasks.settings import ContentSettings, SearchingSettings

Floats = npt.NDArray[np.float32]

N_VIDEOS: Final = 1_000
N_WORDS: Final = 4
SECONDS: Final = 10.0
"""Words of a query; seconds that a passage is said to last."""


def measure_search(data: Path, *, n_queries: int) -> dict[str, Any]:
    """Ranks with and without what is said, of queries from sentences and of titles."""
    movies = _movies(data)
    if movies is None:
        return {"said_r@1": None, "said_why_not": "no tmdb-5000 in the data"}
    rng = np.random.default_rng(7)
    encoders = Encoders(ContentSettings())
    said = _passages(movies)
    titles = encoders.text.encode(movies["title"].tolist())
    vectors = encoders.text.encode(said["text"].tolist())
    queries = _queries(movies, rng, n_queries)
    names = movies["title"].iloc[:n_queries].tolist()
    asked = [*queries["query"], *names]
    meant = [*queries["video_id"], *movies[VIDEO_ID].iloc[:n_queries]]
    spoken = encoders.text.encode(asked)
    with_said = _ranks(movies, titles, {"said": Moments(said, vectors)}, asked, spoken, meant)
    without = _ranks(movies, titles, {}, asked, spoken, meant)
    n, seconds = len(queries), queries["at_s"].to_numpy()
    found = with_said.iloc[:n]
    is_first = (found["rank"] == 1).to_numpy()
    at_s = found["at_s"].to_numpy()
    return {
        "said_queries": n,
        "said_r@1": round(float(is_first.mean()), 3),
        "said_r@5": round(float((found["rank"] <= 5).mean()), 3),
        "said_r@1_without_passages": round(float((without["rank"].iloc[:n] == 1).mean()), 3),
        "said_right_second": round(float((at_s[is_first] == seconds[is_first]).mean()), 3),
        "said_named": round(float(found["matched"][is_first].str.contains("said").mean()), 3),
        "title_mrr": round(_mrr(with_said.iloc[n:]), 4),
        "title_mrr_without_passages": round(_mrr(without.iloc[n:]), 4),
        "title_share_kept": round(_mrr(with_said.iloc[n:]) / _mrr(without.iloc[n:]), 4),
    }


def _mrr(found: pd.DataFrame) -> float:
    return float((1 / found["rank"]).mean())


def _movies(data: Path) -> pd.DataFrame | None:
    path = data / "tmdb-5000" / "tmdb_5000_movies.csv.zip"
    if not path.is_file():
        return None
    with zipfile.ZipFile(path) as packed:
        name = next(name for name in packed.namelist() if name.endswith(".csv"))
        movies = pd.read_csv(io.BytesIO(packed.read(name)))
    movies = movies[movies["overview"].fillna("").str.len() > 150]
    movies = movies.drop_duplicates("title").head(N_VIDEOS).reset_index(drop=True)
    movies[VIDEO_ID] = [f"m{num:05d}" for num in range(len(movies))]
    blank = pd.Series([[] for _ in range(len(movies))], dtype=object)
    return movies[[VIDEO_ID, "title", "overview"]].assign(description="", tags=blank)


def _passages(movies: pd.DataFrame) -> pd.DataFrame:
    """Sentences of the overviews, each a passage with a second."""
    rows = [
        (video_id, num, SECONDS * num, "en", sentence)
        for video_id, overview in zip(movies[VIDEO_ID], movies["overview"], strict=True)
        for num, sentence in enumerate(_sentences(str(overview)))
    ]
    return pd.DataFrame(rows, columns=[VIDEO_ID, "passage_num", AT_S, "language", "text"])


def _sentences(text: str) -> list[str]:
    whole = " ".join(cue.text for cue in split_text(text))
    return [part for part in re.split(r"(?<=[.!?])\s+", whole) if part]


def _queries(movies: pd.DataFrame, rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Words in a row of a sentence, without those of the title and of grammar."""
    rows: list[tuple[str, str, float]] = []
    for num in rng.permutation(len(movies)):
        video_id, title = movies[VIDEO_ID].iloc[num], str(movies["title"].iloc[num]).lower()
        sentences = _sentences(str(movies["overview"].iloc[num]))
        place = int(rng.integers(len(sentences)))
        words = [
            word
            for word in re.findall(r"[A-Za-z]{3,}", sentences[place])
            if word.lower() not in FUNCTION_WORDS and word.lower() not in title
        ]
        if len(words) >= N_WORDS:
            first = int(rng.integers(len(words) - N_WORDS + 1))
            query = " ".join(words[first : first + N_WORDS])
            rows.append((query, str(video_id), SECONDS * place))
        if len(rows) == n:
            break
    return pd.DataFrame(rows, columns=["query", VIDEO_ID, AT_S])


def _ranks(
    movies: pd.DataFrame,
    titles: Floats,
    others: Mapping[str, Moments | Floats],
    asked: Sequence[str],
    vectors: Floats,
    meant: Sequence[str],
) -> pd.DataFrame:
    """For each query the rank of the video that is meant, with what matched and its second."""
    unique = list(dict.fromkeys(asked))
    rows = [asked.index(query) for query in unique]
    found = search(
        SearchIndex.of(movies, titles, others),
        unique,
        {name: vectors[rows] for name in ("text", *others)},
        settings=SearchingSettings(n_results=200),
        allowed=np.ones(len(movies), dtype=bool),
    ).set_index([QUERY, VIDEO_ID])[[RANK, MATCHED, AT_S]]
    wanted = pd.MultiIndex.from_arrays([list(asked), list(meant)])
    own = found.reindex(wanted).reset_index(drop=True)
    own["rank"] = own[RANK].fillna(len(movies))
    own["matched"] = own[MATCHED].fillna("")
    return own
