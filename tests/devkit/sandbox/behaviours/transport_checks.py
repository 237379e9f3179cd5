"""Checks of the magic orders whose replies are invalid HTTP or JSON."""

import gzip
import json
from http.client import IncompleteRead

import pytest

from devkit.sandbox.kyc_client import Check, SandboxRig
from kycourier_devkit.sandbox.http.delivery import DRIP_SECONDS

MEBIBYTE = 1024 * 1024


def responds_with_status(name: str, status: int, **headers: str) -> Check:
    def check(rig: SandboxRig) -> None:
        reply = rig.query(f"{name}x1")
        found = {each: reply.headers[each.replace("_", "-")] for each in headers}
        assert (reply.status, found) == (status, headers)

    return check


def http(rig: SandboxRig) -> None:
    for status in (500, 503, 504):
        reply = rig.query(f"http{status}x1")
        assert reply.status == status
        assert reply.headers["Content-Type"].startswith("text/html")
    assert rig.query("http429x1").headers["Retry-After"] == "5"


def redirect(rig: SandboxRig) -> None:
    reply = rig.query("redirectx1")
    assert (reply.status, reply.headers["Location"]) == (302, "/redirected")
    assert rig.sandbox.report().redirects_followed == 0
    rig.client.get("/redirected")
    assert rig.sandbox.report().redirects_followed == 1


def html(rig: SandboxRig) -> None:
    reply = rig.query("htmlx1")
    assert (reply.status, reply.headers["Content-Type"][:9]) == (200, "text/html")
    assert reply.body.startswith(b"<html>")


def slow(rig: SandboxRig) -> None:
    before = rig.clock()
    assert rig.query("slow7x1").code == "0"
    assert rig.clock() - before == 7


def drip_headers(rig: SandboxRig) -> None:
    before = rig.clock()
    assert rig.query("dripheadersx1").code == "0"
    assert rig.clock() - before > 100 * DRIP_SECONDS


def drip_body(rig: SandboxRig) -> None:
    before = rig.clock()
    body = rig.query("dripbodyx1").body
    assert json.loads(body)["code"] == "0"
    assert rig.clock() - before == pytest.approx(len(body) * DRIP_SECONDS, abs=0.2)


def endless(rig: SandboxRig) -> None:
    request = rig.request("endlessx1")
    connection = rig.client.connect()
    connection.request(request.method, request.target, request.body, request.headers)
    with connection.getresponse() as reply:
        body = reply.read(4 * MEBIBYTE)
    connection.close()
    assert len(body) == 4 * MEBIBYTE
    assert json.loads(body)["code"] == "0"


def short_body(rig: SandboxRig) -> None:
    with pytest.raises(IncompleteRead) as caught:
        rig.query("shortbodyx1")
    assert json.loads(caught.value.partial)["code"] == "0"


def reset(rig: SandboxRig) -> None:
    with pytest.raises(ConnectionResetError):
        rig.query("resetx1", get_file="1")


def cut(rig: SandboxRig) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(rig.query("cutx1").body)


def empty(rig: SandboxRig) -> None:
    reply = rig.query("emptyx1")
    assert (reply.status, reply.body) == (200, b"")


def zipped(rig: SandboxRig) -> None:
    reply = rig.query("gzipx1")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(reply.body))["code"] == "0"


def bomb(rig: SandboxRig) -> None:
    reply = rig.query("bomb3x1")
    grown = gzip.decompress(reply.body)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) < 8192 < 3 * MEBIBYTE < len(grown)
    assert json.loads(grown)["code"] == "0"


def big(rig: SandboxRig) -> None:
    body = rig.query("big16x1").body
    assert 16 * MEBIBYTE < len(body) < 17 * MEBIBYTE
    assert json.loads(body)["code"] == "0"


def deep(rig: SandboxRig) -> None:
    body = rig.query("deepx1").body
    assert body.count(b"[" * 200_000 + b"]" * 200_000) == 1
    with pytest.raises(RecursionError):
        json.loads(body)


def duplicate_keys(rig: SandboxRig) -> None:
    pairs = json.loads(rig.query("duplicatekeysx1").body, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "code"] == ["66660011", "0"]


def gbk(rig: SandboxRig) -> None:
    reply = rig.query("gbkx1")
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("utf-8")
    assert json.loads(reply.body.decode("gbk"))["msg"] == "请求成功"


def text_plain(rig: SandboxRig) -> None:
    reply = rig.query("textplainx1")
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.code == "0"


CHECKS: dict[str, Check] = {
    "httpN": http,
    "retryafterN": responds_with_status("retryafter9", 429, Retry_After="9"),
    "retrygarbage": responds_with_status("retrygarbage", 429, Retry_After="soon"),
    "redirect": redirect,
    "html": html,
    "slowN": slow,
    "dripheaders": drip_headers,
    "dripbody": drip_body,
    "endless": endless,
    "shortbody": short_body,
    "reset": reset,
    "cut": cut,
    "empty": empty,
    "gzip": zipped,
    "bombN": bomb,
    "bigN": big,
    "deep": deep,
    "duplicatekeys": duplicate_keys,
    "gbk": gbk,
    "textplain": text_plain,
}
