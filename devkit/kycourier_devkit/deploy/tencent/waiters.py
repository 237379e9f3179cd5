"""Waits for asynchronous operations of SCF."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from kycourier.ports import Clock
from kycourier_devkit.deploy.tencent.api import Members
from kycourier_devkit.errors import DevkitError

MAX_WAIT_SECONDS = 180.0
_POLL_SECONDS = 1.0


class WaiterError(DevkitError):
    """An operation failed, or did not end in time."""


def wait_until(
    clock: Clock,
    subject: str,
    describe: Callable[[], Members],
    *,
    pending: AbstractSet[str],
    done: AbstractSet[str],
) -> None:
    """Calls `describe` until its `Status` is one of `done`.

    Args:
        clock: Sleeps between the calls.
        subject: What an error names, such as "layer kyc-sdk".
        describe: Returns the resource's members.
        pending: Statuses to wait through; any other status is a failure.
        done: Statuses to return at.

    Raises:
        WaiterError: The status is a failure, or still pending after 180 s.
    """
    ends_at = clock.monotonic() + MAX_WAIT_SECONDS
    while True:
        resource = describe()
        status = resource.get("Status")
        if status in done:
            return
        if status not in pending:
            raise WaiterError(f"{subject}: {status}{_reasons(resource)}")
        if clock.monotonic() >= ends_at:
            raise WaiterError(
                f"{subject}: still {status} after {MAX_WAIT_SECONDS:.0f} s"
            )
        clock.sleep(_POLL_SECONDS)


def _reasons(resource: Members) -> str:
    """Returns SCF's error codes in parentheses, without its texts."""
    codes = [str(each.get("ErrorCode")) for each in resource.get("StatusReasons") or []]
    return f" ({', '.join(codes)})" if codes else ""
