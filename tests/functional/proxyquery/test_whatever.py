"""Whatever a client sends, it gets an answer with a sentence: no request breaks the filters, none leaves anything open."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swift.common.swob import Request

from tests.functional.proxyquery.harness import ACCOUNT, World
from tests.functional.proxyquery.test_ways import GZIP, TAR, archive
from zerocloud.chain import filter_factory as chain
from zerocloud.queue import filter_factory as queue

MAP = json.dumps(
    [{"name": "n", "exec": {"path": "swift://~/c/exe"}, "devices": [{"name": "stdin"}, {"name": "stdout"}]}]
).encode()
ZAPP = archive(boot__system_map=MAP)
ODD = st.text(st.characters(max_codepoint=255), max_size=12)
NAMES = (
    st.sampled_from(["c", "hooked", "zapp", "map", "exe", "run", "data", "*", "", ".", "..", "%", "\x00", ".zvm", "none"]) | ODD
)
USUAL = [f"/v1/{ACCOUNT}", f"/v1/{ACCOUNT}/hooked/data", f"/v1/{ACCOUNT}/c/exe", f"/queue/{ACCOUNT}/q/message"]
USUAL += [f"/{version}/{ACCOUNT}/c/{name}" for version in ("open", "api", "v1") for name in ("zapp", "map", "exe", "data", "*")]
PATHS = st.sampled_from(USUAL) | st.builds(
    lambda version, account, rest: "/".join(("", version, account, *rest)),
    st.sampled_from(["v1", "open", "api", "queue", "v1.0", "", "info"]) | ODD,
    st.sampled_from([ACCOUNT, "", "AUTH_other", ".zerocloud"]) | ODD,
    st.lists(NAMES, max_size=4),
)
VALUES = {
    "X-Zerovm-Execute": ["1.0", "open/1.0", "api/1.0", "explain/1.0", "junk", ""],
    "X-Zerovm-Source": ["swift://~/c/zapp", "swift://~/c/map", "swift://~/c/run", "swift://~/c/none", "swift://", "file://a:b"],
    "X-Zerovm-Deferred": ["never", "auto", "perhaps"],
    "X-Zerovm-Timeout": ["1", "0", "-1", "nan", "1e9", ""],
    "X-Zerovm-Raw": ["true"],
    "X-Zerovm-Valid": ["true"],
    "X-Zerovm-Validate": ["true"],
    "Content-Type": ["application/json", TAR, GZIP, "text/x-sh", "application/wasm", ""],
    "Accept": ["application/json", "multipart/mixed", "text/plain;q=0", "*/*;q=x"],
    "Range": ["bytes=0-1", "bytes=9-", "bytes=-", "x"],
    "Etag": ["0" * 32, '"'],
    "If-None-Match": ["*", '"x"'],
    "Origin": ["https://shop.example"],
    "Client-Id": ["me", "/"],
    "X-Copy-From": ["c/zapp", "c"],
    "Destination": ["c/o", "c"],
    "Transfer-Encoding": ["chunked"],
    "X-Backend-Replication": ["true"],
}
HEADERS = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name]) | ODD))
)
BODIES = (
    st.sampled_from([b"", MAP, ZAPP, gzip.compress(ZAPP, mtime=0), b"#!swift://~/c/exe\n", b"[]", b"{}", ZAPP[:700]])
    | st.binary()
)
QUERIES = st.sampled_from(["", "a=b", "zerovm=jobs", "zerovm=job&id=x", "limit=1", "multipart-manifest=put", "%ff=%00"]) | ODD


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All of our filters around one pipeline, which lives on from request to request."""
    directory = tmp_path_factory.mktemp("whatever")
    world = World(directory, zerovm_use_cors="yes", zerovm_prevalidate="yes", zerovm_keep_jobs="no", zerovm_timeout="5")
    yield world, queue({})(chain({})(world.filter))
    world.close()


@given(st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "COPY", "OPTIONS", "BREW"]), PATHS, QUERIES, HEADERS, BODIES)
def test_every_request_has_an_answer(whole, method, path, query, headers, body):
    world, application = whole
    world.pipeline.containers = {
        f"{ACCOUNT}/c": {"X-Container-Meta-Rest-Endpoint": f"swift://{ACCOUNT}/c/zapp"},
        f"{ACCOUNT}/hooked": {f"X-Container-Meta-Zerovm-{event}": "swift://~/c/zapp" for event in ("On-Get", "On-Put")},
        f"{ACCOUNT}/.zvm": {},
    }
    world.pipeline.objects.clear()
    for name, data, kind in (
        ("zapp", ZAPP, TAR),
        ("map", MAP, "application/json"),
        ("exe", b"\0asm", "application/wasm"),
        ("run", b"#!swift://~/c/exe\n", "text/x-sh"),
        ("data", b"x" * 3000, "text/x-none"),
    ):
        for container in ("c", "hooked"):
            world.pipeline.put(f"{container}/{name}", data, **{"Content-Type": kind, "X-Timestamp": "1"})
    request = Request.blank("/", method=method, body=body)
    request.environ |= {"PATH_INFO": path, "QUERY_STRING": query}
    for name, value in headers:
        request.environ["CONTENT_TYPE" if name == "Content-Type" else f"HTTP_{name.upper().replace('-', '_')}"] = value
    response = request.get_response(application)
    said = response.body
    assert response.status_int < 500 or response.status_int in (501, 503), (response.status, said)
    assert b"Traceback" not in said
    assert not any("\n" in value or "\r" in value for value in response.headers.values())
    world.settle()
    assert not [body.name for body in world.pipeline.open], "a response of the pipeline was left open"
