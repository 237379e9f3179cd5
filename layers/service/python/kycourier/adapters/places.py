"""Open what a setting names; an adapter is imported only when it is chosen."""

# ruff: noqa: PLC0415 - that is the point of this module

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import KycourierError, SettingError
from kycourier.core.hidden import Secret
from kycourier.ports import EventSink, EvidenceStore, SecretSource, State, WorkQueue
from kycourier.setting_forms import Place
from kycourier.settings import PREFIX

T = TypeVar("T")
AWS_SCHEMES = {
    "dynamodb",
    "s3",
    "eventbridge",
    "sqs",
    "aws-secretsmanager",
    "aws-ssm",
}
TENCENT_SCHEMES = {"cos", "tencent-eb", "tencent-ssm"}


def open_state(place: Place, around: Surroundings) -> State:
    """Open tickets, leases, orders and brakes. Raises SettingError."""
    opened: State = _open("state", place, lambda home: home.open_state(place, around))
    return opened


def open_evidence(place: Place, around: Surroundings, *, state: Place) -> EvidenceStore:
    """Open the evidence store; `state` is where the orders lie. Raises SettingError."""
    opened: EvidenceStore = _open(
        "evidence", place, lambda home: home.open_evidence(place, around, state=state)
    )
    return opened


def open_events(place: Place, around: Surroundings) -> EventSink:
    """Open the sink. Raises SettingError."""
    opened: EventSink = _open(
        "events", place, lambda home: home.open_events(place, around)
    )
    return opened


def open_queue(place: Place | None, around: Surroundings) -> WorkQueue | None:
    """Open the queue of delayed work, if there is one. Raises SettingError."""
    if place is None:
        return None
    opened: WorkQueue = _open(
        "queue", place, lambda home: home.open_queue(place, around)
    )
    return opened


def open_secret(name: str, place: Place, around: Surroundings) -> SecretSource:
    """Open a secret reference and read it once. Raises SettingError."""
    source, _ = read_secret(name, place, around)
    return source


def read_secret(
    name: str, place: Place, around: Surroundings
) -> tuple[SecretSource, Secret]:
    """Open a secret reference, and give what it holds now too. Raises SettingError."""

    def opened(home: ModuleType) -> tuple[SecretSource, Secret]:
        source: SecretSource = home.open_secret(place, around)
        return source, source.load()

    return _open(name, place, opened)


def _open(name: str, place: Place, make: Callable[[ModuleType], T]) -> T:
    variable = PREFIX + name.upper()
    home = find_home(place.scheme)
    if home is None:
        raise SettingError(variable, "names a service this release lacks")
    try:
        return make(home)
    except KycourierError as error:
        reason = error.reason or error.code
    raise SettingError(variable, f"cannot be used: {reason}")


def find_home(scheme: str) -> ModuleType | None:
    """Import the technology that a scheme belongs to."""
    if scheme in {"sqlite", "file", "env"}:
        from kycourier.adapters.local import places as local

        return local
    if scheme in AWS_SCHEMES:
        from kycourier.adapters.aws import places as aws

        return aws
    if scheme in TENCENT_SCHEMES:
        from kycourier.adapters.tencent import places as tencent

        return tencent
    if scheme in {"redis", "rediss"}:
        from kycourier.adapters.redis import places as redis

        return redis
    return None
