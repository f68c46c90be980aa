"""Links: similar videos against links that are known, beside TF-IDF and the encoder alone."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.errors import InputError
from vidrec_tasks.language.terms import count_terms
from vidrec_tasks.recommending.beside.similar import list_similar
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.likeness import Likeness
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.settings import RecommendingSettings

Floats = npt.NDArray[np.float32]

N: Final = 10
N_MOVIES: Final = 1_200
MIN_TOGETHER: Final = 5


@dataclass(frozen=True)
class Catalogue:
    """A catalogue, and which videos of it belong together.

    Attributes:
        videos: video_id (sorted, unique), title, description, tags (lists).
        links: ``video_num -> linked video_nums``.
    """

    videos: pd.DataFrame
    links: dict[int, set[int]]


def read_catalogue(catalogue: Path, links: Path) -> Catalogue:
    """Read video_id, title, description, tags (``|``-separated) and video_id, linked_id.

    Only the ids have to be there. What is said twice counts once; a link of a video to itself, or
    with one that the catalogue does not have, counts for nothing.

    Raises:
        InputError: a column of ids is missing.
    """
    return _catalogue(_read(catalogue, ["video_id"]), _read(links, ["video_id", "linked_id"]))


def known_links(data: Path) -> dict[str, Catalogue]:
    """Links in the data at hand: videos of a channel, films that the same people like."""
    return {"channels": _channels(data / "youtube-3600" / "youtube.csv"), "likes": _likes(data)}


def measure(catalogue: Catalogue, encoders: Encoders) -> dict[str, Any]:
    """recall@10 of the links: ours (content alone: nobody has watched yet), TF-IDF, vectors."""
    videos = catalogue.videos
    texts = [f"{t}\n{d}" for t, d in zip(videos["title"], videos["description"], strict=True)]
    tagged = [
        f"{text}\n{', '.join(tags)}" for text, tags in zip(texts, videos["tags"], strict=True)
    ]
    vectors = encoders.text.encode(tagged)
    recalls = {
        "ours": _recall(_ours(catalogue, texts, vectors), catalogue),
        "tfidf": _recall(_nearest(_tfidf(tagged)), catalogue),
        "vectors": _recall(_nearest(sp.csr_matrix(vectors)), catalogue),
    }
    best = max(recalls["tfidf"], recalls["vectors"])
    ratio = round(recalls["ours"] / best, 4) if best else None
    return {**recalls, "ratio": ratio, "n_videos": len(videos), "n_linked": len(catalogue.links)}


def _ours(catalogue: Catalogue, texts: list[str], vectors: Floats) -> dict[int, list[int]]:
    videos = catalogue.videos
    n_videos = len(videos)
    table = videos.assign(
        creator_id="",
        published_at=pd.Series([pd.NaT] * n_videos, dtype="datetime64[us, UTC]"),
        duration_s=np.nan,
    )
    topics = [[tag.casefold() for tag in tags] for tags in videos["tags"]]
    content = Content.of(table, vectors, topics)
    lists = list_similar(
        content,
        SparseModel(sp.csr_matrix((n_videos, n_videos), dtype=np.float32)),
        np.zeros(n_videos, dtype=np.float32),
        allowed=np.ones(n_videos, dtype=bool),
        n=N,
        settings=RecommendingSettings(),
        likeness=Likeness.of(content, texts),
    )
    others = content.nums_of(lists["similar_video_id"])
    grouped = pd.Series(others).groupby(content.nums_of(lists["video_id"])).apply(list)
    return {int(num): own for num, own in grouped.items()}


def _tfidf(texts: list[str]) -> sp.csr_matrix:
    """What one would write: logarithms of counts times idf, unit rows."""
    counts = count_terms(texts)[0].astype(np.float64)
    idf = np.log((counts.shape[0] + 1) / (np.bincount(counts.indices) + 1)) + 1
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
    return sp.csr_matrix(sp.diags(1 / np.maximum(norms, 1e-9)) @ counts)


def _nearest(rows: sp.csr_matrix) -> dict[int, list[int]]:
    nearest: dict[int, list[int]] = {}
    for begin in range(0, rows.shape[0], 500):
        cosines = (rows[begin : begin + 500] @ rows.T).toarray()
        for place, own in enumerate(cosines):
            own[begin + place] = -np.inf
            nearest[begin + place] = np.argsort(-own, kind="stable")[:N].tolist()
    return nearest


def _recall(lists: dict[int, list[int]], catalogue: Catalogue) -> float:
    """Mean over videos with links: linked videos among the first ten, of those that could be."""
    found = [
        len(set(lists.get(num, ())) & linked) / min(N, len(linked))
        for num, linked in catalogue.links.items()
    ]
    return round(float(np.mean(found)), 4) if found else 0.0


def _read(path: Path, needed: list[str]) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [name for name in needed if name not in table]
    if missing:
        message = f"{path}: column {missing[0]} is missing; it has {', '.join(table)}"
        raise InputError(message)
    return table


def _catalogue(videos: pd.DataFrame, links: pd.DataFrame) -> Catalogue:
    videos = videos.drop_duplicates("video_id").sort_values("video_id", ignore_index=True)
    for name in ("title", "description", "tags"):
        videos[name] = videos[name].fillna("") if name in videos else ""
    split = [[tag for tag in str(tags).split("|") if tag] for tags in videos["tags"]]
    videos["tags"] = pd.Series(split, dtype=object)
    num_of = {video_id: num for num, video_id in enumerate(videos["video_id"])}
    linked: dict[int, set[int]] = {}
    for one, other in zip(links["video_id"], links["linked_id"], strict=True):
        if one in num_of and other in num_of and one != other:
            linked.setdefault(num_of[one], set()).add(num_of[other])
    return Catalogue(videos, linked)


def _channels(path: Path) -> Catalogue:
    """Titles alone; videos of one channel belong together."""
    rows = pd.read_csv(path).drop_duplicates("link").drop_duplicates("title")
    channels = rows["channel"].fillna("").str.split("\n").str[0]
    videos = pd.DataFrame({"video_id": rows["link"], "title": rows["title"]})
    pairs = [
        (one, other)
        for _, ids in rows["link"].groupby(channels)
        if 2 <= len(ids) <= 30
        for one in ids
        for other in ids
        if one != other
    ]
    return _catalogue(videos, pd.DataFrame(pairs, columns=["video_id", "linked_id"]))


def _likes(data: Path) -> Catalogue:
    """The most rated films; each belongs to the ten that most of its friends like too."""
    with zipfile.ZipFile(data / "tmdb-5000" / "tmdb_5000_movies.csv.zip") as archive:
        films = pd.read_csv(archive.open("tmdb_5000_movies.csv")).drop_duplicates("id")
    ids = pd.read_csv(data / "ml-latest-small" / "links.csv").dropna()
    films = films.merge(ids, left_on="id", right_on="tmdbId").drop_duplicates("movieId")
    ratings = pd.read_csv(data / "ml-latest-small" / "ratings.csv")
    liked = ratings[(ratings["rating"] >= 4) & ratings["movieId"].isin(films["movieId"])]
    kept = liked["movieId"].value_counts().head(N_MOVIES).index
    films = films[films["movieId"].isin(kept)].reset_index(drop=True)
    tags = [
        "|".join(entry["name"] for text in row for entry in json.loads(text))
        for row in zip(films["keywords"], films["genres"], strict=True)
    ]
    videos = pd.DataFrame(
        {
            "video_id": films["movieId"].astype(str),
            "title": films["title"],
            "description": films["overview"].fillna(""),
            "tags": tags,
        }
    )
    return _catalogue(videos, _liked_together(liked, films["movieId"].tolist()))


def _liked_together(liked: pd.DataFrame, movie_ids: list[int]) -> pd.DataFrame:
    num_of = {movie_id: num for num, movie_id in enumerate(movie_ids)}
    mine = liked[liked["movieId"].isin(num_of)]
    places = (mine["userId"].to_numpy(), mine["movieId"].map(num_of).to_numpy())
    users = sp.csr_matrix((np.ones(len(mine)), places), shape=(places[0].max() + 1, len(num_of)))
    together = (users.T @ users).toarray()
    totals = np.diag(together).copy()
    np.fill_diagonal(together, 0)
    cosines = np.where(together >= MIN_TOGETHER, together / np.sqrt(np.outer(totals, totals)), 0)
    pairs = [
        (str(movie_ids[num]), str(movie_ids[other]))
        for num, row in enumerate(cosines)
        for other in np.argsort(-row, kind="stable")[:N]
        if row[other] > 0
    ]
    return pd.DataFrame(pairs, columns=["video_id", "linked_id"])
