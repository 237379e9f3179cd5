"""A planted change: lines taken out and put in, where they stand exactly once.

It is written as a diff is, without numbers: lines begin with a blank (they stay), `-`
or `+`; `@@` begins another place in the same file.
"""


class DoesNotApply(Exception):  # noqa: N818 - reads as a fact
    """The source is no longer what the change was made for."""


def apply_change(change: str, source: str) -> str:
    """Give the source with the change made. Raises DoesNotApply."""
    lines = source.splitlines()
    for part in change.strip("\n").split("\n@@\n"):
        before = [line[1:] for line in part.split("\n") if line[:1] in {"", " ", "-"}]
        after = [line[1:] for line in part.split("\n") if line[:1] in {"", " ", "+"}]
        if before == after:
            raise DoesNotApply("changes nothing")
        at = _find(before, lines)
        lines[at : at + len(before)] = after
    return "\n".join(lines) + "\n"


def _find(wanted: list[str], lines: list[str]) -> int:
    if not wanted:
        raise DoesNotApply("names no place")
    places = [
        at
        for at in range(len(lines) - len(wanted) + 1)
        if lines[at : at + len(wanted)] == wanted
    ]
    if len(places) != 1:
        raise DoesNotApply(f"is found {len(places)} times, not once")
    return places[0]
