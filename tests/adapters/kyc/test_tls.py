"""The transport always verifies certificates and host names."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from urllib3 import HTTPSConnectionPool

from kycourier.adapters.http.connections import build_pool
from kycourier.core.errors import SettingError
from support.rigs.kyc_rig import (
    MAX_REPLY_BYTES,
    build_transport,
    expect_failure,
    open_kyc_rig,
)
from support.servers.certificates import Certificates
from support.servers.hostile_server import Peer, http_response

pytestmark = pytest.mark.enable_socket


def test_named_private_ca_is_trusted(
    certificates: Certificates,
) -> None:
    with open_kyc_rig(certificates=certificates) as rig:
        assert rig.send().status == 200
        assert rig.send().status == 200
    assert rig.server.connections == 1


@pytest.mark.parametrize("kind", ["expired", "elsewhere", "self_signed"])
def test_bad_certificate_is_rejected(certificates: Certificates, kind: str) -> None:
    with open_kyc_rig(
        tls=getattr(certificates, kind), certificates=certificates
    ) as rig:
        assert rig.fail().reason == "tls_failed"
    assert rig.server.requests == []


def test_certificate_of_another_host_is_rejected(certificates: Certificates) -> None:
    with open_kyc_rig(tls=certificates.good) as rig:
        url = rig.server.url.replace("127.0.0.1", "localhost")
        transport = build_transport(url, extra_ca_file=certificates.authority)
        assert expect_failure(transport).reason == "tls_failed"
    assert rig.server.requests == []


def test_requests_session_cannot_disable_verification(
    certificates: Certificates,
) -> None:
    with open_kyc_rig(tls=certificates.good) as rig:
        rig.transport._session(MAX_REPLY_BYTES).verify = False
        assert rig.fail().reason == "tls_failed"
    assert rig.server.requests == []


def test_trust_store_is_shared_per_ca_file(
    certificates: Certificates,
) -> None:
    def trust(host: str, authority: str | None) -> ssl.SSLContext:
        url = f"https://{host}.example"
        pool = build_pool(
            url, connections=1, max_body_bytes=MAX_REPLY_BYTES, extra_ca_file=authority
        )
        assert isinstance(pool, HTTPSConnectionPool)
        context: ssl.SSLContext = pool.conn_kw["ssl_context"]
        return context

    with ThreadPoolExecutor(2) as threads:
        private = list(threads.map(trust, ("a", "b"), [certificates.authority] * 2))
    public = trust("c", None)

    assert private[0] is private[1]
    assert public is not private[0]
    count, public_count = (
        each.cert_store_stats()["x509"] for each in (private[0], public)
    )
    assert count == public_count + 1


def test_environment_cannot_enable_tls_key_log(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with open_kyc_rig(certificates=certificates) as rig:
        assert rig.send().status == 200
    assert not keys.exists()


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_unusable_ca_file_stops_the_start(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "canary.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError) as caught:
        build_transport("https://127.0.0.1", extra_ca_file=str(file))
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("response", [b"HTTP/1.1 400 Plain\r\n\r\n", b"", b"\x15\x03"])
def test_server_without_tls_is_rejected(response: bytes) -> None:
    with open_kyc_rig(lambda peer: peer.send(response)) as rig:
        transport = build_transport(f"https://127.0.0.1:{rig.server.port}")
        assert expect_failure(transport).reason in {"tls_failed", "connection_reset"}


@pytest.mark.parametrize("verified", [True, False])
def test_replacement_connection_is_verified(
    certificates: Certificates, *, verified: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.read_request()

    with open_kyc_rig(script, certificates=certificates) as rig:
        assert rig.send().status == 200
        if verified:
            assert rig.send().status == 200
        else:
            rig.server.tls = certificates.self_signed
            assert rig.fail().reason == "tls_failed"
    assert rig.server.connections == 2
    assert len(rig.server.requests) == 2 + verified
