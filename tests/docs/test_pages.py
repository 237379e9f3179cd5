"""Statements of the docs that the code must satisfy."""

import json
import re
from pathlib import Path

import pytest

from kycourier.adapters.aws.orders import _key
from kycourier.core.causes import CAUSE_METRICS
from kycourier.core.orders.outcomes import EFFECTS
from kycourier.core.orders.record import OrderKey
from kycourier.logs import LOG_EVENTS
from kycourier_devkit.reference.settings_table import (
    build_table,
    find_pages,
    find_stale,
)

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")


def test_settings_table_in_the_readme_is_fresh():
    assert ROOT / "README.md" in list(find_pages(ROOT))
    assert not find_stale(ROOT)
    assert "KYCOURIER_KYC_TIMEOUT_SECONDS" in build_table()


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_existing_files_and_headings(page):
    for path, heading in LINK.findall(page.read_text()):
        if path.startswith("http"):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), path
        if heading:
            headings = re.findall(r"(?m)^#+ (.*)$", target.read_text().lower())
            slugs = [re.sub(r"[^\w -]", "", h).replace(" ", "-") for h in headings]
            assert heading[1:] in slugs, heading


def test_documented_signature_example_is_a_tested_vector():
    file = ROOT / "tests/data/request_signature_vectors.json"
    vector, *_ = json.loads(file.read_text())["vectors"]
    page = (ROOT / "docs/http-api.md").read_text()
    assert all(vector[part] in page for part in ("key", "body", "signed", "header"))


def test_runbook_erases_the_row_of_the_order():
    page = (ROOT / "docs/operations.md").read_text().replace('\\"', '"')
    assert f'{{"pk": {{"S": "{_key(OrderKey("$APP", "$ORDER"))}"}}}}' in page


METRICS = {metric for event in LOG_EVENTS.values() for metric in event.metrics}
METRICS |= {effect.metric for effect in EFFECTS.values()} | CAUSE_METRICS


def test_runbook_names_only_existing_log_events_and_metrics():
    page = (ROOT / "docs/operations.md").read_text()
    metrics = set(re.findall(r"`([A-Z][A-Za-z]+)`", page))
    events = re.findall(r"log events? `([a-z_]+)`(?:, `([a-z_]+)`)?", page)
    assert metrics <= METRICS
    assert events
    assert {event for pair in events for event in pair if event} <= set(LOG_EVENTS)


def test_reference_lists_every_log_event_and_metric_once():
    page = (ROOT / "docs/reference/log-events.md").read_text()
    named = re.findall(r"(?m)^\| `(\w+)` \|", page)
    assert sorted(named) == sorted([*LOG_EVENTS, *METRICS])
