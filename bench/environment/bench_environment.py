"""The environment of one run: emulators, packages and the measured processes."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from bench.environment.certificate import Certificate, make_certificate
from bench.environment.child_process import start_child
from bench.environment.emulator_process import Emulator, start_emulator
from bench.environment.function_settings import (
    Endpoints,
    aws_settings,
    local_settings,
    peer_settings,
)
from bench.environment.runtimes import (
    Runtime,
    build_packages,
    compile_peers,
    find_lambda,
    find_local,
)
from bench.environment.worker import Worker

T = TypeVar("T")
LATENCY_SECONDS = 0.05  # of the platform, unless a goal sets another
HOST = Path(__file__).with_name("function_host.py")
_NO_SETTINGS: Mapping[str, str] = {}


class BenchEnvironment:
    """Starts each part when it is first used; ends all of them with the block.

    `on_total` and `on_round` are called with the number of rounds to come, and after
    each round.
    """

    def __init__(self, *, packages: Path | None = None, is_smoke: bool = False) -> None:
        """Uses `packages`, a folder of built zips, or builds them when needed."""
        self._packages, self.is_smoke = packages, is_smoke
        self._stack = ExitStack()
        self._cache: dict[object, Any] = {}
        self._latency = -1.0
        self.start_counts: Mapping[str, Mapping[str, int]] = {}
        self.on_total: Callable[[int], None] = lambda _: None
        self.on_round: Callable[[], None] = lambda: None

    def __enter__(self) -> "BenchEnvironment":  # noqa: PYI034 - Self came with 3.11
        folder = tempfile.TemporaryDirectory(prefix="kycourier-bench-")
        self.folder = Path(self._stack.enter_context(folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def rounds(self, full: int, smoke: int = 2) -> Iterator[int]:
        """Counts to `full`, or to `smoke` in a short run, and reports progress."""
        count = smoke if self.is_smoke else full
        self.on_total(count)
        for number in range(count):
            yield number
            self.on_round()

    def cached(self, key: object, make: Callable[[], T]) -> T:
        """Returns the value made under a key, so that two goals can share samples."""
        if key not in self._cache:
            self._cache[key] = make()
        value: T = self._cache[key]
        return value

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate of the KYC platform."""
        return make_certificate(self.folder)

    @cached_property
    def kyc_platform(self) -> Emulator:
        """The KYC platform over TLS."""
        certificate, key, _ = map(str, self.certificate)
        return self._start("kyc_platform", certificate, key, scheme="https")

    @cached_property
    def s3(self) -> Emulator:
        """The evidence bucket."""
        return self._start("s3")

    @cached_property
    def aws_services(self) -> Emulator:
        """Table, bus, queue and secrets."""
        return self._start("aws_services")

    def set_latency(self, seconds: float) -> None:
        """Sets the time that the KYC platform takes for each response."""
        if seconds != self._latency:
            self.kyc_platform.configure(latency=seconds)
            self._latency = seconds

    @cached_property
    def packages(self) -> Path:
        """The folder of zips."""
        return self._packages or build_packages(self.folder / "dist")

    @cached_property
    def lambda_runtime(self) -> Runtime:
        """Lambda's Python with the packages."""
        return find_lambda(self.packages, self.folder / "lambda")

    @cached_property
    def local_runtime(self) -> Runtime:
        """This Python with the sources."""
        return find_local()

    @cached_property
    def endpoints(self) -> Endpoints:
        """URLs of all emulators."""
        return Endpoints(
            kyc_platform=self.kyc_platform.url,
            s3=self.s3.url,
            aws_services=self.aws_services.url,
            certificate=self.certificate,
        )

    def start_service(
        self,
        name: str = "collect_results",
        *,
        options: Sequence[str] = (),
        wrapper: Sequence[str] = (),
        **settings: str,
    ) -> AbstractContextManager[Worker]:
        """Starts one of the service's functions, packaged, on the AWS adapters."""
        runtime = self.lambda_runtime
        environ = {**runtime.base, **aws_settings(self.endpoints, settings)}
        return self._start_worker(
            runtime, runtime.file(name), environ, options, wrapper
        )

    def start_local_service(
        self,
        name: str = "collect_results",
        *,
        options: Sequence[str] = (),
        settings: Mapping[str, str] = _NO_SETTINGS,
    ) -> AbstractContextManager[Worker]:
        """Starts one of the service's functions from the sources, in its own folder.

        It runs on the local adapters where `settings` choose no others.
        """
        runtime = self.local_runtime
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        environ = {
            **runtime.base,
            **local_settings(self.endpoints, folder),
            **settings,
        }
        return self._start_worker(runtime, runtime.file(name), environ, options, ())

    def start_peer(
        self,
        name: str,
        *,
        runtime: Runtime | None = None,
        wrapper: Sequence[str] = (),
    ) -> AbstractContextManager[Worker]:
        """Starts a function file of `peers`, on the same emulators."""
        runtime = runtime or self.lambda_runtime
        peers = self.cached(
            ("peers", runtime.python),
            lambda: compile_peers(runtime, self.folder / "peers"),
        )
        environ = {**runtime.base, **peer_settings(self.endpoints, self.folder)}
        return self._start_worker(runtime, peers / f"{name}.py", environ, (), wrapper)

    @contextmanager
    def _start_worker(
        self,
        runtime: Runtime,
        file: Path,
        environ: dict[str, str],
        options: Sequence[str],
        wrapper: Sequence[str],
    ) -> Iterator[Worker]:
        command = [*wrapper, str(runtime.python), str(HOST), str(file), *options]
        log = self.folder / f"{file.parent.name}-{file.stem}.log"
        with start_child(
            command, name=file.stem, environ=environ, folder=self.folder, log=log
        ) as child:
            yield Worker(child)

    def _start(self, name: str, *arguments: str, scheme: str = "http") -> Emulator:
        return self._stack.enter_context(
            start_emulator(name, *arguments, folder=self.folder, scheme=scheme)
        )
