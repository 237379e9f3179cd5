"""The sign command: worked vectors, sources of the key, usage errors."""

import json
import shlex
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path

import pytest

from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, check_signature
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.request_signature import print_signature
from support.fakes import FakeClock
from support.leaks.canaries import API_KEY as KEY

pytestmark = pytest.mark.leaks_on_purpose  # a signature is what the command prints
DATA = Path(__file__).parents[1] / "data/request_signature_vectors.json"
VECTORS = json.loads(DATA.read_text())["vectors"]
URL = "https://api.example/v1/orders/A1/collection?b=2&a=1"


PREFIXES = ["", "/prod", "/api/v1/kyc", "/v1", "/v1/v1"]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["HEAD", "get", "PUT", "POST"])
def test_prefix_is_not_signed_even_if_it_contains_the_root(kycourier, method, prefix):
    url = URL.replace("/v1/", f"{prefix}/v1/")
    result = kycourier("sign", method, url, KYCOURIER_API_KEYS="env:KEYS", KEYS=KEY)
    assert (result.code, result.err) == (0, "")
    check(result.out.strip(), method=method.upper())


def check(header, *, method="POST", body=b"", key=KEY):
    name, _, value = header.partition(": ")
    assert name == "X-Kycourier-Signature"
    check_signature(
        [value],
        SignedRequest(
            method=method,
            path="/v1/orders/A1/collection",
            query="b=2&a=1",
            body=body,
        ),
        keys=[Secret(key)],
        now=datetime.now(timezone.utc),  # noqa: TID251 - the command's own clock
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["description"])
def test_signature_equals_worked_vector(tmp_path, vector):
    out, at = StringIO(), datetime.fromtimestamp(vector["t"], timezone.utc)
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": vector["key"]}
    query = f"?{vector['query']}" if vector["query"] else ""
    print_signature(
        CliContext(environ, tmp_path, Terminal(out, out), FakeClock(at)),
        vector["method"].lower(),
        f"https://api.example/stage{vector['path']}{query}",
        body=vector["body"].encode(),
        key_file=None,
        as_curl=False,
    )
    assert out.getvalue() == f"X-Kycourier-Signature: {vector['header']}\n"


def test_first_key_of_the_setting_is_used(kycourier):
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": f"{KEY}\nthe next key\n"}
    result = kycourier("sign", "POST", URL, **environ)
    assert (result.code, result.err) == (0, "")
    check(result.out.strip())


@pytest.mark.parametrize(
    ("option", "body"),
    [(["--body", "{}"], b"{}"), (["--body-file", "body"], b"\xff\n")],
)
def test_body_and_key_are_read_from_options(kycourier, tmp_path, option, body):
    """A wrong setting that the command does not use is ignored."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "body").write_bytes(b"\xff\n")
    arguments = ("sign", "PUT", URL, *option, "--key-file", "key")
    result = kycourier(*arguments, KYCOURIER_STATE="?")
    check(result.out.strip(), method="PUT", body=body)


def test_curl_option_prints_complete_command(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    body = '{"reopen": true}'
    result = kycourier(
        "sign", "POST", URL, "--body", body, "--key-file", "key", "--curl"
    )
    command = shlex.split(result.out)
    assert (command[0], command[-1]) == ("curl", URL)
    assert command[command.index("--data-raw") + 1] == body
    [header] = [part for part in command if part.startswith("X-Kycourier")]
    check(header, body=body.encode())
    assert KEY not in result.out


@pytest.mark.parametrize(
    ("arguments", "keys", "message"),
    [
        (["GET", URL], None, "KYCOURIER_API_KEYS: cannot be used"),
        (["GET", URL], "a\nb\nc", "KYCOURIER_API_KEYS cannot be used: must be one or"),
        (["GET", "https://api.example/v2"], KEY, "URL: its path must contain /v1"),
        (["FOO", URL], KEY, "METHOD: must be GET, HEAD, PUT or POST"),
        (
            ["GET", URL, "--key-file", "absent"],
            KEY,
            "--key-file: absent cannot be",
        ),
        (["GET", URL, "--body-file", "absent"], KEY, "--body-file: absent cannot be"),
        (["GET", URL, "--body", "a", "--body-file", "b"], KEY, "not both"),
    ],
)
def test_wrong_argument_or_key_is_named_in_one_line(
    kycourier, arguments, keys, message
):
    environ = {"KEYS": keys} if keys else {}
    result = kycourier("sign", *arguments, KYCOURIER_API_KEYS="env:KEYS", **environ)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_missing_setting_is_named(kycourier):
    result = kycourier("sign", "GET", URL)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("kycourier: KYCOURIER_API_KEYS: is not set")
