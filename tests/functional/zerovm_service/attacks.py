"""What a guest that had escaped WebAssembly would try. Each returns if it succeeded, and raises if it was refused."""

import ctypes
import mmap
import os
import resource
import signal
import socket

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    """Raise what the C library says."""
    if result in (-1, 2**64 - 1):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read_password_file():
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def read_by_proc():
    os.close(os.open(f"/proc/{os.getpid()}/maps", os.O_RDONLY))


def list_root():
    assert os.listdir("/"), "empty"


def write_file():
    os.close(os.open("/tmp/zerovm-attack", os.O_WRONLY | os.O_CREAT))


def climb_out():
    os.chdir("..")
    os.close(os.open("../../../../etc/passwd", os.O_RDONLY))


def tcp():
    with socket.socket() as attacking:
        attacking.settimeout(1)
        try:
            attacking.connect(("127.0.0.1", 1))
        except ConnectionRefusedError:
            pass  # it went out


def tcp_bind():
    with socket.socket() as attacking:
        attacking.bind(("127.0.0.1", 0))
        attacking.listen()
        with socket.socket() as other:
            other.connect(attacking.getsockname())


def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacking:
        attacking.sendto(b"x", ("127.0.0.1", 9))


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as attacking:
        attacking.connect(path)


def execute():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/true", ["true"])
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError("exec failed")


def execute_directly():
    os.execv("/bin/true", ["true"])


def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def signal_parent():
    os.kill(os.getppid(), 0)


def signal_everyone():
    os.kill(-1, signal.SIGURG)


def trace_parent():
    check(libc.ptrace(16, os.getppid(), 0, 0))  # PTRACE_ATTACH


def become_root():
    os.setuid(0)
    assert os.geteuid() == 0


def become_another():
    os.setresuid(4711, 4711, 4711)


def new_user_namespace():
    check(libc.unshare(0x10000000))


def allocate_a_gigabyte():
    bytearray(1 << 30)


def raise_a_limit():
    resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))


def map_executable():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def make_executable():
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, 4096, 3, 0x22, -1, 0)
    check(libc.mprotect(address, 4096, 7))


def io_ring():
    check(libc.syscall(425, 1, ctypes.create_string_buffer(200)))


def read_kernel_log():
    check(libc.klogctl(3, ctypes.create_string_buffer(1000), 1000))


def mount():
    check(libc.mount(b"none", b"/", b"tmpfs", 0, None))


ATTACKS = {
    name: function
    for name, function in list(globals().items())
    if callable(function) and getattr(function, "__module__", None) == __name__ and name not in ("check", "unix_socket")
}
ONLY_SECCOMP = frozenset(("map_executable", "make_executable", "io_ring"))
"""What no other wall refuses."""
