"""A Redis of the test's own, a faulty proxy to the shared one, and failed calls."""

from collections.abc import Callable, Iterator

import pytest

from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.rigs.redis_rig import flush, open_redis_stores, port_of
from support.servers.faulty_proxy import FaultyProxy, open_faulty_proxy


@pytest.fixture
def node(tmp_path) -> Iterator[str]:
    """Return the URL of the test's own Redis."""
    port = find_free_port()
    with start_redis_node(tmp_path, port=port):
        yield f"redis://127.0.0.1:{port}"


@pytest.fixture
def proxy(redis_url: str) -> Iterator[FaultyProxy]:
    """Return a proxy to the shared, empty Redis."""
    with open_faulty_proxy(port_of(flush(redis_url))) as proxy:
        yield proxy


@pytest.fixture
def failure_of() -> Callable[[Callable[[], object]], str]:
    """Return a function that makes a call that must fail; it returns the reason."""

    def call(work: Callable[[], object]) -> str:
        with pytest.raises(StoreUnavailableError) as failure:
            work()
        assert failure.value.__context__ is None
        return failure.value.reason

    return call


@pytest.fixture
def start_failure_of() -> Callable[[str], str]:
    """Return a function that opens stores, which must fail; it returns why."""

    def open_stores(url: str) -> str:
        with pytest.raises(SettingError) as failure:
            open_redis_stores(url)
        assert failure.value.variable == "KYCOURIER_STATE"
        assert failure.value.__context__ is None
        assert "canary" not in str(failure.value)
        return failure.value.why.removeprefix("cannot be used: ")

    return open_stores
