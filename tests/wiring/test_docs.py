"""What the docs state is so."""

import json
import re
from pathlib import Path

import pytest

from kycourier.adapters.aws.orders import _key
from kycourier.core.models import OrderKey
from kycourier.logs import FACTS
from kycourier_devkit.settings_table import build_table, find_pages, find_stale

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")


def test_the_settings_table_is_in_the_readme_and_fresh():
    assert ROOT / "README.md" in list(find_pages(ROOT))
    assert not find_stale(ROOT)
    assert "KYCOURIER_KYC_TIMEOUT_SECONDS" in build_table()


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_are_there(page):
    for path, heading in LINK.findall(page.read_text()):
        if path.startswith("http"):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), path
        if heading:
            headings = re.findall(r"(?m)^#+ (.*)$", target.read_text())
            slugs = [
                re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings
            ]
            assert heading[1:] in slugs, heading


def test_the_worked_vector_is_the_proven_one():
    vectors = json.loads(
        (ROOT / "tests/data/request_signature_vectors.json").read_text()
    )
    vector, page = vectors["vectors"][0], (ROOT / "docs/http-api.md").read_text()
    for part in ("key", "body", "signed", "header"):
        assert vector[part] in page


def test_the_row_that_the_runbook_erases_is_the_orders():
    page = (ROOT / "docs/operations.md").read_text().replace('\\"', '"')
    assert f'{{"pk": {{"S": "{_key(OrderKey("$APP", "$ORDER"))}"}}}}' in page


def test_every_fact_and_metric_of_the_runbook_is_noted_by_the_service():
    page = (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"\*`?([A-Za-z`, ]*)`?[^*]*\*", page))
    assert named
    metrics = {metric for fact in FACTS.values() for metric in fact.metrics}
    metrics |= {"OrdersParked"}
    words = set(re.findall(r"`([A-Z][A-Za-z]+)`", page))
    facts = set(re.findall(r"facts? `([a-z_]+)`(?:, `([a-z_]+)`)?", page))
    assert words <= metrics
    assert {fact for pair in facts for fact in pair if fact} <= set(FACTS)
