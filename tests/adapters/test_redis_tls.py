"""TLS to Redis: whoever cannot prove who they are is told nothing, not the password."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from cutting_proxy import cutting_proxy
from fakes import FakeClock
from kycourier.adapters.places import open_state
from kycourier.core.errors import SettingError
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from records import use_everything
from redis_bench import around, open_server, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]


@contextmanager
def start_tls(folder: Path, certificates, name: str):
    """Serve Redis over TLS alone, with the certificate of that name; give its port."""
    made, port = Path(certificates.authority).parent, find_free_port()
    options = {
        "--tls-port": str(port),
        "--port": "0",
        "--tls-cert-file": str(made / f"{name}.pem"),
        "--tls-key-file": str(made / "key.pem"),
        "--tls-ca-cert-file": certificates.authority,
        "--tls-auth-clients": "no",
        "--requirepass": "synthetic",
    }
    words = [word for option in options.items() for word in option]
    with start_redis_node(folder, *words, port=port):
        yield port


def open_at(url: str):
    return open_state(place_of(url), around(FakeClock()))


def refusal(url: str) -> str:
    with pytest.raises(SettingError) as refused:
        open_at(url)
    assert refused.value.__context__ is None
    return refused.value.why.removeprefix("cannot be used: ")


def test_server_of_the_named_authority_keeps_the_state(tmp_path, certificates):
    with start_tls(tmp_path, certificates, "good") as port:
        use_everything(
            open_at(f"rediss://:synthetic@127.0.0.1:{port}?ca={certificates.authority}")
        )


def test_connection_is_kept_though_tls_says_more_after_its_handshake(
    tmp_path, certificates
):
    """TLS 1.3 sends tickets then, which are no answer to anything."""
    with (
        start_tls(tmp_path, certificates, "good") as port,
        cutting_proxy(port) as proxy,
    ):
        url = f"rediss://:synthetic@127.0.0.1:{proxy.port}?ca={certificates.authority}"
        server = open_server(url, around(FakeClock()))
        for _ in range(5):
            server.now()

        assert proxy.connections == 1


@pytest.mark.parametrize("name", ["expired", "elsewhere", "self_signed"])
def test_certificate_that_proves_nothing_is_refused(tmp_path, certificates, name):
    with start_tls(tmp_path, certificates, name) as port:
        url = f"rediss://:synthetic@127.0.0.1:{port}?ca={certificates.authority}"
        assert refusal(url) == "certificate or TLS refused"


def test_private_authority_is_not_trusted_unless_named(tmp_path, certificates):
    with start_tls(tmp_path, certificates, "good") as port:
        url = f"rediss://:synthetic@127.0.0.1:{port}"
        assert refusal(url) == "certificate or TLS refused"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authority_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    assert refusal(f"rediss://127.0.0.1?ca={path}") == (
        "ca names no readable certificates"
    )
