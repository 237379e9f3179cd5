"""The sign command: worked vectors, sources of the key, usage errors."""

import json
import shlex
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, check_signature
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.request_signature import print_signature
from support.leaks.canaries import API_KEY as KEY

pytestmark = pytest.mark.leaks_on_purpose  # a signature is what the command prints
DATA = Path(__file__).parents[1] / "data/request_signature_vectors.json"
VECTORS = json.loads(DATA.read_text())["vectors"]
URL = "https://api.example/v1/orders/A1/collection?b=2&a=1"


class FixedClock:
    """A clock that always returns the same instant."""

    def __init__(self, seconds):
        self._seconds = seconds

    def now(self):
        return datetime.fromtimestamp(self._seconds, timezone.utc)


class RecordingTerminal:
    """A terminal that records its lines."""

    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)


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


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_signature_equals_worked_vector(tmp_path, vector):
    terminal, clock = RecordingTerminal(), FixedClock(vector["t"])
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": vector["key"]}
    query = f"?{vector['query']}" if vector["query"] else ""
    print_signature(
        CliContext(environ, tmp_path, terminal, clock),
        vector["method"].lower(),
        f"https://api.example/stage{vector['path']}{query}",
        body=vector["body"].encode(),
        key_file=None,
        as_curl=False,
    )
    assert terminal.lines == [f"X-Kycourier-Signature: {vector['header']}"]


def test_first_key_of_the_setting_is_used(kycourier):
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": f"{KEY}\nthe next key\n"}
    result = kycourier("sign", "POST", URL, **environ)
    assert (result.code, result.err) == (0, "")
    check(result.out.strip())


def test_key_is_read_from_a_file(kycourier, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    result = kycourier("sign", "POST", URL, "--body", "{}", "--key-file", "key")
    check(result.out.strip(), body=b"{}")


def test_body_is_read_from_a_file(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "body").write_bytes(b"\xff\n")
    result = kycourier("sign", "PUT", URL, "--body-file", "body", "--key-file", "key")
    check(result.out.strip(), method="PUT", body=b"\xff\n")


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
    ("arguments", "environ", "message"),
    [
        (["GET", URL], {}, "KYCOURIER_API_KEYS: is not set"),
        (
            ["GET", URL],
            {"KYCOURIER_API_KEYS": "env:KEYS"},
            "KYCOURIER_API_KEYS: cannot be used",
        ),
        (
            ["GET", URL],
            {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": "a\nb\nc"},
            "KYCOURIER_API_KEYS cannot be used: must be one or two keys",
        ),
        (["GET", "https://api.example/v2"], {}, "URL: its path must contain /v1"),
        (
            ["GET", URL, "--key-file", "absent"],
            {},
            "--key-file: absent cannot be used: ",
        ),
        (
            ["GET", URL, "--body-file", "absent"],
            {},
            "--body-file: absent cannot be read",
        ),
        (
            ["GET", URL, "--body", "a", "--body-file", "b"],
            {},
            "use --body or --body-file, not both",
        ),
    ],
)
def test_wrong_argument_or_key_is_named_in_one_line(
    kycourier, arguments, environ, message
):
    result = kycourier("sign", *arguments, **environ)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_other_wrong_settings_are_ignored(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    result = kycourier("sign", "POST", URL, "--key-file", "key", KYCOURIER_STATE="?")
    check(result.out.strip())


def test_unknown_method_is_rejected(kycourier):
    result = kycourier("sign", "FOO", URL, KYCOURIER_API_KEYS="env:KEYS", KEYS=KEY)
    assert (result.code, result.out) == (2, "")
    assert "METHOD: must be GET, PUT or POST" in result.err
