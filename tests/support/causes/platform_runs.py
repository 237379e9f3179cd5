"""Runs in which the platform fails: no connection, unusable replies, a paused app."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from kycourier.core.causes import Cause
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox
from support.causes.cause_rig import CauseRig
from support.causes.observations import Observation
from support.causes.places import (
    UNREAD,
    observe,
    read_doctor,
    read_doctor_when_due,
    read_silent_doctor,
)
from support.servers.hostile_server import HostileServer, closed_port, respond_once

NewRig = Callable[..., CauseRig]  # variables → a rig in a folder of its own

PARKED = "A parked order is not due: `doctor` does not count it."
# Cause, the sandbox's behaviour, how the page describes it, settings.
REPLIES = (
    (Cause.TIMED_OUT, "slow9", "a reply after 9 s", {"KYC_TIMEOUT_SECONDS": "0.5"}),
    (Cause.CONNECTION_RESET, "reset", "a TCP reset in the body", {}),
    (Cause.REPLY_TOO_LARGE, "big1", "a cap of 1 MB", {"MAX_REPLY_BYTES": "1000000"}),
    (Cause.REPLY_ENCODED, "gzip", "a reply in gzip", {}),
    (Cause.REPLY_NOT_JSON, "html", "an HTML page with status 200", {}),
    (Cause.REPLY_MALFORMED, "nullcode", "a reply whose code is null", {}),
    (Cause.PHOTO_UNREADABLE, "badbase64", "photos with ! and * in the Base64", {}),
    (Cause.CODE_TRANSIENT, "code66660008", "code 66660008", {}),
    (Cause.CODE_UNKNOWN, "codeunknown", "a code that is in no list", {}),
)


def run_without_connection(new_rig: NewRig) -> Iterator[Observation]:
    """There is no platform at the URL."""
    with (
        Sandbox() as sandbox,
        closing(HostileServer(respond_once(b"SSH-2.0-server\r\n"))) as other,
    ):
        closed, tls = (
            f"http://127.0.0.1:{closed_port()}",
            sandbox.url.replace(":", "s:", 1),
        )
        for cause, url, how in (
            (Cause.RESOLVE_FAILED, "https://kyc.invalid", "a host that does not exist"),
            (Cause.CONNECT_FAILED, closed, "a closed port"),
            (Cause.TLS_FAILED, tls, "plain HTTP where TLS is due"),
            (Cause.REPLY_NOT_HTTP, other.url, "an SSH server at the address"),
        ):
            app = {"KYCOURIER_APP_ID": APP_ID, "KYCOURIER_APP_SECRET": "env:OURS"}
            rig = new_rig(**app, OURS=APP_SECRET, KYCOURIER_KYC_URL=url)
            rig.start(refresh="ticket_refresh_failed").collect("A1")
            names = f"`KYCOURIER_KYC_URL`: {how}"
            yield observe(rig, cause, "A1", names, also="ticket")


def run_unusable_replies(new_rig: NewRig) -> Iterator[Observation]:
    """The platform replies to every query in the same unusable way."""
    with Sandbox() as sandbox:
        runs = []
        for cause, behaviour, how, settings in (
            *REPLIES,
            *map(_with_status, (503, 403)),
        ):
            named = {f"KYCOURIER_{name}": value for name, value in settings.items()}
            rig = new_rig(KYCOURIER_KYC_URL=sandbox.url, **named).start()
            orders = (f"{behaviour}x1", f"{behaviour}x2")
            rig.collect(*orders)
            status = int(behaviour[4:]) if cause is Cause.HTTP_STATUS else None
            seen = observe(
                rig,
                cause,
                orders[0],
                f"every query: {how}",
                http_status=status,
                doctor=UNREAD,
            )
            rig.stop()
            runs.append((rig, orders, seen))
        yield from read_doctor_when_due(runs)
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start()
        rig.collect("code400502x1")
        cause, how = Cause.CODE_PERMANENT, "every query: code 400502"
        doctor = read_silent_doctor(rig, cause, PARKED)
        yield observe(rig, cause, "code400502x1", how, doctor=doctor)


def _with_status(status: int) -> tuple[Cause, str, str, dict[str, str]]:
    return Cause.HTTP_STATUS, f"http{status}", f"HTTP {status}", {}


def run_paused_app(new_rig: NewRig) -> Iterator[Observation]:
    """The platform asks for fewer calls, or does not serve the app."""
    with Sandbox() as sandbox:
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start()
        throttled, how = "code400504x1", "a query: code 400504"
        rig.collect(throttled)
        yield observe(rig, Cause.CODE_THROTTLED, throttled, how, also="PAUSED")
        since = rig.log_size()
        rig.collect("A1")
        opened = "The row of the breaker says what opened it."
        doctor = replace(read_doctor(rig, "circuit breaker  open"), why_not=opened)
        how = "the next order after that"
        yield observe(rig, Cause.BREAKER_OPEN, "A1", how, since=since, doctor=doctor)
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start()
        stopping, how = "appexpiredx1", "a query: code 66660002"
        rig.collect(stopping)
        yield observe(rig, Cause.APP_STOPPED, stopping, how, also="APP STOPPED")
