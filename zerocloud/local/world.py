"""Starts and ends the process that runs jobs over folders."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from zerocloud.cli.errors import CommandError
from zerocloud.client import Connection, Login
from zerocloud.images import shelf

from .names import ACCOUNT
from .server import TAKEN
from .settings import Settings

ENDING_SECONDS = 10.0
PAUSE = 0.01


class LocalError(CommandError):
    """Jobs can't be run on this machine; the text says why."""


class LocalSwift:
    """A ZeroCloud over folders, for as long as this is open; a context manager. Nothing of it is left then but the objects.

    ``account``: its folders are the containers; ``root``: a folder of accounts instead. ``images`` are files of system images.
    ``served`` is the container whose zapp answers at the address itself; then no token is needed. Raises LocalError.
    """

    def __init__(
        self,
        account: Path,
        *,
        root: Path | None = None,
        images: Mapping[str, str] | None = None,
        served: str = "",
        port: int = 0,
        debug: bool = False,
    ) -> None:
        for folder in (root or account,):
            if not folder.is_dir():
                raise LocalError(f"{folder} is no folder")
        self._settings = Settings(
            place=mkdtemp(prefix="zerocloud-"),
            account=str(account.absolute()),
            root=str(root.absolute()) if root else "",
            token="" if served else secrets.token_urlsafe(),
            served=served,
            port=port,
            slots=len(os.sched_getaffinity(0)),
            cache=str(shelf.compiled()),
            images=dict(images or {}),
            debug=debug,
        )
        try:
            self._process = self._start()
        except BaseException:
            shutil.rmtree(self._settings.place, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._settings.port}"

    @property
    def login(self) -> Login:
        """For a connection of its only user."""
        return Login(f"{self.url}/v1/{ACCOUNT}", self._settings.token or "none")

    def connect(self) -> Connection:
        """A connection, which is the caller's to close."""
        return Connection(self.login)

    def log(self) -> str:
        """What it has logged so far."""
        texts = (Path(self._settings.place) / name for name in ("log", "zerovm.log"))
        return "".join(path.read_text(errors="replace") for path in texts if path.exists())

    def alive(self) -> bool:
        """Whether its process lives."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, and remove what it needed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        deadline = time.monotonic() + ENDING_SECONDS
        while os.path.exists(self._settings.socket) and time.monotonic() < deadline:  # its executor service goes after it
            time.sleep(PAUSE)
        shutil.rmtree(self._settings.place, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        shelf.compiled().parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "zerocloud.local.server"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(f"{self._settings.to_json()}\n".encode())  # not an argument: everybody can see those
        process.stdin.flush()
        with process.stdout as told, process.stderr as said:
            line = told.readline()
            if not line.strip().isdigit():
                text = said.read().decode(errors="replace").strip() or self.log().strip()
                if process.wait() == TAKEN:
                    raise LocalError(f"Port {self._settings.port}: {text}")
                raise LocalError(f"Jobs can't be run here: {text.splitlines()[-1] if text else 'no reason was given'}")
        self._settings = replace(self._settings, port=int(line))
        return process
