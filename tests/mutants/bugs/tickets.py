"""Bugs in the ticket's life: two refreshers, or a superseded pair in use."""

from mutants.catalogue import edits, replaces

WIRE = "tests/core/wire/test_token_replies.py"
REFRESH = "tests/usecases/test_refresh_ticket.py"
PROVIDE = "tests/usecases/test_provide_ticket.py"
REFRESHER = "kycourier.usecases.refresh_ticket:TicketRefresher"


@edits("kycourier.usecases.provide_ticket:TICKET_CACHE_SECONDS", "I7", PROVIDE)
def ticket_is_cached_for_300_seconds(_seconds):
    """The pair is cached as long as Powertools Parameters caches."""
    return 300.0


@replaces("kycourier.usecases.deadlines:Stopwatch.seconds", "I7", PROVIDE)
def frozen_time_does_not_count(_seconds, self):
    """A process that was frozen takes its cached pair for fresh."""
    return self._clock.monotonic() - self._monotonic


@replaces("kycourier.core.wire.token_replies:parse_object", "I7", WIRE)
def expire_time_is_used(parse, body):
    """A lifetime is read from `expire_time`, which is for display only."""
    reply = parse(body)
    if "expire_time" in reply:
        reply["expire_in"] = reply["expire_time"]
    return reply


@replaces(f"{REFRESHER}._must_replace", "I6", REFRESH)
def pair_is_not_read_again_under_the_lease(_must_replace, *_arguments):
    """The new holder of the lease refreshes a pair that was just refreshed."""
    return True


@replaces(f"{REFRESHER}._recheck_lease", "I6", REFRESH)
def lease_is_not_checked_before_a_call(_recheck_lease, _self, _lease):
    """A holder that slept past its lease requests a token beside the next holder."""


@replaces(f"{REFRESHER}._limit_forced", "I6", PROVIDE)
def forced_refreshes_are_not_limited(_limit_forced, _self):
    """Each refused order forces a refresh, which invalidates the pair before it."""
