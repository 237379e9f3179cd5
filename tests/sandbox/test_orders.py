"""Every magic order number does what the table says."""

import pytest

from kycourier_devkit.sandbox import describe_orders, order_rows
from kycourier_devkit.sandbox.codes import meanings
from sandbox import meaning_proofs, wire_proofs
from sandbox.kyc_client import Scene

PROOFS = {**meaning_proofs.PROOFS, **wire_proofs.PROOFS}


@pytest.mark.enable_socket
@pytest.mark.parametrize("spelling", PROOFS)
def test_order_does_what_its_row_says(spelling: str, scene: Scene) -> None:
    PROOFS[spelling](scene)


def test_every_row_has_a_proof_and_every_proof_a_row() -> None:
    assert sorted(PROOFS) == sorted(spelling for spelling, _ in order_rows())


def test_table_fits_into_80_columns_with_a_line_for_each_row() -> None:
    text = describe_orders()
    table = text.partition("\n\n")[2].splitlines()

    assert max(len(line) for line in text.splitlines()) <= 80
    assert [line.split()[0] for line in table] == [row[0] for row in order_rows()]


@pytest.mark.enable_socket
@pytest.mark.parametrize("code", [code for code in meanings() if code != "0"])
def test_every_listed_code_can_be_had_from_an_order(code: str, scene: Scene) -> None:
    reply = scene.ask(f"code{code.replace('-', 'm')}x1")

    assert (reply.status, reply.code) == (200, code)
    assert reply.json["msg"] == meanings()[code]
    assert "result" not in reply.json
