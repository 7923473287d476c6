import io
import os

import pytest

from zerocloud.objectquery import window
from zerocloud.objectquery.local_data import LocalData
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.window import window_of
from zerocloud.swiftadapter import Placement
from zerocloud.wire import SliceDescription
from zerocloud.zerovm.sources import Window

PLACE = Placement("sda", "0", "a", "c", "o", 0)
DATA = b"one\ntwo\nthree\n" + b"x" * 100 + b"\n"
assert len(DATA) == 115


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setattr(window.tpool, "execute", lambda call, *arguments: call(*arguments))
    (tmp_path / "data").write_bytes(DATA)
    with io.FileIO(tmp_path / "data") as file:
        yield LocalData(PLACE, file, os.fstat(file.fileno()).st_size)


def part(start, end, separator="", size=115):
    return SliceDescription(start, end, size, separator)


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (None, None),
        (part(2, 5), Window(2, 5)),
        (part(0, 4, "\n"), Window(0, 4)),
        (part(4, 5, "\n"), Window(4, 8)),
        (part(5, 9, "\n"), Window(8, 14)),
        (part(5, 7, "\n"), Window(7, 7)),
        (part(14, len(DATA), "\n"), Window(14, 115)),
        (part(15, len(DATA), "\n"), Window(115, 115)),
    ],
)
def test_what_a_node_sees(local, one, shown):
    assert window_of(one, local, len(DATA)) == shown


@pytest.mark.parametrize(
    ("one", "most", "status", "says"),
    [
        (None, 114, 413, "Data object too large"),
        (part(0, 20), 19, 413, "from byte 0 to 20 has more than 19 bytes"),
        (part(14, 20, "\n"), 100, 413, "With its last record, the part of /a/c/o from byte 14 to 20 has more than 100 bytes"),
        (part(0, 20, size=116), 1000, 503, "Object /a/c/o has 115 bytes here, and had 116 when the job was planned"),
    ],
)
def test_what_can_not_be_shown(local, one, most, status, says):
    with pytest.raises(Refusal, match=says) as caught:
        window_of(one, local, most)
    assert caught.value.status == status
