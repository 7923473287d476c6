"""From a world to the system calls that show it: the tree with its channels and images, clocks, standard streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .abi import Errno, WasiError
from .budget import Budget
from .channel import Channel
from .clock import Clock, HostClock, SteppedClock
from .debug import ALIAS, DebugLog
from .entropy import Entropy, HostEntropy, SeededEntropy
from .errors import OutOfMemory, WorldError
from .export import export
from .files import OpenDirectory, open_standard
from .images import Image, make_directories
from .nodes import Device, Directory
from .preview1 import Wasi
from .tree import MAX_NAME, Tree
from .world import Mount, World

STANDARD = ("/dev/stdin", "/dev/stdout", "/dev/stderr")
ROOT_DESCRIPTOR = 3
_DEV = b"dev"


class Assembly:
    """A world, built: system calls ready for a guest. Raises WorldError, ImageError, OutOfMemory."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.debug = DebugLog(world.channels.get(ALIAS), world.debug)
        self.notes: list[str] = []
        clock: Clock = HostClock() if world.clock is None else SteppedClock(world.clock)
        entropy: Entropy = HostEntropy() if world.seed is None else SeededEntropy(world.seed)
        try:
            self.tree = Tree(Budget(world.memory_limit), clock)
            self._dev = self.tree.new_directory(self.tree.root, _DEV)
            self.devices = self._added_devices(world.channels)
            self._images = [self._mounted(mount) for mount in world.mounts if mount.access == "ro"]
            self._exports = [self._to_be_left(mount) for mount in world.mounts if mount.access != "ro"]
        except WasiError as error:
            raise self._unmakable(error) from None
        self.wasi = Wasi(self.tree, clock, entropy, world.args, world.env)
        self._open_standard()

    def _unmakable(self, error: WasiError) -> WorldError | OutOfMemory:
        if error.errno == Errno.NOSPC:
            return OutOfMemory(f"a memory limit of {self.world.memory_limit} bytes does not hold the guest's files")
        return WorldError(f"the guest's file tree can't be made: {error}")

    def _added_devices(self, channels: Mapping[str, Channel]) -> dict[str, Device]:
        """Put every channel whose alias lies there into /dev, then close it to changes. Raises WorldError.

        In the order of their names, so that a channel comes before any whose name would take it for a directory.
        """
        devices = {}
        self.tree.seal(self._dev, False)
        for alias in sorted(channels):
            parts = _encoded(alias).split(b"/")
            if parts[:2] == [b"", _DEV] and parts[2:]:
                directory = self._dev
                for part in parts[2:-1]:
                    directory = _subdirectory(self.tree, directory, part, alias)
                _check_name(parts[-1], alias)
                mode = self.world.modes.get(alias, "")
                devices[alias] = self.tree.new_device(directory, parts[-1], channels[alias], mode)
        self.tree.seal(self._dev)
        return devices

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self.debug.note(text)

    def _mounted(self, mount: Mount) -> Image:
        image = Image(self.tree, mount, self._note)
        if mount.removable:
            image.wait()
        else:
            image.show()
        return image

    def _to_be_left(self, mount: Mount) -> tuple[Directory, Mount]:
        if mount.access != "wo":
            raise WorldError(f"mount {mount.mountpoint}: access {mount.access} is unknown, expected ro or wo")
        channel = self.world.channels.get(mount.channel)
        if channel is None or not channel.writable:
            raise WorldError(f"mount {mount.mountpoint}: there is no channel {mount.channel} that can be written")
        return make_directories(self.tree, mount.mountpoint), mount

    def _open_standard(self) -> None:
        files = self.wasi.table.files
        for number, alias in enumerate(STANDARD):
            if alias in self.devices:
                files[number] = open_standard(self.tree, self.devices[alias])
        root = OpenDirectory(self.tree, self.tree.root)
        root.preopened = b"/"
        assert self.wasi.table.add(root) == ROOT_DESCRIPTOR

    def rebind(self, world: World) -> None:
        """Show another world's channels, arguments and environment in the same tree (executor contract, section 8).

        The new environment overrides the old one, name by name; removable images are looked at afresh; the clock goes on.
        Channels and images that were not there before are added, a lower memory limit is taken. Raises WorldError where an
        alias is not there or more memory is in use, ImageError, OutOfMemory.
        """
        missing = [alias for alias in self.devices if alias not in world.channels]
        if missing:
            raise WorldError(f"difference in channels: {', '.join(missing)} not given after the fork")
        for alias, device in self.devices.items():
            device.channel, device.mode = world.channels[alias], world.modes.get(alias, "")
        for number in range(len(STANDARD)):
            if number in self.wasi.table.files:
                self.wasi.table.files[number].position = 0
        before, self.world = self.world, world
        self.debug = DebugLog(world.channels.get(ALIAS), world.debug)
        try:
            self.tree.budget.lower(world.memory_limit)
        except WasiError:
            raise WorldError(f"difference in memory: more than {world.memory_limit} bytes are in use") from None
        try:
            self._bring_mounts(before.mounts)
        except WasiError as error:
            raise self._unmakable(error) from None
        self.wasi.set_strings(world.args, {**before.env, **world.env})

    def _bring_mounts(self, before: Sequence[Mount]) -> None:
        """After a fork: the channels and mounts of the world that were not there before, and the removable ones afresh."""
        self.devices |= self._added_devices({a: c for a, c in self.world.channels.items() if a not in self.devices})
        known = {(mount.channel, mount.mountpoint) for mount in before}
        removable = {mount.mountpoint: mount for mount in self.world.mounts if mount.removable and mount.access == "ro"}
        for image in self._images:
            if image.mount.removable and image.mount.mountpoint in removable:
                mount = removable[image.mount.mountpoint]
                image.replace(mount)
                known.add((mount.channel, mount.mountpoint))
        for mount in self.world.mounts:
            if (mount.channel, mount.mountpoint) in known:
                continue
            if mount.access == "ro":
                self._images.append(self._mounted(mount))
            else:
                self._exports.append(self._to_be_left(mount))

    def export(self) -> None:
        """Leave the archives of the ``wo`` mounts behind. Raises ExportError."""
        for directory, mount in self._exports:
            export(directory, self.world.channels[mount.channel], mount.channel)


def _encoded(alias: str) -> bytes:
    try:
        return alias.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise WorldError(f"channel {alias!r}: not a name that can be encoded") from None


def _subdirectory(tree: Tree, directory: Directory, name: bytes, alias: str) -> Directory:
    _check_name(name, alias)
    node = directory.names.get(name)
    if node is None:
        return tree.new_directory(directory, name)
    if not isinstance(node, Directory):
        raise WorldError(f"channel {alias}: {name.decode(errors='replace')} is a channel itself, not a directory")
    return node


def _check_name(name: bytes, alias: str) -> None:
    if name in (b"", b".", b"..") or b"\0" in name or len(name) > MAX_NAME:
        raise WorldError(f"channel {alias[:MAX_NAME]!r}: not a name that a directory can hold")
