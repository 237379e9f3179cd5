"""Check evidence files and say, line by line, what is not as its manifest says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.evidence.check import (
    Checked,
    Finding,
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.session import Session

T = TypeVar("T")


def verify_paths(session: Session, paths: Sequence[str]) -> int:
    """Check manifests and folders of them; give the exit code."""
    manifests: list[Path] = []
    strays: list[Finding] = []
    for path in map(_parse_path, paths):
        if _read(path, Path.is_dir):
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


def _parse_path(text: str) -> Path:
    if not text:
        raise UsageProblem("name a manifest or a folder")
    return Path(text.removeprefix("file://"))


def _read(path: Path, read: Callable[[Path], T]) -> T:
    """Read what a path names. Raises UsageProblem when it cannot be."""
    try:
        return read(path)
    except OSError as error:
        reason = error.strerror
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
