"""Over TLS no server without a valid certificate receives the password."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from kycourier.adapters.registry import open_stores
from kycourier.core.errors import SettingError
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import FakeClock
from support.rigs.redis_rig import open_server, redis_context, split_url
from support.sample_records import call_every_store_verb
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]


@contextmanager
def start_tls(folder: Path, certificates, name: str):
    """Serve Redis over TLS only with the named certificate; yield its port."""
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
    return open_stores(split_url(url), redis_context(FakeClock()))


def refusal(url: str) -> str:
    with pytest.raises(SettingError) as refused:
        open_at(url)
    assert refused.value.__context__ is None
    return refused.value.why.removeprefix("cannot be used: ")


def test_named_ca_is_trusted(tmp_path, certificates):
    with start_tls(tmp_path, certificates, "good") as port:
        call_every_store_verb(
            open_at(f"rediss://:synthetic@127.0.0.1:{port}?ca={certificates.authority}")
        )


def test_tls_session_tickets_do_not_discard_the_connection(tmp_path, certificates):
    """TLS 1.3 sends tickets after the handshake; they are no reply."""
    with (
        start_tls(tmp_path, certificates, "good") as port,
        open_faulty_proxy(port) as proxy,
    ):
        url = f"rediss://:synthetic@127.0.0.1:{proxy.port}?ca={certificates.authority}"
        server = open_server(url, redis_context(FakeClock()))
        for _ in range(5):
            server.now()

        assert proxy.connections == 1


@pytest.mark.parametrize("name", ["expired", "elsewhere", "self_signed"])
def test_bad_certificate_is_rejected(tmp_path, certificates, name):
    with start_tls(tmp_path, certificates, name) as port:
        url = f"rediss://:synthetic@127.0.0.1:{port}?ca={certificates.authority}"
        assert refusal(url) == "certificate or TLS refused"


def test_private_ca_is_not_trusted_unless_named(tmp_path, certificates):
    with start_tls(tmp_path, certificates, "good") as port:
        url = f"rediss://:synthetic@127.0.0.1:{port}"
        assert refusal(url) == "certificate or TLS refused"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_ca_file_is_reported(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    assert refusal(f"rediss://127.0.0.1?ca={path}") == (
        "ca names no readable certificates"
    )
