"""From a world to the system calls that show it: the tree with its channels and images, clocks, standard streams."""

from __future__ import annotations

from collections.abc import Mapping

from .abi import Errno, WasiError
from .budget import Budget
from .channel import Channel
from .clock import Clock, HostClock, SteppedClock
from .entropy import HostEntropy, SeededEntropy
from .errors import OutOfMemory, WorldError
from .files import OpenDirectory, open_standard
from .nodes import Device, Directory
from .preview1 import Wasi
from .tree import Tree
from .world import World

STANDARD = ("/dev/stdin", "/dev/stdout", "/dev/stderr")
ROOT_DESCRIPTOR = 3
_DEV = b"dev"


def assemble(world: World) -> Wasi:
    """Build a guest's world. Raises WorldError, ImageError, OutOfMemory."""
    clock: Clock = HostClock() if world.clock is None else SteppedClock(world.clock)
    entropy = HostEntropy() if world.seed is None else SeededEntropy(world.seed)
    budget = Budget(world.memory_limit)
    try:
        tree = Tree(budget, clock)
        devices = add_devices(tree, world.channels, world.modes)
    except WasiError as error:
        if error.errno != Errno.NOSPC:
            raise
        raise OutOfMemory(f"a memory limit of {world.memory_limit} bytes does not hold the guest's file tree") from None
    wasi = Wasi(tree, clock, entropy, world.args, world.env)
    for number, alias in enumerate(STANDARD):
        if alias in devices:
            wasi.table.files[number] = open_standard(tree, devices[alias])
    root = OpenDirectory(tree, tree.root)
    root.preopened = b"/"
    assert wasi.table.add(root) == ROOT_DESCRIPTOR
    return wasi


def add_devices(tree: Tree, channels: Mapping[str, Channel], modes: Mapping[str, str]) -> dict[str, Device]:
    """Make /dev with every channel whose alias lies there, then close it to changes. Raises WorldError."""
    dev = tree.new_directory(tree.root, _DEV)
    devices = {}
    for alias in sorted(channels):
        parts = alias.encode(errors="surrogateescape").split(b"/")
        if parts[:2] == [b"", _DEV] and parts[2:]:
            directory = dev
            for part in parts[2:-1]:
                directory = _subdirectory(tree, directory, part, alias)
            _check_name(parts[-1], alias)
            if parts[-1] in directory.names:
                raise WorldError(f"channel {alias}: the name is taken")
            mode = modes.get(alias, "")
            devices[alias] = tree.new_device(directory, parts[-1], channels[alias], mode)
    tree.seal(dev)
    return devices


def _subdirectory(tree: Tree, directory: Directory, name: bytes, alias: str) -> Directory:
    _check_name(name, alias)
    node = directory.names.get(name)
    if node is None:
        return tree.new_directory(directory, name)
    if not isinstance(node, Directory):
        raise WorldError(f"channel {alias}: {name.decode(errors='replace')} is a channel itself, not a directory")
    return node


def _check_name(name: bytes, alias: str) -> None:
    if name in (b"", b".", b"..") or b"\0" in name:
        raise WorldError(f"channel {alias}: not a name that a directory can hold")
