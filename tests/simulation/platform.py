"""The KYC platform as its pages describe it (1007/37304 ff.), in simulated time.

One live pair per app; the pair before it counts for one minute more; a ticket dies with
its token; a new secret kills all. It keeps what the invariants are judged by.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycReply, KycRequest
from simulation.clockwork import Clockwork, Machine
from worlds import http, refusal

COEXISTENCE_SECONDS = 60.0
NEVER = float("inf")
KINDS = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
COLLECTED = frozenset({"collected"})
Answer = Callable[["Scan"], KycReply]


@dataclass
class Scan:
    """One card scan. `answers` come first, one a query; `may_end` is what is right."""

    order_no: str
    number: str
    ready_at: float = 0.0
    not_ready: str = "66660011"
    photos_after: dict[str, float] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    always: Answer | None = None
    changes: dict[str, object] = field(default_factory=dict)
    numbers_after: list[str] = field(default_factory=list)
    may_end: frozenset[str] = COLLECTED
    odd_code: object = 0
    refused: int = 0
    is_alone: bool = True
    asked: int = 0
    asked_at: list[float] = field(default_factory=list)

    def ends(self, state: str) -> None:
        """Say how it must end, or may where several faults have a say."""
        self.may_end = frozenset({state}) | (
            frozenset() if self.is_alone else self.may_end
        )

    def photo(self, kind: str) -> str:
        """Draw the photo: bytes that begin as a JPEG, and are this scan's alone."""
        content = f"synthetic {kind} of {self.order_no}".encode()
        return base64.b64encode(b"\xff\xd8\xff" + content).decode()


@dataclass
class Pair:
    """A token and the ticket that it bought."""

    generation: int
    issued_at: float
    token: str
    ticket: str | None = None
    is_dead: bool = False
    is_ours: bool = True
    is_saved: bool = False


@dataclass(frozen=True)
class Signed:
    """A query as it completed: with which pair, and by how much that was superseded."""

    machine: Machine
    order_no: str
    accepted: bool
    pair: Pair | None
    superseded_for: float


