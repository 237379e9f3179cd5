"""Reads the environment and starts each function: the only reader of the environment.

One `start_*` for each function file. Each requires only the settings that it uses, and
does all one-time work at once; a wrong or missing setting raises SettingError.
"""

import os
from collections.abc import Mapping

from kycourier.container import Container
from kycourier.core.errors import SettingError
from kycourier.core.redaction import scrub_traceback
from kycourier.core.request_signature import parse_keys
from kycourier.ports import SecretSource
from kycourier.settings.declarations import PREFIX
from kycourier.triggers.function import Function
from kycourier.triggers.queue import QueueTrigger
from kycourier.triggers.timer import RefreshTimer, SweepTimer
from kycourier.usecases.concurrency import BoundedPool
from kycourier.usecases.resend_event import EventResender
from kycourier.usecases.sweep_orders import SweepOrders, SweepPools

_REFRESH_NEEDS = frozenset({"app_id", "app_secret", "state"})
_COLLECT_NEEDS = _REFRESH_NEEDS | {"evidence", "events", "fingerprint_key"}
# Without the app secret the API only reads the ticket.
_API_NEEDS = _COLLECT_NEEDS - {"app_secret"}
# Reserved by SCF; unlike its credentials and region, a shell never holds them.
_SCF_PREFIXES = ("TENCENTCLOUD_RUNENV", "SCF_", "_SCF_")
_LAMBDA_VARIABLE = "AWS_LAMBDA_FUNCTION_NAME"


@scrub_traceback
def start_refresh_ticket() -> Function:
    """Starts the timer function that keeps the ticket pair fresh."""
    parts = Container("refresh_ticket", os.environ, _REFRESH_NEEDS)
    timer = RefreshTimer(
        parts.app_id,
        refresher=parts.refresher,
        stores=parts.stores,
        deps=parts.deps,
    )
    return parts.function(lambda _, deadline: timer.handle(deadline))


@scrub_traceback
def start_collect_results() -> Function:
    """Starts the queue function that collects orders."""
    parts = Container("collect_results", os.environ, _COLLECT_NEEDS, preconnects=True)
    queue = QueueTrigger(
        parts.app_id,
        register=parts.register,
        collector=parts.collector,
        pool=parts.pool,
        stores=parts.stores,
        deps=parts.deps,
    )
    return parts.function(queue.handle)


@scrub_traceback
def start_sweep_orders() -> Function:
    """Starts the timer function that works through what is due."""
    parts = Container("sweep_orders", os.environ, _COLLECT_NEEDS)
    timer = SweepTimer(
        SweepOrders(
            parts.app_id,
            collector=parts.collector,
            breaker=parts.breaker,
            evidence=parts.evidence_writer,
            publisher=parts.publisher,
            pools=SweepPools(
                orders=parts.pool,
                deliveries=BoundedPool(size=parts.settings.max_in_flight),
                parts=BoundedPool(size=2),
            ),
            stores=parts.stores,
            deps=parts.deps,
        )
    )
    return parts.function(lambda _, deadline: timer.handle(deadline))


@scrub_traceback
def start_orders_api() -> Function:
    """Starts the HTTP function that registers, collects and shows orders."""
    from kycourier.triggers.http.orders_api import (  # noqa: PLC0415 - 100 ms
        OrdersApi,
    )

    parts = Container("orders_api", os.environ, _API_NEEDS)
    auth = parts.settings.api_auth
    _check_platform(os.environ, auth)
    api = OrdersApi(
        parts.app_id,
        api_keys=_open_api_keys(parts) if auth == "signature" else None,
        needs_gateway=auth == "gateway",
        evidence_uri=parts.evidence_uri,
        register=parts.register,
        collector=parts.collector,
        evidence=parts.evidence,
        queue=parts.queue,
        resender=EventResender(
            parts.publisher.sink, stores=parts.stores, deps=parts.deps
        ),
        stores=parts.stores,
        deps=parts.deps,
    )
    return parts.function(api.handle, handle_failure=api.handle_timeout)


def _open_api_keys(parts: Container) -> SecretSource:
    """Opens the API keys and checks them once. Raises SettingError."""
    variable = f"{PREFIX}API_KEYS"
    if parts.settings.api_keys is None:
        raise SettingError(variable, "is not set")
    source = parts.secret("api_keys", parts.settings.api_keys)
    if parse_keys(source.get()) is None:
        raise SettingError(variable, "must be one or two keys, a line each")
    return source


def _check_platform(environ: Mapping[str, str], api_auth: str) -> None:
    """Refuses a setting that would leave the API open to everybody."""
    on_scf = any(name.startswith(_SCF_PREFIXES) for name in environ)
    if api_auth == "none" and (on_scf or _LAMBDA_VARIABLE in environ):
        raise SettingError(f"{PREFIX}API_AUTH", "'none' is for the local gateway only")
    if api_auth == "gateway" and on_scf:
        raise SettingError(f"{PREFIX}API_AUTH", "SCF's function URLs are public")
