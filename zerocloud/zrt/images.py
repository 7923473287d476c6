"""Putting an archive's members into the tree: names from its table of contents, bytes left where they are.

Whatever an archive says stays below its mount point, and out of /dev: names are taken literally from there, ``..`` goes no
further up than there, and links are not followed but as a walk in the tree follows them. A later member or image replaces an
earlier one of the same name; directories are merged. What can't be shown is left out and told, in a line each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .abi import Errno, WasiError
from .errors import ImageError, OutOfMemory
from .nodes import Content, Device, Directory, File, Node, SymbolicLink
from .tar import Kind, Member, members, open_archive
from .tree import MAX_NAME, Tree
from .world import Mount

MAX_NOTES = 100
"""For each image."""


class Image:
    """One mounted archive."""

    def __init__(self, tree: Tree, mount: Mount, tell: Callable[[str], None]) -> None:
        self.tree, self.mount = tree, mount
        self.shown = False
        self._tell, self._told = tell, 0
        self._inflated = 0
        self._placed: list[tuple[Directory, bytes, Node]] = []
        self._last: tuple[list[bytes], Directory] | None = None
        self._top = make_directories(tree, mount.mountpoint)

    def show(self) -> None:
        """Put everything in. Raises ImageError, OutOfMemory."""
        self.shown = True
        try:
            content, found = self._open()
            for member in found:
                self._place(member, content)
        except WasiError as error:
            if error.errno != Errno.NOSPC:
                raise
            limit = self.tree.budget.limit
            raise OutOfMemory(f"{self._label}: a memory limit of {limit} bytes does not hold it") from None
        except ImageError as error:
            raise ImageError(f"{self._label}: {error}") from None
        except OSError as error:
            raise ImageError(f"{self._label}: can't be read: {error.strerror}") from error

    def wait(self) -> None:
        """Put everything in when the guest first looks at the mount point."""
        self.tree.pending.setdefault(self._top, []).append(self.show)

    def replace(self, mount: Mount) -> None:
        """Take out what is still as it came, and wait with another archive in its place."""
        self.mount = mount
        if self.shown:
            self._hide()
            if not self._top.links:
                self._top = make_directories(self.tree, mount.mountpoint)
            self.shown = False
            self.wait()

    def _hide(self) -> None:
        held = False
        for directory, name, node in reversed(self._placed):
            held = held or bool(node.opens)
            as_it_came = not node.names if isinstance(node, Directory) else not node.charged or isinstance(node, SymbolicLink)
            if directory.names.get(name) is node and as_it_came:
                self.tree.remove_all(directory, name)
        if not held:
            self.tree.budget.give(self._inflated)
        self._placed, self._last, self._inflated = [], None, 0

    @property
    def _label(self) -> str:
        return f"image {self.mount.channel or 'at ' + self.mount.mountpoint}"

    def _open(self) -> tuple[Content, Iterable[Member]]:
        if self.mount.index is not None:
            return self.mount.index.content, self.mount.index.members
        content, size = open_archive(self.mount.fd, self.mount.size, self._take)
        return content, members(content, size)

    def _take(self, size: int) -> None:
        self.tree.budget.take(size)
        self._inflated += size

    # ------------------------------------------------------------------------------------------------------------ placing

    def _place(self, member: Member, content: Content) -> None:
        """Put one member in, or note why not."""
        parts = _parts(member.name)
        try:
            if not parts:
                self._top.modified = member.when
            elif b"\0" in member.name or max(map(len, parts)) > MAX_NAME:
                self._note(member, "its name is too long, or holds a NUL byte")
            elif member.kind is Kind.OTHER:
                self._note(member, "it is neither a file, a directory nor a link")
            else:
                self._place_at(parts, member, content)
        except WasiError as error:
            if error.errno == Errno.NOSPC:
                raise
            if error.errno != Errno.ROFS:  # /dev belongs to the channels: images may well hold one
                self._note(member, f"it can't be placed ({error})")

    def _place_at(self, parts: list[bytes], member: Member, content: Content) -> None:
        directory, name = self._directory(parts[:-1]), parts[-1]
        old = directory.names.get(name)
        tree = self.tree
        node: Node
        if member.kind is Kind.DIRECTORY:
            node = _entered(tree, directory, name, member.when)
            node.modified = member.when
        elif member.kind is Kind.HARD_LINK:
            node = self._linked(member)
            if node is old:
                return
            _clear(tree, directory, name)
            if not node.links:  # it was below the directory that the link takes the place of
                raise WasiError(Errno.NOENT)
            tree.add_name(directory, name, node)
        else:
            _clear(tree, directory, name)
            if member.kind is Kind.FILE:
                node = tree.new_archived(directory, name, content, member.offset, member.size, member.when)
            else:
                node = tree.new_symbolic_link(directory, name, member.target or b".", member.when)
        if not isinstance(node, File):
            self._last = None
        if self.mount.removable and node is not old:
            self._placed.append((directory, name, node))

    def _directory(self, parts: list[bytes]) -> Directory:
        """The directory of those parts; made, where there is none. Raises WasiError(ROFS) in /dev."""
        if self._last is not None and self._last[0] == parts:
            return self._last[1]
        directory = self._top
        for part in parts:
            directory = _entered(self.tree, directory, part)
        self._last = (parts, directory)
        return directory

    def _linked(self, member: Member) -> Node:
        """What a hard link names: something earlier in the archive, or below its mount point."""
        target = b"/".join(_parts(member.target))
        node = self.tree.walk(self.tree.root, target, follow=False, start=self._top).node
        if node is None:
            raise WasiError(Errno.NOENT)
        if isinstance(node, Directory | Device):
            raise WasiError(Errno.PERM)
        return node

    def _note(self, member: Member, why: str) -> None:
        self._told += 1
        if self._told <= MAX_NOTES:
            name = member.name[:MAX_NAME].decode(errors="backslashreplace")
            self._tell(f"{self._label}: {name!r} is left out: {why}")


def make_directories(tree: Tree, path: str) -> Directory:
    """The directory at an absolute path, made with those above it where missing. Raises WasiError."""
    directory = tree.root
    for part in _parts(path.encode(errors="surrogateescape")):
        directory = _entered(tree, directory, part)
    return directory


def _parts(name: bytes) -> list[bytes]:
    """A member's name from its mount point on, which ``..`` does not leave."""
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return parts


def _entered(tree: Tree, directory: Directory, name: bytes, when: int | None = None) -> Directory:
    """The directory under a name: the one there, the one a link there leads to, or a new one."""
    node = directory.names.get(name)
    if isinstance(node, SymbolicLink):
        try:
            node = tree.walk(tree.root, name, follow=True, start=directory).node
        except WasiError:
            node = None
    if not isinstance(node, Directory):
        _clear(tree, directory, name)
        return tree.new_directory(directory, name, when)
    if node.fixed:
        raise WasiError(Errno.ROFS)
    return node


def _clear(tree: Tree, directory: Directory, name: bytes) -> None:
    if name in directory.names:
        tree.remove_all(directory, name)
