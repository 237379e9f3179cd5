"""Check evidence and say, line by line, what is not as its manifest says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from kycourier.adapters.places import open_evidence
from kycourier.core.errors import EvidenceUnavailable, SettingError
from kycourier.settings import PREFIX, read_settings
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.evidence.check import (
    Checked,
    Finding,
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.evidence.stored import EvidencePath, StoredPath
from kycourier_devkit.session import Session

T = TypeVar("T")
W = TypeVar("W", bound=EvidencePath)
_EVIDENCE = f"{PREFIX}EVIDENCE"


def verify_paths(session: Session, paths: Sequence[str]) -> int:
    """Check manifests and folders of them; give the exit code."""
    manifests: list[EvidencePath] = []
    strays: list[Finding] = []
    for path in [_find(session, text) for text in paths]:
        if _read(path, lambda path: path.is_dir()):
            manifests += _read(path, find_manifests)
            strays += _read(path, find_strays)
        else:
            manifests.append(path)
    checked = []
    with session.screen.progress("Checking", len(manifests)) as bar:
        for manifest in manifests:
            checked.append(_read(manifest, check_manifest))
            bar.step()
    for each in checked:
        _show(session, each)
    _show_findings(session, strays)
    return _sum_up(session, checked, len(strays))


def _find(session: Session, text: str) -> Path | StoredPath:
    """Find a path of this machine, or what lies at an object store's URL."""
    if not text:
        raise UsageProblem("name a manifest or a folder")
    scheme, found, where = text.partition("://")
    if not found or scheme == "file":
        return Path(text.removeprefix("file://"))
    where, mark, query = where.partition("?")  # `?region=…`, of COS
    parts = where.strip("/").split("/")
    depth = 2 if parts[-1].endswith(".json") else 1  # a manifest, or a folder of them
    above, key = "/".join(parts[:-depth]), "/".join(parts[-depth:])
    if not above:
        raise UsageProblem("name a manifest or a folder below the bucket")
    return _open_store(session, f"{scheme}://{above}{mark}{query}", key)


def _open_store(session: Session, uri: str, key: str) -> StoredPath:
    try:
        place = read_settings({_EVIDENCE: uri}, needs=frozenset()).evidence
        if place is not None:
            store = open_evidence(place, session.around, state=place)
            return StoredPath(store, place.base_uri, key)
        reason = "no store"
    except SettingError as error:
        reason = error.why
    raise UsageProblem(f"{uri}: {reason}")


def _read(path: W, read: Callable[[W], T]) -> T:
    """Read what a path names. Raises UsageProblem when it cannot be."""
    try:
        return read(path)
    except EvidenceUnavailable as error:
        reason = error.reason or error.code
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise UsageProblem(f"{path} cannot be read: {reason}")


def _show(session: Session, checked: Checked) -> None:
    if not checked.findings:
        session.screen.item("ok", f"{checked.manifest}  ({checked.objects} objects)")
    _show_findings(session, checked.findings)


def _show_findings(session: Session, findings: Sequence[Finding]) -> None:
    for finding in findings:
        session.screen.item(finding.what, f"{finding.path}  ({finding.why})")


def _sum_up(session: Session, checked: Sequence[Checked], strays: int) -> int:
    wrong = sum(bool(each.findings) for each in checked)
    count = f"{len(checked)} manifest" + ("s" if len(checked) != 1 else "")
    if wrong or strays:
        session.screen.problem(
            f"{count}, {wrong} not as it should be; {strays} objects without one"
        )
        return 1
    if not checked:
        session.screen.problem("There is no manifest there.")
        return 1
    session.screen.line(f"{count}: every object is there, unchanged, and no other")
    return 0
