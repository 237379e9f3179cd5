"""The environment → settings → adapters → use cases: its only reader.

One `start_*` per function file. Each demands only the settings it uses and does all
one-time work at once; a wrong or missing setting raises SettingError.
"""

import os
from collections.abc import Mapping

from kycourier.adapters.triggers.queue import OrdersQueue
from kycourier.adapters.triggers.timer import RefreshTimer, SweepTimer
from kycourier.assembly import Assembly, Function
from kycourier.core.errors import SettingError, forgetful
from kycourier.core.request_signature import parse_keys
from kycourier.settings import PREFIX
from kycourier.usecases.sweep_orders import SweepOrders

_REFRESHES = frozenset({"app_id", "app_secret", "state"})
_COLLECTS = _REFRESHES | {"evidence", "events", "fingerprint_key"}
_ANSWERS = _COLLECTS - {"app_secret"}  # without it, the API reads the ticket only
# SCF keeps names that begin so to itself: one of them is enough to know it by. Not its
# credentials' and region's, which a person's own shell may hold.
_SCF_MARKS = ("TENCENTCLOUD_RUNENV", "SCF_", "_SCF_")
_LAMBDA_MARK = "AWS_LAMBDA_FUNCTION_NAME"


@forgetful
def start_refresh_ticket() -> Function:
    """Start the timer function that keeps the ticket pair fresh."""
    parts = Assembly("refresh_ticket", os.environ, _REFRESHES)
    timer = RefreshTimer(
        parts.app_id,
        refresher=parts.refresher,
        state=parts.state,
        ambient=parts.ambient,
    )
    return parts.function(lambda _, time_left: timer.answer(time_left))


@forgetful
def start_collect_results() -> Function:
    """Start the queue function that collects orders."""
    parts = Assembly("collect_results", os.environ, _COLLECTS, opens_ahead=True)
    queue = OrdersQueue(
        parts.app_id,
        register=parts.register,
        collector=parts.collector,
        pool=parts.pool,
        state=parts.state,
        ambient=parts.ambient,
    )
    return parts.function(queue.answer)


@forgetful
def start_sweep_orders() -> Function:
    """Start the timer function that works through what is due."""
    parts = Assembly("sweep_orders", os.environ, _COLLECTS)
    timer = SweepTimer(
        SweepOrders(
            parts.app_id,
            collector=parts.collector,
            brake=parts.brake,
            evidence=parts.keeper,
            sender=parts.sender,
            pool=parts.pool,
            state=parts.state,
            ambient=parts.ambient,
        )
    )
    return parts.function(lambda _, time_left: timer.answer(time_left))


@forgetful
def start_orders_api() -> Function:
    """Start the HTTP function: register, collect, read an order."""
    from kycourier.adapters.triggers.orders_api import (  # noqa: PLC0415 - 100 ms
        OrdersApi,
    )

    parts = Assembly("orders_api", os.environ, _ANSWERS)
    auth = parts.settings.api_auth
    _check_platform(os.environ, auth)
    keys = parts.settings.api_keys
    source = None
    if auth == "signature":
        if keys is None:
            raise SettingError(f"{PREFIX}API_KEYS", "is not set")
        source = parts.secret("api_keys", keys)
        if parse_keys(source.load()) is None:
            raise SettingError(
                f"{PREFIX}API_KEYS", "must be one or two keys, a line each"
            )
    api = OrdersApi(
        parts.app_id,
        api_keys=source,
        needs_gateway=auth == "gateway",
        evidence_uri=parts.evidence_uri,
        register=parts.register,
        collector=parts.collector,
        brake=parts.brake,
        evidence=parts.evidence,
        queue=parts.queue,
        state=parts.state,
        ambient=parts.ambient,
    )
    return parts.function(api.answer, answer_failed=api.answer_late)


def _check_platform(environ: Mapping[str, str], api_auth: str) -> None:
    """Refuse what would leave the API open to everybody."""
    on_scf = any(name.startswith(_SCF_MARKS) for name in environ)
    if api_auth == "none" and (on_scf or _LAMBDA_MARK in environ):
        raise SettingError(f"{PREFIX}API_AUTH", "'none' is for the local gateway only")
    if api_auth == "gateway" and on_scf:
        raise SettingError(f"{PREFIX}API_AUTH", "SCF's function URLs are public")
