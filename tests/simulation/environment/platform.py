"""The KYC platform as its pages describe it (1007/37304 ff.), on virtual time.

One live pair per app; the pair before it is valid for one minute more; a ticket ends
with its token; a new secret revokes all pairs.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from kycourier.core.redaction import ReplyBody
from kycourier.core.wire.messages import KycRequest, KycResponse
from simulation.engine.scheduler import Scheduler
from simulation.environment.machine import Machine
from support.leaks.canaries import ADDRESS, PERSON
from support.rigs.fake_platform import error_reply, json_reply

COEXISTENCE_SECONDS = 60.0
NEVER = float("inf")
PHOTO_FIELDS = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
VALID_DATE = "12/2030"
ID_CARD_PATH = "/api/server/getOcrResult"
FACE_PATH = "/api/v2/base/queryfacerecord"
ID_NUMBERS = ("000000199003070014", "000000900307001", "00000019900101019X")
OTHER_SIDES = {
    "frontCode": "0",
    "backCode": "0",
    "name": PERSON,
    "address": ADDRESS,
    "validDate": "20160725-长期",
    "operateTime": "2026-01-01 08:00:00",
}
COLLECTED = frozenset({"collected"})
Response = Callable[["CardScan"], KycResponse]


@dataclass
class CardScan:
    """One scan and the responses to its queries; faults change card scans only.

    `scripted_responses` come first, one per query; then `fixed_response`, if it is set.
    """

    order_no: str
    number: str
    ready_at: float = 0.0
    not_ready: str = "66660011"
    photos_after: dict[str, float] = field(default_factory=dict)
    scripted_responses: list[Response] = field(default_factory=list)
    fixed_response: Response | None = None
    changes: dict[str, object] = field(default_factory=dict)
    document: str = "bank_card"
    later_numbers: list[str] = field(default_factory=list)
    allowed_ends: frozenset[str] = COLLECTED
    odd_code: object = 0
    refused: int = 0
    is_single_fault: bool = True
    query_count: int = 0
    query_times: list[float] = field(default_factory=list)

    def expect_end(self, state: str) -> None:
        """Set the only right final state, or one more of them in a mix of faults."""
        self.allowed_ends = frozenset({state}) | (
            frozenset() if self.is_single_fault else self.allowed_ends
        )

    def photo(self, kind: str) -> str:
        """Return a photo of this scan in Base64: unique bytes that start as a JPEG."""
        content = f"synthetic {kind} of {self.order_no}".encode().ljust(64, b".")
        return base64.b64encode(b"\xff\xd8\xff" + content).decode()


@dataclass
class IssuedPair:
    """A token and the ticket that was issued for it."""

    generation: int
    issued_at: float
    token: str
    ticket: str | None = None
    is_revoked: bool = False
    is_saved: bool = False


@dataclass(frozen=True)
class SignedQuery:
    """A completed query: which pair signed it, and how long that was superseded."""

    machine: Machine
    order_no: str
    accepted: bool
    pair: IssuedPair | None
    superseded_seconds: float


class SimulatedPlatform:
    """Responds to requests, and records queries and overlapping refreshes."""

    def __init__(self, scheduler: Scheduler, *, secret: str, salt: str) -> None:
        self._scheduler, self.secret, self._salt = scheduler, secret, salt
        self.scans: dict[str, CardScan] = {}
        self.pairs: list[IssuedPair] = []
        self.queries: list[SignedQuery] = []
        self.signs: list[str] = []
        self.lifetimes: tuple[object, object] = ("7200", "3600")
        self.token_calls = self.ticket_calls = 0
        self.on_response: list[Callable[[], None]] = []
        self.on_token_issued: list[Callable[[], None]] = []
        self._refreshing: list[Machine] = []
        self.overlaps: list[tuple[Machine, Machine]] = []

    def respond(self, request: KycRequest, machine: Machine) -> KycResponse:
        query = dict(request.query.expose())
        if request.path == "/api/oauth2/access_token":
            return self._token(query)
        if request.path == "/api/oauth2/api_ticket":
            return self._ticket(query)
        if request.path in {"/api/server/getBankCardOcrResult", ID_CARD_PATH}:
            return self._result(query, machine)
        if request.path == FACE_PATH and request.body is not None:
            members = json.loads(request.body.expose())
            spelled = {"app_id": members["appId"], "order_no": members["orderNo"]}
            return self._result(members | spelled, machine)
        return json_reply(b"<html>no such page</html>", status=404)

    def begin(self, request: KycRequest, machine: Machine) -> None:
        """Record that a request is in flight; two refreshes at once are an overlap."""
        if "oauth2" in request.path:
            self.overlaps += [
                (other, machine)
                for other in self._refreshing
                if not (other.is_dead or other.is_frozen)
            ]
            self._refreshing.append(machine)

    def end(self, request: KycRequest, machine: Machine) -> None:
        if "oauth2" in request.path:
            self._refreshing.remove(machine)

    def revoke_pairs(self) -> None:
        """Revoke every pair, as a new secret does."""
        for pair in self.pairs:
            pair.is_revoked = True

    def refresh_elsewhere(self) -> None:
        """Issue a pair to another backend of the partner."""
        pair = self._issue()
        pair.ticket = f"ticket{pair.generation}{self._salt}"

    def _issue(self) -> IssuedPair:
        number = len(self.pairs) + 1
        pair = IssuedPair(number, self._scheduler.now, f"token{number}{self._salt}")
        self.pairs.append(pair)
        return pair

    def _token(self, query: dict[str, str]) -> KycResponse:
        self.token_calls += 1
        if query["secret"] != self.secret:
            return error_reply("400105")
        for hook in self.on_token_issued:
            hook()
        lifetime, _ = self.lifetimes
        token = self._issue().token
        return json_reply({"code": "0", "access_token": token, "expire_in": lifetime})

    def _ticket(self, query: dict[str, str]) -> KycResponse:
        self.ticket_calls += 1
        pair = self.pairs[-1] if self.pairs else None
        if pair is None or query["access_token"] != pair.token or pair.is_revoked:
            return error_reply("400103")
        pair.ticket = f"ticket{pair.generation}{self._salt}"
        _, lifetime = self.lifetimes
        entry = {"value": pair.ticket, "expire_in": lifetime}
        return json_reply({"code": 0, "msg": "ok", "tickets": [entry]})

    def _result(self, query: dict[str, str], machine: Machine) -> KycResponse:
        scan = self.scans.get(query["order_no"])
        self.signs.append(query["sign"])
        pair = self._pair_of(query)
        age = self._superseded_seconds(pair) if pair else 0.0
        valid = pair is not None and not pair.is_revoked and age <= COEXISTENCE_SECONDS
        self.queries.append(SignedQuery(machine, query["order_no"], valid, pair, age))
        if not valid:
            if scan is not None:
                scan.refused += 1
            return error_reply("400101")
        for hook in self.on_response:
            hook()
        if scan is None:
            return error_reply("66660020")
        scan.query_count += 1
        scan.query_times.append(self._scheduler.now)
        if scan.scripted_responses:
            return scan.scripted_responses.pop(0)(scan)
        if scan.fixed_response is not None:
            return scan.fixed_response(scan)
        if scan.document != "bank_card":
            return build_other_result(scan, now=self._scheduler.now)
        if self._scheduler.now < scan.ready_at:
            return error_reply(scan.not_ready)
        return build_result(scan, now=self._scheduler.now)

    def _pair_of(self, query: dict[str, str]) -> IssuedPair | None:
        values = [query[name] for name in ("app_id", "order_no", "version", "nonce")]
        for pair in reversed(self.pairs):
            text = "".join(sorted([*values, pair.ticket or ""]))
            digest = hashlib.sha1(text.encode(), usedforsecurity=False)
            if pair.ticket and digest.hexdigest().upper() == query["sign"].upper():
                return pair
        return None

    def _superseded_seconds(self, pair: IssuedPair) -> float:
        newer = [p for p in self.pairs if p.generation > pair.generation]
        return self._scheduler.now - newer[0].issued_at if newer else 0.0


def build_other_result(scan: CardScan, *, now: float) -> KycResponse:
    """Build the reply of an ID card or a face; one original may be late."""
    late = now - scan.query_times[0] < scan.ready_at and scan.allowed_ends == COLLECTED
    photo = "" if late else scan.photo(scan.document)
    if scan.document == "face":
        refused = scan.allowed_ends != COLLECTED
        fields = {"orderNo": scan.order_no, "liveRate": "99", "photo": photo}
        code = "66660004" if refused else "0"
    else:
        fields = {**OTHER_SIDES, "orderNo": scan.order_no, "idcard": scan.number}
        fields |= {"frontPhoto": photo, "backPhoto": scan.photo("back")}
        code = "0"
    body = {"code": code, "msg": "ok", "result": fields}
    return KycResponse(status=200, body=ReplyBody(json.dumps(body).encode()))


def build_result(scan: CardScan, *, now: float) -> KycResponse:
    """Build the reply to a recognized scan, without the photos that are late."""
    number = scan.number
    if scan.query_count > 1 and scan.later_numbers:
        number = scan.later_numbers[0]
    fields: dict[str, object] = {
        "orderNo": scan.order_no,
        "bankCardNo": number,
        "bankCardValidDate": VALID_DATE,
        "operateTime": "2026-01-01 08:00:00",
        "transactionTime": f"2026010108{scan.query_count:04}",
        "clarity": "79",
        "warnCode": "0",
        "multiWarnCode": "0",
        "success": False,
    }
    for kind in PHOTO_FIELDS:
        if scan.photos_after.get(kind, 0.0) <= now - scan.query_times[0]:
            fields[kind] = scan.photo(kind)
    body = {"code": "0", "msg": "ok", "result": fields | scan.changes}
    return KycResponse(status=200, body=ReplyBody(json.dumps(body).encode()))


def result_code(value: object) -> Response:
    """Return a response that is a result code."""
    return lambda _: json_reply({"code": value, "msg": "synthetic"})
