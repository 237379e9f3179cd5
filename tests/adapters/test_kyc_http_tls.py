"""Certificates and host names are always checked."""

import shutil
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from urllib3 import HTTPSConnectionPool

from certificates import Certificates
from hostile import Peer, answering, reply
from kyc_client import CAP, fail, talking
from kycourier.adapters.http_connection import build_pool
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.errors import SettingError

pytestmark = pytest.mark.enable_socket


def test_a_private_authority_is_trusted_when_it_is_named(
    certificates: Certificates,
) -> None:
    with talking(
        answering(reply()), tls=certificates.good, extra_ca_file=certificates.authority
    ) as talk:
        assert talk.ask().status == 200
        assert talk.ask().status == 200
    assert talk.server.connections == 1


@pytest.mark.parametrize("kind", ["expired", "elsewhere", "self_signed"])
def test_a_bad_certificate_is_refused(certificates: Certificates, kind: str) -> None:
    with talking(
        answering(reply()),
        tls=getattr(certificates, kind),
        extra_ca_file=certificates.authority,
    ) as talk:
        assert talk.fail().reason == "tls"
    assert talk.server.requests == []


def test_a_good_certificate_is_refused_under_another_name(
    certificates: Certificates,
) -> None:
    with talking(answering(reply()), tls=certificates.good) as talk:
        transport = KycHttp(
            talk.server.url.replace("127.0.0.1", "localhost"),
            connections=1,
            max_reply_bytes=CAP,
            extra_ca_file=certificates.authority,
        )
        assert fail(transport).reason == "tls"
    assert talk.server.requests == []


def test_roots_are_read_once_for_all_hosts_and_apart_for_another_authority(
    certificates: Certificates,
) -> None:
    def trust(host: str, authority: str | None) -> ssl.SSLContext:
        url = f"https://{host}.example"
        pool = build_pool(
            url, connections=1, max_body_bytes=CAP, extra_ca_file=authority
        )
        assert isinstance(pool, HTTPSConnectionPool)
        context: ssl.SSLContext = pool.conn_kw["ssl_context"]
        return context

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(trust, ("a", "b"), [certificates.authority] * 2))
    public = trust("c", None)

    assert told[0] is told[1]
    assert public is not told[0]
    more = told[0].cert_store_stats()["x509"] - public.cert_store_stats()["x509"]
    assert more == 1


def test_an_unknown_authority_is_refused_whatever_the_environment_says(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, certificates.authority)
    with talking(answering(reply()), tls=certificates.good) as talk:
        assert talk.fail().reason == "tls"
    assert talk.server.requests == []


def test_verification_cannot_be_turned_off_from_within_requests(
    certificates: Certificates,
) -> None:
    with talking(answering(reply()), tls=certificates.good) as talk:
        talk.transport._session.verify = False
        assert talk.fail().reason == "tls"
    assert talk.server.requests == []


def test_authorities_are_read_once(certificates: Certificates, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    shutil.copy(certificates.authority, authority)

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply(b"{}", "Connection: close"))

    with talking(play, tls=certificates.good, extra_ca_file=str(authority)) as talk:
        authority.unlink()
        assert talk.ask().status == 200
        assert talk.ask().status == 200
    assert talk.server.connections == 2


def test_session_keys_are_not_written_whatever_the_environment_says(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with talking(
        answering(reply()), tls=certificates.good, extra_ca_file=certificates.authority
    ) as talk:
        assert talk.ask().status == 200
    assert not keys.exists()


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_an_unusable_authority_stops_the_start(
    content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "canary.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError) as caught:
        KycHttp(
            "https://127.0.0.1", connections=1, max_reply_bytes=CAP,
            extra_ca_file=str(file),
        )  # fmt: skip
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Plain\r\n\r\n", b"", b"\x15\x03"])
def test_a_server_without_tls_is_refused(answer: bytes) -> None:
    with talking(lambda peer: peer.send(answer)) as talk:
        transport = KycHttp(
            f"https://127.0.0.1:{talk.server.port}",
            connections=1,
            max_reply_bytes=CAP,
        )
        assert fail(transport).reason in {"tls", "reset"}


@pytest.mark.parametrize("verified", [True, False])
def test_the_connection_that_replaces_a_dead_one_is_verified_too(
    certificates: Certificates, *, verified: bool
) -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        peer.hear()

    with talking(
        play, tls=certificates.good, extra_ca_file=certificates.authority
    ) as talk:
        assert talk.ask().status == 200
        if verified:
            assert talk.ask().status == 200
        else:
            talk.server.tls = certificates.self_signed
            assert talk.fail().reason == "tls"
    assert talk.server.connections == 2
    assert len(talk.server.requests) == 2 + verified
