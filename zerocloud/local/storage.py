"""The files in place of a storage server's devices: what a session is placed at it opens here, like a data file of Swift's."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from swift.common.swob import HTTPNotFound, str_to_wsgi
from swift.common.utils import get_logger

from zerocloud.objectquery.filter import ObjectQuery
from zerocloud.objectquery.local_data import LocalData, object_names
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.request import Host
from zerocloud.swiftadapter import Placement, make_container_database

from . import listing, metadata
from .names import Folders, NoFileName
from .settings import folders_of


class FolderStore:
    """Objects are files, containers folders. A container's database is made when a session wants it."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def open(self, place: Placement, access: str, stack: ExitStack) -> LocalData:
        """As :meth:`zerocloud.objectquery.local_data.LocalStore.open`. Raises :class:`Refusal`."""
        try:
            if place.object:
                return self._open_object(place, stack) if access == "GET" else LocalData(place)
            return self._container(place, stack) if place.container else LocalData(place)
        except NoFileName as error:
            raise Refusal(400, str(error)) from error
        except OSError as error:
            raise Refusal(404, f"{place.path}: {error.strerror}") from error

    def neighbour(self, place: Placement, url: str, partition: int, stack: ExitStack) -> LocalData:
        """As :meth:`zerocloud.objectquery.local_data.LocalStore.neighbour`: everything is everything's neighbour."""
        account, container, name = object_names(url)
        other = Placement(place.device, str(partition), account, container, name, place.policy)
        return self.open(other, "GET", stack)

    def _open_object(self, place: Placement, stack: ExitStack) -> LocalData:
        path = self._folders.object(place.account, place.container, place.object)
        file = stack.enter_context(io.FileIO(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "r"))
        status = os.fstat(file.fileno())
        kept = metadata.read(file, place.object)
        told = {name: str_to_wsgi(value) for name, value in kept.items()}
        return LocalData(place, file, status.st_size, {**told, "X-Timestamp": f"{status.st_mtime:.5f}"})

    def _container(self, place: Placement, stack: ExitStack) -> LocalData:
        entries = listing.objects(self._folders.container(place.account, place.container))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zerocloud-container-")))
        database = str(folder / "container.db")
        rows = [(entry.name, entry.modified, entry.bytes, metadata.guessed_type(entry.name)) for entry in entries]
        make_container_database(database, place.account, place.container, rows)
        return LocalData(place, database=database)


def app_factory(global_conf: Mapping[str, str], **local_conf: str) -> ObjectQuery:
    """The paste entry point: the storage servers' filter, with nothing behind it."""
    conf = {**global_conf, **local_conf}
    host = Host(conf, get_logger(conf, log_route="object-query"), FolderStore(folders_of(conf)))
    return ObjectQuery(_nothing, host)


def _nothing(environ: dict[str, Any], start_response: Any) -> Any:
    return HTTPNotFound()(environ, start_response)
