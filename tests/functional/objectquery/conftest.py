"""A storage server with one device, its client, and an executor service that the server starts by itself."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.parse
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.guests import compiled
from zerocloud import wire
from zerocloud.wire import ChannelDescription, NodeDescription

READ, WRITE = 1, 2
RANDOM_READ, RANDOM_WRITE, CDR = 5, 6, 16
DEADLINE = 20.0

SWIFT_CONF = """
[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = gold
default = yes
[storage-policy:1]
name = coded
policy_type = erasure_coding
ec_type = liberasurecode_rs_vand
ec_num_data_fragments = 2
ec_num_parity_fragments = 1
"""

SERVER_CONF = """
[DEFAULT]
devices = {root}/devices
mount_check = false
swift_dir = {root}/etc
bind_ip = 127.0.0.1
fallocate_reserve = 0
log_level = DEBUG
log_custom_handlers = zerocloud.zebra.serverlog.replace_syslog
[pipeline:main]
pipeline = object_query {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
[filter:object_query]
use = egg:zerocloud#object_query
zerovm_socket = {root}/zerovm.socket
zerovm_log = {root}/zerovm.log
zerovm_cache = {root}/cache
{options}
"""


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def members(self):
        with tarfile.open(fileobj=io.BytesIO(self.body + bytes(1024))) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}

    @property
    def records(self):
        with tarfile.open(fileobj=io.BytesIO(self.body + bytes(1024))) as tar:
            return {member.name: member.pax_headers for member in tar}


def tar_stream(members):
    file = io.BytesIO()
    for name, data in members:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        file.write(info.tobuf() + data + bytes(-len(data) % 512))
    return file.getvalue()


def node(*channels, **more):
    fields = {"id": 1, "name": "n", "exe": "swift://a/c/exe", "exe_name": "n", "channels": channels}
    return NodeDescription(**{**fields, **more})


def device(name, access, path=None, **more):
    return ChannelDescription(name, access, path, **more)


STDOUT = device("stdout", WRITE, content_type="text/plain")


@dataclass
class StorageServer:
    root: Path
    process: subprocess.Popen
    object_port: int
    container_port: int
    sequence: int = field(default=0)

    @property
    def device(self):
        return self.root / "devices" / "sda"

    def request(self, method, path, body=b"", headers=None, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.object_port, timeout=60)
        try:
            connection.request(method, urllib.parse.quote(f"/sda/0{path}"), body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def recon(self):
        """What the object server says of its sessions."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.object_port, timeout=60)) as connection:
            connection.request("GET", "/zerocloud/recon")
            response = connection.getresponse()
            assert response.status == 200
            return json.loads(response.read())

    def timestamp(self):
        self.sequence += 1
        return f"{1700000000 + self.sequence:010d}.00000"

    def put(self, path, body, **headers):
        meta = {"X-Timestamp": self.timestamp(), "Content-Type": "text/plain"}
        meta |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.request("PUT", path, body, meta)
        assert answer.status == 201, answer

    def headers(self, **more):
        self.sequence += 1
        fixed = {wire.EXECUTE: "1.0", wire.JOB_ID: f"job{self.sequence:08d}", "Content-Type": "application/x-tar"}
        changed = {name.replace("_", "-"): value for name, value in more.items()}
        return {name: value for name, value in {**fixed, **changed}.items() if value is not None}

    def post(self, path, members, port=None, **headers):
        """A session's request with these tar members, or with a body as it stands."""
        body = members if isinstance(members, bytes) else tar_stream(members)
        return self.request("POST", path, body, self.headers(**headers), port)

    def run(self, guest, description, path="/a", members=(), port=None, **headers):
        """A session of one of the small guests."""
        sent = [("sysmap", description.to_json()), ("boot", compiled(guest)), *members]
        return self.post(path, sent, port, **headers)

    @contextmanager
    def started(self, path, length, **headers):
        """A session's request whose head is accepted (100 Continue), and whose body of ``length`` bytes is yet to be sent."""
        with socket.create_connection(("127.0.0.1", self.object_port), timeout=60) as connection:
            fields = self.headers(Content_Length=str(length), Expect="100-continue", **headers)
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            connection.sendall(f"POST {urllib.parse.quote('/sda/0' + path)} HTTP/1.1\r\n{head}\r\n".encode())
            interim = connection.recv(65536)
            assert interim.startswith(b"HTTP/1.1 100 "), interim
            yield connection

    def answer(self, connection):
        """What comes at the end of a request that was :meth:`started`."""
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def leftovers(self):
        return [*self.device.glob("tmp*/*"), *self.open_temporaries()]

    def open_temporaries(self):
        """What the server still holds open of files without names on the device."""
        found = []
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith(f"{self.device}/tmp") or "memfd:nvram" in target:
                found.append(target)
        return found

    def executors(self):
        """The processes of this server's executor service: itself, its helpers and spares, and sessions."""
        return processes_with(str(self.root / "zerovm.socket"))

    def sessions(self):
        """How many sessions run (or compile)."""
        return sum(name_of(pid) in ("zerovm-session", "zerovm-compile") for pid in self.executors())

    def service(self):
        """The process of the service itself, which all others descend from."""
        return self.services()[0]

    def services(self):
        """As above; there should be one."""
        return [pid for pid in self.executors() if name_of(pid) == "zerovm-service"]


def processes_with(word):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in command:
                found.append(int(entry.name))
    return found


def name_of(pid):
    """What a process calls itself."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_for(condition, what, seconds=DEADLINE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} seconds"
        time.sleep(0.02)


@contextmanager
def storage_server(root, **changed):
    lines = {"zerovm_linger": "1", "zerovm_maxoutput": str(8 << 20), **changed}
    options = "\n".join(f"{name} = {value}" for name, value in lines.items())
    for folder in ("etc", "devices/sda"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "swift.conf").write_text(SWIFT_CONF)
    for kind in ("object", "container"):
        (root / "etc" / f"{kind}-1.conf").write_text(SERVER_CONF.format(root=root, kind=kind, options=options))
    try:
        with worker(root) as server:
            yield server
    finally:
        wait_for(lambda: not server.executors(), "the executor service ends with its last caller")


@contextmanager
def worker(root):
    """One more process of the storage server whose configuration is there."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    descriptors = [listener.fileno() for listener in listeners]
    command = [sys.executable, "-W", "ignore", "-m", f"{__package__}.server", str(root / "etc"), *map(str, descriptors)]
    process = subprocess.Popen(command, pass_fds=descriptors)
    server = StorageServer(root, process, *(listener.getsockname()[1] for listener in listeners))
    for listener in listeners:
        listener.close()
    try:
        yield server
    finally:
        process.terminate()
        process.wait(DEADLINE)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("storage")
    try:
        os.setxattr(root, "user.test", b"x" * 1000)
    except OSError:
        pytest.skip("this file system has no extended attributes, which Swift needs")
    with storage_server(root) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(request):
    """After each test: no temporary file, named or not."""
    yield
    if "server" in request.fixturenames:
        running = request.getfixturevalue("server")
        wait_for(lambda: not running.leftovers(), f"no leftovers on the device, such as {running.leftovers()[:3]}")


@pytest.fixture
def stopped():
    """Stop a process by SIGKILL, and be sure of it."""

    def stop(pid):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes(), "killed")

    return stop
