"""Prints what the local demo leaves: its events, and the evidence of one order."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kycourier.core.documents.registry import document_type
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.workspace.local_settings import FOLDER

HEAD = ("event", "result", "photos", "id")


def print_summary(session: CliContext) -> None:
    """Prints a table of the events, and the files of the first order with evidence."""
    screen, root = session.terminal, session.root
    screen.line()
    screen.line(f"{FOLDER}/events.jsonl")
    lines = (root / "events.jsonl").read_text("utf-8").splitlines()
    events = sorted(map(json.loads, lines), key=lambda event: str(event["subject"]))
    screen.table(HEAD, map(_row, events))
    manifests = [
        Path(unquote(urlsplit(event["data"]["manifest"]["uri"]).path))
        for event in events
        if "manifest" in event["data"]
    ]
    for folder in [each.parent for each in manifests[:1]]:
        screen.line()
        screen.line(f"{folder.parent.relative_to(session.folder)}/")
        screen.line(f"  {folder.name}/ (the first of {len(manifests)})")
        for path in sorted(folder.iterdir()):
            screen.line(f"    {path.name:<32}{path.stat().st_size:>9} bytes")


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    data = event["data"]
    photos = data.get("photos")
    return (
        event["type"].split(".")[2],
        (document_type(data["document"]).headline(data) if photos else None) or "-",
        str(len(photos)) if photos else "-",
        event["id"],
    )
