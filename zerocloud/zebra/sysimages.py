"""System images in a Zebra: taken from the user's shelf, built and compiled there first if need be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zerocloud.cli.errors import sentence
from zerocloud.images import ImageError, shelf
from zerocloud.zebra.errors import ZebraError
from zerocloud.zebra.pipelines import PROXY_FILTER, STORAGE_FILTER

STORAGE_SERVERS = ("object", "container")


def prepare(names: Iterable[str], tell: Callable[[str, float | None], None]) -> dict[str, str]:
    """The overrides that give a Zebra these images. Raises ZebraError.

    ``tell`` hears what is going on, and about how many seconds it takes: the first time an image takes a minute or two, once
    for a machine.
    """
    paths = {}
    for name in dict.fromkeys(names):
        try:
            tell(f"Building the image {name}", None)
            path = shelf.fetch(name)
            tell(f"Compiling the image {name}, once for this machine", shelf.expected_seconds(path))
            shelf.compile_program(path)
        except (ImageError, OSError) as error:
            raise ZebraError(sentence(error)) from error
        paths[name] = path
    if not paths:
        return {}
    overrides = {f"proxy/{PROXY_FILTER}/zerovm_sysimage_devices": " ".join(paths)}
    for server in STORAGE_SERVERS:
        devices = " ".join(f"{name} {path}" for name, path in paths.items())
        overrides[f"{server}/{STORAGE_FILTER}/zerovm_sysimage_devices"] = devices
        overrides[f"{server}/{STORAGE_FILTER}/zerovm_cache"] = str(shelf.compiled())
    return overrides
