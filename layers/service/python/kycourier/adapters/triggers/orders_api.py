"""HTTP → register, collect and read orders (schemas/openapi.json describes it)."""

from datetime import datetime
from functools import cache, partial
from pkgutil import get_data

from kycourier.adapters.triggers.api_health import Health
from kycourier.adapters.triggers.http_event import (
    Answer,
    HttpRequest,
    build_response,
    parse_event,
)
from kycourier.adapters.triggers.http_router import HttpRouter, Stories
from kycourier.adapters.triggers.order_routes import OrderRoutes
from kycourier.adapters.triggers.problems import (
    HEADERS,
    PROBLEMS,
    build_json,
    build_problem,
)
from kycourier.adapters.triggers.request_gate import RequestGate
from kycourier.core.errors import (
    BadRequest,
    EvidenceUnavailable,
    NewerSchema,
    OutOfTime,
    StoreUnavailable,
    tell_failure,
)
from kycourier.core.outcomes import Outcome
from kycourier.ports import Ambient, EvidenceStore, SecretSource, State, WorkQueue
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.time_left import TimeLeft

_ORDER = "/v1/orders/<order_no>"
_PASSING = (StoreUnavailable, NewerSchema, EvidenceUnavailable)
_NOTED = {
    400: Outcome.BAD_REQUEST,
    401: Outcome.DENY,
    413: Outcome.BAD_REQUEST,
    414: Outcome.BAD_REQUEST,
    431: Outcome.BAD_REQUEST,
}


class OrdersApi:
    """Answers every HTTP event; safe to call from several threads."""

    def __init__(  # noqa: PLR0913 - the place where the API's parts meet
        self,
        app_id: str,
        *,
        api_keys: SecretSource | None,
        needs_gateway: bool = False,
        evidence_uri: str,
        register: RegisterOrder,
        collector: CollectResult,
        brake: BrakeGuard,
        evidence: EvidenceStore,
        queue: WorkQueue | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        """`api_keys` is None where the function itself checks no signature.

        `needs_gateway`: it answers only what a gateway hands over, which has.
        """
        self._gate = RequestGate(
            api_keys, needs_gateway=needs_gateway, clock=ambient.clock
        )
        self._health = Health(app_id, brake=brake, state=state)
        self._orders = OrderRoutes(
            app_id,
            register=register,
            collector=collector,
            evidence=evidence,
            evidence_uri=evidence_uri,
            queue=queue,
            state=state,
            ambient=ambient,
        )
        self._router = HttpRouter()
        self._journal = ambient.journal

    def answer(self, event: object, time_left: TimeLeft) -> dict[str, object]:
        """Answer an event of any gateway; raises nothing."""
        try:
            request = parse_event(event)
            signed_at = self._gate.admit(request)
            stories = self._stories(request, time_left, signed_at)
            return self._router.route(request, stories, explain=self._explain)
        except Exception as error:  # noqa: BLE001 - the trigger: all is answered
            return build_response(self._explain(error))

    def answer_late(self) -> dict[str, object]:
        """Answer for a request whose work hangs: what it still does is not waited for.

        A gateway would make an answer of its own, without our headers.
        """
        return build_response(build_problem(OutOfTime.code))

    def _stories(
        self, request: HttpRequest, time_left: TimeLeft, signed_at: datetime | None
    ) -> Stories:
        orders = self._orders
        return {
            "/v1/health": {"GET": lambda: build_json(200, self._health.describe())},
            "/v1/openapi.json": {"GET": _show_openapi},
            _ORDER: {"GET": orders.show, "PUT": partial(orders.put, request)},
            f"{_ORDER}/collection": {
                "POST": partial(orders.collect, request, time_left, signed_at)
            },
            f"{_ORDER}/photos/<kind>": {"GET": orders.link_photo},
        }

    def _explain(self, error: Exception) -> Answer:
        """Make an error a problem; nothing of a foreign one is shown but its type."""
        code = _code_of(error)
        outcome = _NOTED.get(PROBLEMS[code][0])
        if outcome is not None:
            self._journal.note("request_refused", outcome=outcome.value, problem=code)
        elif PROBLEMS[code][0] // 100 == 5:  # noqa: PLR2004 - 5xx
            told = tell_failure(error)
            self._journal.note("handler_failed", function="orders_api", **told)
        return build_problem(code)


def _code_of(error: Exception) -> str:
    if isinstance(error, BadRequest):
        return error.problem if error.problem in PROBLEMS else "bad_request"
    if isinstance(error, _PASSING):
        return error.code
    return "internal_error"


def _show_openapi() -> Answer:
    headers = {**HEADERS, "Content-Type": "application/json"}
    return Answer(status=200, headers=headers, body=load_openapi())


@cache
def load_openapi() -> str:
    """Read the API's description as it is published."""
    return (get_data("kycourier", "schemas/openapi.json") or b"").decode()
