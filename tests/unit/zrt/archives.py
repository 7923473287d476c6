"""Archives for tests: honest ones by tarfile, dishonest ones by hand."""

import io
import os
import tarfile

from zerocloud.zrt.world import Mount


def member(name, data=b"", kind=tarfile.REGTYPE, target="", when=0):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname, info.mtime = len(data), kind, target, when
    return info, data


def directory(name):
    return member(name, kind=tarfile.DIRTYPE)


def symlink(name, target):
    return member(name, kind=tarfile.SYMTYPE, target=target)


def hardlink(name, target):
    return member(name, kind=tarfile.LNKTYPE, target=target)


def archive(*members, form=tarfile.PAX_FORMAT, mode="w"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def header(name=b"a", size=b"0", flag=b"0", target=b"", magic=b"ustar\x0000", prefix=b"", checksum=None):
    """One header block, every field as given."""
    block = bytearray(512)
    for at, value in ((0, name), (100, b"0000644"), (124, size), (136, b"0"), (156, flag), (157, target)):
        block[at : at + len(value)] = value
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block) if checksum is None else checksum
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def image(tmp_path, data, name="image.tar", **fields):
    """A mount of that archive. The descriptor is closed by the caller, or with the process."""
    path = tmp_path / name
    path.write_bytes(data)
    return Mount(**{"mountpoint": "/", "fd": os.open(path, os.O_RDONLY), "size": len(data), "channel": "/dev/image", **fields})
