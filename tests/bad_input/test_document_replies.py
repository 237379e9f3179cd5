"""For any reply about an ID card or a face, the order stays, and nothing leaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bad_input.collected_order import ORDER, collect
from bad_input.replies import ODD_VALUES, base64_texts, codes
from bad_input.strategies import json_values, spell, texts
from kycourier.core.orders.record import OrderState
from support.leaks.canaries import ID_NUMBER, OLD_ID_NUMBER
from support.rigs.document_replies import face_members, id_card_members

RISK = {"riskInfo": {"deviceInfoLevel": "1", "riskInfoLevel": "2"}}
GOOD = {
    "id_card": id_card_members(ORDER, nativePlace="虚构省"),
    "face": face_members(ORDER, **RISK),
}
PARTS = 3


def changed_results(document):
    """Yield a reply for every field and odd value, nested and flat."""
    good = GOOD[document]
    for name in good:
        rest = {each: value for each, value in good.items() if each != name}
        yield {"code": "0", "result": rest}
        for value in ODD_VALUES:
            yield {"code": "0", "result": good | {name: value}}
            yield {"code": "0", **good, name: value}
    for value in ODD_VALUES:
        yield {"code": value, "result": good}
        yield {"code": "0", "result": value}
        yield {"code": "0", "result": good | {"riskInfo": {"riskInfoLevel": value}}}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("document", GOOD)
def test_every_field_may_be_absent_null_of_another_type_or_huge(document, part):
    states = set()
    for number, changed in enumerate(changed_results(document)):
        if number % PARTS == part:
            row = collect(spell(changed), document=document, is_sealing=True)
            states.add(row.state)
    assert {OrderState.COLLECTED, OrderState.WAITING} <= states


numbers = (
    st.sampled_from([ID_NUMBER, OLD_ID_NUMBER, ID_NUMBER[:17], f" {ID_NUMBER.lower()}"])
    | st.text("0123456789Xx", max_size=20)
    | texts
)
periods = (
    st.sampled_from(
        ["20160725-20360725", "20070101-长期", "2007.01.01-长期", "20160230-20360725"]
    )
    | texts
)
id_cards = st.fixed_dictionaries(
    {"orderNo": st.just(ORDER) | texts},
    optional={
        **dict.fromkeys(("frontCode", "backCode"), st.just("0") | codes),
        **dict.fromkeys(("name", "sex", "nation", "address", "birth"), texts),
        "idcard": numbers,
        "validDate": periods,
        **dict.fromkeys(("frontPhoto", "backPhoto", "headPhoto"), base64_texts),
        **dict.fromkeys(("frontWarnCode", "backWarnCode"), codes),
        **dict.fromkeys(
            ("frontMultiWarning", "backMultiWarning"), st.text("01x", max_size=10)
        ),
        "frontClarity": codes | st.floats(),
        "operateTime": texts,
    },
)
faces = st.fixed_dictionaries(
    {"orderNo": st.just(ORDER) | texts},
    optional={
        **dict.fromkeys(("liveRate", "similarity"), codes | st.floats() | texts),
        "photo": base64_texts,
        "occurredTime": st.just("20250230101530") | texts,
        "sdkVersion": texts,
        "riskInfo": st.dictionaries(texts, texts, max_size=3) | json_values,
    },
)


@pytest.mark.parametrize(
    ("document", "results"), [("id_card", id_cards), ("face", faces)]
)
def test_any_reply_leaves_the_order_in_a_known_state(document, results):
    @given(st.just("0") | codes, results | json_values)
    @settings(max_examples=60)
    def check(code, result):
        body = spell({"code": code, "result": result})
        collect(body, document=document, is_sealing=True)

    check()
