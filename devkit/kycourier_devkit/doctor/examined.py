"""One thing that the doctor looked at."""

from msgspec import Struct

OK, NOTE, PROBLEM = "ok", "note", "problem"


class Row(Struct, frozen=True):
    """`state` is one of the three above; `why` says how it stands."""

    state: str
    name: str
    why: str
