"""The real function with every scripted order of the emulator."""

import pytest

from kycourier_devkit.sandbox import APP_SECRET
from support.processes.service_rig import queue_batch

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


def test_every_variant_of_a_good_result_is_collected(service_rig):
    process = service_rig.start("collect_results")
    orders = [f"{word}x1" for word in COLLECTED]
    assert process.invoke(queue_batch(*orders)) == {"batchItemFailures": []}
    types = {event["subject"]: event["type"] for event in service_rig.events()}
    assert types == dict.fromkeys(orders, "kycourier.ocr.collected.v1")


def test_every_other_result_is_final_or_waits(service_rig):
    process = service_rig.start("collect_results")
    ends = {}
    for word in ENDS:
        result = process.invoke({"order_no": f"{word}x1"})
        ends[word] = (result["state"], result["reason"])
    assert ends == ENDS
    assert service_rig.sandbox.report().redirects_followed == 0


def test_both_profiles_collect(service_rig):
    for profile in ("miniprogram", "kyc1"):
        process = service_rig.start(
            "collect_results",
            KYCOURIER_KYC_PROFILE=profile,
            KYCOURIER_STATE=f"sqlite:///{service_rig.folder}/{profile}.db",
        )
        result = process.invoke({"order_no": f"good{profile[:4]}"})
        assert result["state"] == "collected"


def test_changed_secret_is_read_again_and_no_order_is_lost(service_rig):
    secret = service_rig.folder / "secret"
    secret.write_text(APP_SECRET)
    process = service_rig.start(
        "collect_results", KYCOURIER_APP_SECRET=f"file://{secret}"
    )
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    new = "SANDBOX0NEW0SECRET0NOT0REAL00000" * 2
    service_rig.sandbox.change_secret(new)
    waiting = process.invoke({"order_no": "order2"})
    assert (waiting["state"], waiting["reason"]) == ("waiting", "credentials")
    assert service_rig.sandbox.report().token_calls == 2
    secret.write_text(new)
    again = service_rig.start("refresh_ticket", KYCOURIER_APP_SECRET=f"file://{secret}")
    assert again.invoke({})["generation"] == 1


def test_unknown_app_opens_the_circuit_breaker_for_every_process(service_rig):
    first, second = service_rig.start_many("collect_results", 2)
    assert first.invoke({"order_no": "appunknownx1"})["state"] == "parked"
    assert second.invoke({"order_no": "order1"})["reason"] == "throttled"
    assert service_rig.sandbox.report().queries_per_order["order1"] == 0
