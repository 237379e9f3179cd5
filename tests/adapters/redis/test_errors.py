"""Cluster slots of keys, and the meaning of Redis's error codes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis.crc import key_slot

from kycourier.adapters.redis.errors import RedisError, explain
from kycourier.adapters.redis.keys import find_slot


@example("{user1000}.following")
@given(st.text(st.sampled_from("{}ab") | st.characters(codec="utf-8")))
def test_slot_equals_redis_pys(key):
    assert find_slot(key) == key_slot(key.encode())


@pytest.mark.parametrize(
    ("text", "reason", "transient", "permanent"),
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
def test_error_becomes_a_reason_without_its_text(text, reason, transient, permanent):
    refusal = RedisError(text)
    failure = explain(refusal)

    assert (failure.reason, failure.transient, failure.permanent) == (
        reason,
        transient,
        permanent,
    )
    assert refusal.args == ()
    assert "canary" not in repr(vars(refusal))


@pytest.mark.parametrize(
    ("text", "address"),
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
def test_moved_error_gives_the_new_address(text, address):
    assert RedisError(text).moved_to == address
