"""Compares manifests with what was sent: the events of a file, or the orders' rows."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier.container import Container
from kycourier.core.evidence import uri_of
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import OrderRecord, OrderState
from kycourier.core.orders.results import CollectedResult
from kycourier_devkit.errors import UsageError
from kycourier_devkit.evidence.manifests import Finding, ManifestReport

_PAGE = 100


class SentManifest(Struct, frozen=True):
    """One manifest as an order's event names it."""

    order_no: str
    uri: str
    sha256: str

    @property
    def folder(self) -> str:
        """The folder's random name, which is the same wherever evidence is copied."""
        return self.uri.rsplit("/", 2)[-2]


def read_events(file: Path) -> list[SentManifest]:
    """Reads the collected events of a file of JSON lines.

    Raises:
        UsageError: The file cannot be read, or a line is not an event.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    else:
        return [
            sent
            for number, line in enumerate(lines, 1)
            if line.strip() and (sent := _parse_event(file, number, line)) is not None
        ]
    raise UsageError(f"--events: {file} cannot be read: {reason}")


def _parse_event(file: Path, number: int, line: str) -> SentManifest | None:
    """Returns the manifest of an event with evidence; None for another event."""
    try:
        data: Any = json.loads(line)["data"]
        manifest = data.get("manifest")
        if manifest is None:
            return None
        return SentManifest(data["order_no"], manifest["uri"], manifest["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # raised below, without the line itself
    raise UsageError(f"--events: {file}, line {number} is not an event")


def read_orders(container: Container) -> list[SentManifest]:
    """Reads the orders of the state that have evidence.

    Raises StoreUnavailableError.
    """
    records = (
        record
        for state in (OrderState.COLLECTED, OrderState.REJECTED)
        for record in _in_state(container, state)
    )
    return sorted(_of_records(records), key=lambda each: each.order_no)


def _in_state(container: Container, state: OrderState) -> Iterator[OrderRecord]:
    orders, after = container.stores.orders, None
    while True:
        wanted = OrderFilter(state=state)
        page = orders.find(container.app_id, wanted, limit=_PAGE, after=after)
        yield from page.records
        after = page.next
        if after is None:
            return


def _of_records(records: Iterable[OrderRecord]) -> Iterator[SentManifest]:
    for record in records:
        if isinstance(result := record.result, CollectedResult):
            manifest = result.manifest
            uri = uri_of(manifest, evidence_uri=result.evidence_uri)
            yield SentManifest(record.order_no, uri, manifest.sha256)


def compare(
    reports: Sequence[ManifestReport],
    sent: Sequence[SentManifest],
    *,
    roots: Sequence[str],
) -> list[Finding]:
    """Compares the manifests that were found with those that were sent.

    Args:
        reports: The manifests that were found.
        sent: Those that were sent.
        roots: The paths or URIs that were searched: what was sent from below one of
            them must have been found.
    """
    by_folder = {each.folder: each for each in sent}
    findings: list[Finding] = []
    found = set()
    for report in reports:
        if not report.sha256:
            continue
        folder = report.manifest.parent.name
        known = by_folder.get(folder)
        if known is None:
            findings.append(Finding("extra", report.manifest, "was never sent"))
            continue
        found.add(folder)
        if known.sha256 != report.sha256:
            reason = f"is not the manifest that order {known.order_no} was sent with"
            findings.append(Finding("changed", report.manifest, reason))
    for each in sent:
        if each.folder not in found and _is_below(each.uri, roots):
            reason = f"does not exist; order {each.order_no} was sent with it"
            findings.append(Finding("missing", Path(_path_of(each.uri)), reason))
    return findings


def _is_below(uri: str, roots: Sequence[str]) -> bool:
    path = _path_of(uri)
    return any(path.startswith(f"{root.rstrip('/')}/") for root in roots)


def _path_of(uri: str) -> str:
    return uri.removeprefix("file://")
