"""Verifies evidence and prints each object that differs from its manifest."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from kycourier.adapters.registry import open_evidence
from kycourier.core.errors import EvidenceUnavailableError, SettingError
from kycourier.settings.declarations import PREFIX
from kycourier.settings.reader import read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.evidence.manifests import (
    Finding,
    ManifestReport,
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.evidence.sent import compare, read_events, read_orders
from kycourier_devkit.evidence.stored_path import EvidencePath, StoredPath
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container

Result = TypeVar("Result")
AnyPath = TypeVar("AnyPath", bound=EvidencePath)
_EVIDENCE = f"{PREFIX}EVIDENCE"


def verify_paths(
    context: CliContext,
    paths: Sequence[str],
    *,
    events: Path | None = None,
    with_state: bool = False,
) -> int:
    """Verifies manifests and folders of manifests.

    Args:
        context: The CLI context.
        paths: Local paths or object store URLs; none for the evidence of the settings.
        events: A file of events to compare the manifests with.
        with_state: Whether to compare them with the orders' rows.

    Returns:
        The exit code: 1 if anything differs, or there is no manifest.

    Raises:
        UsageError: A path cannot be read.
    """
    paths = [*paths] or [_evidence_of_settings(context)]
    manifests: list[EvidencePath] = []
    strays: list[Finding] = []
    for path in [_open_path(context, text) for text in paths]:
        if _read(path, lambda path: path.is_dir()):
            manifests += _read(path, find_manifests)
            strays += _read(path, find_strays)
        else:
            manifests.append(path)
    reports = []
    with context.terminal.progress("Checking", len(manifests)) as bar:
        for manifest in manifests:
            reports.append(_read(manifest, check_manifest))
            bar.advance()
    for report in reports:
        _print_report(context, report)
    _print_findings(context, strays)
    sent = read_events(events) if events is not None else []
    if with_state:
        sent += read_orders(open_container(context, STATE_SETTINGS))
    unlike = []
    if events is not None or with_state:
        roots = [
            str(path.absolute()) if isinstance(path, Path) else str(path)
            for path in map(partial(_open_path, context), paths)
        ]
        unlike = compare(reports, sent, roots=roots)
        _print_findings(context, unlike)
    return _print_summary(context, reports, strays=len(strays), unlike=len(unlike))


def _evidence_of_settings(context: CliContext) -> str:
    """Returns the path of the evidence on this machine. Raises UsageError."""
    value = context.settings_environ().get(_EVIDENCE, "")
    if not value.startswith("file://"):
        raise UsageError("PATH: name a manifest, or a folder of manifests")
    return value


def _open_path(context: CliContext, text: str) -> Path | StoredPath:
    """Returns a path on this machine, or the path of an object store's URL."""
    if not text:
        raise UsageError("PATH: is empty; name a manifest or a folder")
    scheme, separator, where = text.partition("://")
    if not separator or scheme == "file":
        return Path(text.removeprefix("file://"))
    where, mark, query = where.partition("?")  # `?region=…`, of COS
    parts = where.strip("/").split("/")
    depth = 2 if parts[-1].endswith(".json") else 1  # a manifest, or a folder of them
    above, key = "/".join(parts[:-depth]), "/".join(parts[-depth:])
    if not above:
        raise UsageError("PATH: name a manifest or a folder below the bucket")
    return _open_store(context, f"{scheme}://{above}{mark}{query}", key)


def _open_store(context: CliContext, uri: str, key: str) -> StoredPath:
    try:
        place = read_settings({_EVIDENCE: uri}, needs=frozenset()).evidence
        if place is not None:
            store = open_evidence(place, context.adapter_context, state=place)
            return StoredPath(store, place.base_uri, key)
        reason = "names no store"
    except SettingError as error:
        reason = error.why
    raise UsageError(f"PATH: {uri}: {reason}")


def _read(path: AnyPath, read: Callable[[AnyPath], Result]) -> Result:
    """Reads the contents of a path. Raises UsageError if they cannot be read."""
    try:
        return read(path)
    except EvidenceUnavailableError as error:
        reason = error.reason or error.code
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise UsageError(f"PATH: {path} cannot be read: {reason}")


def _print_report(context: CliContext, report: ManifestReport) -> None:
    if not report.findings:
        context.terminal.item("ok", f"{report.manifest}  ({report.objects} objects)")
    _print_findings(context, report.findings)


def _print_findings(context: CliContext, findings: Sequence[Finding]) -> None:
    for finding in findings:
        context.terminal.item(finding.kind, f"{finding.path} {finding.reason}.")


def _print_summary(
    context: CliContext,
    reports: Sequence[ManifestReport],
    *,
    strays: int,
    unlike: int,
) -> int:
    failed = sum(bool(report.findings) for report in reports)
    count = f"{len(reports)} manifest" + ("s" if len(reports) != 1 else "")
    if failed or strays or unlike:
        text = f"{count}, {failed} failed; {strays} objects without a manifest"
        differ = f"; {unlike} unlike what was sent" if unlike else ""
        context.terminal.problem(text + differ)
        return 1
    if not reports:
        context.terminal.problem("No manifest found.")
        return 1
    context.terminal.line(f"{count} verified: no object is missing, changed or extra")
    return 0
