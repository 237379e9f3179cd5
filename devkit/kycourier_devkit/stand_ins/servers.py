"""Start and end a stand-in: a process of its own that ends with the block."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing

HOST = "127.0.0.1"
_START_SECONDS = 30.0
_END_SECONDS = 3.0


@contextmanager
def start_moto(*, record: Path | None = None) -> Iterator[str]:
    """Serve AWS's APIs in memory; give the URL. Raises ToolMissing.

    `record` is a file that takes who called what.
    """
    script = Path(__file__).with_name("serve_moto.py")
    command = [toolbox.python_tool("moto") / "python", script]
    with _started([*command, *([record] if record else [])]) as process:
        yield f"http://{HOST}:{_read_line(process)}"


@contextmanager
def start_dynalite() -> Iterator[str]:
    """Serve a second DynamoDB in memory; give the URL. Raises ToolMissing."""
    port = find_free_port()
    program = toolbox.node_tool("dynalite")
    options = ["--host", HOST, "--port", str(port), "--createTableMs", "0"]
    options += ["--deleteTableMs", "0", "--updateTableMs", "0"]
    with _started([program, *options]) as process:
        _wait_for(port, process)
        yield f"http://{HOST}:{port}"


@contextmanager
def start_redis(folder: Path) -> Iterator[str]:
    """Serve Redis as a cluster of one, so that keys must lie together; give the URL.

    Raises ToolMissing.
    """
    port, bus = find_free_port(), find_free_port()  # else it is port + 10000
    options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
    with start_redis_node(folder, *options, port=port):
        _form_cluster(port)
        yield f"redis://{HOST}:{port}"


@contextmanager
def start_redis_node(folder: Path, *options: str, port: int) -> Iterator[None]:
    """Serve one Redis that keeps nothing on disk unless told. Raises ToolMissing."""
    program = toolbox.redis_server()
    settings = ["--port", str(port), "--bind", HOST, "--dir", str(folder)]
    with _started([program, *settings, "--save", "", *options]) as process:
        _wait_for(port, process)
        yield


def _form_cluster(port: int) -> None:
    """Give a Redis all slots, and wait until it serves them: two seconds."""
    ends_at = time.monotonic() + _START_SECONDS
    with socket.create_connection((HOST, port)) as connection:
        connection.sendall(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
        answer = connection.recv(4096)
        while b"cluster_state:ok" not in answer:
            if time.monotonic() > ends_at:
                raise ToolMissing("redis-server does not serve as a cluster")
            time.sleep(0.05)
            connection.sendall(b"CLUSTER INFO\r\n")
            answer = connection.recv(4096)


def find_free_port() -> int:
    """Find a port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _started(command: Sequence[str | Path]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own list
        command,
        env={"PATH": os.defpath + ":/usr/local/bin"},
        stdin=subprocess.PIPE,  # its end is ours
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _read_line(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line:
        raise ToolMissing("a stand-in did not start")
    return line


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise ToolMissing("a stand-in did not start")
