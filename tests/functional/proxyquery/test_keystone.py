"""Rights by Swift's own keystoneauth. What stands before it in a cluster, and asks Keystone, is played by :func:`as_user`."""

from __future__ import annotations

import json

import pytest
from swift.common.middleware.keystoneauth import filter_factory as keystoneauth
from swift.common.swob import Request

from tests.functional.proxyquery.harness import ACCOUNT, Answer, text

PROJECT = ACCOUNT.removeprefix("AUTH_")
OWNER, GUEST, READER = ("owner", PROJECT, "member"), ("guest", "elsewhere", "member"), ("reader", PROJECT, "reader")
SOURCE = f"swift://{ACCOUNT}/app/zapp"


def as_user(user):
    """What Keystone's middleware leaves in a request's environment for a user, a project and a role; None is nobody."""
    if user is None:
        return {"HTTP_X_IDENTITY_STATUS": "Invalid"}
    name, project, role = user
    return {
        "HTTP_X_IDENTITY_STATUS": "Confirmed",
        "HTTP_X_USER_ID": f"{name}-id",
        "HTTP_X_USER_NAME": name,
        "HTTP_X_USER_DOMAIN_ID": "default",
        "HTTP_X_PROJECT_ID": project,
        "HTTP_X_PROJECT_NAME": project,
        "HTTP_X_PROJECT_DOMAIN_ID": "default",
        "HTTP_X_ROLES": role,
        "HTTP_X_DOMAIN_ID": None,  # no mistake: so keystonemiddleware says that a token is a project's
        "HTTP_X_DOMAIN_NAME": None,
    }


@pytest.fixture
def call(world):
    for name in ("app", "data"):
        world.pipeline.containers[f"{ACCOUNT}/{name}"] = {}
    world.pipeline.put("app/exe", b"\0asm")
    world.pipeline.put("data/in", b"in")
    devices = [{"name": "stdin", "path": f"swift://{ACCOUNT}/data/in"}, {"name": "stdout"}]
    group = {"name": "n", "exec": {"path": f"swift://{ACCOUNT}/app/exe"}, "devices": devices}
    zapp = json.dumps([group]).encode()
    world.pipeline.put("app/zapp", zapp, **{"Content-Type": "application/json"})
    world.every(run=lambda job: Answer({"stdout": b"result"}))
    application = keystoneauth(
        {"log_custom_handlers": "zerocloud.zebra.serverlog.replace_syslog", "operator_roles": "admin, member"}
    )(world.filter)

    def call(user, path=f"/v1/{ACCOUNT}"):
        method = "POST" if path.startswith("/v1/") else "GET"
        headers = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json"} if method == "POST" else {}
        request = Request.blank(path, method=method, headers=headers, body=zapp if method == "POST" else b"")
        request.environ.update(as_user(user))
        response = request.get_response(application)
        response.body  # noqa: B018 - reads and closes it
        return response

    return call


def test_who_runs_jobs_in_an_account(world, call):
    assert [call(user).status_int for user in (OWNER, GUEST, READER, None)] == [200, 403, 403, 401]
    assert len(world.jobs()) == 1


def test_who_runs_them_is_told_to_the_program_and_no_more(world, call):
    assert call(OWNER).status_int == 200
    (job,) = world.jobs()
    assert job.node["env"]["REMOTE_USER"] == "owner"
    assert not [name for name in job.node["env"] if name.startswith(("HTTP_X_AUTH", "HTTP_X_DOMAIN"))]


@pytest.mark.parametrize("path", [f"/open/{ACCOUNT}/app/zapp", f"/api/{ACCOUNT}/app/x"])
def test_a_grant_names_a_project_and_a_user(world, call, path):
    containers = world.pipeline.containers
    endpoint = {"X-Container-Meta-Rest-Endpoint": SOURCE}
    containers[f"{ACCOUNT}/app"] = dict(endpoint)
    assert [call(user, path).status_int for user in (OWNER, GUEST, None)] == [200, 403, 401]
    granted = {**endpoint, "X-Container-Meta-Zerovm-Suid": "elsewhere:guest-id"}
    containers[f"{ACCOUNT}/app"] = granted
    assert call(GUEST, path).status_int == 403  # the data's container grants nothing yet
    containers[f"{ACCOUNT}/data"] = granted
    answer = call(GUEST, path)
    assert (answer.status_int, text(answer)) == (200, "result")
    assert [call(user, path).status_int for user in (("other", "elsewhere", "member"), None)] == [403, 401]


def test_a_grant_to_everybody(world, call):
    for name in ("app", "data"):
        world.pipeline.containers[f"{ACCOUNT}/{name}"] = {
            "X-Container-Meta-Rest-Endpoint": SOURCE,
            "X-Container-Meta-Zerovm-Suid": ".r:*",
        }
    assert call(None, f"/api/{ACCOUNT}/app/x").status_int == 200
    assert call(None).status_int == 401
