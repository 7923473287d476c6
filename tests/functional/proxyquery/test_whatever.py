"""Whatever a client sends, whatever a program answers: there is one answer, nothing breaks, and nothing is left open."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swift.common.swob import Request
from swift.common.utils import close_if_possible

from tests.functional.proxyquery.harness import ACCOUNT, Answer, World
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


TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
SAYS = {
    "Status": ["200 OK", "204 No Content", "304 x", "100 Continue", "999", "404", "", "200 OK\r\nX-Evil: 1"],
    "Content-Type": ["application/json", "text/html; charset=x", "\r\n", "message/http", ""],
    "Content-Length": ["0", "5", "-1", "x", "99999999999999999999"],
    "X-Zerovm-Execute": ["1.0", "open/1.0"],
    "Etag": ['"own"', "own", 'W/"x"', ""],
    "Accept-Ranges": ["bytes", "none"],
    "Connection": ["close", "x-hop, keep-alive", ","],
    "Location": ["/x", "//evil", "\x00"],
    "X-Chain-Jobs": ["forged"],
    "X-Nexe-Error": ["forged"],
    "Vary": ["Origin"],
}
ANY = st.text(max_size=12)
RECORDS = st.dictionaries(
    st.sampled_from(sorted(SAYS)) | ANY, st.sampled_from([one for values in SAYS.values() for one in values]) | ANY
)
ASKED = st.sampled_from(["GET", "HEAD", "POST"])
WISHES = st.dictionaries(
    st.sampled_from(["Accept", "Range", "If-None-Match", "Origin"]),
    st.sampled_from(["application/json", "multipart/mixed", "bytes=1-2", '"own"', "*", "https://shop.example"]),
)


@given(ASKED, st.sampled_from([f"/open/{ACCOUNT}/c/zapp", f"/v1/{ACCOUNT}/hooked/data"]), WISHES, RECORDS, BODIES)
def test_every_answer_is_one(whole, method, path, wishes, records, body):
    world, application = whole
    world.pipeline.containers = {
        f"{ACCOUNT}/c": {"X-Container-Meta-Access-Control-Allow-Origin": "*"},
        f"{ACCOUNT}/hooked": {"X-Container-Meta-Zerovm-On-Get": "swift://~/c/zapp"},
    }
    world.pipeline.put("c/zapp", ZAPP, **{"Content-Type": TAR, "X-Timestamp": "1"})
    world.pipeline.put("c/exe", b"\0asm")
    world.pipeline.put("hooked/data", b"stored")
    told = {name: value for name, value in records.items() if name and "=" not in name}  # what a tar's header can hold
    world.every(run=lambda job: Answer({"stdout": body}, {"stdout": told}))
    response = Request.blank(path, method=method, headers=wishes).get_response(application)
    said = b"".join(response.app_iter)
    close_if_possible(response.app_iter)
    world.every(run=lambda job: Answer({"stdout": b""}))
    assert 200 <= response.status_int < 600
    if method == "HEAD" or response.status_int in (204, 205, 304):
        assert said == b""
    elif response.content_length is not None:
        assert len(said) == response.content_length
    for name, value in response.headers.items():
        assert TOKEN.fullmatch(name)
        assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in value), (name, value)
        assert name.lower() not in ("connection", "transfer-encoding", "set-cookie", "x-evil")
    assert "forged" not in [
        value for name, value in response.headers.items() if name.lower().startswith(("x-nexe-", "x-chain-"))
    ]
    world.settle()
    assert not [one.name for one in world.pipeline.open]
