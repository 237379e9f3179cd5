"""Settings and fixtures of the suite."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import pytest
from bench.environment.emulator_process import start_emulator
from hypothesis import settings

from kycourier_devkit.emulators.servers import start_dynalite, start_moto, start_redis
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.package.clouds import AWS, Cloud
from kycourier_devkit.sandbox import Sandbox
from support.aws.aws_proxy import AwsProxy
from support.built_packages import build_once
from support.figures import Figures, rows_of, table
from support.processes.service_rig import ServiceRig, open_service_rig
from support.servers.certificates import Certificates, make_certificates
from support.servers.emulators import start_or_skip
from support.tencent_api_rig import ROLE, TencentApiAccount

pytest_plugins = ["support.leaks.leak_plugin"]
pytest.register_assert_rewrite("support.leaks.noisy_service")
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Restore Ctrl-C for children of a background run, where the shell ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skipped test fails the run"
    )
    parser.addoption(
        "--write-causes", action="store_true", help="write docs/reference/causes.md"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if skipped and session.config.getoption("--no-skips"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def service_rig(tmp_path: Path) -> Iterator[ServiceRig]:
    """Return a rig with a folder, an environment and a sandbox of its own."""
    with open_service_rig(tmp_path, Sandbox()) as service_rig:
        yield service_rig


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a CA and server certificates: one valid, the rest invalid."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def packages_of(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[Cloud], Path]:
    """Return a cloud's folder of zips, built once for all pytest workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    return lambda cloud: build_once(shared / f"dist-{cloud.name}", cloud)


@pytest.fixture(scope="session")
def packages(packages_of: Callable[[Cloud], Path]) -> Path:
    """Return the folder of Lambda's zips."""
    return packages_of(AWS)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of moto, an emulator of AWS."""
    with start_or_skip(start_moto()) as url:
        yield url


@pytest.fixture(scope="session")
def proxies() -> Iterator[Callable[[str], AwsProxy]]:
    """Return the proxy of an emulator's URL, one per URL, reset for each use."""
    with ExitStack() as stack:

        @cache
        def opened(url: str) -> AwsProxy:
            return stack.enter_context(closing(AwsProxy(url)))

        def proxy_of(url: str) -> AwsProxy:
            proxy = opened(url)
            proxy.reset()
            return proxy

        yield proxy_of


@pytest.fixture
def proxy(moto: str, proxies: Callable[[str], AwsProxy]) -> AwsProxy:
    """Return the proxy to moto."""
    return proxies(moto)


@pytest.fixture
def account() -> Iterator[TencentApiAccount]:
    """Return a Tencent Cloud account of the test's own."""
    with closing(TencentApiAccount()) as account:
        yield account


@pytest.fixture
def cos(moto: str) -> Iterator[Cos]:
    """Return a COS of the test's own, in front of moto."""
    with closing(Cos(moto, [ROLE])) as cos:
        yield cos


@pytest.fixture(scope="session")
def dynalite() -> Iterator[str]:
    """Return the URL of dynalite, a second DynamoDB emulator."""
    with start_or_skip(start_dynalite()) as url:
        yield url


@pytest.fixture(scope="session")
def bench_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of the bench's DynamoDB, which must pass the same contracts."""
    folder = tmp_path_factory.mktemp("bench")
    with start_emulator("aws_services", folder=folder) as services:
        yield services.url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a Redis cluster with one node."""
    with start_or_skip(start_redis(tmp_path_factory.mktemp("redis"))) as url:
        yield url


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of the run; `--randomly-seed=N` repeats a run."""
    return _seed_of(request.config)


def _seed_of(config: pytest.Config) -> int:
    """Return the seed of pytest-randomly, or 0 under `-p no:randomly`."""
    return config.getoption("randomly_seed", 0)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Return a recorder of counts for the table at the end of the run."""
    return Figures(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    if rows := rows_of(reports):
        seed = _seed_of(terminalreporter.config)
        terminalreporter.section(f"figures, --randomly-seed={seed}")
        terminalreporter.write("\n".join([*table(rows), ""]))
