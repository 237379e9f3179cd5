"""The environment of a load run: KYC platform, Redis and `kycourier serve`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.function_settings import Endpoints, local_settings
from bench.errors import BenchError
from bench.load.process_stats import ProcessStats, read_children, read_process
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node

START_SECONDS, END_SECONDS = 60.0, 15.0
SWEEP_SECONDS = 15
COLLECTOR, API = "collect_results.py", "orders_api.py"
_ADDRESS = re.compile(r"The orders API is at http://127\.0\.0\.1:([0-9]+)/v1 ")
_PATH = "/usr/local/bin:/usr/bin:/bin"


class LoadEnvironment:
    """The running processes and their files; `port` is the gateway's."""

    def __init__(
        self,
        bench: BenchEnvironment,
        folder: Path,
        *,
        redis_port: int,
        serve_pid: int,
        port: int,
    ) -> None:
        self.folder, self.port = folder, port
        self.redis = f"127.0.0.1:{redis_port}"
        self._bench, self._serve_pid, self._redis_port = bench, serve_pid, redis_port

    @property
    def events(self) -> Path:
        """The file of published events."""
        return self.folder / "events.jsonl"

    @property
    def log(self) -> Path:
        """The file of the functions' log lines."""
        return self.folder / ".kycourier" / "functions.log"

    def workers(self) -> list[ProcessStats]:
        """Returns the processes that collect."""
        children = read_children(self._serve_pid)
        return [each for each in children if COLLECTOR in each.command]

    def processes(self) -> Mapping[str, list[ProcessStats]]:
        """Returns all processes by role."""
        children = read_children(self._serve_pid)
        by_role = {
            "workers": [each for each in children if COLLECTOR in each.command],
            "API functions": [each for each in children if API in each.command],
        }
        counted = [each for group in by_role.values() for each in group]
        return {
            **by_role,
            "sweep and refresh": [each for each in children if each not in counted],
            "gateway and queue": [read_process(self._serve_pid)],
            "Redis": self._redis_processes(),
            "emulated platform": [read_process(self._bench.kyc_platform.pid)],
            "callers": [read_process(os.getpid())],
        }

    def _redis_processes(self) -> list[ProcessStats]:
        return [
            each
            for each in read_children(os.getpid())
            if "redis-server" in each.command and f":{self._redis_port}" in each.command
        ]


@contextmanager
def start_load_environment(
    bench: BenchEnvironment, *, workers: int
) -> Iterator[LoadEnvironment]:
    """Starts everything, and ends it with the block. Raises BenchError."""
    folder, redis_port = bench.folder / "load", find_free_port()
    folder.mkdir()
    bench.set_latency(0)
    endpoints = Endpoints(bench.kyc_platform.url, "", "", bench.certificate)
    with start_redis_node(folder, port=redis_port):
        environ = {
            **local_settings(endpoints, folder),
            "PATH": _PATH,
            "KYCOURIER_STATE": f"redis://127.0.0.1:{redis_port}",
        }
        options = ["--port", "0", "--workers", str(workers)]
        options += ["--sweep-seconds", str(SWEEP_SECONDS)]
        with _serve(options, environ, folder) as (pid, port):
            yield LoadEnvironment(
                bench, folder, redis_port=redis_port, serve_pid=pid, port=port
            )


@contextmanager
def _serve(
    options: list[str], environ: Mapping[str, str], folder: Path
) -> Iterator[tuple[int, int]]:
    """Runs `kycourier serve`; yields its process id and port."""
    output = folder / "serve.log"
    with output.open("wb") as stream:
        serve = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-u", "-m", "kycourier_devkit", "serve", *options],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        yield serve.pid, _wait_for_port(serve, output)
    finally:
        serve.send_signal(signal.SIGINT)
        try:
            serve.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            serve.kill()
            serve.wait()


def _wait_for_port(serve: "subprocess.Popen[bytes]", output: Path) -> int:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and serve.poll() is None:
        if found := _ADDRESS.search(output.read_text("utf-8", "replace")):
            return int(found[1])
        time.sleep(0.1)
    raise BenchError("kycourier serve did not start")
