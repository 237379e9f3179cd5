"""Builds the events that SCF's triggers deliver: CKafka, function URL and timer."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

from kycourier_devkit.emulators.http_call import HttpCall, join_headers

TOPIC = "kycourier-orders"
NO_KEY = "None"

Event = dict[str, object]


def build_ckafka_event(bodies: Sequence[str], *, first_offset: int = 0) -> Event:
    """Builds the batch of one partition that a CKafka trigger delivers."""
    return {
        "Records": [
            {
                "Ckafka": {
                    "topic": TOPIC,
                    "partition": 0,
                    "offset": offset,
                    "msgKey": NO_KEY,
                    "msgBody": body,
                }
            }
            for offset, body in enumerate(bodies, first_offset)
        ]
    }


def build_url_event(call: HttpCall) -> Event:
    """Builds the request that a function URL delivers: the query is decoded.

    Of a repeated query parameter only the last value is kept, as on SCF. Raises
    UnicodeDecodeError if the body is not UTF-8 text.
    """
    pairs = [pair.partition("=") for pair in call.query.split("&") if pair]
    return {
        "body": call.body.decode(),
        "headers": dict(join_headers(call.headers)),
        "httpMethod": call.method,
        "path": call.path,
        "queryString": {unquote(name): unquote(value) for name, _, value in pairs},
    }


def build_timer_event(trigger: str, *, at: datetime) -> Event:
    """Builds the event that a timer trigger delivers."""
    return {
        "Type": "Timer",
        "TriggerName": trigger,
        "Time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Message": "",
    }
