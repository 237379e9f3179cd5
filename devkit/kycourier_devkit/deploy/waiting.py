"""Waiting for what SCF does after it has answered."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from kycourier.ports import Clock
from kycourier_devkit.deploy.api import Members
from kycourier_devkit.errors import DevkitError

MOST_SECONDS = 180.0
_POLL_SECONDS = 1.0


class NotReady(DevkitError):  # noqa: N818 - reads as a fact
    """SCF did not come to an end with something, or came to a bad one."""


def wait_until(
    clock: Clock,
    what: str,
    ask: Callable[[], Members],
    *,
    busy: AbstractSet[str],
    good: AbstractSet[str],
) -> None:
    """Ask for the `Status` until it is a good one. Raises NotReady.

    `busy` are those that pass; any other is an end.
    """
    ends_at = clock.monotonic() + MOST_SECONDS
    while True:
        told = ask()
        status = told.get("Status")
        if status in good:
            return
        if status not in busy:
            raise NotReady(f"{what}: {status}{_reasons(told)}")
        if clock.monotonic() >= ends_at:
            raise NotReady(f"{what}: still {status} after {MOST_SECONDS:.0f} s")
        clock.sleep(_POLL_SECONDS)


def _reasons(told: Members) -> str:
    """Give SCF's symbols for why; its texts are left out."""
    codes = [str(each.get("ErrorCode")) for each in told.get("StatusReasons") or []]
    return f" ({', '.join(codes)})" if codes else ""
