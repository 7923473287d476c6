from dataclasses import replace

import pytest

from zerocloud.objectquery.binding import Backing, Ground, bind
from zerocloud.objectquery.refusal import Refusal
from zerocloud.wire import ChannelDescription, NodeDescription

LOCAL = "swift://a/c/o"


def ground(access="GET", path="/a/c/o", members=(), images=()):
    return Ground(path, access, frozenset(members), frozenset(images))


def node(*channels):
    return NodeDescription(1, "n", "swift://a/c/exe", "n", channels=channels)


def channel(device, access, path=None):
    return ChannelDescription(device, access, path)


@pytest.mark.parametrize(
    ("one", "where", "backing"),
    [
        (channel("input", 5, LOCAL), ground(), Backing.LOCAL_OBJECT),
        (channel("input", 5, LOCAL), ground(members=["input"]), Backing.MEMBER),
        (channel("input", 5, LOCAL), ground("", members=["input"]), Backing.MEMBER),
        (channel("input", 5, "swift://a/c"), ground(path="/a/c"), Backing.LOCAL_CONTAINER),
        (channel("image", 16, LOCAL), ground(), Backing.LOCAL_OBJECT),
        (channel("image", 16), ground(members=["image"]), Backing.MEMBER),
        (replace(channel("input", 5, LOCAL + "2"), partition=7), ground(), Backing.NEIGHBOUR),
        (replace(channel("input", 5, LOCAL), partition=7), ground(), Backing.LOCAL_OBJECT),
        (replace(channel("input", 5, LOCAL), partition=7), ground(members=["input"]), Backing.MEMBER),
        (replace(channel("output", 6, LOCAL), partition=7), ground(), Backing.OUTPUT),
        (channel("python", 5), ground(images=["python"]), Backing.SYSTEM_IMAGE),
        (channel("stdin", 1), ground(), Backing.NOTHING),
        (channel("stdin", 1), ground(members=["stdin"]), Backing.MEMBER),
        (channel("stdout", 2), ground(), Backing.OUTPUT),
        (channel("output", 6, LOCAL), ground("PUT"), Backing.OUTPUT),
        (channel("output", 6, LOCAL), ground("GET"), Backing.OUTPUT),
    ],
)
def test_what_stands_behind_a_device(one, where, backing):
    assert [bound.backing for bound in bind(node(one), where)] == [backing]


@pytest.mark.parametrize("one", [channel("db", 32, LOCAL), channel("other", 0, "swift://a/c/x")])
def test_devices_that_nobody_maps_are_left_out(one):
    assert bind(node(one), ground("")) == ()


@pytest.mark.parametrize(
    ("one", "where", "text"),
    [
        (channel("input", 5, LOCAL), ground("PUT"), 'Could not resolve channel path "swift://a/c/o" for device: input'),
        (channel("input", 5, LOCAL + "2"), ground(), 'Could not resolve channel path "swift://a/c/o2" for device: input'),
        (channel("stdin", 1, LOCAL), ground(""), 'Could not resolve channel path "swift://a/c/o" for device: stdin'),
        (channel("mystery", 5), ground(), 'Could not resolve channel path "" for device: mystery'),
        (channel("image", 16), ground(), 'Could not resolve channel path "" for device: image'),
        (channel("debug", 8, "tcp://10.1.1.1:6200"), ground(), "Device debug: a server's programs may not open"),
    ],
)
def test_devices_without_data_are_refused(one, where, text):
    with pytest.raises(Refusal) as caught:
        bind(node(one), where)
    assert caught.value.status == 400
    assert str(caught.value).startswith(text)


def test_a_device_described_twice_is_refused():
    with pytest.raises(Refusal, match="Device stdout of node n is described twice"):
        bind(node(channel("stdout", 2), channel("stdout", 2)), ground())
