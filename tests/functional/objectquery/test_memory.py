"""Whatever the sizes, the server holds no more than a chunk of them."""

import http.client
import tarfile
from pathlib import Path

import pytest

from tests.guests import compiled

from .conftest import READ, STDOUT, device, node, storage_server, tar_stream

SIZE = 200 << 20
CHUNK = bytes(1 << 20)


def peak(server):
    """The most memory that the server's process has had so far, in bytes."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


@pytest.fixture
def roomy(tmp_path):
    with storage_server(tmp_path, zerovm_maxoutput=str(1 << 30)) as server:
        assert server.run("copy", node(STDOUT)).status == 200
        yield server


def test_input_and_output_pass_in_constant_memory(roomy):
    before = peak(roomy)
    head = tar_stream([("sysmap", node(device("stdin", READ), STDOUT).to_json()), ("boot", compiled("copy"))])
    member = tarfile.TarInfo("stdin")
    member.size = SIZE
    with roomy.started("/a", len(head) + 512 + SIZE) as connection:
        connection.sendall(head + member.tobuf())
        for _ in range(SIZE >> 20):
            connection.sendall(CHUNK)
        response = http.client.HTTPResponse(connection)
        response.begin()
        received = 0
        while data := response.read(1 << 20):
            received += len(data)
    assert received > SIZE
    assert peak(roomy) - before < 16 << 20
