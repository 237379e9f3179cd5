"""Over TLS no server without a valid certificate receives the password."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.rigs.redis_rig import open_redis_client, open_redis_stores
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


def test_named_ca_is_trusted(tmp_path, certificates):
    with start_tls(tmp_path, certificates, "good") as port:
        call_every_store_verb(
            open_redis_stores(
                f"rediss://:synthetic@127.0.0.1:{port}?ca={certificates.authority}"
            )
        )


def test_tls_session_tickets_do_not_discard_the_connection(tmp_path, certificates):
    """TLS 1.3 sends tickets after the handshake; they are no reply."""
    with (
        start_tls(tmp_path, certificates, "good") as port,
        open_faulty_proxy(port) as proxy,
    ):
        url = f"rediss://:synthetic@127.0.0.1:{proxy.port}?ca={certificates.authority}"
        client = open_redis_client(url)
        for _ in range(5):
            client.now()

        assert proxy.connections == 1


@pytest.mark.parametrize(
    ("name", "is_ca_named"),
    [("expired", True), ("elsewhere", True), ("self_signed", True), ("good", False)],
)
def test_untrusted_certificate_is_rejected(
    tmp_path, certificates, start_failure_of, name, is_ca_named
):
    ca = f"?ca={certificates.authority}" if is_ca_named else ""
    with start_tls(tmp_path, certificates, name) as port:
        url = f"rediss://:synthetic@127.0.0.1:{port}{ca}"
        assert start_failure_of(url) == "certificate or TLS refused"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_ca_file_is_reported(tmp_path, start_failure_of, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    assert start_failure_of(f"rediss://127.0.0.1?ca={path}") == (
        "ca names no readable certificates"
    )
