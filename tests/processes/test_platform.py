"""The real function against everything the emulator can say."""

import pytest

from houses import batch
from kycourier_devkit.sandbox import APP_SECRET

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
COLLECTED = [
    "good", "flat", "oldnames", "newfields", "intcode", "datauri", "linebreaks",
    "pngphotos", "warnone", "warnlist", "warnbroken", "unknownwarning",
    "maskednumber", "nonumber", "nodate", "longterm", "cardexpired", "textplain",
    "late1",
]  # fmt: skip
ENDS = {
    "othernumber": ("rejected", "order_no_mismatch"),
    "codem9011": ("rejected", "ocr_failed"),
    "code9012": ("rejected", "image_blurred"),
    "code66660007": ("parked", "risk_rejected"),
    "neverready": ("waiting", "not_ready"),
    "notready": ("waiting", "not_ready"),
    "floatcode": ("waiting", "transient"),
    "spacecode": ("waiting", "transient"),
    "nullcode": ("waiting", "transient"),
    "badbase64": ("waiting", "transient"),
    "html": ("waiting", "transient"),
    "cut": ("waiting", "transient"),
    "shortbody": ("waiting", "transient"),
    "reset": ("waiting", "transient"),
    "redirect": ("waiting", "transient"),
    "duplicatekeys": ("waiting", "transient"),
    "empty": ("waiting", "transient"),
    "codeunknown": ("waiting", "transient"),
}


def test_every_drift_of_a_good_order_is_collected(house):
    process = house.start("collect_results")
    orders = [f"{word}x1" for word in COLLECTED]
    assert process.invoke(batch(*orders)) == {"batchItemFailures": []}
    told = {event["subject"]: event["type"] for event in house.events()}
    assert told == dict.fromkeys(orders, "kycourier.ocr.collected.v1")


def test_every_other_answer_ends_or_waits_as_it_should(house):
    process = house.start("collect_results")
    found = {}
    for word in ENDS:
        shown = process.invoke({"order_no": f"{word}x1"})
        found[word] = (shown["state"], shown["reason"])
    assert found == ENDS
    assert house.sandbox.report().redirects_followed == 0


def test_both_profiles_work(house):
    for profile in ("miniprogram", "kyc1"):
        process = house.start(
            "collect_results",
            KYCOURIER_KYC_PROFILE=profile,
            KYCOURIER_STATE=f"sqlite:///{house.folder}/{profile}.db",
        )
        shown = process.invoke({"order_no": f"good{profile[:4]}"})
        assert shown["state"] == "collected"


def test_a_changed_secret_is_read_again_and_nothing_is_lost(house):
    kept = house.folder / "secret"
    kept.write_text(APP_SECRET)
    process = house.start("collect_results", KYCOURIER_APP_SECRET=f"file://{kept}")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    new = "SANDBOX0NEW0SECRET0NOT0REAL00000" * 2
    house.sandbox.change_secret(new)
    waiting = process.invoke({"order_no": "order2"})
    assert (waiting["state"], waiting["reason"]) == ("waiting", "credentials")
    assert house.sandbox.report().token_calls == 2
    kept.write_text(new)
    again = house.start("refresh_ticket", KYCOURIER_APP_SECRET=f"file://{kept}")
    assert again.invoke({})["generation"] == 1


def test_an_unknown_app_stops_every_process_until_it_is_resumed(house):
    first, second = house.start_many("collect_results", 2)
    assert first.invoke({"order_no": "appunknownx1"})["state"] == "parked"
    assert second.invoke({"order_no": "order1"})["reason"] == "throttled"
    assert house.sandbox.report().queries_per_order["order1"] == 0
