"""What only a function's own process shows: its memory, and its environment."""

import re
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from hostile import head, reply
from houses import House
from kycourier.adapters.system import SystemClock
from transport_faults.faults import FAULTS, Fault
from transport_faults.upstream import Upstream

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
MOST_MEGABYTES = 256  # I12
WHOLE = 16 * 2**20


def peak_megabytes(process):
    """Read the most memory that a running process ever had resident."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def as_large_as_may_be(_, peer, __):
    """Send as much as the cap allows: blanks in a JSON object."""
    peer.send(reply(b"{" + b" " * (WHOLE - 2) + b"}"))


def heads_without_end(_, peer, __):
    peer.send(head()[:-2])
    peer.flood(b"Set-Cookie: a=" + b"y; " * 20_000 + b"\r\n")
    raise EOFError


LARGE = {
    "15 200 KB gzip": FAULTS["15 gzip bomb"],
    "16 endless body": FAULTS["16 endless body"],
    "16 endless head": Fault(16, heads_without_end),
    "as large as may be": Fault(16, as_large_as_may_be),
}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to read memory")
@pytest.mark.parametrize("kind", ["token", "ticket", "query"])
@pytest.mark.parametrize("name", LARGE)
def test_memory_stays_low_whichever_call_is_answered(name, kind, tmp_path):
    with ExitStack() as stack:
        upstream = Upstream(stack, SystemClock())
        house = House(tmp_path, upstream, stack)
        upstream.set_fault(LARGE[name], kind)
        process = house.start("collect_results")
        shown = process.invoke({"order_no": "order1"})
        assert (shown["state"], shown["reason"]) == ("waiting", "transient")
        assert upstream.met == 1
        assert peak_megabytes(process) < MOST_MEGABYTES
        assert house.objects() == []


@pytest.mark.parametrize("kind", ["expired", "elsewhere", "self_signed"])
def test_nothing_in_the_environment_makes_a_bad_certificate_good(
    kind, certificates, tmp_path
):
    """What would let it pass if it were heeded is set, and a proxy that would listen.

    The authority is trusted, so that nothing but its own fault is wrong with each.
    """
    folder = Path(certificates.authority).parent
    with ExitStack() as stack:
        upstream = Upstream(stack, SystemClock(), certificates)
        upstream.url = upstream.server.url
        house = House(tmp_path, upstream, stack)
        house.environ |= tempting(folder / f"{kind}.pem", upstream, tmp_path)
        house.environ["SSL_CERT_FILE"] = certificates.authority
        upstream.server.tls = getattr(certificates, kind)
        process = house.start("collect_results")
        shown = process.invoke({"order_no": "order1"})
        assert (shown["state"], shown["reason"]) == ("waiting", "transient")
        assert upstream.server.connections <= 2  # one is opened ahead
        assert upstream.server.requests == []

        upstream.server.tls = certificates.good
        new = f"sqlite:///{tmp_path}/new.db"  # where no refresh has failed just now
        again = house.start("collect_results", KYCOURIER_STATE=new)
        assert again.invoke({"order_no": "order2"})["state"] == "collected"
        assert upstream.calls == Counter(token=1, ticket=1, query=1)
        assert upstream.elsewhere.connections == 0
        assert b"authorization" not in b"".join(upstream.server.requests).lower()


def tempting(certificate, upstream, folder):
    """Name all that other clients take from their environment."""
    netrc = folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password canary\n")
    netrc.chmod(0o600)
    config = folder / "openssl.cnf"
    config.write_text("[default]\n")
    trusted = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    return {
        **dict.fromkeys(trusted, str(certificate)),
        **dict.fromkeys(proxies, upstream.elsewhere.url),
        **dict.fromkeys(map(str.upper, proxies), upstream.elsewhere.url),
        "SSL_CERT_DIR": str(certificate.parent),
        "PYTHONHTTPSVERIFY": "0",
        "OPENSSL_CONF": str(config),
        "NETRC": str(netrc),
        "HOME": str(folder),
    }
