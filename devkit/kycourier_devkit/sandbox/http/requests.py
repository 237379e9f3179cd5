"""Defines an HTTP request as a value."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """An HTTP request; `target` is the path with its query string."""

    method: str
    target: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""

    @property
    def path(self) -> str:
        """The target without the query string."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query string, not decoded."""
        return self.target.partition("?")[2]
