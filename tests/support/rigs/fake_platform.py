"""A fake KYC platform with scripted replies."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Mapping

from kycourier.core.errors import KycourierError
from kycourier.core.redaction import ReplyBody
from kycourier.core.wire.messages import KycRequest, KycResponse
from kycourier.core.wire.signature import sign
from support.leaks import canaries
from support.leaks.canaries import NUMBER, TICKET, TOKEN

PHOTO_BASE64 = base64.b64encode(canaries.PHOTO).decode()
PHOTO_FIELDS = {
    "originBankcardPhoto": PHOTO_BASE64,
    "bankcardCropPhoto": PHOTO_BASE64,
    "bankcardNoPhoto": PHOTO_BASE64,
}
_SPELLING = {"appId": "app_id", "orderNo": "order_no"}
ScriptedReply = Mapping[str, object] | KycResponse | KycourierError


def json_reply(
    value: object, status: int = 200, retry_after: str | None = None
) -> KycResponse:
    """Build a reply from a JSON value, or from bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return KycResponse(status=status, body=ReplyBody(body), retry_after=retry_after)


def error_reply(code: str) -> KycResponse:
    return json_reply({"code": code, "msg": "synthetic"})


def result_reply(order_no: str, **changes: object) -> KycResponse:
    """Build a successful result with all photos; `changes` replace its fields."""
    fields = {
        "orderNo": order_no,
        "bankCardNo": NUMBER,
        "bankCardValidDate": "12/2030",
        "operateTime": "2026-01-01 08:00:00",
        "clarity": "79",
        "warnCode": "0",
        "multiWarnCode": "0",
        **PHOTO_FIELDS,
        **changes,
    }
    return json_reply({"code": "0", "result": fields, "success": False})


class FakePlatform:
    """Issues one valid ticket pair, checks signatures and replies by script.

    Each query of an order takes the next reply of its script; the last one repeats.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.scripts: dict[str, list[ScriptedReply]] = {}
        self.token_reply: ScriptedReply | None = None
        self.ticket_reply: ScriptedReply | None = None
        self.on_query: Callable[[str], None] = lambda _: None
        self.queries: dict[str, int] = defaultdict(int)
        self.tokens = self.tickets = 0

    def kill_pair(self) -> None:
        self.generation += 1

    def respond(self, request: KycRequest) -> ScriptedReply:
        query = dict(request.query.expose())
        if request.path.endswith("access_token"):
            self.tokens += 1
            if self.token_reply is not None:
                return self.token_reply
            self.generation += 1
            token = f"{TOKEN}{self.generation}"
            return json_reply({"code": "0", "access_token": token, "expire_in": "7200"})
        if request.path.endswith("api_ticket"):
            self.tickets += 1
            if self.ticket_reply is not None:
                return self.ticket_reply
            entry = {"value": f"{TICKET}{self.generation}", "expire_in": 3600}
            return json_reply({"code": "0", "tickets": [entry]})
        if request.body is not None:  # the face's query
            members = json.loads(request.body.expose())
            assert query == {"orderNo": members["orderNo"]}
            query = {_SPELLING.get(name, name): text for name, text in members.items()}
        order_no = query["order_no"]
        self.queries[order_no] += 1
        self.on_query(order_no)
        signed = [query[name] for name in ("app_id", "order_no", "version", "nonce")]
        if query["sign"] != sign([*signed, f"{TICKET}{self.generation}"]).expose():
            return error_reply("400101")
        script = self.scripts.get(order_no) or [result_reply(order_no)]
        return script.pop(0) if len(script) > 1 else script[0]
