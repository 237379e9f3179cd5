"""Handles the platform's calls: token, ticket, and the result of each document."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kycourier_devkit.sandbox.app import App
from kycourier_devkit.sandbox.behaviours.call_faults import CallKind
from kycourier_devkit.sandbox.behaviours.faults import REDIRECT_TARGET
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import (
    Response,
    html_response,
    json_response,
)
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.parameters import (
    ResultQuery,
    TicketCall,
    TokenCall,
    parse_ticket_call,
    parse_token_call,
)
from kycourier_devkit.sandbox.platform.replies import (
    NONCE_TICKET_SECONDS,
    error_reply,
    ticket_reply,
    token_reply,
)
from kycourier_devkit.sandbox.platform.result_codes import CodeScope, PlatformError
from kycourier_devkit.sandbox.results.document import Document
from kycourier_devkit.sandbox.results.registry import DOCUMENTS

TOKEN_PATH = "/api/oauth2/access_token"  # noqa: S105 - a path
TICKET_PATH = "/api/oauth2/api_ticket"


def respond_to_call(app: App, request: Request) -> Response:
    """Returns the response to one request.

    It is 404 for an unknown path, and 405 for another method than the call's.
    """
    if request.path == REDIRECT_TARGET:
        with app.lock:
            app.report.redirects_followed += 1
    call = _CALLS.get(request.path)
    if call is None:
        return html_response(404)
    if request.method != call.method:
        return html_response(405, headers=(("Allow", call.method),))
    return _with_error_reply(app, call.scope, lambda: call.handle(app, request))


def _token_call(app: App, request: Request) -> Response:
    with app.lock:
        app.report.token_calls += 1
    parameters = parse_token_call(
        request.query, app_id=app.options.app_id, profile=app.options.profile
    )
    with app.lock:
        app.report.overlaps += app.tokens.begin_token_call(app.clock())
    try:
        _wait(app, app.options.token_latency_seconds)
        return _with_fault(
            app, "token", "platform", lambda: _issue_token(app, parameters)
        )
    finally:
        with app.lock:
            app.tokens.end_token_call()


def _issue_token(app: App, parameters: TokenCall) -> Response:
    now, options = app.clock(), app.options
    with app.lock:
        token = app.tokens.issue_token(parameters.secret, now=now)
    return json_response(
        token_reply(
            token.value,
            lifetime_seconds=options.lifetimes.token_seconds,
            now=now,
            expire_in=options.expire_in,
        )
    )


def _ticket_call(app: App, request: Request) -> Response:
    with app.lock:
        app.report.ticket_calls += 1
    parameters = parse_ticket_call(
        request.query, app_id=app.options.app_id, profile=app.options.profile
    )
    _wait(app, app.options.token_latency_seconds)
    return _with_fault(
        app, "ticket", "platform", lambda: _issue_ticket(app, parameters)
    )


def _issue_ticket(app: App, parameters: TicketCall) -> Response:
    now, options = app.clock(), app.options
    with app.lock:
        if parameters.type == "NONCE":
            ticket = app.tokens.issue_nonce_ticket(parameters.access_token, now=now)
            seconds = NONCE_TICKET_SECONDS
        else:
            ticket = app.tokens.issue_ticket(parameters.access_token, now=now).value
            seconds = options.lifetimes.ticket_seconds
    return json_response(
        ticket_reply(
            ticket, lifetime_seconds=seconds, now=now, expire_in=options.expire_in
        )
    )


def _result_call(document: Document, app: App, request: Request) -> Response:
    with app.lock:
        app.report.begin_query()
    try:
        query = document.parse(request, app.options.app_id)
        with app.lock:
            app.report.queries_per_order[query.order_no] += 1
        return _with_fault(
            app, "query", document.name, lambda: _query_result(app, document, query)
        )
    finally:
        with app.lock:
            app.report.end_query()


def _query_result(app: App, document: Document, query: ResultQuery) -> Response:
    with app.lock:
        ticket = app.tokens.find_signing_ticket(
            query.sign, values=query.signed_values(), now=app.clock()
        )
    behaviour, order_query = app.record_query(document, query, ticket=ticket)
    _wait(app, app.options.query_latency_seconds)
    response = behaviour(order_query)
    with app.lock:
        if ticket.superseded_at is not None:
            age = app.clock() - ticket.superseded_at
            app.report.superseded_ticket_ages_seconds.append(round(age, 3))
    if response.revokes_tickets:
        app.kill_tickets()
    return response


def _with_fault(
    app: App, kind: CallKind, scope: CodeScope, handle: Callable[[], Response]
) -> Response:
    fault = app.next_fault(kind)
    call = partial(_with_error_reply, app, scope, handle)
    response = fault(call, app.clock(), scope)
    _wait(app, response.delay_seconds)
    return response


def _wait(app: App, seconds: float) -> None:
    if seconds > 0:
        app.sleep(seconds)


def _with_error_reply(
    app: App, scope: CodeScope, handle: Callable[[], Response]
) -> Response:
    try:
        return handle()
    except PlatformError as error:
        if error.code == result_codes.SIGN_REJECTED:
            with app.lock:
                app.report.sign_rejections += 1
        return json_response(error_reply(error.code, now=app.clock(), scope=scope))


@dataclass(frozen=True)
class _Call:
    """One call: its method, the list of its codes, and its handler."""

    method: str
    scope: CodeScope
    handle: Callable[[App, Request], Response]


_CALLS: dict[str, _Call] = {
    TOKEN_PATH: _Call("GET", "platform", _token_call),
    TICKET_PATH: _Call("GET", "platform", _ticket_call),
    **{
        each.path: _Call(each.method, each.name, partial(_result_call, each))
        for each in DOCUMENTS
    },
}