class Platform:
    """Answers requests; `signed` tells of every query, `refreshing` who buys now."""

    def __init__(self, clockwork: Clockwork, *, secret: str, salt: str) -> None:
        self._clockwork, self.secret, self._salt = clockwork, secret, salt
        self.scans: dict[str, Scan] = {}
        self.pairs: list[Pair] = []
        self.signed: list[Signed] = []
        self.signs: list[str] = []
        self.lifetime: tuple[object, object] = ("7200", "3600")
        self.token_calls = self.ticket_calls = 0
        self.on_answer: list[Callable[[], None]] = []
        self.on_bought: list[Callable[[], None]] = []
        self.refreshing: list[Machine] = []
        self.overlaps: list[tuple[Machine, Machine]] = []

    def answer(self, request: KycRequest, machine: Machine) -> KycReply:
        query = dict(request.query.reveal())
        if request.path == "/api/oauth2/access_token":
            return self._token(query)
        if request.path == "/api/oauth2/api_ticket":
            return self._ticket(query)
        if request.path == "/api/server/getBankCardOcrResult":
            return self._result(query, machine)
        return http(b"<html>no such page</html>", status=404)

    def begin(self, request: KycRequest, machine: Machine) -> None:
        """Note that a call is on its way; two who buy at once are an overlap."""
        if "oauth2" in request.path:
            self.overlaps += [
                (other, machine)
                for other in self.refreshing
                if not (other.is_gone or other.is_frozen)
            ]
            self.refreshing.append(machine)

    def end(self, request: KycRequest, machine: Machine) -> None:
        if "oauth2" in request.path:
            self.refreshing.remove(machine)

    def kill_pairs(self) -> None:
        """Revoke every pair, as a new secret does."""
        for pair in self.pairs:
            pair.is_dead = True

    def refresh_elsewhere(self) -> None:
        """Let another backend of the partner buy a pair."""
        pair = self._issue()
        pair.ticket, pair.is_ours = f"ticket{pair.generation}{self._salt}", False

    def _issue(self) -> Pair:
        number = len(self.pairs) + 1
        pair = Pair(number, self._clockwork.now, f"token{number}{self._salt}")
        self.pairs.append(pair)
        return pair

    def _token(self, query: dict[str, str]) -> KycReply:
        self.token_calls += 1
        if query["secret"] != self.secret:
            return refusal("400105")
        for tell in self.on_bought:
            tell()
        lives, _ = self.lifetime
        token = self._issue().token
        return http({"code": "0", "access_token": token, "expire_in": lives})

    def _ticket(self, query: dict[str, str]) -> KycReply:
        self.ticket_calls += 1
        pair = self.pairs[-1] if self.pairs else None
        if pair is None or query["access_token"] != pair.token or pair.is_dead:
            return refusal("400103")
        pair.ticket = f"ticket{pair.generation}{self._salt}"
        _, lives = self.lifetime
        entry = {"value": pair.ticket, "expire_in": lives}
        return http({"code": 0, "msg": "ok", "tickets": [entry]})

    def _result(self, query: dict[str, str], machine: Machine) -> KycReply:
        scan = self.scans.get(query["order_no"])
        self.signs.append(query["sign"])
        pair = self._pair_of(query)
        late = self._superseded_for(pair) if pair else 0.0
        good = pair is not None and not pair.is_dead and late <= COEXISTENCE_SECONDS
        self.signed.append(Signed(machine, query["order_no"], good, pair, late))
        if not good:
            if scan is not None:
                scan.refused += 1
            return refusal("400101")
        for tell in self.on_answer:
            tell()
        if scan is None:
            return refusal("66660020")
        scan.asked += 1
        scan.asked_at.append(self._clockwork.now)
        if scan.answers:
            return scan.answers.pop(0)(scan)
        if scan.always is not None:
            return scan.always(scan)
        if self._clockwork.now < scan.ready_at:
            return refusal(scan.not_ready)
        return result_of(scan, now=self._clockwork.now)

    def _pair_of(self, query: dict[str, str]) -> Pair | None:
        values = [query[name] for name in ("app_id", "order_no", "version", "nonce")]
        for pair in reversed(self.pairs):
            text = "".join(sorted([*values, pair.ticket or ""]))
            digest = hashlib.sha1(text.encode(), usedforsecurity=False)
            if pair.ticket and digest.hexdigest().upper() == query["sign"].upper():
                return pair
        return None

    def _superseded_for(self, pair: Pair) -> float:
        newer = [p for p in self.pairs if p.generation > pair.generation]
        return self._clockwork.now - newer[0].issued_at if newer else 0.0


def result_of(scan: Scan, *, now: float) -> KycReply:
    """Build the reply to a recognized scan; photos that are late are not in it."""
    number = scan.number
    if scan.asked > 1 and scan.numbers_after:
        number = scan.numbers_after[0]
    fields: dict[str, object] = {
        "orderNo": scan.order_no,
        "bankCardNo": number,
        "bankCardValidDate": "12/2030",
        "operateTime": "2026-01-01 08:00:00",
        "transactionTime": f"2026010108{scan.asked:04}",
        "clarity": "79",
        "warnCode": "0",
        "multiWarnCode": "0",
        "success": False,
    }
    for kind in KINDS:
        if scan.photos_after.get(kind, 0.0) <= now - scan.asked_at[0]:
            fields[kind] = scan.photo(kind)
    body = {"code": "0", "msg": "ok", "result": fields | scan.changes}
    return KycReply(status=200, body=ReplyBody(json.dumps(body).encode()))


def code(value: object) -> Answer:
    """Answer with a result code."""
    return lambda _: http({"code": value, "msg": "synthetic"})
