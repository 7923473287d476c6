"""The process ``keystone`` of a Zebra.

``keystone-manage`` brings the database up to date at every start, which takes it a second; so an upgrade of Keystone is no more
than that. Its commands are run in children, since Keystone reads its configuration once in a process. Keys are files of Fernet
keys, as its ``fernet_setup`` makes them; but that wants a user whose id has a name. Tested with Keystone 30; besides its
command line it is only asked for its WSGI application.
"""

from __future__ import annotations

import base64
import io
import multiprocessing
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import simplejson
from webob import Request

from zerocloud.zebra import serverlog
from zerocloud.zebra.keystone.configuration import KEYS, environment
from zerocloud.zebra.keystone.people import Ask, People, sign_in
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import ADMINISTRATOR, USERS, Settings

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
IDLE_SECONDS = 60.0
STAGED, PRIMARY = "0", "1"
"""Names of the keys: that of the next rotation, and that which encrypts."""


def serve(layout: Layout, settings: Settings, listener: socket.socket) -> None:
    """Be the Keystone of a Zebra, for ever. Raises what Keystone raises if it can't."""
    layout.keystone.mkdir(mode=0o700, exist_ok=True)
    os.chdir(layout.keystone)
    os.environ |= environment(settings)
    configuration = layout.configuration("keystone")
    cli: Any = import_module("keystone.cmd.cli")
    for folder in KEYS:
        make_keys(layout.keystone / folder)
    for command in (["db_sync"], _bootstrap(settings)):
        _manage(cli.main, ["keystone-manage", "--config-file", str(configuration), *command])
    application = _application(configuration)
    serverlog.open_log(layout.log_of("keystone"))
    People(_asking(application)).settle(settings, USERS)
    concurrency: Any = import_module("swift.common.concurrency")
    utils: Any = import_module("swift.common.utils")
    concurrency.wsgi.server(
        concurrency.greenio.GreenSocket(listener),
        _read_first(application),
        utils.NullLogger(),
        socket_timeout=IDLE_SECONDS,
    )


def make_keys(folder: Path) -> None:
    """A repository of Fernet keys, unless there is one."""
    if (folder / PRIMARY).exists():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in (STAGED, PRIMARY):
        fresh = folder / f".{name}"  # Keystone reads numbers only
        fresh.touch(mode=0o600)
        fresh.write_bytes(base64.urlsafe_b64encode(secrets.token_bytes(32)))
        fresh.rename(folder / name)


def _bootstrap(settings: Settings) -> list[str]:
    return [
        "bootstrap",
        *("--bootstrap-username", ADMINISTRATOR.name, "--bootstrap-password", ADMINISTRATOR.key),
        *("--bootstrap-project-name", ADMINISTRATOR.account, "--bootstrap-region-id", "zebra"),
        *("--bootstrap-public-url", settings.keystone_url, "--bootstrap-internal-url", settings.keystone_url),
    ]


def _manage(main: Callable[[list[str]], None], words: list[str]) -> None:
    child = multiprocessing.get_context("fork").Process(target=main, args=(words,))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"keystone-manage {words[3]} ended with exit code {child.exitcode}")


def _application(configuration: Path) -> Application:
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(configuration)
    # It reads its process's arguments, too, and these are the supervisor's.
    del sys.argv[1:]
    module: Any = import_module("keystone.server.wsgi")
    application: Application = module.initialize_public_application()
    return application


def _asking(application: Application) -> Ask:
    """Requests of the administrator to the application itself."""

    def send(method: str, path: str, value: Any, headers: dict[str, str]) -> Any:
        request = Request.blank(path, method=method, headers=headers)
        if value is not None:
            request.content_type, request.body = "application/json", simplejson.dumps(value).encode()
        response = request.get_response(application)
        if response.status_int >= 400:
            raise RuntimeError(f"Keystone refuses {method} {path}: {response.status} {response.text}")
        return response

    answer = send("POST", "/v3/auth/tokens", sign_in(ADMINISTRATOR), {})
    token = {"X-Auth-Token": answer.headers["X-Subject-Token"]}

    def ask(method: str, path: str, value: Any) -> Any:
        response = send(method, path, value, token)
        return simplejson.loads(response.body) if response.body else None

    return ask


def _read_first(application: Application) -> Application:
    """Keystone keeps what it knows of a request by thread, and all of them have this one: it is called with the whole request,
    and goes through with it. Its own limit of a request's size, 112 KiB, comes before this in what it reads."""

    def whole(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        return application(environ, start_response)

    return whole
