"""Settings and fixtures of the suite."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import pytest
from bench.stand_in import start_stand_in
from hypothesis import settings

from aws.proxy import AwsProxy
from built import build_once
from certificates import Certificates, make_certificates
from figures import Figures, rows_of, table
from houses import House, open_house
from kycourier_devkit.package.clouds import AWS, Cloud
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.stand_ins.servers import start_dynalite, start_moto, start_redis
from kycourier_devkit.stand_ins.tencent.cos import Cos
from stand_ins import or_skip
from tencent.account import ROLE, Account

pytest_plugins = ["overheard"]
pytest.register_assert_rewrite("loud_house")  # its failures name sink and spelling
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Let Ctrl-C reach the children of a run in the background, where it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skipped test fails the run"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if skipped and session.config.getoption("--no-skips"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give the functions a folder, an environment and an emulator of their own."""
    with open_house(tmp_path, Sandbox()) as house:
        yield house


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Give an authority, and servers' certificates: one good, the rest bad."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by the openssl command")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def packages_of(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[Cloud], Path]:
    """Give a cloud's folder of zips, built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    return lambda cloud: build_once(shared / f"dist-{cloud.name}", cloud)


@pytest.fixture(scope="session")
def packages(packages_of: Callable[[Cloud], Path]) -> Path:
    """Give the folder of Lambda's zips."""
    return packages_of(AWS)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Give the URL of AWS's APIs, as moto serves them."""
    with or_skip(start_moto()) as url:
        yield url


@pytest.fixture(scope="session")
def proxies() -> Iterator[Callable[[str], AwsProxy]]:
    """Give the one proxy before a stand-in, with nothing planned or noted."""
    with ExitStack() as stack:

        @cache
        def opened(url: str) -> AwsProxy:
            return stack.enter_context(closing(AwsProxy(url)))

        def give(url: str) -> AwsProxy:
            proxy = opened(url)
            proxy.forget()
            return proxy

        yield give


@pytest.fixture
def proxy(moto: str, proxies: Callable[[str], AwsProxy]) -> AwsProxy:
    """Give the proxy before moto."""
    return proxies(moto)


@pytest.fixture
def account() -> Iterator[Account]:
    """Give an account of Tencent Cloud of one's own."""
    with closing(Account()) as account:
        yield account


@pytest.fixture
def cos(moto: str) -> Iterator[Cos]:
    """Give COS of one's own, before moto."""
    with closing(Cos(moto, [ROLE])) as cos:
        yield cos


@pytest.fixture(scope="session")
def dynalite() -> Iterator[str]:
    """Give the URL of a second DynamoDB."""
    with or_skip(start_dynalite()) as url:
        yield url


@pytest.fixture(scope="session")
def bench_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of the bench's DynamoDB, which is held to the same contracts."""
    folder = tmp_path_factory.mktemp("bench")
    with start_stand_in("services", folder=folder) as services:
        yield services.url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a Redis that is a cluster of one."""
    with or_skip(start_redis(tmp_path_factory.mktemp("redis"))) as url:
        yield url


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Give the run's seed; `--randomly-seed=N` repeats what was drawn from it."""
    return request.config.getoption("randomly_seed")


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Take figures for the table at the run's end."""
    return Figures(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    if rows := rows_of(reports):
        seed = terminalreporter.config.getoption("randomly_seed")
        terminalreporter.section(f"figures, --randomly-seed={seed}")
        terminalreporter.write("\n".join([*table(rows), ""]))
