"""The guest's file tree: names, links and paths.

A tree in memory with one root that nothing leads out of: ``..`` of the root is the root, absolute symbolic links start there.
A walk that starts at another open directory stays below it, as WASI has it. Every limit is here or in the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from .abi import Errno, WasiError
from .budget import NAME_BYTES, Budget
from .channel import Channel
from .clock import Clock
from .nodes import Content, Device, Directory, File, Node, SymbolicLink

NodeType = TypeVar("NodeType", bound=Node)

MAX_NAME = 255
MAX_PATH = 4096
MAX_DEPTH = 512
"""Directories above each other."""
MAX_LINKS = 40
"""Symbolic links followed in one walk, as Linux has it."""


class Place(NamedTuple):
    """Where a path leads: the directory that has or would have the name, and the node, if there is one.

    ``name`` is ``.`` where the path leads to a directory by way of ``.`` or ``..``; ``slash`` says that it must be one.
    """

    directory: Directory
    name: bytes
    node: Node | None
    slash: bool


class Tree:
    """A file tree under a budget."""

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self.budget, self.clock = budget, clock
        self.pending: dict[Directory, list[Callable[[], None]]] = {}
        self._inodes = 0
        budget.take_node()
        self.root = Directory(self._inode(), clock.stamp())
        self.root.links = 1

    # ------------------------------------------------------------------------------------------------------------ walking

    def walk(self, base: Directory, path: bytes, follow: bool, start: Directory | None = None) -> Place:
        """Find a path from ``start``, which is ``base`` if not given, without leaving ``base``.

        ``follow`` goes for a symbolic link at the path's end.

        Raises WasiError: NOENT, NOTDIR, LOOP, NAMETOOLONG, INVAL for a NUL, PERM where it leads above ``base``.
        """
        todo = self._split(base, path)
        directory, name, links = start or base, b".", 0
        found: Node | None = directory
        slash = path.endswith(b"/")
        while todo:
            part = todo.pop()
            if found is None:
                if not any(todo) and not part:
                    break  # only slashes are left: the name of a directory to be made
                raise WasiError(Errno.NOENT)
            if not isinstance(found, Directory):
                raise WasiError(Errno.NOTDIR)
            if part == b"":
                continue
            directory, name = found, b"."
            if part == b"..":
                found = directory = self._above(base, directory)
            elif part != b".":
                name, found = part, self.entries(directory).get(part)
                if isinstance(found, SymbolicLink) and (follow or todo):
                    links += 1
                    if links > MAX_LINKS:
                        raise WasiError(Errno.LOOP)
                    found = directory if found.target[:1] != b"/" else base
                    todo.extend(self._target(base, directory, name))
        return Place(directory, name, found, slash)

    def _split(self, base: Directory, path: bytes) -> list[bytes]:
        """The path's parts, last first."""
        if not path:
            raise WasiError(Errno.NOENT)
        if len(path) > MAX_PATH:
            raise WasiError(Errno.NAMETOOLONG)
        if b"\0" in path:
            raise WasiError(Errno.INVAL)
        if path[:1] == b"/" and base is not self.root:
            raise WasiError(Errno.PERM)
        parts = path.split(b"/")
        if len(path) > MAX_NAME and max(map(len, parts)) > MAX_NAME:
            raise WasiError(Errno.NAMETOOLONG)
        parts.reverse()
        return parts

    def _target(self, base: Directory, directory: Directory, name: bytes) -> list[bytes]:
        link = directory.names[name]
        assert isinstance(link, SymbolicLink)
        return self._split(base, link.target)

    def _above(self, base: Directory, directory: Directory) -> Directory:
        if directory is not base:
            return directory.parent
        if base is not self.root:
            raise WasiError(Errno.PERM)
        return base

    def entries(self, directory: Directory) -> dict[bytes, Node]:
        """A directory's names; an image that waits for the first look at it is mounted now."""
        if self.pending:
            for mount in self.pending.pop(directory, ()):
                mount()
        return directory.names

    # ------------------------------------------------------------------------------------------------------------- making

    def new_file(self, directory: Directory, name: bytes) -> File:
        """An empty file."""
        return self._insert(directory, name, File(self._inode(), self.clock.stamp()))

    def new_archived(self, directory: Directory, name: bytes, content: Content, offset: int, size: int, when: int) -> File:
        """A file whose bytes lie in an archive."""
        return self._insert(directory, name, File(self._inode(), when, content if size else None, offset, size))

    def new_directory(self, directory: Directory, name: bytes, when: int | None = None) -> Directory:
        """An empty directory."""
        self._check_depth(directory, 1)
        stamp = self.clock.stamp() if when is None else when
        return self._insert(directory, name, Directory(self._inode(), stamp, directory))

    def new_symbolic_link(self, directory: Directory, name: bytes, target: bytes, when: int | None = None) -> SymbolicLink:
        """A symbolic link. Where it leads is only seen when it is followed."""
        if len(target) > MAX_PATH:
            raise WasiError(Errno.NAMETOOLONG)
        stamp = self.clock.stamp() if when is None else when
        return self._insert(directory, name, SymbolicLink(self._inode(), stamp, target))

    def new_device(self, directory: Directory, name: bytes, channel: Channel, mode: str) -> Device:
        """A channel's name."""
        return self._insert(directory, name, Device(self._inode(), self.clock.stamp(), channel, mode))

    def add_name(self, directory: Directory, name: bytes, node: Node) -> None:
        """One more name for a node: a hard link. Raises WasiError: ROFS, NOENT, NAMETOOLONG, NOSPC, MLINK."""
        if directory.fixed:
            raise WasiError(Errno.ROFS)
        if not directory.links:
            raise WasiError(Errno.NOENT)
        if len(name) > MAX_NAME:
            raise WasiError(Errno.NAMETOOLONG)
        self.budget.take(NAME_BYTES + len(name))
        directory.names[name] = node
        node.links += 1
        directory.touch(self.clock.stamp())

    def seal(self, directory: Directory, sealed: bool = True) -> None:
        """Let a directory and those below it not change, or change again."""
        todo = [directory]
        while todo:
            here = todo.pop()
            here.fixed = sealed
            todo.extend(node for node in here.names.values() if isinstance(node, Directory))

    def _insert(self, directory: Directory, name: bytes, node: NodeType) -> NodeType:
        self.budget.take_node()
        try:
            self.budget.take(node.charged)
        except WasiError:
            self.budget.give_node()
            raise
        try:
            self.add_name(directory, name, node)
        except WasiError:
            self.release(node)
            raise
        return node

    def _inode(self) -> int:
        self._inodes += 1
        return self._inodes

    def _check_depth(self, directory: Directory, height: int) -> None:
        """Make sure that ``height`` directories fit below this one."""
        depth = height
        while directory is not directory.parent:
            directory, depth = directory.parent, depth + 1
        if depth > MAX_DEPTH:
            raise WasiError(Errno.NAMETOOLONG)

    # ----------------------------------------------------------------------------------------------------------- removing

    def unlink(self, place: Place) -> None:
        """Remove a file's, link's or device's name."""
        if place.node is None:
            raise WasiError(Errno.NOENT)
        if isinstance(place.node, Directory):
            raise WasiError(Errno.ISDIR)
        if place.slash:
            raise WasiError(Errno.NOTDIR)
        self._drop_name(place.directory, place.name)

    def remove_directory(self, place: Place) -> None:
        """Remove an empty directory."""
        if place.node is None:
            raise WasiError(Errno.NOENT)
        if not isinstance(place.node, Directory):
            raise WasiError(Errno.NOTDIR)
        if place.name == b".":
            raise WasiError(Errno.INVAL)
        if place.node.fixed:
            raise WasiError(Errno.ROFS)
        if self.entries(place.node):
            raise WasiError(Errno.NOTEMPTY)
        self._drop_name(place.directory, place.name)

    def remove_all(self, directory: Directory, name: bytes) -> None:
        """Remove a name with all that is below it. Raises WasiError(ROFS) where part of that is fixed."""
        todo = [(directory, name)]
        while todo:
            above, here = todo[-1]
            node = above.names[here]
            if isinstance(node, Directory) and node.names:
                if node.fixed:
                    raise WasiError(Errno.ROFS)
                todo.extend((node, below) for below in list(node.names))
            else:
                todo.pop()
                self._drop_name(above, here)

    def _drop_name(self, directory: Directory, name: bytes) -> None:
        if directory.fixed:
            raise WasiError(Errno.ROFS)
        node = directory.names.pop(name)
        self.budget.give(NAME_BYTES + len(name))
        node.links -= 1
        now = self.clock.stamp()
        node.changed = now
        directory.touch(now)
        self.release(node)

    def release(self, node: Node) -> None:
        """Give a node's memory back once it has neither a name nor a descriptor."""
        if not node.links and not node.opens:
            self.budget.give(node.charged)
            self.budget.give_node()

    # ------------------------------------------------------------------------------------------------------------- moving

    def link(self, source: Place, target: Place) -> None:
        """Give a file or symbolic link another name."""
        if source.node is None:
            raise WasiError(Errno.NOENT)
        if target.node is not None:
            raise WasiError(Errno.EXIST)
        if isinstance(source.node, Directory):
            raise WasiError(Errno.PERM)
        if target.slash:
            raise WasiError(Errno.NOENT)
        if isinstance(source.node, Device):
            raise WasiError(Errno.XDEV)
        self.add_name(target.directory, target.name, source.node)

    def rename(self, source: Place, target: Place) -> None:
        """Move a name, in one step, over what is there."""
        node, old = source.node, target.node
        if node is None:
            raise WasiError(Errno.NOENT)
        if b"." in (source.name, target.name):
            raise WasiError(Errno.INVAL)
        if source.directory.fixed or target.directory.fixed:
            raise WasiError(Errno.ROFS)
        if not isinstance(node, Directory) and (source.slash or target.slash):
            raise WasiError(Errno.NOTDIR)
        if old is node:
            return
        if isinstance(node, Directory):
            self._check_move(node, target)
        elif isinstance(old, Directory):
            raise WasiError(Errno.ISDIR)
        self._move(source, target, node)

    def _check_move(self, node: Directory, target: Place) -> None:
        """Whether a directory may move there."""
        if node.fixed:
            raise WasiError(Errno.ROFS)
        above = target.directory
        while above is not above.parent:
            if above is node:
                raise WasiError(Errno.INVAL)
            above = above.parent
        if isinstance(target.node, Directory):
            if target.node.fixed:
                raise WasiError(Errno.ROFS)
            if self.entries(target.node):
                raise WasiError(Errno.NOTEMPTY)
        elif target.node is not None:
            raise WasiError(Errno.NOTDIR)
        if target.directory is not node.parent:
            self._check_depth(target.directory, _height(node))

    def _move(self, source: Place, target: Place, node: Node) -> None:
        if not target.directory.links:
            raise WasiError(Errno.NOENT)
        self.budget.take(NAME_BYTES + len(target.name))
        if target.node is not None:
            self._drop_name(target.directory, target.name)
        del source.directory.names[source.name]
        target.directory.names[target.name] = node
        self.budget.give(NAME_BYTES + len(source.name))
        if isinstance(node, Directory):
            node.parent = target.directory
        now = self.clock.stamp()
        node.changed = now
        source.directory.touch(now)
        target.directory.touch(now)


def _height(directory: Directory) -> int:
    """How many directories stand below each other here, this one counted."""
    level, height = [directory], 0
    while level:
        level = [node for above in level for node in above.names.values() if isinstance(node, Directory)]
        height += 1
    return height
