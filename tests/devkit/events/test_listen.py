"""The command listen forwards each event once, signed, beside other processes."""

import base64
import hashlib
import hmac
import json
import signal

import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KEY = b"a synthetic key of 32 bytes, yes"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
def listen(start, environ, receiver):
    """Start listen, and wait until it is ready."""

    def call(*options, ready="The signing secret is (.*)\n"):
        options = ("--forward-to", receiver.url, *options)
        running = start("listen", *options, **environ)
        if ready:
            running.secret = running.wait_for(ready)
            running.wait_for("Press Ctrl-C to stop.\n")
        return running

    return call


def signature_of(headers, body, secret):
    """Sign as the Standard Webhooks specification says."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def test_events_are_forwarded_as_signed_webhooks(call, listen, published, receiver):
    call("collect", "before")
    running = listen()
    call("collect", "A1")
    call("collect", "codem9012x1")
    requests = receiver.wait_for(2)
    assert [body.decode() for _, _, body in requests] == published()[1:]
    for path, headers, body in requests:
        assert path == "/hook?from=kycourier"
        assert headers["webhook-id"] == json.loads(body)["id"]
        assert headers["webhook-signature"] == signature_of(
            headers, body, running.secret
        )
        assert headers["Content-Type"].startswith("application/cloudevents+json")
    running.wait_for(r"\d\d-\d\d [0-9:]{8}  bank_card.collected  A1  delivered\n")
    running.wait_for("  bank_card.rejected   codem9012x1  delivered\n")
    result = running.end(signal.SIGINT)
    assert (result.code, result.err) == (130, "kycourier: stopped\n")


def test_secret_type_and_start_are_options(call, listen, receiver):
    call("collect", "A1", "codem9012x1")
    running = listen("--secret", SECRET, "--since", "1h", "--type", "rejected")
    [(_, headers, body)] = receiver.wait_for(1)
    assert running.secret == SECRET
    assert json.loads(body)["subject"] == "codem9012x1"
    assert headers["webhook-signature"] == signature_of(headers, body, SECRET)
    running.wait_for("  codem9012x1  delivered\n")
    assert running.find("A1") is None


def test_events_wait_for_a_receiver_that_does_not_run(call, listen, receiver):
    receiver.stop()
    running = listen()
    call("collect", "A1")
    running.wait_for("  A1  connect_failed\n")
    call("collect", "A2")
    receiver.start()
    receiver.wait_for(2)
    running.wait_for("  A2  delivered\n")
    lines = [line.split("  ")[2:] for line in "".join(running.out).splitlines()[3:]]
    assert lines == [["A1", "connect_failed"], ["A1", "delivered"], ["A2", "delivered"]]


def test_other_failure_is_printed_and_not_sent_again(call, listen, published, receiver):
    receiver.status = 500
    running = listen("--secret", SECRET, "--json", "--since", "1h", ready=None)
    call("collect", "A1")
    failed = json.loads(running.wait_for("({.*})\n"))
    event = json.loads(published()[0])
    assert failed == {
        "event_id": event["id"],
        "type": event["type"],
        "order_no": "A1",
        "delivered": False,
        "problem": "http_500",
    }
    receiver.status = 204
    call("collect", "A2")
    receiver.wait_for(2)
    running.wait_for('"order_no":"A2","delivered":true,"problem":null}\n')
    assert len(receiver.requests) == 2
    assert SECRET not in "".join(running.out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Missing option '--forward-to'"),
        (["--forward-to", "3000"], "--forward-to: must be https://host"),
        (["--forward-to", "http://127.0.0.1:x/"], "--forward-to: must be https://host"),
        (["--forward-to", "http://a@127.0.0.1/"], "--forward-to: must be https://host"),
        (["--forward-to", "https://receiver.example/"], "add --allow-remote to permit"),
        (
            ["--forward-to", "http://127.0.0.1:9/", "--secret", "whsec_c2hvcnQ="],
            "--secret: must be whsec_",
        ),
        (
            ["--forward-to", "http://127.0.0.1:9/", "--since", "x"],
            "--since: must be an age",
        ),
        (
            ["--forward-to", "https://receiver.example/", "--allow-remote",
             "--type", "x"],
            "--type: must be",
        ),
    ],
)  # fmt: skip
def test_wrong_option_is_named(kycourier, options, message):
    result = kycourier("listen", *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert "c2hvcnQ" not in result.err
