"""Whole events as SCF hands them to a function: CKafka, function URL and timer."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

from kycourier_devkit.functions.trigger_events import Event, HttpCall, join_headers

TOPIC = "kycourier-orders"
NO_KEY = "None"


def build_ckafka_event(bodies: Sequence[str], *, first_offset: int = 0) -> Event:
    """Build a batch of one partition as the CKafka trigger hands it over."""
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
    """Build a request as a function URL hands it over: a text, and a decoded query.

    Of a name that is repeated one value is left. Raises UnicodeDecodeError for a body
    that is no text.
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
    """Build what a timer trigger sends."""
    return {
        "Type": "Timer",
        "TriggerName": trigger,
        "Time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Message": "",
    }
