"""Replaces the generated parts of a page, which lie between named markers."""

from collections.abc import Mapping


def replace_parts(text: str, parts: Mapping[str, str]) -> str:
    """Returns a page with each part between `<!-- name -->` and `<!-- /name -->`."""
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{part}\n{end}{after}"
    return text
