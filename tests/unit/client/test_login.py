"""Who the user is, by environment variables."""

import sys

import pytest
from swiftclient.exceptions import ClientException

from zerocloud.client import Login, LoginError, log_in
from zerocloud.client import login as module

READY = {"OS_STORAGE_URL": "http://h/v1/AUTH_x/", "OS_AUTH_TOKEN": "t"}
TEMPAUTH = {"ST_AUTH": "http://h/auth/v1.0", "ST_USER": "test:tester", "ST_KEY": "testing"}
KEYSTONE = {"OS_AUTH_URL": "http://k/v3", "OS_USERNAME": "me", "OS_PASSWORD": "s", "OS_TENANT_NAME": "p", "OS_REGION_NAME": ""}


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def get_auth(url, user, key, auth_version, os_options):
        calls.append((url, user, key, auth_version, os_options))
        return "http://h/v1/AUTH_y/", "fresh"

    monkeypatch.setattr(module, "get_auth", get_auth)
    return calls


def test_a_ready_token_needs_no_request(asked):
    assert log_in({**READY, **TEMPAUTH}) == Login("http://h/v1/AUTH_x", "t")
    assert Login("http://h/v1/AUTH_x", "t").account == "AUTH_x"
    assert asked == []


def test_credentials_are_changed_for_a_token(asked):
    assert log_in(TEMPAUTH) == Login("http://h/v1/AUTH_y", "fresh")
    log_in(KEYSTONE)
    log_in({**KEYSTONE, "OS_IDENTITY_API_VERSION": "2.0", "OS_PROJECT_NAME": "q"})
    assert asked == [
        ("http://h/auth/v1.0", "test:tester", "testing", "1", {}),
        ("http://k/v3", "me", "s", "3", {"project_name": "p"}),
        ("http://k/v3", "me", "s", "2.0", {"tenant_name": "q"}),
    ]


@pytest.mark.parametrize("variables", [{}, {**READY, "OS_AUTH_TOKEN": ""}, {"ST_AUTH": "x", "ST_USER": "y"}])
def test_without_credentials_the_cure_is_told(variables):
    with pytest.raises(LoginError, match="zebra env"):
        log_in(variables)


def test_nobody_listens():
    with pytest.raises(LoginError, match=r"127\.0\.0\.1:9"):
        log_in({**TEMPAUTH, "ST_AUTH": "http://127.0.0.1:9/auth/v1.0"})


def test_keystone_needs_a_package_that_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "keystoneclient", None)
    with pytest.raises(LoginError, match=r"^Signing in by Keystone needs .* \"zerocloud\[keystone\]\"$"):
        log_in(KEYSTONE)


CLOUDS = """
clouds:
  play: {auth_type: v1password, auth: {auth_url: "http://h/auth/v1.0", username: "test:tester", password: testing}}
  work: {region_name: R, auth: {auth_url: "http://k/v3", username: me, password: s, project_name: p}}
  robot: {auth: {auth_url: "http://k/v3", application_credential_id: i, application_credential_secret: s}}
"""


def test_a_cloud_of_a_file(asked, tmp_path):
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    for name in ("play", "work", "robot"):
        log_in({"OS_CLOUD": name, "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")})
    assert asked == [
        ("http://h/auth/v1.0", "test:tester", "testing", "1", {}),
        ("http://k/v3", "me", "s", "3", {"project_name": "p", "region_name": "R"}),
        (
            "http://k/v3",
            "i",
            "s",
            "3",
            {
                "auth_type": "v3applicationcredential",
                "application_credential_id": "i",
                "application_credential_secret": "s",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [(CLOUDS, "no cloud other; it has play, robot, work"), ("[", "no YAML"), ("5", "no cloud other"), (None, "no clouds.yaml")],
)
def test_clouds_that_are_not_there(asked, tmp_path, text, says):
    if text is not None:
        (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(LoginError, match=says):
        log_in({"OS_CLOUD": "other", "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")})
    assert asked == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "Unauthorized. Check username/id, password",
            r"u can't sign in at http://k/v3: wrong user, password, project or domain",
        ),
        (
            "Authorization Failure. Unable to establish connection to http://k",
            "http://k/v3 does not answer: Connection refused",
        ),
    ],
)
def test_what_a_keystone_s_library_says_in_its_own_words(monkeypatch, words, says):
    def refuse(*_, **__):
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise ClientException(words) from error

    monkeypatch.setattr(module, "get_auth", refuse)
    with pytest.raises(LoginError, match=says):
        log_in({"OS_AUTH_URL": "http://k/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p"})
