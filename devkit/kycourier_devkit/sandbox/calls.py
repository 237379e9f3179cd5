"""The platform's three calls: from a request to an answer."""

from collections.abc import Callable

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.answers import Answer, html_answer, json_answer
from kycourier_devkit.sandbox.app import App
from kycourier_devkit.sandbox.call_faults import CallKind
from kycourier_devkit.sandbox.codes import RefusedError
from kycourier_devkit.sandbox.faults import REDIRECT_TARGET
from kycourier_devkit.sandbox.parameters import (
    ResultQuery,
    TicketCall,
    TokenCall,
    parse_result_query,
    parse_ticket_call,
    parse_token_call,
)
from kycourier_devkit.sandbox.replies import (
    NONCE_TICKET_SECONDS,
    refusal_reply,
    ticket_reply,
    token_reply,
)

TOKEN_PATH = "/api/oauth2/access_token"  # noqa: S105 - a path
TICKET_PATH = "/api/oauth2/api_ticket"
RESULT_PATH = "/api/server/getBankCardOcrResult"


def answer_call(app: App, *, method: str, target: str) -> Answer:
    """Answer one request; `target` is the path with its query string.

    404 and an HTML page for an unknown path, 405 for another method than GET.
    """
    path, _, query = target.partition("?")
    if path == REDIRECT_TARGET:
        with app.lock:
            app.report.redirects_followed += 1
    call = _CALLS.get(path)
    if call is None:
        return html_answer(404)
    if method != "GET":
        return html_answer(405, headers=(("Allow", "GET"),))
    return _refusable(app, lambda: call(app, query))


def _token_call(app: App, query: str) -> Answer:
    with app.lock:
        app.report.token_calls += 1
    asked = parse_token_call(
        query, app_id=app.options.app_id, profile=app.options.profile
    )
    with app.lock:
        app.report.overlaps += app.platform.begin_token_call(app.clock())
    try:
        _take(app, app.options.token_latency_seconds)
        return _with_fault(app, "token", lambda: _issue_token(app, asked))
    finally:
        with app.lock:
            app.platform.end_token_call()


def _issue_token(app: App, asked: TokenCall) -> Answer:
    now, options = app.clock(), app.options
    with app.lock:
        token = app.platform.issue_token(asked.secret, now=now)
    return json_answer(
        token_reply(
            token.value,
            lifetime_seconds=options.lifetimes.token_seconds,
            now=now,
            expire_in=options.expire_in,
        )
    )


def _ticket_call(app: App, query: str) -> Answer:
    with app.lock:
        app.report.ticket_calls += 1
    asked = parse_ticket_call(
        query, app_id=app.options.app_id, profile=app.options.profile
    )
    _take(app, app.options.token_latency_seconds)
    return _with_fault(app, "ticket", lambda: _sell_ticket(app, asked))


def _sell_ticket(app: App, asked: TicketCall) -> Answer:
    now, options = app.clock(), app.options
    with app.lock:
        if asked.type == "NONCE":
            ticket = app.platform.buy_nonce_ticket(asked.access_token, now=now)
            seconds = NONCE_TICKET_SECONDS
        else:
            ticket = app.platform.buy_ticket(asked.access_token, now=now).value
            seconds = options.lifetimes.ticket_seconds
    return json_answer(
        ticket_reply(
            ticket, lifetime_seconds=seconds, now=now, expire_in=options.expire_in
        )
    )


def _result_call(app: App, query: str) -> Answer:
    with app.lock:
        app.report.begin_query()
    try:
        asked = parse_result_query(query, app_id=app.options.app_id)
        with app.lock:
            app.report.queries_per_order[asked.order_no] += 1
        return _with_fault(app, "query", lambda: _query_result(app, asked))
    finally:
        with app.lock:
            app.report.end_query()


def _query_result(app: App, asked: ResultQuery) -> Answer:
    with app.lock:
        ticket = app.platform.check_sign(
            asked.sign, values=asked.signed_values(), now=app.clock()
        )
    behave, visit = app.visit(asked, ticket=ticket)
    _take(app, app.options.query_latency_seconds)
    answer = behave(visit)
    with app.lock:
        if ticket.superseded_at is not None:
            age = app.clock() - ticket.superseded_at
            app.report.superseded_ticket_ages_seconds.append(round(age, 3))
    if answer.revokes_tickets:
        app.kill_tickets()
    return answer


def _with_fault(app: App, kind: CallKind, work: Callable[[], Answer]) -> Answer:
    fault = app.next_fault(kind)
    answer = fault(lambda: _refusable(app, work), app.clock())
    _take(app, answer.delay_seconds)
    return answer


def _take(app: App, seconds: float) -> None:
    if seconds > 0:
        app.sleep(seconds)


def _refusable(app: App, work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except RefusedError as refused:
        if refused.code == codes.SIGN_REJECTED:
            with app.lock:
                app.report.sign_rejections += 1
        return json_answer(refusal_reply(refused.code, now=app.clock()))


_CALLS: dict[str, Callable[[App, str], Answer]] = {
    TOKEN_PATH: _token_call,
    TICKET_PATH: _ticket_call,
    RESULT_PATH: _result_call,
}
