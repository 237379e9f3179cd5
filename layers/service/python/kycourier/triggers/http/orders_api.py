"""The HTTP API: registers, collects and shows orders (schemas/openapi.json)."""

from datetime import datetime
from functools import cache, partial
from pkgutil import get_data

from kycourier.core.errors import (
    ApiProblemError,
    EvidenceUnavailableError,
    NewerSchemaError,
    OutOfTimeError,
    StoreUnavailableError,
)
from kycourier.core.orders.outcomes import Outcome
from kycourier.core.redaction import error_fields
from kycourier.ports import EvidenceStore, RuntimeDeps, SecretSource, Stores, WorkQueue
from kycourier.triggers.http.event import (
    ApiResponse,
    HttpRequest,
    build_response,
    parse_event,
)
from kycourier.triggers.http.event_routes import EventRoutes
from kycourier.triggers.http.health import Health
from kycourier.triggers.http.order_list import PARAMETERS, OrderList
from kycourier.triggers.http.order_routes import OrderRoutes
from kycourier.triggers.http.problems import (
    HEADERS,
    PROBLEMS,
    build_json,
    build_problem,
)
from kycourier.triggers.http.request_auth import RequestAuthenticator
from kycourier.triggers.http.router import HttpRouter, Routes
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.resend_event import EventResender

_ORDER = "/v1/orders/<order_no>"
_TRANSIENT = (StoreUnavailableError, NewerSchemaError, EvidenceUnavailableError)
_COUNTED = {
    400: Outcome.BAD_REQUEST,
    401: Outcome.DENY,
    413: Outcome.BAD_REQUEST,
    414: Outcome.BAD_REQUEST,
    431: Outcome.BAD_REQUEST,
}


class OrdersApi:
    """Handles every HTTP event; several threads may share it."""

    def __init__(  # noqa: PLR0913 - all parts of the API
        self,
        app_id: str,
        *,
        api_keys: SecretSource | None,
        needs_gateway: bool = False,
        evidence_uri: str,
        register: RegisterOrder,
        collector: CollectResult,
        evidence: EvidenceStore,
        queue: WorkQueue | None,
        resender: EventResender,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        """Builds the API.

        `api_keys` is None if the function itself checks no signature; with
        `needs_gateway` it accepts only what came through a gateway that does.
        """
        self._authenticator = RequestAuthenticator(
            api_keys, needs_gateway=needs_gateway, clock=deps.clock
        )
        self._health = Health(app_id, stores=stores)
        self._orders = OrderRoutes(
            app_id,
            register=register,
            collector=collector,
            evidence=evidence,
            evidence_uri=evidence_uri,
            queue=queue,
            stores=stores,
            deps=deps,
        )
        self._list = OrderList(app_id, orders=stores.orders)
        self._events = EventRoutes(app_id, resender=resender)
        self._router = HttpRouter()
        self._event_log = deps.event_log

    def handle(self, event: object, deadline: Deadline) -> dict[str, object]:
        """Handles an event of any gateway. Raises nothing."""
        method = None
        try:
            request = parse_event(event)
            method = request.method
            signed_at = self._authenticator.authenticate(request)
            routes = self._routes(request, deadline, signed_at)
            response = self._router.route(request, routes, explain=self._explain)
        except Exception as error:  # noqa: BLE001 - every request gets a response
            response = build_response(self._explain(error))
        return response | {"body": ""} if method == "HEAD" else response

    def handle_timeout(self) -> dict[str, object]:
        """Builds the response for a request whose work hangs.

        A gateway's own response would lack our headers.
        """
        return build_response(build_problem(OutOfTimeError.code))

    def _routes(
        self, request: HttpRequest, deadline: Deadline, signed_at: datetime | None
    ) -> Routes:
        orders = self._orders
        return {
            "/v1/health": {"GET": lambda: build_json(200, self._health.describe())},
            "/v1/openapi.json": {"GET": _show_openapi},
            "/v1/orders": {"GET": partial(self._list.show, request)},
            _ORDER: {"GET": orders.show, "PUT": partial(orders.put, request)},
            f"{_ORDER}/collection": {
                "POST": partial(orders.collect, request, deadline, signed_at)
            },
            f"{_ORDER}/photos/<kind>": {"GET": orders.link_photo},
            f"{_ORDER}/events/<event_id>/deliveries": {"POST": self._events.resend},
        }

    def _explain(self, error: Exception) -> ApiResponse:
        """Builds an error's problem; of a foreign error only the type is logged."""
        code = _code_of(error)
        outcome = _COUNTED.get(PROBLEMS[code][0])
        if outcome is not None:
            self._event_log.emit("request_refused", outcome=outcome.value, problem=code)
        elif PROBLEMS[code][0] // 100 == 5:  # noqa: PLR2004 - 5xx
            self._event_log.emit(
                "handler_failed", function="orders_api", **error_fields(error)
            )
        return build_problem(code, parameter=_parameter_of(error))


def _parameter_of(error: Exception) -> str | None:
    """Returns the known name of the parameter that cannot be used."""
    if isinstance(error, ApiProblemError) and error.problem == "bad_parameter":
        return error.reason if error.reason in PARAMETERS else None
    return None


def _code_of(error: Exception) -> str:
    if isinstance(error, ApiProblemError):
        return error.problem if error.problem in PROBLEMS else "bad_request"
    if isinstance(error, _TRANSIENT):
        return error.code
    return "internal_error"


def _show_openapi() -> ApiResponse:
    headers = {**HEADERS, "Content-Type": "application/json"}
    return ApiResponse(status=200, headers=headers, body=load_openapi())


@cache
def load_openapi() -> str:
    """Reads the API's description as it is published."""
    return (get_data("kycourier", "schemas/openapi.json") or b"").decode()
