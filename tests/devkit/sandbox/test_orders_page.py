"""The page of the sandbox is generated, and lists every magic order number."""

import re

from kycourier_devkit.reference.sandbox_table import PAGE, build_page
from kycourier_devkit.sandbox import order_rows


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == build_page()


def test_page_names_documents_and_every_order_number() -> None:
    page = build_page()
    rows = re.findall(r"(?m)^\| `(\S+)` \| (.+?) \| .+ \|$", page)

    assert {name for name, _ in rows} == {name for name, _ in order_rows()}
    assert ("lateN", "all") in rows
    assert ("refusedN", "face") in rows
    assert ("nodate", "bank card, ID card") in rows
    assert "| face | `POST /api/v2/base/queryfacerecord` | photo, video |" in page
