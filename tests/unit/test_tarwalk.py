import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.tarwalk import FileSource, TarError, walk


class Stream:
    """Bytes that come in pieces of at most ``piece``."""

    def __init__(self, data, piece=1 << 20):
        self._file, self._piece = io.BytesIO(data), piece

    def read(self, size):
        return self._file.read(min(size, self._piece))

    def skip(self, size):
        self._file.read(size)


def archive(*members, format=tarfile.PAX_FORMAT, ends=True):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = file.getvalue()
    return data if ends else data.rstrip(b"\0").ljust(-(-len(data.rstrip(b"\0")) // 512) * 512, b"\0")


def contents(source):
    return [(member.name, member.size, b"".join(member.chunks(700))) for member in walk(source)]


NAMES = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0/"), min_size=1, max_size=200)


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=2000)), max_size=5),
    st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)),
    st.integers(1, 5000),
)
def test_what_tarfile_writes_is_read(members, format, piece):
    found = contents(Stream(archive(*members, format=format), piece))
    assert found == [(name, len(data), data) for name, data in members]


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused_or_read_but_nothing_else(data):
    try:
        contents(Stream(data))
    except TarError:
        pass


@given(st.integers(0, 2559), st.integers(0, 255))
def test_a_flipped_byte_is_refused_or_read_but_nothing_else(position, byte):
    data = bytearray(archive(("x" * 150, b"1" * 600), ("y", b"2"), format=tarfile.PAX_FORMAT))
    data[position] = byte
    try:
        contents(Stream(bytes(data)))
    except TarError:
        pass


def test_members_may_be_left_unread_and_end_markers_may_lack():
    data = archive(("a", b"x" * 1000), ("b", b"y" * 513), ("c", b""), ends=False)
    assert [member.name for member in walk(Stream(data))] == ["a", "b", "c"]


def test_links_folders_and_devices_are_no_regular_members():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(f"m{number}")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    assert [member.regular for member in walk(Stream(file.getvalue()))] == [False] * 5


def header(name=b"x", size=b"00000000001", kind=b"0"):
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:155] = b"%06o\0" % sum(block)
    return bytes(block)


def test_a_negative_size_is_refused():
    minus_512 = (2**96 - 512).to_bytes(12, "big")
    with pytest.raises(TarError, match="negative"):
        contents(Stream(header(size=minus_512) + bytes(512)))


def test_a_huge_extension_is_refused_unread():
    source = Stream(header(size=b"77777777777", kind=b"x") + bytes(10000))
    with pytest.raises(TarError, match="limit is 65536"):
        contents(source)


def test_endless_extensions_are_refused():
    with pytest.raises(TarError, match="extension headers"):
        contents(Stream((header(size=b"00000000000", kind=b"x")) * 20))


@pytest.mark.parametrize("size", ["-512", "1e3", "9" * 30, "٣", ""])
def test_a_size_that_is_no_number_is_refused(size):
    record = f" size={size}\n".encode()
    length = len(record) + 2
    body = f"{length}".encode() + record
    with pytest.raises(TarError):
        contents(Stream(header(size=b"%011o" % len(body), kind=b"x") + body.ljust(512, b"\0") + header()))


@pytest.mark.parametrize("body", [b"5 a=b", b"0 a=b\n", b"-3 a=b\n", b"99999 a=b\n", b"nonsense", b"999999999999 a=b\n"])
def test_garbled_records_are_refused(body):
    with pytest.raises(TarError, match="garbled"):
        contents(Stream(header(size=b"%011o" % len(body), kind=b"x") + body.ljust(512, b"\0") + header()))


def test_an_archive_that_ends_within_a_member_is_refused():
    with pytest.raises(TarError, match="ends inside its member 'x', 8388508"):
        contents(Stream(header(size=b"00040000000") + bytes(100)))


def test_a_file_is_read_at_its_own_position(tmp_path):
    data = archive(("a", b"x" * 1000), ("b", b"y" * 513))
    source = FileSource(lambda size, position: data[position : position + size])
    found = [(member.name, source.position) for member in walk(source)]
    assert found == [("a", 512), ("b", 2048)]
    again = source.at(found[1][1])
    assert again.read(513) == b"y" * 513
