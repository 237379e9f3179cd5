"""The size of each function, equal to template.yaml's for AWS."""

from msgspec import Struct

from kycourier_devkit.deploy.config.environments import UPSTREAM_CAPS
from kycourier_devkit.deploy.config.schema import Config, FunctionOverrides


class FunctionSpec(Struct, frozen=True, kw_only=True):
    """A function: memory in MB, timeout in seconds, maximum concurrent invocations."""

    name: str
    description: str  # SCF allows letters, digits, blanks, commas and full stops
    memory: int
    timeout: int
    role: str = ""
    concurrency: int | None = None

    @property
    def handler(self) -> str:
        """The entry point, as module and function."""
        return f"{self.name}.handler"


_DEFAULTS = (
    FunctionSpec(
        name="refresh_ticket",
        description="Timer, a new ticket pair",
        memory=256,
        timeout=30,
        concurrency=1,
    ),
    FunctionSpec(
        name="collect_results",
        description="Queue, result, photos, event",
        memory=512,
        timeout=60,
    ),
    FunctionSpec(
        name="sweep_orders",
        description="Timer, due orders, ended leases, unsent events",
        memory=512,
        timeout=55,  # below the timer's minute: two sweeps would exceed the cap
        concurrency=1,
    ),
    FunctionSpec(
        name="orders_api",
        description="HTTP, register, collect, read an order",
        memory=512,
        timeout=29,
    ),
)
FUNCTIONS = tuple(spec.name for spec in _DEFAULTS)


def function_spec(config: Config, name: str) -> FunctionSpec:
    """Returns a function's defaults with the overrides of tencent.yml."""
    default = next(spec for spec in _DEFAULTS if spec.name == name)
    overrides: FunctionOverrides = getattr(config.functions, name)
    workers = UPSTREAM_CAPS[config.upstream_cap][0]
    queue_workers = workers if name == "collect_results" else None
    return FunctionSpec(
        name=name,
        description=default.description,
        memory=overrides.memory or default.memory,
        timeout=overrides.timeout or default.timeout,
        role=overrides.role or config.role,
        concurrency=overrides.concurrency or default.concurrency or queue_workers,
    )
