"""Where the evidence of an order is stored."""

import re

from kycourier.core.orders.state_machine import Urgency
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import APP, EVIDENCE_URI, InMemoryApp

ORDER_NO = "bankcardPic5923ab9a3bc34488b51"
FOLDER = re.compile(rf"{re.escape(APP)}/2026/01/01/[A-Za-z0-9]{{32}}")


def folders_of(app):
    return {key.rpartition("/")[0] for key in app.evidence.objects}


def test_folder_is_app_date_and_random_name_and_shows_no_order_number():
    app = InMemoryApp()
    app.worker().collect(ORDER_NO)

    [folder] = folders_of(app)
    assert FOLDER.fullmatch(folder)
    assert ORDER_NO not in "\n".join(app.evidence.objects)


def test_folder_keeps_the_date_of_the_first_attempt():
    app = InMemoryApp()
    app.upstream.scripts["order1"] = [error_reply("66660011"), result_reply("order1")]
    app.worker().collect("order1")
    app.clock.sleep(24 * 3600)
    app.worker().collect("order1", Urgency.NOW)

    [folder] = folders_of(app)
    assert FOLDER.fullmatch(folder)
    [event] = app.bodies()
    uris = [photo["uri"] for photo in event["data"]["photos"]]
    assert {uri.rpartition("/")[0] for uri in uris} == {f"{EVIDENCE_URI}/{folder}"}
