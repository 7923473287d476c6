import bz2
import gzip
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as some

from zerocloud.zrt.errors import ImageError
from zerocloud.zrt.nodes import BufferContent
from zerocloud.zrt.tar import Kind, members, open_archive, read_index

from .archives import archive, directory, hardlink, header, member, padded, symlink

END = bytes(1024)


def found(data):
    return list(members(BufferContent(bytearray(data)), len(data)))


def contents(data, item):
    return data[item.offset : item.offset + item.size]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes(form):
    data = archive(
        directory("d"),
        member("d/file", b"x" * 700, when=1_700_000_000),
        member("empty"),
        symlink("link", "d/file"),
        hardlink("hard", "d/file"),
        member("d/" + "long/" * 30 + "l", b"y"),
        form=form,
    )
    items = found(data)
    assert [(item.name, item.kind) for item in items] == [
        (b"d/" if form == tarfile.GNU_FORMAT else items[0].name, Kind.DIRECTORY),
        (b"d/file", Kind.FILE),
        (b"empty", Kind.FILE),
        (b"link", Kind.SYMBOLIC_LINK),
        (b"hard", Kind.HARD_LINK),
        (b"d/" + b"long/" * 30 + b"l", Kind.FILE),
    ]
    assert contents(data, items[1]) == b"x" * 700
    assert items[1].when == 1_700_000_000_000_000_000
    assert items[3].target == items[4].target == b"d/file"
    assert contents(data, items[5]) == b"y"


names = some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300).filter(
    lambda name: name.strip("/") == name
)


@given(
    some.lists(some.tuples(names, some.binary(max_size=1500), some.integers(0, 1 << 33)), max_size=5),
    some.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_any_archive_of_tarfile_reads_as_it_was_written(files, form):
    data = archive(*(member(name, body, when=when) for name, body, when in files), form=form)
    assert [(item.name, contents(data, item), item.when) for item in found(data)] == [
        (name.encode(), body, when * 10**9) for name, body, when in files
    ]


def test_fractions_of_seconds():
    assert found(archive(member("a", when=1.5)))[0].when == 1_500_000_000


def test_old_archives_without_magic():
    data = header(b"dir/", flag=b"\0", magic=b"") + header(b"dir/a", b"3", b"\0", magic=b"") + padded(b"abc") + END
    assert [(item.name, item.kind) for item in found(data)] == [(b"dir/", Kind.DIRECTORY), (b"dir/a", Kind.FILE)]


def test_checksums_of_signed_bytes():
    block = bytearray(header("é".encode()))
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + b" " * 8 + block[156:])
    block[148:156] = b"%06o\0 " % signed
    assert found(bytes(block))[0].name == "é".encode()


def test_the_prefix_counts_in_ustar_only():
    assert found(header(b"a", prefix=b"p"))[0].name == b"p/a"
    assert found(header(b"a", prefix=b"p", magic=b"ustar  \0"))[0].name == b"a"


def test_an_archive_may_end_without_its_end_mark():
    assert len(found(header(b"a"))) == 1
    assert found(b"") == []


def test_what_follows_the_end_mark_is_not_read():
    assert len(found(header(b"a") + bytes(512) + b"garbage" * 1000)) == 1


def test_devices_pipes_and_labels_are_other():
    data = b"".join(header(b"n", b"17", flag) for flag in (b"3", b"4", b"6", b"V"))
    assert {item.kind for item in found(data)} == {Kind.OTHER}


def test_unknown_types_are_files():
    assert found(header(b"a", b"1", b"Z") + padded(b"x"))[0].kind is Kind.FILE


def test_pax_overrides_and_global_headers():
    text = b"20 comment=for all!\n" + b"12 mtime=77\n"
    extended = b"17 path=renamed!\n" + b"11 size=00\n"
    data = header(b"g", b"%o" % len(text), b"g") + padded(text)
    data += header(b"x", b"%o" % len(extended), b"x") + padded(extended) + header(b"short") + header(b"next")
    first, second = found(data)
    assert (first.name, first.when) == (b"renamed!", 77 * 10**9)
    assert (second.name, second.when) == (b"next", 77 * 10**9)


