import pytest

from zerocloud.objectquery.binding import Backing, Bound
from zerocloud.objectquery.environment import local_environment
from zerocloud.objectquery.local_data import indirection
from zerocloud.wire import ChannelDescription

METADATA = {
    "X-Timestamp": "1700000000.00000",
    "ETag": "d41d8",
    "Content-Type": "text/plain",
    "Content-Length": "5",
    "Content-Encoding": "gzip",
    "X-Object-Meta-Colour": "gr\xc3\xbcn",
    "X-Object-Sysmeta-Secret-Etag": "no",
    "X-Object-Transient-Sysmeta-Other": "no",
    "name": "/a/c/o",
}


def test_a_local_object_is_told_of():
    bound = (Bound(ChannelDescription("input", 5, "swift://a/c/o"), Backing.LOCAL_OBJECT),)
    assert local_environment(bound, "/a/c/o", 5, METADATA) == {
        "LOCAL_DOCUMENT_ROOT": "/dev/input",
        "LOCAL_OBJECT": "on",
        "LOCAL_PATH_INFO": "/a/c/o",
        "LOCAL_CONTENT_LENGTH": "5",
        "LOCAL_CONTENT_TYPE": "text/plain",
        "LOCAL_HTTP_X_TIMESTAMP": "1700000000.00000",
        "LOCAL_HTTP_ETAG": "d41d8",
        "LOCAL_HTTP_CONTENT_ENCODING": "gzip",
        "LOCAL_HTTP_X_OBJECT_META_COLOUR": "grün",
    }


def test_an_object_to_be_written_is_told_of():
    channel = ChannelDescription("output", 6, "swift://a/c/o", "text/css", {"Made-By": "me"})
    assert local_environment((Bound(channel, Backing.OUTPUT),), "/a/c/o", 0, {}) == {
        "LOCAL_DOCUMENT_ROOT": "/dev/output",
        "LOCAL_OBJECT": "on",
        "LOCAL_PATH_INFO": "/a/c/o",
        "LOCAL_CONTENT_TYPE": "text/css",
        "LOCAL_HTTP_X_OBJECT_META_MADE_BY": "me",
    }


def test_without_a_local_object_nothing_is_told():
    bound = (Bound(ChannelDescription("input", 5, "swift://a/c/other"), Backing.MEMBER),)
    assert local_environment(bound, "/a", 0, {}) == {}


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        (METADATA, None),
        ({"X-Static-Large-Object": "True"}, "slo"),
        ({"X-Static-Large-Object": "False"}, None),
        ({"X-Object-Manifest": "c/p"}, "dlo"),
        ({"X-Object-Sysmeta-Symlink-Target": "c/o"}, "symlink"),
        ({"x-object-sysmeta-crypto-body-meta": "{}"}, "encrypted"),
    ],
)
def test_objects_whose_bytes_are_not_the_object(metadata, kind):
    assert indirection(metadata) == kind
