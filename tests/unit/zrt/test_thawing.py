"""What a session sees that goes on from a warm guest is what it would have seen from the beginning, whatever it brings."""

import os
import tarfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from zerocloud.zrt.errors import ZrtError
from zerocloud.zrt.nodes import Device, Directory, File
from zerocloud.zrt.world import World

from .archives import archive, image, member
from .fakes import Guest, reader, writer

KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]
MEMBERS = some.sampled_from(["a", "b", "a/b", "a/c", "b/a", "../a", "dev", "dev/x", "l", "l/a", "a/b/c"])
TARGETS = some.sampled_from(["a", "/", "..", "/dev", "a/b", "l"])
ARCHIVES = some.lists(some.tuples(MEMBERS, some.sampled_from(KINDS), TARGETS), max_size=5)
MOUNTED = some.tuples(ARCHIVES, some.sampled_from(["/", "/a", "/m", "/a/b", "/l"]), some.booleans())
ALIASES = some.sampled_from(["/dev/x", "/dev/x/y", "/dev/in/p", "/dev/in/q", "/dev/in", "/dev/i0/z", "/dev/.", "/elsewhere"])
MODES = some.dictionaries(
    ALIASES | some.sampled_from(["/dev/stdout", "/dev/i0"]), some.sampled_from(["pipe", "char", "file"]), max_size=2
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(ARCHIVES, some.lists(MOUNTED, max_size=3), some.sets(ALIASES, max_size=4), MODES, some.sampled_from([1 << 20, 1 << 17]))
def test_a_thawed_world_is_like_a_new_one(tmp_path_factory, own, others, aliases, modes, limit):
    place = tmp_path_factory.getbasetemp()
    mounts = [mounted(place, own, 0, "/", False)]
    mounts += [mounted(place, items, number, *more) for number, (items, *more) in enumerate(others, 1)]
    brought = [*aliases, *(mount.channel for mount in mounts)]

    def cold():
        return Guest(world(mounts, brought, modes, limit))

    def warm():
        guest = Guest(world(mounts[:1], [mounts[0].channel], {}, 1 << 20))
        guest.assembly.rebind(world(mounts, brought, modes, limit))
        return guest

    try:
        assert seen(warm) == seen(cold)
    finally:
        for mount in mounts:
            os.close(mount.fd)


def mounted(place, items, number, mountpoint, removable):
    data = archive(*(member(name, b"12345" if kind == tarfile.REGTYPE else b"", kind, target) for name, kind, target in items))
    return image(place, data, f"{number}.tar", channel=f"/dev/i{number}", mountpoint=mountpoint, removable=removable)


def world(mounts, aliases, modes, limit):
    channels = {"/dev/stdin": reader(b"in"), "/dev/stdout": writer(), "/dev/stderr": writer()}
    channels |= {alias: reader(alias.encode()) for alias in aliases}
    return World(mounts=mounts, channels=channels, modes=modes, memory_limit=limit)


def seen(make):
    """Everything below the root, with what it is; or the kind of error there is instead."""
    try:
        guest = make()
        return dict(nodes(guest.tree, guest.tree.root, b""))
    except ZrtError as error:
        return type(error)


def nodes(tree, node, path):
    if isinstance(node, Device):
        yield path, ("device", node.mode, node.channel.readable, node.channel.writable, bytes(node.channel.data))
    elif isinstance(node, File):
        yield path, ("file", node.size, node.links)
    elif isinstance(node, Directory):
        names = list(tree.entries(node).items())
        yield path, ("directory", node.fixed, node.links)
        for name, child in names:
            yield from nodes(tree, child, path + b"/" + name)
    else:
        yield path, ("link", node.target)
