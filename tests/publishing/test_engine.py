from pathlib import Path

import pytest

from vidrec_tasks.errors import PublishError, SettingsError
from vidrec_tasks.publishing.engine import make_engine, results_url, where
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.store import Store

SECRET = "postgresql://writer:geheim@127.0.0.1:1/results"


def test_without_a_url_results_lie_in_the_store(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "a store? #1"))
    url = results_url(Settings(), store)
    Publisher(make_engine(url)).prepare()
    assert (tmp_path / "a store? #1" / "results.sqlite").exists()
    reader = Reader(url)
    assert reader.runs() == []
    reader.close()


def test_a_url_that_is_set_is_taken(tmp_path: Path) -> None:
    settings = Settings(results_url=SECRET)
    assert results_url(settings, Store(str(tmp_path))) == SECRET


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_goes_through_psycopg_3(scheme: str) -> None:
    engine = make_engine(SECRET.replace("postgresql", scheme))
    assert engine.dialect.driver == "psycopg"


def test_a_password_is_in_no_message() -> None:
    engine = make_engine(SECRET)
    assert "geheim" not in where(engine)
    with pytest.raises(PublishError) as caught:
        Publisher(engine).prepare()
    assert "geheim" not in str(caught.value)
    assert "cannot prepare the tables" in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/results", "sqlite://"])
def test_other_urls_are_refused_with_the_way_to_write_them(url: str) -> None:
    with pytest.raises(SettingsError, match="VIDREC_RESULTS_URL"):
        make_engine(url)


def test_a_server_that_is_away_is_an_error_for_readers_too() -> None:
    with pytest.raises(PublishError, match="cannot read the result tables"):
        Reader(SECRET).runs()
