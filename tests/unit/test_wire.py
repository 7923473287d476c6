"""A node's description survives the way to the storage server, and nothing else passes for one."""

import contextlib

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.wire import ChannelDescription, NodeDescription, SliceDescription, WireError

names = st.text(max_size=20)
slices = st.lists(st.integers(0, 2**63 - 1), min_size=3, max_size=3).map(sorted)
channels = st.builds(
    ChannelDescription,
    device=names,
    access=st.integers(0, 63),
    path=st.none() | names,
    content_type=st.none() | names,
    meta=st.dictionaries(names, names, max_size=3),
    mode=st.none() | names,
    min_size=st.integers(0, 2**40),
    removable=st.booleans(),
    partition=st.none() | st.integers(0, 2**32 - 1),
    slice=st.none() | st.builds(lambda ends, separator: SliceDescription(*ends, separator), slices, names),
)
nodes = st.builds(
    NodeDescription,
    id=st.integers(1, 10**6),
    name=names,
    exe=names,
    exe_name=names,
    env=st.dictionaries(names, names, max_size=3),
    channels=st.lists(channels, max_size=3).map(tuple),
    bind=st.lists(names, max_size=3).map(tuple),
    timeout=st.none() | st.floats(0, 1000),
    data_in=st.booleans(),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | names,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(NodeDescription.__dataclass_fields__)), inner)
    ),
    max_leaves=10,
)


@given(nodes)
def test_what_is_written_is_read(node: NodeDescription) -> None:
    assert NodeDescription.from_json(node.to_json()) == node


@given(values)
def test_any_other_json_is_a_wire_error_or_a_description(value) -> None:
    with contextlib.suppress(WireError):
        NodeDescription.from_json(simplejson.dumps(value, allow_nan=True).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff", b'{"id": true}', b"[]"])
def test_what_is_not_a_description_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        NodeDescription.from_json(text)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ([], "channels.slice has the wrong type"),
        ({"start": 0, "end": 1}, "channels.slice.size has the wrong type"),
        ({"start": 0, "end": True, "size": 2}, "channels.slice.end has the wrong type"),
        ({"start": -1, "end": 1, "size": 2}, "channels.slice is no part of an object"),
        ({"start": 2, "end": 1, "size": 2}, "channels.slice is no part of an object"),
        ({"start": 0, "end": 3, "size": 2}, "channels.slice is no part of an object"),
        ({"start": 0, "end": 1, "size": 1 << 63}, "channels.slice is no part of an object"),
        ({"start": 0, "end": 1, "size": 2, "separator": 1}, "channels.slice.separator has the wrong type"),
        ({"start": 0, "end": 1, "size": 2, "separator": "\ud800"}, "channels.slice.separator is not Unicode text"),
        ({"start": 0, "end": 1, "size": 2, "separator": "é" * 129}, "channels.slice.separator has more than 256 bytes"),
    ],
)
def test_what_is_no_slice_is_refused(part, says: str) -> None:
    channel = {"device": "stdin", "access": 1, "slice": part}
    with pytest.raises(WireError, match=f"{says}$"):
        ChannelDescription.from_value(channel)


@pytest.mark.parametrize("partition", [-1, 1 << 32, True, "1", 1.0])
def test_what_is_no_partition_is_refused(partition) -> None:
    with pytest.raises(WireError, match=r"channels\.partition"):
        ChannelDescription.from_value({"device": "input", "access": 5, "partition": partition})
