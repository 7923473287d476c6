import pytest

from zerocloud.zrt import errors
from zerocloud.zrt.errors import WorldError, ZrtError
from zerocloud.zrt.nodes import BufferContent
from zerocloud.zrt.nvram import Filesystem, Nvram
from zerocloud.zrt.tar import Index
from zerocloud.zrt.world import Mount, World, from_nvram

from .fakes import reader


def test_every_setting_of_an_nvram_arrives():
    nvram = Nvram(
        mounts=(
            Filesystem("/dev/image", "/a"),
            Filesystem("/dev/more", "/b", removable=True),
            Filesystem("/dev/out", "/c", "wo"),
        ),
        args=(b"a",),
        env={b"b": b"c"},
        mapping={"/dev/stdin": "char"},
        time=1.5,
        seed=2,
        debug=3,
    )
    channels = {"/dev/stdin": reader()}
    index = Index((), BufferContent(bytearray()))
    world = from_nvram(
        nvram,
        channels,
        {"/dev/image": (10, 11), "/dev/more": (12, 13)}.__getitem__,
        memory_limit=4,
        fuel=5,
        fork=int,
        trace=print,
        index_of={"/dev/image": index}.get,
    )
    assert world == World(
        args=(b"a",),
        env={b"b": b"c"},
        channels=channels,
        modes={"/dev/stdin": "char"},
        mounts=(
            Mount("/a", "ro", 10, 11, False, "/dev/image", index),
            Mount("/b", "ro", 12, 13, True, "/dev/more"),
            Mount("/c", "wo", -1, 0, False, "/dev/out"),
        ),
        clock=1.5,
        seed=2,
        memory_limit=4,
        fuel=5,
        fork=int,
        debug=3,
        trace=print,
    )


def test_an_image_without_a_descriptor():
    def none(alias):
        raise WorldError(alias)

    with pytest.raises(WorldError, match="/dev/image"):
        from_nvram(Nvram(mounts=(Filesystem("/dev/image", "/"),)), {}, none)


def test_every_error_stands_in_the_tree_of_the_docstring():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ZrtError)]
    assert len(kinds) == 9
    assert all(kind.__name__ in errors.__doc__ for kind in kinds)


def test_messages_are_one_short_line():
    assert str(WorldError("a\nb\x1b[31m" + "c" * 2000)) == "a?b?[31m" + "c" * 491 + "…" + "c" * 499
    trap = errors.GuestTrap("code", "x\ny", ("f",))
    assert (str(trap), trap.message, trap.code, trap.backtrace) == ("x?y", "x?y", "code", ("f",))
