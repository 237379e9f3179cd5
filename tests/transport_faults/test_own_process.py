"""The environment of a function in a process of its own."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from kycourier.adapters.system import SystemClock
from support.processes.service_rig import ServiceRig
from transport_faults.platform import FaultyPlatform

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.mark.parametrize("kind", ["expired", "elsewhere", "self_signed"])
def test_no_environment_variable_disables_certificate_checks(
    kind, certificates, tmp_path
):
    """Set all variables by which other clients trust it, or connect to a proxy.

    The authority is trusted, so that each certificate has one fault only.
    """
    folder = Path(certificates.authority).parent
    with ExitStack() as stack:
        platform = FaultyPlatform(stack, SystemClock(), certificates)
        platform.url = platform.server.url
        service_rig = ServiceRig(tmp_path, platform, stack)
        service_rig.environ |= bypassing_environ(
            folder / f"{kind}.pem", platform, tmp_path
        )
        service_rig.environ["SSL_CERT_FILE"] = certificates.authority
        platform.server.tls = getattr(certificates, kind)
        process = service_rig.start("collect_results")
        result = process.invoke({"order_no": "order1"})
        assert (result["state"], result["reason"]) == ("waiting", "transient")
        assert platform.server.connections <= 2  # one connection is opened ahead
        assert platform.server.requests == []

        platform.server.tls = certificates.good
        new = f"sqlite:///{tmp_path}/new.db"  # in which no refresh has failed yet
        again = service_rig.start("collect_results", KYCOURIER_STATE=new)
        assert again.invoke({"order_no": "order2"})["state"] == "collected"
        assert platform.calls == Counter(token=1, ticket=1, query=1)
        assert platform.other_server.connections == 0
        assert b"authorization" not in b"".join(platform.server.requests).lower()


def bypassing_environ(certificate, platform, folder):
    """Return the variables by which other HTTP clients bypass certificate checks."""
    netrc = folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password canary\n")
    netrc.chmod(0o600)
    config = folder / "openssl.cnf"
    config.write_text("[default]\n")
    trusted = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    return {
        **dict.fromkeys(trusted, str(certificate)),
        **dict.fromkeys(proxies, platform.other_server.url),
        **dict.fromkeys(map(str.upper, proxies), platform.other_server.url),
        "SSL_CERT_DIR": str(certificate.parent),
        "PYTHONHTTPSVERIFY": "0",
        "OPENSSL_CONF": str(config),
        "NETRC": str(netrc),
        "HOME": str(folder),
    }
