"""Starts emulators that are servers: processes on loopback that end with the block."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from kycourier_devkit import tool_envs
from kycourier_devkit.errors import ToolUnavailableError

HOST = "127.0.0.1"
_START_SECONDS = 30.0
_END_SECONDS = 3.0


@contextmanager
def start_moto(*, record: Path | None = None) -> Iterator[str]:
    """Serves AWS's APIs in memory; yields the URL. Raises ToolUnavailableError.

    `record` is a file to which every signed call is appended as a JSON line.
    """
    script = Path(__file__).parent / "aws" / "moto_server.py"
    command = [tool_envs.python_tool("moto") / "python", script]
    with _started([*command, *([record] if record else [])]) as process:
        yield f"http://{HOST}:{_read_line(process)}"


@contextmanager
def start_dynalite() -> Iterator[str]:
    """Serves dynalite, a second DynamoDB. Raises ToolUnavailableError."""
    port = find_free_port()
    program = tool_envs.node_tool("dynalite")
    options = ["--host", HOST, "--port", str(port), "--createTableMs", "0"]
    options += ["--deleteTableMs", "0", "--updateTableMs", "0"]
    with _started([program, *options]) as process:
        _wait_for(port, process)
        yield f"http://{HOST}:{port}"


@contextmanager
def start_redis(folder: Path) -> Iterator[str]:
    """Serves Redis as a cluster of one node, which enforces hash slots; yields the URL.

    Raises ToolUnavailableError.
    """
    port, bus = find_free_port(), find_free_port()  # the default is port + 10000
    options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
    with start_redis_node(folder, *options, port=port):
        _form_cluster(port)
        yield f"redis://{HOST}:{port}"


@contextmanager
def start_redis_node(folder: Path, *options: str, port: int) -> Iterator[None]:
    """Serves one Redis, by default without persistence. Raises ToolUnavailableError."""
    program = tool_envs.redis_server()
    settings = ["--port", str(port), "--bind", HOST, "--dir", str(folder)]
    with _started([program, *settings, "--save", "", *options]) as process:
        _wait_for(port, process)
        yield


def _form_cluster(port: int) -> None:
    """Assigns all slots to a Redis and waits until it serves them."""
    ends_at = time.monotonic() + _START_SECONDS
    with socket.create_connection((HOST, port)) as connection:
        connection.sendall(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
        response = connection.recv(4096)
        while b"cluster_state:ok" not in response:
            if time.monotonic() > ends_at:
                raise ToolUnavailableError(
                    "redis-server does not start in cluster mode"
                )
            time.sleep(0.05)
            connection.sendall(b"CLUSTER INFO\r\n")
            response = connection.recv(4096)


def find_free_port() -> int:
    """Returns a loopback port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _started(command: Sequence[str | Path]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own list
        command,
        env={"PATH": os.defpath + ":/usr/local/bin"},
        stdin=subprocess.PIPE,  # moto_server.py ends with it
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
        raise ToolUnavailableError(f"{_program_of(process)} did not start")
    return line


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise ToolUnavailableError(f"{_program_of(process)} did not start")


def _program_of(process: "subprocess.Popen[str]") -> str:
    command = cast("Sequence[str | Path]", process.args)
    script = [part for part in command if str(part).endswith(".py")]
    return Path([*script, command[0]][0]).name
