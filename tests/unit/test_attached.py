"""The variables that tell a program of its object."""

from zerocloud.attached import input_variables, output_variables

METADATA = {
    "X-Timestamp": "1700000000.00000",
    "ETag": "d41d8",
    "Content-Type": "text/plain",
    "Content-Length": "5",
    "Content-Encoding": "gzip",
    "X-Object-Meta-Colour": "grün",
    "X-Object-Sysmeta-Secret-Etag": "no",
    "X-Object-Transient-Sysmeta-Other": "no",
    "name": "/a/c/o",
    "X-Object-Meta-A#b": "a name that no configuration can hold",
    "X-Object-Meta-A,b": "nor this",
    "X-Object-Meta-Nul": "\0",
}


def test_an_object_that_is_read():
    expected = {
        "LOCAL_DOCUMENT_ROOT": "/dev/input",
        "LOCAL_OBJECT": "on",
        "LOCAL_PATH_INFO": "/a/c/o",
        "LOCAL_CONTENT_LENGTH": "7",
        "LOCAL_CONTENT_TYPE": "text/plain",
        "LOCAL_HTTP_X_TIMESTAMP": "1700000000.00000",
        "LOCAL_HTTP_ETAG": "d41d8",
        "LOCAL_HTTP_CONTENT_ENCODING": "gzip",
        "LOCAL_HTTP_X_OBJECT_META_COLOUR": "grün",
    }
    assert input_variables("input", "/a/c/o", 7, METADATA) == expected
    answer = {name.lower(): value for name, value in METADATA.items()} | {"etag": '"d41d8"'}
    assert input_variables("input", "/a/c/o", 7, answer) == expected


def test_an_object_that_is_written():
    assert output_variables("output", "/a/c/o", "text/css", {"Made-By": "me", "A#b": "left out"}) == {
        "LOCAL_DOCUMENT_ROOT": "/dev/output",
        "LOCAL_OBJECT": "on",
        "LOCAL_PATH_INFO": "/a/c/o",
        "LOCAL_CONTENT_TYPE": "text/css",
        "LOCAL_HTTP_X_OBJECT_META_MADE_BY": "me",
    }
