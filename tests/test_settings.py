"""Settings: where a value comes from, what is refused and how, what is kept secret."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import SettingsError
from aggregator.settings import TABLE, Settings, load_settings, secret_key, shown


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def from_file(tmp_path: Path) -> Callable[..., Settings]:
    def load(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "some.toml"
        path.write_text(text, "utf-8")
        return load_settings(path, environ or {})

    return load


def from_environment(**values: str) -> Settings:
    return load_settings(None, {"NETZLAGE_" + name.upper(): value for name, value in values.items()})


def test_without_file_and_environment_every_setting_is_the_default() -> None:
    settings = load_settings(None, {})
    assert set(settings.origin.values()) == {"default"}
    assert settings.home == Path(platformdirs.user_data_dir("netzlage", appauthor=False))
    assert settings.database == f"sqlite:///{settings.home}/netzlage.sqlite"
    assert (settings.feeds, settings.false_alarms_per_week, settings.rate_limits) == (None, 1.0, True)


def test_the_contract_names_exist() -> None:
    contract = {
        "database", "home", "feeds", "secret_key", "base_url", "false_alarms_per_week", "nominatim_url", "redis_url",
        "smtp_url", "trusted_proxies", "rate_limits",
    }  # fmt: skip
    assert contract <= {row.name for row in TABLE}


def test_every_row_of_the_table_is_a_field_with_help_and_origin() -> None:
    settings = load_settings(None, {})
    assert [row.name for row in TABLE] == list(settings.origin) == list(Settings.__slots__)[:-1]
    assert all(row.help for row in TABLE)


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(
    from_file: Callable[..., Settings],
) -> None:
    settings = from_file('home = "/a"\noperator = "File"', {"NETZLAGE_HOME": "/b"})
    assert (settings.home, settings.operator) == (Path("/b"), "File")
    assert settings.origin["home"] == "environment (NETZLAGE_HOME)"
    assert settings.origin["operator"].endswith("some.toml")
    assert settings.origin["base_url"] == "default"


def test_what_the_command_says_comes_before_all() -> None:
    settings = load_settings(None, {"NETZLAGE_HOME": "/b"}, overrides={"home": "/c", "feeds": None})
    assert (settings.home, settings.origin["home"]) == (Path("/c"), "command")
    assert settings.origin["feeds"] == "default"  # None: the option was not given


def test_netzlage_toml_in_the_working_folder_is_read_unasked(tmp_path: Path) -> None:
    (tmp_path / "netzlage.toml").write_text("trusted_proxies = 2", "utf-8")
    settings = load_settings(None, {})
    assert (settings.trusted_proxies, settings.origin["trusted_proxies"]) == (2, "netzlage.toml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "netzlage.toml").write_text("trusted_proxies = 2", "utf-8-sig")
    assert load_settings(None, {}).trusted_proxies == 2


def test_an_empty_variable_means_not_set() -> None:
    settings = from_environment(trusted_proxies="", home=" ")
    assert (settings.trusted_proxies, settings.origin["home"]) == (0, "default")


def test_a_tilde_is_the_users_folder() -> None:
    assert from_environment(home="~/netz").home == Path.home() / "netz"
    assert from_environment(feeds="~/feeds.toml").feeds == Path.home() / "feeds.toml"


def test_a_home_of_ones_own_holds_the_database() -> None:
    assert from_environment(home="/srv/n").database == "sqlite:////srv/n/netzlage.sqlite"


def test_switches_and_numbers_are_read_from_text() -> None:
    settings = from_environment(rate_limits=" OFF ", false_alarms_per_week="0.5", trusted_proxies="3")
    assert (settings.rate_limits, settings.false_alarms_per_week, settings.trusted_proxies) == (False, 0.5, 3)


def test_a_url_loses_its_last_slash() -> None:
    assert from_environment(base_url="https://netzlage.example/").base_url == "https://netzlage.example"


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("rate_limits", "perhaps", 'must be "on" or "off"'),
        ("false_alarms_per_week", "0", "must be a number above 0"),
        ("false_alarms_per_week", "nan", "must be a number above 0"),
        ("false_alarms_per_week", "inf", "must be a number above 0"),
        ("false_alarms_per_week", "one", "must be a number"),
        ("trusted_proxies", "-1", "must be a whole number, 0 or more"),
        ("trusted_proxies", "1.5", "must be a whole number, 0 or more"),
        ("trusted_proxies", "one", "must be a whole number, 0 or more"),
        ("base_url", "netzlage.example", "must be a URL"),
        ("base_url", "javascript://x", "must be a URL"),
        ("nominatim_url", "https://", "must be a URL"),
    ],
)
def test_a_bad_value_is_refused_with_name_value_place_and_mend(name: str, value: str, mend: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment(**{name: value})
    for part in (f"Setting {name}", repr(value), f"environment (NETZLAGE_{name.upper()})", mend):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "line", ["home = 3", "base_url = []", "false_alarms_per_week = true", "trusted_proxies = true"]
)
def test_a_value_of_the_wrong_kind_in_the_file_is_refused(line: str, from_file: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match=f"Setting {line.partition(' ')[0]} = .*some\\.toml must be"):
        from_file(line)


def test_a_bad_secret_is_not_printed(from_file: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError) as caught:
        from_file("secret_key = 4711")
    assert "4711" not in str(caught.value)
    assert "secret_key" in str(caught.value)


def test_an_unknown_setting_in_the_file_is_refused_with_the_likely_name(from_file: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match=r"Unknown setting databse in .*some\.toml; did you mean database\?$"):
        from_file('databse = "x"')


def test_an_unknown_variable_is_refused_with_the_likely_name() -> None:
    with pytest.raises(SettingsError, match=r"NETZLAGE_HOMES in the environment; did you mean NETZLAGE_HOME\?$"):
        from_environment(homes="x")


def test_a_variable_in_small_letters_is_not_silently_passed_over() -> None:
    with pytest.raises(SettingsError, match=r"netzlage_home in the environment; did you mean NETZLAGE_HOME\?$"):
        load_settings(None, {"netzlage_home": "/x"})


def test_an_unknown_setting_like_no_other_is_answered_with_the_list() -> None:
    with pytest.raises(SettingsError, match=r"known are NETZLAGE_ALLOWED_HOSTS, NETZLAGE_BASE_URL, .*\.$"):
        from_environment(xyz="x")


def test_a_missing_settings_file_is_an_error_when_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml cannot be read .*--config"):
        load_settings(tmp_path / "absent.toml", {})


def test_a_broken_settings_file_is_an_error_with_its_line(from_file: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match=r"some\.toml is not valid TOML: .*line 2"):
        from_file('home = "/a"\nbase_url = https\n')


def test_a_settings_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "netzlage.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"netzlage\.toml cannot be read"):
        load_settings(None, {})


def settings_with(home: Path, **values: Any) -> Settings:
    return replace(load_settings(None, {}), home=home, **values)


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = settings_with(tmp_path / "new" / "home")
    key = secret_key(settings)
    assert len(key) == 64
    assert secret_key(settings) == key
    assert stat.S_IMODE((settings.home / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["secret_key"]


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert secret_key(settings_with(tmp_path / "a")) != secret_key(settings_with(tmp_path / "b"))


def test_many_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_key(settings), range(64)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64


def test_a_key_that_is_set_is_taken_and_nothing_written(tmp_path: Path) -> None:
    assert secret_key(settings_with(tmp_path, secret_key="mine")) == "mine"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n", "ascii")
    with pytest.raises(SettingsError, match="is empty; delete it"):
        secret_key(settings_with(tmp_path))


def test_a_home_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"Setting home = .*file cannot be written"):
        secret_key(settings_with(tmp_path / "file"))


def test_secrets_are_shown_hidden_and_the_rest_as_it_is() -> None:
    settings = from_environment(
        secret_key="topsecret",
        database="postgresql+psycopg://me:p@ss:w/rd@db:5432/n",
        operator="Ines",
        rate_limits="off",
    )
    assert shown("secret_key", settings) == "***"
    assert shown("database", settings) == "postgresql+psycopg://me:***@db:5432/n"
    assert [shown(name, settings) for name in ("operator", "rate_limits", "feeds")] == ["Ines", "off", ""]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://:geheim@r:6379/0", "redis://:***@r:6379/0"),
        ("postgresql://h/n?user=me&password=geheim&x=1", "postgresql://h/n?user=me&password=***&x=1"),
        ("sqlite:////srv/netzlage.sqlite", "sqlite:////srv/netzlage.sqlite"),
        ("smtp://mail.example:25", "smtp://mail.example:25"),
    ],
)
def test_of_a_url_only_the_password_is_hidden(url: str, seen: str) -> None:
    assert shown("redis_url", from_environment(redis_url=url)) == seen


@given(st.text(min_size=4).filter(lambda word: word.strip() and "\0" not in word))
def test_no_password_is_ever_shown(password: str) -> None:
    settings = replace(load_settings(None, {}), smtp_url=f"smtp://NUTZER:{password}@MAIL")
    assert shown("smtp_url", settings) == "smtp://NUTZER:***@MAIL"
