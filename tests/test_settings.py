import re

import pytest

from vidrec_tasks.errors import SettingsError
from vidrec_tasks.settings import known_names, read_settings


def test_a_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDREC_CONTENT__N_KEYFRAMES", "12")
    assert read_settings().content.n_keyframes == 12


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("VIDREC_STOR_URL", "VIDREC_STORE_URL"),
        ("VIDREC_CONTENT__N_KEYFRAME", "VIDREC_CONTENT__N_KEYFRAMES"),
    ],
)
def test_an_unknown_name_is_an_error_with_its_neighbour(
    monkeypatch: pytest.MonkeyPatch, name: str, near: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=rf"{name}.*did you mean {near}\?"):
        read_settings()


def test_a_value_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDREC_CONTENT__N_KEYFRAMES", "0")
    with pytest.raises(SettingsError, match="VIDREC_CONTENT__N_KEYFRAMES='0'"):
        read_settings()


def test_what_kubernetes_says_of_services_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_API_SERVER", "PORT", "PORT_8080_TCP",
                 "PORT_8080_TCP_PROTO"):  # fmt: skip
        monkeypatch.setenv(f"VIDREC_AIRFLOW_API_SERVER_{name}", "1")
        assert f"VIDREC_AIRFLOW_API_SERVER_{name}" not in known_names()
    read_settings()
    assert not [name for name in known_names() if re.search(r"_(HOST|PORT)(_|$)", name)]


def test_a_list_that_is_not_json_is_named_with_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDREC_RECOMMENDING__LEFT_OUT", "lately")
    with pytest.raises(SettingsError, match=r"recommending.*written as JSON"):
        read_settings()
    monkeypatch.setenv("VIDREC_RECOMMENDING__LEFT_OUT", '["lately"]')
    assert read_settings().recommending.left_out == ("lately",)


@pytest.mark.parametrize("dim", ["50", "7"])
def test_towers_have_dimensions_that_their_heads_can_share(
    monkeypatch: pytest.MonkeyPatch, dim: str
) -> None:
    monkeypatch.setenv("VIDREC_RECOMMENDING__DIM", dim)
    with pytest.raises(SettingsError, match="VIDREC_RECOMMENDING__DIM"):
        read_settings()


def test_places_keys_and_threads_do_not_change_what_a_night_means() -> None:
    here = read_settings(store_url="/a", threads=1, language={"endpoint_key": "secret"})
    there = read_settings(
        store_url="/b", threads=2, publishing={"allow_override": True}, language={"price_out": 2.0}
    )
    assert here.digest() == there.digest()


def test_a_setting_that_changes_lists_changes_the_digest() -> None:
    assert read_settings(recommending={"n": 20}).digest() != read_settings().digest()


def test_a_key_is_never_shown() -> None:
    settings = read_settings(language={"endpoint_key": "hush"})
    assert "hush" not in f"{settings!r}{settings.model_dump_json()}"


@pytest.mark.parametrize("url", ["", "http://host/v1", "https://host:8000/a@b/v1?c=d@e"])
def test_a_login_in_an_address_is_kept_nowhere(url: str) -> None:
    plain = read_settings(language={"endpoint_url": url})
    assert plain.model_dump()["language"]["endpoint_url"] == url
    if url:
        login = url.replace("://", "://me:hush@")
        settings = read_settings(language={"endpoint_url": login})
        assert settings.language.endpoint_url == login
        assert "hush" not in f"{settings!r}{settings.model_dump_json()}"
        assert settings.digest() == plain.digest()


def test_relevance_cannot_wait_for_batch_files() -> None:
    with pytest.raises(SettingsError, match=r"RELEVANCE_CALLS=100.*batch files"):
        read_settings(language={"mode": "batch", "relevance_calls": 100})
    assert read_settings(language={"mode": "batch"}).language.relevance_calls == 0


def test_every_field_has_a_meaning() -> None:
    from vidrec_tasks.settings import Group, Settings

    for info in Settings.model_fields.values():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            assert all(field.description for field in kind.model_fields.values()), kind
        else:
            assert info.description
    assert len(known_names()) == len(set(known_names()))
