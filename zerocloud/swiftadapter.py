"""The one module that touches names of Swift that it does not promise to keep. Tested with Swift 2.38.

Everything else in ZeroCloud uses what third-party middleware may rely on: paste filters, swob, subrequests, rings, policies,
account, container and object infos. After an upgrade of Swift, the tests of this module say what has to change here.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swift.common.exceptions import DiskFileDeviceUnavailable, DiskFileNotExist, DiskFileQuarantined
from swift.common.request_helpers import get_name_and_placement
from swift.common.swob import Request
from swift.common.utils import hash_path, storage_directory
from swift.container.backend import DATADIR, ContainerBroker
from swift.obj.diskfile import DiskFileRouter, get_tmp_dir

# --- storage servers: where a request belongs, and the files behind objects and containers ---------------------------------


@dataclass(frozen=True)
class Placement:
    """The device, partition, name and storage policy of a request to a storage server, as native strings."""

    device: str
    partition: str
    account: str
    container: str
    object: str
    policy: Any

    @property
    def path(self) -> str:
        """``/account[/container[/object]]``, unquoted."""
        return "/" + "/".join(part for part in (self.account, self.container, self.object) if part)

    @property
    def temporary_folder(self) -> str:
        """The folder for temporary files, relative to the device."""
        folder: str = get_tmp_dir(self.policy)
        return folder


def placement(request: Request) -> Placement:
    """Where a request ``/device/partition/account[/container[/object]]`` belongs. Raises swob's HTTPException."""
    device, partition, account, container, name, policy = get_name_and_placement(request, 3, 5, True)
    return Placement(device, partition, account, container or "", name or "", policy)


class LocalMissing(Exception):
    """The object or container is not on this server, or was deleted here."""


class LocalDeviceUnavailable(Exception):
    """The device is not mounted."""


@dataclass(frozen=True)
class LocalObject:
    """An object's data file, open for reading, and its metadata (names and values are WSGI strings)."""

    file: io.FileIO
    size: int
    metadata: Mapping[str, str]


class LocalObjects:
    """The objects of this server's devices, whatever their storage policy's kind."""

    def __init__(self, conf: Mapping[str, str], logger: Any) -> None:
        self._router = DiskFileRouter(conf, logger)

    def open(self, place: Placement) -> LocalObject:
        """Open the version of the object that is current now; it stays readable when it is overwritten or deleted.

        Raises LocalMissing, LocalDeviceUnavailable.
        """
        try:
            disk_file = self._router[place.policy].get_diskfile(
                place.device, place.partition, place.account, place.container, place.object, policy=place.policy
            )
            with disk_file.open():
                descriptor = os.dup(disk_file._fp.fileno())
                file = io.FileIO(descriptor, "r")
                return LocalObject(file, disk_file.content_length, disk_file.get_metadata())
        except (DiskFileNotExist, DiskFileQuarantined):
            raise LocalMissing(place.path) from None
        except DiskFileDeviceUnavailable:
            raise LocalDeviceUnavailable(place.device) from None


@dataclass(frozen=True)
class LocalContainer:
    """A container's database file, up to date, and whether its listing lives in shards elsewhere."""

    path: str
    sharded: bool


def local_container(devices: str, place: Placement, logger: Any) -> LocalContainer:
    """The database of the container, with its pending updates merged in. Raises LocalMissing."""
    name = hash_path(place.account, place.container)
    folder = storage_directory(DATADIR, place.partition, name)
    path = os.path.join(devices, place.device, folder, name + ".db")
    with ContainerBroker(path, account=place.account, container=place.container, logger=logger) as broker:
        if broker.is_deleted():
            raise LocalMissing(place.path)
        return LocalContainer(broker.db_file, broker.get_db_state() in ("sharding", "sharded"))
