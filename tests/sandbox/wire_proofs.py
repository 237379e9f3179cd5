"""Proofs of the magic orders whose replies are faulty HTTP or JSON."""

import gzip
import json
from http.client import IncompleteRead
from urllib.parse import urlencode

import pytest

from kycourier_devkit.sandbox.delivery import DRIP_SECONDS
from sandbox.kyc_client import RESULT_PATH, Proof, Scene, query_parameters

MEBIBYTE = 1024 * 1024


def answers_status(word: str, status: int, **headers: str) -> Proof:
    def proof(scene: Scene) -> None:
        reply = scene.ask(f"{word}x1")
        assert reply.status == status
        assert {
            name: reply.headers[name.replace("_", "-")] for name in headers
        } == headers

    return proof


def http(scene: Scene) -> None:
    for status in (500, 503, 504):
        reply = scene.ask(f"http{status}x1")
        assert (reply.status, reply.headers["Content-Type"][:9]) == (
            status,
            "text/html",
        )
    assert scene.ask("http429x1").headers["Retry-After"] == "5"


def redirect(scene: Scene) -> None:
    reply = scene.ask("redirectx1")
    assert (reply.status, reply.headers["Location"]) == (302, "/redirected")
    assert scene.sandbox.report().redirects_followed == 0
    scene.client.get("/redirected")
    assert scene.sandbox.report().redirects_followed == 1


def html(scene: Scene) -> None:
    reply = scene.ask("htmlx1")
    assert (reply.status, reply.headers["Content-Type"][:9]) == (200, "text/html")
    assert reply.body.startswith(b"<html>")


def slow(scene: Scene) -> None:
    before = scene.clock()
    assert scene.ask("slow7x1").code == "0"
    assert scene.clock() - before == 7


def drip_headers(scene: Scene) -> None:
    before = scene.clock()
    assert scene.ask("dripheadersx1").code == "0"
    assert scene.clock() - before > 100 * DRIP_SECONDS


def drip_body(scene: Scene) -> None:
    before = scene.clock()
    body = scene.ask("dripbodyx1").body
    assert json.loads(body)["code"] == "0"
    assert scene.clock() - before == pytest.approx(len(body) * DRIP_SECONDS, abs=0.2)


def endless(scene: Scene) -> None:
    parameters = query_parameters("endlessx1", ticket=scene.ticket)
    connection = scene.client.connect()
    connection.request("GET", f"{RESULT_PATH}?{urlencode(parameters)}&get_file=0")
    with connection.getresponse() as reply:
        body = reply.read(4 * MEBIBYTE)
    connection.close()
    assert len(body) == 4 * MEBIBYTE
    assert json.loads(body)["code"] == "0"


def short_body(scene: Scene) -> None:
    with pytest.raises(IncompleteRead) as caught:
        scene.ask("shortbodyx1")
    assert json.loads(caught.value.partial)["code"] == "0"


def reset(scene: Scene) -> None:
    with pytest.raises(ConnectionResetError):
        scene.ask("resetx1", get_file="1")


def cut(scene: Scene) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(scene.ask("cutx1").body)


def empty(scene: Scene) -> None:
    reply = scene.ask("emptyx1")
    assert (reply.status, reply.body) == (200, b"")


def zipped(scene: Scene) -> None:
    reply = scene.ask("gzipx1")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(reply.body))["code"] == "0"


def bomb(scene: Scene) -> None:
    reply = scene.ask("bomb3x1")
    grown = gzip.decompress(reply.body)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) < 8192 < 3 * MEBIBYTE < len(grown)
    assert json.loads(grown)["code"] == "0"


def big(scene: Scene) -> None:
    body = scene.ask("big16x1").body
    assert 16 * MEBIBYTE < len(body) < 17 * MEBIBYTE
    assert json.loads(body)["code"] == "0"


def deep(scene: Scene) -> None:
    body = scene.ask("deepx1").body
    assert body.count(b"[" * 200_000 + b"]" * 200_000) == 1
    with pytest.raises(RecursionError):
        json.loads(body)


def duplicate_keys(scene: Scene) -> None:
    pairs = json.loads(scene.ask("duplicatekeysx1").body, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "code"] == ["66660011", "0"]


def gbk(scene: Scene) -> None:
    reply = scene.ask("gbkx1")
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("utf-8")
    assert json.loads(reply.body.decode("gbk"))["msg"] == "请求成功"


def text_plain(scene: Scene) -> None:
    reply = scene.ask("textplainx1")
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.code == "0"


PROOFS: dict[str, Proof] = {
    "httpN": http,
    "retryafterN": answers_status("retryafter9", 429, Retry_After="9"),
    "retrygarbage": answers_status("retrygarbage", 429, Retry_After="soon"),
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
