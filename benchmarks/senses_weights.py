"""What weight in fusion suits what is said: likes that were held back, found by content alone.

No set of films that people rated has its speech here, so overviews of movies stand for what is said
in them, split into passages, beside titles alone and beside titles with keywords. The last fifth of
each user's likes is held back; a profile is the mean of the others' fused vectors, and all movies
but those are ranked by it.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.content.fusion import fuse
from vidrec_tasks.content.texts.passages import split_text
from vidrec_tasks.measuring.intervals import bootstrap_interval
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]

WEIGHTS: Final = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
LIKED: Final = 4.0
MIN_LIKES: Final = 10
HELD_SHARE: Final = 0.2
N_LISTED: Final = 20


def measure_weights(data: Path) -> dict[str, Any]:
    """recall@20 of likes held back, by the weight of what is said; see above."""
    if not (data / "ml-latest-small").is_dir() or not (data / "tmdb-5000").is_dir():
        return {"said_weights_why_not": "no ml-latest-small or tmdb-5000 in the data"}
    movies = _movies(data)
    users = _users(data, movies)
    encoders = Encoders(ContentSettings())
    said = _pooled(movies["overview"].tolist(), encoders)
    texts = {
        "titles": encoders.text.encode(movies["title"].tolist()),
        "titles_and_keywords": encoders.text.encode(
            [f"{title} {words}" for title, words in movies[["title", "words"]].to_numpy()]
        ),
    }
    settings = ContentSettings()
    found: dict[str, Any] = {"weight_movies": len(movies), "weight_users": len(users)}
    for name, vectors in texts.items():
        recalls = {w: _recalls(vectors, said, settings.text_weight, w, users) for w in WEIGHTS}
        found[f"likes_found_{name}"] = {str(w): round(float(r.mean()), 4)
                                        for w, r in recalls.items()}  # fmt: skip
        gain = recalls[settings.said_weight] - recalls[0.0]
        interval = bootstrap_interval(gain, n_draws=1_000, rng=np.random.default_rng(7))
        values = (interval.mean, interval.low, interval.high)
        found[f"likes_gained_{name}"] = [round(value, 4) for value in values]
    return found


def _movies(data: Path) -> pd.DataFrame:
    with zipfile.ZipFile(data / "tmdb-5000" / "tmdb_5000_movies.csv.zip") as packed:
        name = next(name for name in packed.namelist() if name.endswith(".csv"))
        table = pd.read_csv(io.BytesIO(packed.read(name)))
    links = pd.read_csv(data / "ml-latest-small" / "links.csv")
    movies = links.merge(table, left_on="tmdbId", right_on="id").drop_duplicates("movieId")
    words = [" ".join(word["name"] for word in json.loads(text)) for text in movies["keywords"]]
    movies = movies.assign(words=words, overview=movies["overview"].fillna(""))
    return movies[["movieId", "title", "words", "overview"]].reset_index(drop=True)


def _users(data: Path, movies: pd.DataFrame) -> list[tuple[Any, Any]]:
    """Of each user the rows of the likes that are known, and of those held back."""
    ratings = pd.read_csv(data / "ml-latest-small" / "ratings.csv")
    liked = ratings[ratings["rating"] >= LIKED].merge(
        movies[["movieId"]].reset_index(), on="movieId"
    )
    liked = liked.sort_values(["userId", "timestamp", "movieId"])
    users = []
    for _, own in liked.groupby("userId"):
        rows = own["index"].to_numpy()
        if len(rows) >= MIN_LIKES:
            n_held = max(int(HELD_SHARE * len(rows)), 1)
            users.append((rows[:-n_held], rows[-n_held:]))
    return users


def _pooled(texts: list[str], encoders: Encoders) -> Floats:
    """As `modalities.passages` has it: the mean direction of a text's passages."""
    parts = [[cue.text for cue in split_text(text)] for text in texts]
    vectors = encoders.text.encode([part for own in parts for part in own])
    ends = np.cumsum([len(own) for own in parts])
    pooled = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
    for num, (end, own) in enumerate(zip(ends, parts, strict=True)):
        if own:
            pooled[num] = vectors[end - len(own) : end].mean(axis=0)
    return to_unit(pooled)


def _recalls(
    text: Floats, said: Floats, text_weight: float, said_weight: float, users: Any
) -> npt.NDArray[np.float64]:
    """``(n_users,)`` share of the likes held back among the first `N_LISTED`."""
    weights: Mapping[str, float] = {"text": text_weight, "said": said_weight}
    parts = {"text": text, "said": said} if said_weight else {"text": text}
    fused = fuse(parts, weights)
    found = []
    for known, held in users:
        scores = fused @ fused[known].mean(axis=0)
        scores[known] = -np.inf
        best = np.argsort(-scores, kind="stable")[:N_LISTED]
        found.append(len(set(best) & set(held)) / min(len(held), N_LISTED))
    return np.array(found)
