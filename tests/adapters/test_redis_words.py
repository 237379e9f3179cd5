"""Where a key lies in a cluster, and what Redis's errors mean, by their word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from kycourier.adapters.redis.failures import Refused, explain
from kycourier.adapters.redis.slots import find_slot


@given(st.text(st.sampled_from("{}ab") | st.characters(codec="utf-8")))
def test_a_keys_slot_is_the_one_that_rediss_own_library_finds(key):
    assert find_slot(key) == key_slot(key.encode())


@pytest.mark.parametrize(
    ("key", "slot"), [("123456789", 12739), ("{user1000}.following", 3443)]
)
def test_slots_are_those_of_rediss_specification(key, slot):
    assert find_slot(key) == slot


@pytest.mark.parametrize(
    ("said", "reason", "passes", "lasts"),
    [
        ("NOAUTH Authentication required.", "denied", True, False),
        ("WRONGPASS invalid username-password pair", "denied", True, False),
        ("NOPERM this user has no permissions", "denied", False, True),
        ("LOADING Redis is loading the dataset in memory", "loading", True, False),
        ("READONLY You can't write against a replica", "read only", True, False),
        ("OOM command not allowed", "out of memory", False, True),
        ("CLUSTERDOWN Hash slot not served", "cluster in motion", True, False),
        ("MASTERDOWN Link with MASTER is down", "cluster in motion", True, False),
        ("TRYAGAIN Multiple keys request", "cluster in motion", True, False),
        ("ASK 3999 127.0.0.1:6381", "cluster in motion", False, False),
        ("MOVED 3999 nowhere", "cluster in motion", False, False),
        ("ERR max number of clients reached", "unreachable", True, False),
        ("ERR unknown command", "ERR", False, False),
        ("WRONGTYPE Operation against a key", "WRONGTYPE", False, False),
        ("canary-of-a-value", "ERR", False, False),
        ("", "ERR", False, False),
    ],
)
def test_an_error_is_its_word_and_nothing_else(said, reason, passes, lasts):
    refusal = Refused(said)
    failure = explain(refusal)

    assert (failure.reason, failure.passes, failure.lasts) == (reason, passes, lasts)
    assert refusal.args == ()
    assert "canary" not in repr(vars(refusal))


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("MOVED 3999 127.0.0.1:6381", ("127.0.0.1", 6381)),
        ("MOVED 3999 ::1:6381", ("::1", 6381)),
        ("MOVED 3999 :6381", ("", 6381)),
        ("MOVED 3999 node.example:6381", ("node.example", 6381)),
        ("MOVED 3999", None),
        ("ASK 3999 127.0.0.1:6381", None),
        ("ERR MOVED 3999 127.0.0.1:6381", None),
    ],
)
def test_where_a_slot_moved_is_read(said, place):
    assert Refused(said).moved_to == place
