"""What the demo leaves: its events, its evidence, and whether that verifies."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kycourier_devkit.evidence.check import Checked, check_manifest, find_manifests
from kycourier_devkit.local import FOLDER
from kycourier_devkit.session import Session

HEAD = ("event", "card", "photos", "id")


def summarize(session: Session) -> int:
    """Show events and evidence; give how many manifests are not as they should be."""
    screen, root = session.screen, session.root
    screen.line()
    screen.line(f"{FOLDER}/events.jsonl")
    lines = (root / "events.jsonl").read_text("utf-8").splitlines()
    events = sorted(map(json.loads, lines), key=lambda event: str(event["subject"]))
    screen.table(HEAD, map(_row, events))
    screen.line()
    checked = [check_manifest(path) for path in find_manifests(root / "evidence")]
    _show_evidence(session, checked)
    return sum(bool(each.findings) for each in checked) + (not checked)


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    data = event["data"]
    card, photos = data.get("card", {}), data.get("photos")
    return (
        event["type"].split(".")[2],
        card.get("number_masked") or "-",
        str(len(photos)) if photos else "-",
        event["id"],
    )


def _show_evidence(session: Session, checked: list[Checked]) -> None:
    """Show the first folder's files, and each manifest's check in a line."""
    screen = session.screen
    if checked:
        above = Path(str(checked[0].manifest)).parents[1]
        screen.line(f"{above.relative_to(session.folder)}/")
    for number, each in enumerate(checked):
        folder = Path(str(each.manifest)).parent
        mark = "NO" if each.findings else "ok"
        text = f"{folder.name}/  {each.objects} photos as the manifest says"
        screen.item(mark, text, indent=2)
        for path in sorted(folder.iterdir()) if number == 0 else ():
            screen.line(f"      {path.name:<32}{path.stat().st_size:>9} bytes")
