"""The route of an event: sends it again."""

from kycourier.core.errors import ApiProblemError, SinkUnavailableError
from kycourier.core.orders.order_request import parse_order_no
from kycourier.core.orders.record import OrderKey
from kycourier.triggers.http.event import ApiResponse
from kycourier.triggers.http.problems import build_json, build_problem
from kycourier.usecases.resend_event import EventResender


class EventRoutes:
    """Handles requests for the events of one app's orders."""

    def __init__(self, app_id: str, *, resender: EventResender) -> None:
        self._app_id, self._resender = app_id, resender

    def resend(self, order_no: str, event_id: str) -> ApiResponse:
        """Sends the event: 502 with the sink's word if the sink refuses it.

        An unknown order and an unknown event are answered alike.
        """
        order = OrderKey(self._app_id, parse_order_no(order_no))
        try:
            event = self._resender.resend(order, event_id)
        except SinkUnavailableError as error:
            return build_problem(error.code, cause=error.word)
        if event is None:
            raise ApiProblemError("unknown_event")
        return build_json(
            200, {"event_id": event.id, "type": event.type, "delivered": True}
        )
