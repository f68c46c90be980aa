"""MovieLens: ratings.csv, movies.csv, and if they are there tags.csv and links.csv; or .dat files.

Format: the README of the data set (GroupLens; Harper & Konstan, 2015). MovieLens-1M and -10M and
MovieTweetings (Dooms et al., CrowdRec 2013) are .dat files, see `dat`. Their users.dat is never
opened: it holds gender, age and postal code, or Twitter accounts.

A rating becomes an event ``rating`` with its value as it is written. The scale is that of the
folder: the night counts a rating in standard deviations of all ratings above the user's own mean,
so 7 of 10 is not more than 5 of 5. No film is given a date of publication: the data say when it was
rated, not when it could first be seen, and a year in the title is older than any rating.
"""

import logging
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.catalogue import RESTRICTING, restrictions
from vidrec_tasks.importing.dat import read_dat
from vidrec_tasks.importing.preset import File, Option, Preset
from vidrec_tasks.importing.reading import Source, Torn, read_text
from vidrec_tasks.importing.staging import Staging

log = logging.getLogger(__name__)

RATINGS: Final = File(("ratings.csv", "ratings.dat"))
MOVIES: Final = File(("movies.csv", "movies.dat"))
TAGS: Final = File(("tags.csv", "tags.dat"), is_needed=False)
LINKS: Final = File(("links.csv",), is_needed=False)
NO_GENRES: Final = "(no genres listed)"

MIN_TAGGERS: Final = 2
"""Users who must have given a tag, to any film: of 560 tags of the small set 465 are one person's
note ("interesting concept - bad execution"), and a topic that one user has is no topic."""


def import_movielens(
    source: Source, staging: Staging, *, overviews: Path | None = None
) -> dict[str, int]:
    """Import a MovieLens folder.

    Args:
        source: their folder.
        staging: takes the rows.
        overviews: a TMDB csv, or a zip that holds one, with columns id and overview; joined on
            links.csv as the description.

    Returns:
        How many films got a description, and how many tags were left out.
    """
    ratings, movies = source.need(*RATINGS.patterns), source.need(*MOVIES.patterns)
    for rows in _read(source, ratings, needs=("userId", "movieId", "rating", "timestamp")):
        staging.add("interactions", _interactions(rows))
    needs = ("movieId", "title", "genres")
    films = pd.concat(_read(source, movies, needs, RESTRICTING), ignore_index=True)
    tags, tagged_at, n_left_out = _tags(source)
    described = _descriptions(source, overviews)
    film_ids = films["movieId"]
    videos = pd.DataFrame(
        {
            c.VIDEO_ID: film_ids,
            c.TITLE: films["title"],
            c.DESCRIPTION: film_ids.map(described),
            c.TAGS: [tags.get(film, []) for film in film_ids],
            c.CATEGORIES: [_genres(genres) for genres in films["genres"]],
            # A film's tags are as of the last one given: an earlier night is told so.
            c.UPDATED_AT: film_ids.map(tagged_at),
            **restrictions(films),
        }
    )
    staging.add("videos", videos)
    n_described = int(videos[c.DESCRIPTION].notna().sum())
    return {"described_videos": n_described, "tags_left_out": n_left_out}


MOVIELENS: Final = Preset(
    "movielens",
    files=(RATINGS, MOVIES, TAGS, LINKS),
    brings=("interactions", "videos"),
    stage=import_movielens,
    options=(Option("overviews", "a TMDB csv or zip of overviews"),),
)


def _read(
    source: Source, path: Path, needs: Sequence[str], knows: Sequence[str] = ()
) -> Iterator[pd.DataFrame]:
    """Rows of a csv file, or of a .dat file, whose columns are in the order of ``needs``."""
    if path.suffix.lower() == ".dat":
        return read_dat(source, path, names=needs)
    return source.read(path, needs=needs, knows=knows)


def _interactions(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            c.USER_ID: rows["userId"],
            c.VIDEO_ID: rows["movieId"],
            c.EVENT_AT: rows["timestamp"],
            c.EVENT_TYPE: "rating",
            c.VALUE: rows["rating"],
        }
    )


def _genres(genres: object) -> list[str]:
    if not isinstance(genres, str) or genres == NO_GENRES:
        return []
    return genres.split("|")


def _tags(source: Source) -> tuple[dict[str, list[str]], dict[str, str], int]:
    """Film -> its tags, most often given first; film -> time of its last; tags left out."""
    path = source.find(*TAGS.patterns)
    if path is None:
        return {}, {}, 0
    needs = ("userId", "movieId", "tag", "timestamp")
    everything = pd.concat(_read(source, path, needs), ignore_index=True)
    given = everything.dropna()
    given["tag"] = given["tag"].str.strip().str.lower()
    n_taggers = given.groupby("tag")["userId"].nunique()
    is_shared = given["tag"].isin(n_taggers.index[n_taggers >= MIN_TAGGERS])
    kept = given[is_shared]
    counts = kept.groupby(["movieId", "tag"]).size().reset_index(name="n")
    ordered = counts.sort_values(["movieId", "n", "tag"], ascending=[True, False, True])
    tags = {str(film): rows["tag"].tolist() for film, rows in ordered.groupby("movieId")}
    moments = pd.to_numeric(kept["timestamp"], errors="coerce").groupby(kept["movieId"]).max()
    tagged_at = {str(film): str(int(at)) for film, at in moments.dropna().items()}
    return tags, tagged_at, len(everything) - len(kept)


def _descriptions(source: Source, overviews: Path | None) -> dict[str, str]:
    """Film -> its overview, by way of tmdbId."""
    if overviews is None:
        return {}
    path = source.need(*LINKS.patterns)
    links = pd.concat(
        source.read(path, needs=("movieId", "tmdbId"), knows=("imdbId",)), ignore_index=True
    )
    path = Path(overviews)
    torn = source.torn.setdefault(path.name, Torn())
    overview_of: dict[str, str] = {}
    with _open_csv(path) as file:
        for rows in read_text(file, path.name, torn):
            names = list(rows.columns)
            source.check(path, names, needs=("id", "overview"), knows=names)
            known = rows[["id", "overview"]].dropna()
            overview_of |= dict(zip(known["id"], known["overview"], strict=True))
    log.info("movielens: %d overviews for %d films", len(overview_of), len(links))
    described = links["tmdbId"].map(overview_of)
    return dict(zip(links["movieId"][described.notna()], described.dropna(), strict=True))


@contextmanager
def _open_csv(path: Path) -> Iterator[IO[bytes]]:
    """A csv, or the only csv in a zip."""
    try:
        if path.suffix.lower() != ".zip":
            with path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                message = f"movielens: {path} holds {len(names)} csv files; one is wanted"
                raise InputError(message)
            with archive.open(names[0]) as file:
                yield file
    except (OSError, zipfile.BadZipFile) as error:
        message = f"movielens: overviews {path} cannot be read ({error}); check --overviews"
        raise InputError(message) from error
