import hashlib

import pytest

from zerocloud.proxyquery.segments import plain_segments
from zerocloud.sysmap import SwiftPath


def entry(**keys):
    return {"name": "/c/dir/1", "bytes": 10, "hash": "a" * 32, **keys}


def test_segments_follow_each_other():
    first, second = plain_segments("acct", [entry(), entry(name="/d/2", bytes=5, hash="b" * 32)])
    assert (first.path, first.start, first.end) == (SwiftPath("acct", "c", "dir/1"), 0, 10)
    assert (second.path, second.start, second.end) == (SwiftPath("acct", "d", "2"), 10, 15)
    assert second.etag == "b" * 32
    assert first.whole == second.whole == hashlib.md5(b"a" * 32 + b"b" * 32).hexdigest()


@pytest.mark.parametrize("odd", [{"range": "1-2"}, {"sub_slo": True}, {"data": "AAAA"}])
def test_an_object_with_anything_but_whole_objects_is_read_through_the_pipeline(odd):
    assert list(plain_segments("acct", [entry(), entry(**odd)])) == []
