"""How large each function is and how often it runs, as on AWS (template.yaml)."""

from msgspec import Struct

from kycourier_devkit.deploy.config import Config, Tuning
from kycourier_devkit.deploy.environments import CAPS


class Size(Struct, frozen=True, kw_only=True):
    """One function: memory in MB, timeout in seconds, how many run at once at most."""

    name: str
    description: str  # letters, digits, blanks, commas and full stops alone
    memory: int
    timeout: int
    role: str = ""
    concurrency: int | None = None

    @property
    def handler(self) -> str:
        """Name what is called."""
        return f"{self.name}.handler"


_SIZES = (
    Size(
        name="refresh_ticket",
        description="Timer, a new ticket pair",
        memory=256,
        timeout=30,
        concurrency=1,
    ),
    Size(
        name="collect_results",
        description="Queue, result, photos, event",
        memory=512,
        timeout=60,
    ),
    Size(
        name="sweep_orders",
        description="Timer, due orders, ended leases, unsent events",
        memory=512,
        timeout=55,  # less than the timer's minute: two sweeps would be over the cap
        concurrency=1,
    ),
    Size(
        name="orders_api",
        description="HTTP, register, collect, read an order",
        memory=512,
        timeout=29,
    ),
)
FUNCTIONS = tuple(size.name for size in _SIZES)


def size_of(config: Config, name: str) -> Size:
    """Give a function's size, with what tencent.yml says of it."""
    usual = next(size for size in _SIZES if size.name == name)
    said: Tuning = getattr(config.functions, name)
    workers = CAPS[config.upstream_cap][0] if name == "collect_results" else None
    return Size(
        name=name,
        description=usual.description,
        memory=said.memory or usual.memory,
        timeout=said.timeout or usual.timeout,
        role=said.role or config.role,
        concurrency=said.concurrency or usual.concurrency or workers,
    )