def pax(*records):
    text = b"".join(records)
    return header(b"x", b"%o" % len(text), b"x") + padded(text) + header(b"a") + END


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello" * 200, "is not a tar archive"),
        (header(checksum=b"000000\0 "), "is not a tar archive"),
        (header() + header(checksum=b"77777777"), "is damaged at byte 512"),
        (header() + b"x" * 100, "ends at byte 612, in the midst of the header at 512"),
        (header(size=b"2000"), "a of 1024 bytes goes beyond the archive's end, byte 512"),
        (header(size=b"\x80" + b"\xff" * 11), "goes beyond the archive's end"),
        (header(size=b"\xff" * 12), "has no size that makes sense"),
        (header(size=b"12x"), "has no size that makes sense"),
        (header(flag=b"S"), "a sparse file"),
        (header(flag=b"M"), "a part of an archive of several volumes"),
        (header(flag=b"L", size=b"77777777"), "at most 1048576 are allowed"),
        (header(flag=b"x", size=b"1000"), "goes beyond the archive's end"),
        (pax(b"0 a=b\n"), "is damaged, 0 bytes in"),
        (pax(b"7 a=b\n"), "is damaged"),
        (pax(b"6 a=b\n", b"99 a=b\n"), "is damaged, 6 bytes in"),
        (pax(b"-6 a=b\n"), "is damaged"),
        (pax(b"9999999999 a=b\n"), "is damaged"),
        (pax(b"5 abc"), "is damaged"),
        (pax(b"6 abc\n"), "without '='"),
        (pax(b"11 size=-1\n"), "no size that makes sense"),
        (pax(b"26 size=99999999999999999\n"), "goes beyond"),
        (pax(b"22 GNU.sparse.major=1\n"), "is a sparse file"),
    ],
)
def test_damage_is_told_with_its_place(data, message):
    with pytest.raises(ImageError) as caught:
        found(data)
    assert message in str(caught.value)


def test_a_chain_of_long_names_takes_no_stack():
    assert found((header(b"l", b"1", b"L") + padded(b"x")) * 20_000 + header())[0].name == b"x"


@given(some.binary(max_size=3000))
def test_random_bytes_are_refused_or_read(data):
    try:
        found(data)
    except ImageError:
        pass


@given(some.data())
def test_archives_with_random_changes_are_refused_or_read(data):
    whole = bytearray(
        archive(directory("d"), member("d/" + "n" * 200, b"x" * 600, when=0.5), symlink("l", "d"), hardlink("h", "l"))
    )
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(0, len(whole) - 1))
        whole[at] = data.draw(some.integers(0, 255))
        start = at - at % 512
        block = whole[start : start + 512]
        block[148:156] = b" " * 8
        whole[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    try:
        for item in found(bytes(whole)):
            assert item.offset + item.size <= len(whole)
    except ImageError:
        pass


def opened(tmp_path, data, limit=1 << 30):
    taken = []

    def take(count):
        taken.append(count)
        if sum(taken) > limit:
            raise ImageError("too large")

    path = tmp_path / "file"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        content, size = open_archive(fd, len(data), take)
        return list(members(content, size)), sum(taken)
    finally:
        os.close(fd)


def test_a_compressed_archive_is_inflated_and_charged(tmp_path):
    plain = archive(member("a", b"z" * 100_000))
    items, taken = opened(tmp_path, gzip.compress(plain))
    assert [item.name for item in items] == [b"a"]
    assert taken == len(plain)


def test_a_compressed_archive_in_several_streams(tmp_path):
    plain = archive(member("a", b"z" * 100_000))
    data = gzip.compress(plain[:7000]) + gzip.compress(plain[7000:]) + bytes(100)
    assert opened(tmp_path, data)[1] == len(plain)


def test_a_bomb_stops_at_the_limit(tmp_path):
    with pytest.raises(ImageError, match="too large"):
        opened(tmp_path, gzip.compress(bytes(100 << 20)), limit=1 << 20)


def test_a_compressed_archive_cut_off_or_damaged(tmp_path):
    data = gzip.compress(archive(member("a", os.urandom(5000))))
    with pytest.raises(ImageError, match="cut off at its end"):
        opened(tmp_path, data[:-9])
    with pytest.raises(ImageError, match="is damaged before byte"):
        opened(tmp_path, data[:300] + b"\0" * 300 + data[600:])
    with pytest.raises(ImageError, match="is damaged before byte"):
        opened(tmp_path, data + b"more")


def test_other_compressions_are_named(tmp_path):
    with pytest.raises(ImageError, match="compressed with bzip2"):
        opened(tmp_path, bz2.compress(archive(member("a"))))


def test_an_index_made_ahead(tmp_path):
    path = tmp_path / "file"
    data = archive(member("a", b"data"))
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        assert [item.name for item in read_index(fd, len(data)).members] == [b"a"]
        os.truncate(path, 700)
        with pytest.raises(ImageError, match="ends at byte 1024, in the midst"):
            read_index(fd, len(data))
    finally:
        os.close(fd)
