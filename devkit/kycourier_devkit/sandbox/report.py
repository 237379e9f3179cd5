"""Counts the calls to the sandbox; contains no secret, signature or personal value."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts since the start; not thread-safe, the owner holds a lock.

    `superseded_ticket_ages_seconds` has an entry for each query that was signed with an
    older ticket: how long before the query the newer one was issued.
    """

    connections_opened: int = 0
    token_calls: int = 0
    ticket_calls: int = 0
    overlaps: int = 0
    queries_total: int = 0
    queries_per_order: Counter[str] = field(default_factory=Counter)
    concurrent_queries: int = 0
    max_concurrent_queries: int = 0
    sign_rejections: int = 0
    superseded_ticket_ages_seconds: list[float] = field(default_factory=list)
    repeated_nonces: int = 0
    redirects_followed: int = 0

    def begin_query(self) -> None:
        """Counts a query and the concurrent queries."""
        self.queries_total += 1
        self.concurrent_queries += 1
        self.max_concurrent_queries = max(
            self.max_concurrent_queries, self.concurrent_queries
        )

    def end_query(self) -> None:
        """Records the end of a query."""
        self.concurrent_queries -= 1

    def to_json(self) -> dict[str, object]:
        """Returns the counts as a JSON object."""
        return {**vars(self), "queries_per_order": dict(self.queries_per_order)}
