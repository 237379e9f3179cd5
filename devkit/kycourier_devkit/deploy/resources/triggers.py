"""Creates and updates the functions' triggers, and disables those no longer wanted.

None is deleted: a disabled trigger calls nothing, and a person can inspect it. Triggers
whose description does not mark them as ours are left alone.
"""

import json
from collections.abc import Iterator

from msgspec import Struct

from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.resources.functions import ExistingFunction, wait_for
from kycourier_devkit.deploy.steps import CLOSE, CREATE, KEEP, UPDATE, Step
from kycourier_devkit.deploy.tencent.api import Members

OURS = "kycourier deploy"
_PAGE, _MAX_PAGES = 20, 50
_EVERY_5_MINUTES, _EVERY_MINUTE = "0 */5 * * * * *", "0 * * * * * *"
_RETRIES = "10000"  # the maximum: a batch that the function failed on is redelivered
_ENABLED = {1, "1", "OPEN"}


class Trigger(Struct, frozen=True):
    """A wanted trigger.

    `text` is the TriggerDesc of the request, `parts` what SCF returns of it later.
    """

    type: str
    name: str
    text: str
    parts: dict[str, str]
    reason: str


def wanted_triggers(context: DeploymentContext) -> dict[str, list[Trigger]]:
    """Returns each function's triggers."""
    config = context.config
    wanted: dict[str, list[Trigger]] = {
        "refresh_ticket": [],
        "collect_results": [],
        "sweep_orders": [_timer("sweep-orders", _EVERY_MINUTE, "every minute")],
        "orders_api": [],
    }
    if context.environments.owns_ticket:
        refresh = _timer("refresh-ticket", _EVERY_5_MINUTES, "every 5 minutes")
        wanted["refresh_ticket"].append(refresh)
    if config.queue is not None:
        queue = config.queue
        parts = {
            "maxMsgNum": str(queue.batch),
            "offset": "earliest",  # messages sent before the trigger existed count
            "retry": _RETRIES,
            "timeOut": "1",  # seconds to wait for a batch to fill
        }
        name = f"{queue.instance}-{queue.topic}"
        text = json.dumps(parts)
        reason = f"batches of {queue.batch}"
        returned = {key: parts[key] for key in parts if key != "offset"}
        wanted["collect_results"].append(
            Trigger("ckafka", name, text, returned, reason)
        )
    if config.api == "url":
        network = {"EnableIntranet": False, "EnableExtranet": True}
        text = json.dumps({"AuthType": "NONE", "NetConfig": network})
        parts = {"AuthType": "NONE"} | {
            key: str(is_on) for key, is_on in network.items()
        }
        reason = "a public URL, requests signed"
        wanted["orders_api"].append(Trigger("http", "orders-api", text, parts, reason))
    return wanted


def _timer(name: str, cron: str, reason: str) -> Trigger:
    return Trigger("timer", name, cron, {"cron": cron}, reason)


def plan_triggers(
    context: DeploymentContext, existing: dict[str, ExistingFunction]
) -> Iterator[Step]:
    """Compares each function's triggers with the wanted ones."""
    for name, wanted in wanted_triggers(context).items():
        current = list(_list(context, name)) if existing[name].exists else []
        for trigger in wanted:
            same = [each for each in current if _is_same(trigger, each)]
            yield _plan(context, name, trigger, same[0] if same else None)
        for each in current:
            is_ours = each.get("Description") == OURS
            is_enabled = each.get("Enable") in _ENABLED
            is_wanted = any(_is_same(trigger, each) for trigger in wanted)
            if is_ours and is_enabled and not is_wanted:
                yield _close(context, name, each)


def find_url(context: DeploymentContext) -> str | None:
    """Returns the API's public URL, if SCF lists one."""
    for each in _list(context, "orders_api"):
        network = _read_description(each).get("NetConfig")
        url = network.get("ExtranetUrl") if isinstance(network, dict) else None
        if each.get("Type") == "http" and isinstance(url, str):
            return url.rstrip("/") if url.startswith("https://") else None
    return None


def _list(context: DeploymentContext, name: str) -> Iterator[Members]:
    for page in range(_MAX_PAGES):
        response = context.scf(
            "ListTriggers",
            FunctionName=context.function_name(name),
            Offset=page * _PAGE,
            Limit=_PAGE,
        )
        listed = response.get("Triggers") or []
        yield from listed
        if len(listed) < _PAGE:
            return


def _is_same(trigger: Trigger, existing: Members) -> bool:
    identity = (existing.get("Type"), existing.get("TriggerName"))
    return identity == (trigger.type, trigger.name)


def _plan(
    context: DeploymentContext, name: str, trigger: Trigger, existing: Members | None
) -> Step:
    function = context.function_name(name)
    reason = f"{trigger.name}, {trigger.reason}"
    if existing is None:

        def create() -> None:
            _apply(context, "CreateTrigger", name, trigger, Qualifier="$LATEST")

        return Step(CREATE, trigger.type, function, reason, create)
    changed = [] if existing.get("Enable") in _ENABLED else ["is closed"]
    parts = _flatten(_read_description(existing))
    changed += [key for key, text in trigger.parts.items() if parts.get(key) != text]
    if not changed:
        return Step(KEEP, trigger.type, function, reason)
    qualifier = existing.get("Qualifier") or "$LATEST"

    def update() -> None:
        _apply(context, "UpdateTrigger", name, trigger, Qualifier=qualifier)

    reason = f"{trigger.name}: {', '.join(changed)}"
    return Step(UPDATE, trigger.type, function, reason, update)


def _apply(
    context: DeploymentContext,
    action: str,
    name: str,
    trigger: Trigger,
    **members: object,
) -> None:
    wait_for(context, name)
    context.scf(
        action,
        FunctionName=context.function_name(name),
        TriggerName=trigger.name,
        Type=trigger.type,
        TriggerDesc=trigger.text,
        Enable="OPEN",
        Description=OURS,
        **members,
    )


def _close(context: DeploymentContext, name: str, existing: Members) -> Step:
    def close() -> None:
        wait_for(context, name)
        context.scf(
            "UpdateTrigger",
            FunctionName=context.function_name(name),
            TriggerName=existing["TriggerName"],
            Type=existing["Type"],
            Enable="CLOSE",
            Qualifier=existing.get("Qualifier") or "$LATEST",
        )

    reason = f"{existing['TriggerName']}: no longer in the file; disabled, not deleted"
    kind, function = str(existing["Type"]), context.function_name(name)
    return Step(CLOSE, kind, function, reason, close)


def _read_description(existing: Members) -> Members:
    """Parses a trigger's TriggerDesc; a timer's may be the bare cron expression."""
    text = str(existing.get("TriggerDesc") or "")
    try:
        parsed = json.loads(text)
    except ValueError:
        return {"cron": text}
    return parsed if isinstance(parsed, dict) else {"cron": text}


def _flatten(description: Members) -> dict[str, str]:
    network = description.get("NetConfig")
    inner = network if isinstance(network, dict) else {}
    return {key: str(value) for key, value in {**description, **inner}.items()}
