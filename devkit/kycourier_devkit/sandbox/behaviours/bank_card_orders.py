"""Defines the magic orders of the bank card."""

from kycourier_devkit.sandbox.behaviours.drift import CROP_DRIFTS, OLD_NAME_DRIFTS
from kycourier_devkit.sandbox.behaviours.order_actions import (
    Drift,
    OrderAction,
    converted,
    drifted,
    with_fields,
)
from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.platform import result_codes


def _warnings(listed: str) -> Drift:
    return with_fields(warnCode="-9110", multiWarnCode=listed)


_masked = with_fields(bankCardNo="x" * 19)
_expired = with_fields(
    bankCardValidDate="12/2020", warnCode=result_codes.WARNING_CARD_EXPIRED
)
_long_term = with_fields(bankCardValidDate="长期")
_DRIFTS: tuple[Behaviour[Drift], ...] = (
    *CROP_DRIFTS,
    *OLD_NAME_DRIFTS,
    Behaviour("warnone", "warnCode -9110", with_fields(warnCode="-9110")),
    Behaviour("warnlist", "multiWarnCode is a list", _warnings("[-9110,-9111,-9114]")),
    Behaviour("warnbroken", "multiWarnCode is a broken list", _warnings("[-9110,,x")),
    Behaviour(
        "unknownwarning", "a warning that is in no list", with_fields(warnCode="-9199")
    ),
    Behaviour("maskednumber", "bankCardNo is 19 x, as in the sample", _masked),
    Behaviour("nonumber", "the number is empty", with_fields(bankCardNo="")),
    Behaviour("nodate", "the date is empty", with_fields(bankCardValidDate="")),
    Behaviour(
        "longterm", "bankCardValidDate is 长期", with_fields(bankCardValidDate="长期")
    ),
    Behaviour("cardexpired", "valid until 12/2020, warning 66661009", _expired),
)

BANK_CARD_ORDERS: list[Behaviour[OrderAction]] = converted(_DRIFTS, drifted)
