"""What a load run runs: the platform's stand-in, a Redis, `kycourier serve`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.environments import Places, local_environ
from bench.load.processes import Member, find_children, find_member
from bench.processes import BenchFailed
from bench.stage import Stage
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node

START_SECONDS, END_SECONDS = 60.0, 15.0
SWEEP_SECONDS = 15
COLLECTOR, API = "collect_results.py", "orders_api.py"
_ADDRESS = re.compile(r"The orders API is at http://127\.0\.0\.1:([0-9]+)/v1 ")
_PATH = "/usr/local/bin:/usr/bin:/bin"


class House:
    """Everything that runs, and where it keeps things."""

    def __init__(
        self, stage: Stage, folder: Path, redis_port: int, serve: int, port: int
    ) -> None:
        self.stage, self.folder, self.port = stage, folder, port
        self.redis = f"127.0.0.1:{redis_port}"
        self._serve, self._redis_port = serve, redis_port

    @property
    def events(self) -> Path:
        """Where events go."""
        return self.folder / "events.jsonl"

    @property
    def evidence(self) -> Path:
        """Where photos go."""
        return self.folder / "evidence"

    @property
    def log(self) -> Path:
        """Where the functions' log lines go."""
        return self.folder / ".kycourier" / "functions.log"

    def workers(self) -> list[Member]:
        """Give the processes that collect."""
        return [
            each for each in find_children(self._serve) if COLLECTOR in each.command
        ]

    def members(self) -> Mapping[str, list[Member]]:
        """Give all processes by what they do."""
        children = find_children(self._serve)
        named = {
            "workers": [each for each in children if COLLECTOR in each.command],
            "API functions": [each for each in children if API in each.command],
        }
        counted = [each for kind in named.values() for each in kind]
        return {
            **named,
            "sweep and refresh": [each for each in children if each not in counted],
            "gateway and queue": [find_member(self._serve)],
            "Redis": find_redis(self._redis_port),
            "platform's stand-in": [find_member(self.stage.upstream.pid)],
            "callers": [find_member(os.getpid())],
        }


def find_redis(port: int) -> list[Member]:
    """Give the Redis that we started."""
    return [
        each
        for each in find_children(os.getpid())
        if "redis-server" in each.command and f":{port}" in each.command
    ]


@contextmanager
def open_house(stage: Stage, *, workers: int) -> Iterator[House]:
    """Start everything; end it with the block. Raises BenchFailed."""
    folder, port = stage.folder / "load", find_free_port()
    folder.mkdir()
    stage.be_slow(0)
    with start_redis_node(folder, port=port):
        environ = {
            **local_environ(_places(stage), folder),
            "PATH": _PATH,
            "KYCOURIER_STATE": f"redis://127.0.0.1:{port}",
        }
        options = ["--port", "0", "--workers", str(workers)]
        options += ["--sweep-seconds", str(SWEEP_SECONDS)]
        with _serving(options, environ, folder) as (serve, gateway):
            yield House(stage, folder, port, serve, gateway)


def _places(stage: Stage) -> Places:
    return Places(stage.upstream.url, "", "", stage.authority)


@contextmanager
def _serving(
    options: list[str], environ: Mapping[str, str], folder: Path
) -> Iterator[tuple[int, int]]:
    """Run `kycourier serve`; give its process and port. Ctrl-C ends it."""
    said = folder / "serve.log"
    with said.open("wb") as stream:
        running = subprocess.Popen(  # noqa: S603 - our own list
            [sys.executable, "-u", "-m", "kycourier_devkit", "serve", *options],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        yield running.pid, _wait_for_port(running, said)
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _wait_for_port(running: "subprocess.Popen[bytes]", said: Path) -> int:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and running.poll() is None:
        if found := _ADDRESS.search(said.read_text("utf-8", "replace")):
            return int(found[1])
        time.sleep(0.1)
    raise BenchFailed("kycourier serve did not start")
