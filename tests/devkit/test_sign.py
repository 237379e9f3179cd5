"""Signed requests: the worked vectors, and a key that is on no command line."""

import json
import shlex
from datetime import datetime, timezone
from pathlib import Path

import pytest

from canaries import API_KEY as KEY
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import SignedRequest, check_signature
from kycourier_devkit.session import Session
from kycourier_devkit.sign import print_signature

pytestmark = pytest.mark.tells_secrets  # a signature is what the command prints
DATA = Path(__file__).parents[1] / "data/request_signature_vectors.json"
VECTORS = json.loads(DATA.read_text())["vectors"]
URL = "https://api.example/v1/orders/A1/collection?b=2&a=1"


class StandingClock:
    """A clock that stands still."""

    def __init__(self, seconds):
        self._seconds = seconds

    def now(self):
        return datetime.fromtimestamp(self._seconds, timezone.utc)


class Lines:
    """A screen that keeps its lines."""

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
def test_the_worked_vectors(tmp_path, vector):
    screen, clock = Lines(), StandingClock(vector["t"])
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": vector["key"]}
    query = f"?{vector['query']}" if vector["query"] else ""
    print_signature(
        Session(environ, tmp_path, screen, clock),
        vector["method"].lower(),
        f"https://api.example/stage{vector['path']}{query}",
        body=vector["body"].encode(),
        key_file=None,
        as_curl=False,
    )
    assert screen.lines == [f"X-Kycourier-Signature: {vector['header']}"]


def test_the_key_is_the_first_live_one_of_the_setting(kycourier):
    environ = {"KYCOURIER_API_KEYS": "env:KEYS", "KEYS": f"{KEY}\nthe next key\n"}
    ended = kycourier("sign", "POST", URL, **environ)
    assert (ended.code, ended.err) == (0, "")
    check(ended.out.strip())


def test_the_key_may_come_from_a_file(kycourier, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    ended = kycourier("sign", "POST", URL, "--body", "{}", "--key-file", "key")
    check(ended.out.strip(), body=b"{}")


def test_the_body_may_come_from_a_file(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "body").write_bytes(b"\xff\n")
    ended = kycourier("sign", "PUT", URL, "--body-file", "body", "--key-file", "key")
    check(ended.out.strip(), method="PUT", body=b"\xff\n")


def test_a_whole_curl_command_can_be_had(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    body = '{"reopen": true}'
    ended = kycourier(
        "sign", "POST", URL, "--body", body, "--key-file", "key", "--curl"
    )
    words = shlex.split(ended.out)
    assert (words[0], words[-1]) == ("curl", URL)
    assert words[words.index("--data-raw") + 1] == body
    [header] = [word for word in words if word.startswith("X-Kycourier")]
    check(header, body=body.encode())
    assert KEY not in ended.out


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
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
            "KYCOURIER_API_KEYS: cannot be used: must be one or two keys",
        ),
        (["GET", "https://api.example/v2"], {}, "the URL's path has no /v1"),
        (["GET", URL, "--key-file", "absent"], {}, "absent: cannot be used: "),
        (["GET", URL, "--body-file", "absent"], {}, "absent cannot be read"),
        (
            ["GET", URL, "--body", "a", "--body-file", "b"],
            {},
            "give --body or --body-file, not both",
        ),
    ],
)
def test_what_cannot_be_signed_is_a_sentence(kycourier, arguments, environ, said):
    ended = kycourier("sign", *arguments, **environ)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_another_wrong_setting_does_not_matter(kycourier, tmp_path):
    (tmp_path / "key").write_text(KEY)
    ended = kycourier("sign", "POST", URL, "--key-file", "key", KYCOURIER_STATE="?")
    check(ended.out.strip())


def test_a_method_that_the_api_does_not_know_is_not_signed(kycourier):
    ended = kycourier("sign", "FOO", URL, KYCOURIER_API_KEYS="env:KEYS", KEYS=KEY)
    assert (ended.code, ended.out) == (2, "")
    assert "GET or PUT or POST" in ended.err
