"""The stage of one run: stand-ins, packages, and the processes that are measured."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from bench.authority import Authority, make_authority
from bench.environments import Places, aws_environ, local_environ, naive_environ
from bench.processes import start
from bench.runtime import (
    HERE,
    Runtime,
    build_packages,
    copy_peers,
    find_lambda,
    find_local,
)
from bench.stand_in import StandIn, start_stand_in
from bench.worker import Worker

T = TypeVar("T")
LATENCY = 0.05  # seconds; of the platform, unless a goal says otherwise
_NOTHING_ELSE: Mapping[str, str] = {}


class Stage:
    """Everything is started when first used, and ends with the block."""

    def __init__(self, *, packages: Path | None = None, is_smoke: bool = False) -> None:
        """Take `packages`, a folder of zips that are built already."""
        self._given, self.is_smoke = packages, is_smoke
        self._stack = ExitStack()
        self._kept: dict[object, Any] = {}
        self.records: dict[str, object] = {}
        self._latency = -1.0
        self.advance: Callable[[], None] = lambda: None
        self.expect: Callable[[int], None] = lambda _: None

    def __enter__(self) -> "Stage":  # noqa: PYI034 - Self came with 3.11
        made = tempfile.TemporaryDirectory(prefix="kycourier-bench-")
        self.folder = Path(self._stack.enter_context(made))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def steps(self, full: int, smoke: int = 2) -> Iterator[int]:
        """Count to `full`, or to `smoke` in a short run, and show how far we are."""
        count = smoke if self.is_smoke else full
        self.expect(count)
        for number in range(count):
            yield number
            self.advance()

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Give what was made under a key; two goals may share samples."""
        if key not in self._kept:
            self._kept[key] = make()
        found: T = self._kept[key]
        return found

    @cached_property
    def authority(self) -> Authority:
        """The certificate of the upstream."""
        return make_authority(self.folder)

    @cached_property
    def upstream(self) -> StandIn:
        """The KYC platform over TLS."""
        certificate, key, _ = map(str, self.authority)
        return self._start("upstream", certificate, key, scheme="https")

    @cached_property
    def bucket(self) -> StandIn:
        """The S3."""
        return self._start("bucket")

    @cached_property
    def services(self) -> StandIn:
        """Table, bus, queue and secrets."""
        return self._start("services")

    def be_slow(self, latency: float) -> None:
        """Have the platform answer after so many seconds."""
        if latency != self._latency:
            self.upstream.tell(latency=latency)
            self._latency = latency

    @cached_property
    def packages(self) -> Path:
        """The folder of zips."""
        return self._given or build_packages(self.folder / "dist")

    @cached_property
    def lambda_runtime(self) -> Runtime:
        """Lambda's Python with the packages."""
        return find_lambda(self.packages, self.folder / "lambda")

    @cached_property
    def local_runtime(self) -> Runtime:
        """This Python with the sources."""
        return find_local()

    @cached_property
    def places(self) -> Places:
        """Where everything answers."""
        return Places(
            upstream=self.upstream.url,
            bucket=self.bucket.url,
            services=self.services.url,
            authority=self.authority,
        )

    def ours(
        self,
        name: str = "collect_results",
        *,
        wishes: Sequence[str] = (),
        wrap: Sequence[str] = (),
        **settings: str,
    ) -> AbstractContextManager[Worker]:
        """Start a function of ours on the AWS adapters, from the packages."""
        runtime = self.lambda_runtime
        environ = {**runtime.base, **aws_environ(self.places, settings)}
        return self._work(runtime, runtime.file(name), environ, wishes, wrap)

    def local(
        self,
        name: str = "collect_results",
        *,
        wishes: Sequence[str] = (),
        settings: Mapping[str, str] = _NOTHING_ELSE,
    ) -> AbstractContextManager[Worker]:
        """Start a function of ours from the sources, in a folder of its own.

        On the local adapters, where `settings` name no others.
        """
        runtime = self.local_runtime
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        environ = {**runtime.base, **local_environ(self.places, folder), **settings}
        return self._work(runtime, runtime.file(name), environ, wishes, ())

    def peer(
        self,
        file: str,
        *,
        runtime: Runtime | None = None,
        wishes: Sequence[str] = (),
        wrap: Sequence[str] = (),
    ) -> AbstractContextManager[Worker]:
        """Start another function file (`naive/handler.py`), on the same stand-ins."""
        runtime = runtime or self.lambda_runtime
        peers = self.once(
            ("peers", runtime.python),
            lambda: copy_peers(runtime, self.folder / "peers"),
        )
        environ = {**runtime.base, **naive_environ(self.places, self.folder)}
        return self._work(runtime, peers / file, environ, wishes, wrap)

    @contextmanager
    def _work(
        self,
        runtime: Runtime,
        file: Path,
        environ: dict[str, str],
        wishes: Sequence[str],
        wrap: Sequence[str],
    ) -> Iterator[Worker]:
        host = [str(runtime.python), str(HERE / "host.py")]
        command = [*wrap, *host, str(file), *wishes]
        log = self.folder / f"{file.parent.name}-{file.stem}.log"
        with start(
            command, name=file.stem, environ=environ, folder=self.folder, log=log
        ) as process:
            yield Worker(process)

    def _start(self, name: str, *arguments: str, scheme: str = "http") -> StandIn:
        return self._stack.enter_context(
            start_stand_in(name, *arguments, folder=self.folder, scheme=scheme)
        )
