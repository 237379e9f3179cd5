"""The planted bugs and leaks, as the TOML files beside this one list them."""

from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PACKAGE = Path("layers/service/python/kycourier")
_KINDS = {"bugs": "bug", "leaks": "leak"}


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a file.

    `breaks` is an invariant, a fault or a sink; `says` what is wrong then. `file` lies
    in the service's package, or else in the repository. `caught_by` are tests below
    `tests/`, `seeds` those of the simulation that catch it as well. Of a leak, `found`
    are the sink and the spelling that the scan must name.
    """

    breaks: str
    says: str
    file: str
    change: str
    caught_by: tuple[str, ...]
    seeds: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


class Mutant(msgspec.Struct, frozen=True):
    """A planted bug or leak by its name."""

    name: str
    kind: str
    planted: Entry

    def path(self, root: Path) -> Path:
        """Give the file that is changed, in the tree below `root`."""
        inside = root / PACKAGE / self.planted.file
        return inside if inside.is_file() else root / self.planted.file

    def module(self, root: Path) -> str:
        """Name the module of the service that is changed, else the service."""
        path = self.path(root).relative_to(root)
        if PACKAGE not in path.parents or path.suffix != ".py":
            return PACKAGE.name
        return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def read_catalogue(folder: Path = Path(__file__).parent) -> list[Mutant]:
    """Read all entries, by file and in the order they stand in."""
    return [
        Mutant(name, kind, entry)
        for part, kind in _KINDS.items()
        for file in sorted((folder / part).glob("*.toml"))
        for name, entry in msgspec.toml.decode(
            file.read_bytes(), type=dict[str, Entry]
        ).items()
    ]
