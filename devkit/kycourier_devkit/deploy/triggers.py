"""What calls the functions. A trigger of ours that is not wanted any more is closed.

None is deleted: a closed one calls nothing, and a person can look at it. Triggers that
are not marked as ours are left as they are.
"""

import json
from collections.abc import Iterator

from msgspec import Struct

from kycourier_devkit.deploy.api import Members
from kycourier_devkit.deploy.functions import Found, wait_for
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.steps import CLOSE, CREATE, KEEP, UPDATE, Step

OURS = "kycourier deploy"
_PAGE, _MOST_PAGES = 20, 50
_EVERY_5_MINUTES, _EVERY_MINUTE = "0 */5 * * * * *", "0 * * * * * *"
_RETRIES = "10000"  # the most: a batch that the function failed on comes again
_OPEN = {1, "1", "OPEN"}


class Trigger(Struct, frozen=True):
    """One that is wanted. `text` is how it is asked for, `parts` how it reads later."""

    type: str
    name: str
    text: str
    parts: dict[str, str]
    why: str


def wanted_triggers(site: Site) -> dict[str, list[Trigger]]:
    """Give each function's triggers."""
    config = site.config
    wanted: dict[str, list[Trigger]] = {
        "refresh_ticket": [],
        "collect_results": [],
        "sweep_orders": [_timer("sweep-orders", _EVERY_MINUTE, "every minute")],
        "orders_api": [],
    }
    if site.environments.owns_ticket:
        refresh = _timer("refresh-ticket", _EVERY_5_MINUTES, "every 5 minutes")
        wanted["refresh_ticket"].append(refresh)
    if config.queue is not None:
        queue = config.queue
        parts = {
            "maxMsgNum": str(queue.batch),
            "offset": "earliest",  # what was sent before the trigger was made counts
            "retry": _RETRIES,
            "timeOut": "1",  # seconds that it waits for a batch to fill
        }
        name = f"{queue.instance}-{queue.topic}"
        text = json.dumps(parts)
        why = f"batches of {queue.batch}"
        kept = {key: parts[key] for key in parts if key != "offset"}
        wanted["collect_results"].append(Trigger("ckafka", name, text, kept, why))
    if config.api == "url":
        reached = {"EnableIntranet": False, "EnableExtranet": True}
        text = json.dumps({"AuthType": "NONE", "NetConfig": reached})
        parts = {"AuthType": "NONE"} | {
            key: str(is_on) for key, is_on in reached.items()
        }
        why = "a public URL, requests signed"
        wanted["orders_api"].append(Trigger("http", "orders-api", text, parts, why))
    return wanted


def _timer(name: str, cron: str, why: str) -> Trigger:
    return Trigger("timer", name, cron, {"cron": cron}, why)


def plan_triggers(site: Site, found: dict[str, Found]) -> Iterator[Step]:
    """Compare each function's triggers with those that are wanted."""
    for name, wanted in wanted_triggers(site).items():
        there = list(_list(site, name)) if found[name].is_there else []
        for trigger in wanted:
            same = [each for each in there if _is(trigger, each)]
            yield _plan(site, name, trigger, same[0] if same else None)
        for each in there:
            is_ours = each.get("Description") == OURS and each.get("Enable") in _OPEN
            if is_ours and not any(_is(trigger, each) for trigger in wanted):
                yield _close(site, name, each)


def find_url(site: Site) -> str | None:
    """Read the API's URL, where there is one and SCF tells it."""
    for each in _list(site, "orders_api"):
        told = _read(each).get("NetConfig")
        url = told.get("ExtranetUrl") if isinstance(told, dict) else None
        if each.get("Type") == "http" and isinstance(url, str):
            return url.rstrip("/") if url.startswith("https://") else None
    return None


def _list(site: Site, name: str) -> Iterator[Members]:
    for page in range(_MOST_PAGES):
        told = site.scf(
            "ListTriggers",
            FunctionName=site.name_function(name),
            Offset=page * _PAGE,
            Limit=_PAGE,
        )
        listed = told.get("Triggers") or []
        yield from listed
        if len(listed) < _PAGE:
            return


def _is(trigger: Trigger, there: Members) -> bool:
    return (trigger.type, trigger.name) == (there.get("Type"), there.get("TriggerName"))


def _plan(site: Site, name: str, trigger: Trigger, there: Members | None) -> Step:
    shown, told = site.name_function(name), f"{trigger.name}, {trigger.why}"
    if there is None:

        def create() -> None:
            _ask(site, "CreateTrigger", name, trigger, Qualifier="$LATEST")

        return Step(CREATE, trigger.type, shown, told, create)
    changed = [] if there.get("Enable") in _OPEN else ["is closed"]
    kept = _flatten(_read(there))
    changed += [key for key, text in trigger.parts.items() if kept.get(key) != text]
    if not changed:
        return Step(KEEP, trigger.type, shown, told)
    qualifier = there.get("Qualifier") or "$LATEST"

    def update() -> None:
        _ask(site, "UpdateTrigger", name, trigger, Qualifier=qualifier)

    return Step(
        UPDATE, trigger.type, shown, f"{trigger.name}: {', '.join(changed)}", update
    )


def _ask(
    site: Site, action: str, name: str, trigger: Trigger, **members: object
) -> None:
    wait_for(site, name)
    site.scf(
        action,
        FunctionName=site.name_function(name),
        TriggerName=trigger.name,
        Type=trigger.type,
        TriggerDesc=trigger.text,
        Enable="OPEN",
        Description=OURS,
        **members,
    )


def _close(site: Site, name: str, there: Members) -> Step:
    def close() -> None:
        wait_for(site, name)
        site.scf(
            "UpdateTrigger",
            FunctionName=site.name_function(name),
            TriggerName=there["TriggerName"],
            Type=there["Type"],
            Enable="CLOSE",
            Qualifier=there.get("Qualifier") or "$LATEST",
        )

    why = f"{there['TriggerName']}: not in the file any more; stays, and calls nothing"
    return Step(CLOSE, str(there["Type"]), site.name_function(name), why, close)


def _read(there: Members) -> Members:
    """Read a trigger's description: a timer's may be the bare expression."""
    text = str(there.get("TriggerDesc") or "")
    try:
        told = json.loads(text)
    except ValueError:
        return {"cron": text}
    return told if isinstance(told, dict) else {"cron": text}


def _flatten(told: Members) -> dict[str, str]:
    network = told.get("NetConfig")
    inner = network if isinstance(network, dict) else {}
    return {key: str(value) for key, value in {**told, **inner}.items()}
