"""Every magic order number has the documented behaviour, for each of its documents."""

import pytest

from devkit.sandbox.behaviours import (
    face_checks,
    id_card_checks,
    reply_checks,
    transport_checks,
)
from devkit.sandbox.document_calls import (
    BANK_CARD,
    DOCUMENTS,
    FACE,
    ID_CARD,
    DocumentCall,
)
from devkit.sandbox.kyc_client import SandboxRig
from kycourier_devkit.sandbox import order_rows
from kycourier_devkit.sandbox.behaviours.magic_orders import list_orders
from kycourier_devkit.sandbox.platform.result_codes import DocumentName, meanings

OF_ALL = {**reply_checks.CHECKS, **transport_checks.CHECKS}
OF_ONE = {
    BANK_CARD.title: reply_checks.BANK_CARD_CHECKS,
    ID_CARD.title: id_card_checks.CHECKS,
    FACE.title: face_checks.CHECKS,
}
NAMES: dict[str, DocumentName] = {
    BANK_CARD.title: "bank_card",
    ID_CARD.title: "id_card",
    FACE.title: "face",
}


def title_of(document: DocumentCall) -> str:
    return document.title


@pytest.mark.enable_socket
@pytest.mark.parametrize("document", DOCUMENTS, ids=title_of)
@pytest.mark.parametrize("spelling", OF_ALL)
def test_order_has_behaviour_of_its_row(
    spelling: str, document: DocumentCall, rig: SandboxRig
) -> None:
    OF_ALL[spelling](rig.of(document))


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("document", "spelling"),
    [(each, spelling) for each in DOCUMENTS for spelling in OF_ONE[each.title]],
    ids=str,
)
def test_order_of_a_document_has_behaviour_of_its_row(
    document: DocumentCall, spelling: str, rig: SandboxRig
) -> None:
    OF_ONE[document.title][spelling](rig.of(document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=title_of)
def test_every_row_has_a_check(document: DocumentCall) -> None:
    rows = list_orders()
    listed = {
        row.spelling
        for row in rows
        if document.title in {each.title for each in row.documents}
    }
    assert {*OF_ALL, *OF_ONE[document.title]} == listed
    assert {row.spelling for row in rows} == {name for name, _ in order_rows()}


def test_rows_name_the_documents_that_they_concern() -> None:
    rows = dict(order_rows())

    assert rows["maskednumber"] == "bank card: bankCardNo is 19 x, as in the sample"
    assert rows["nodate"] == "bank card, ID card: the date is empty"
    assert rows["flat"] == "no result object, all fields side by side"


@pytest.mark.enable_socket
def test_order_of_another_document_is_complete_at_once(rig: SandboxRig) -> None:
    rig.sandbox.set_order("order1", "frontcode66661006")

    assert rig.query("frontcodex1").code == "0"
    assert len(rig.query("order1").result["bankCardNo"]) >= 16
    assert rig.of(ID_CARD).query("order1").result["frontCode"] == "66661006"


@pytest.mark.enable_socket
def test_queries_of_each_document_are_counted_apart(rig: SandboxRig) -> None:
    assert rig.query("once503x1").status == 503
    assert rig.of(ID_CARD).query("once503x1").status == 503
    assert rig.query("once503x1").status == 200


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("document", "code"),
    [
        (each, code)
        for each in DOCUMENTS
        for code in meanings(NAMES[each.title])
        if code != "0"
    ],
    ids=str,
)
def test_every_documented_code_is_available_by_order_number(
    document: DocumentCall, code: str, rig: SandboxRig
) -> None:
    reply = rig.of(document).query(f"code{code.replace('-', 'm')}x1")

    assert (reply.status, reply.code) == (200, code)
    assert reply.json["msg"] == meanings(NAMES[document.title])[code]
    assert "result" not in reply.json
