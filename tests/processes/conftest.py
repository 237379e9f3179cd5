"""A ticket pair that another service of the partner keeps."""

from collections.abc import Callable

import pytest

from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier_devkit.sandbox import APP_ID
from support.processes.service_rig import TIMER_EVENT, ServiceRig


@pytest.fixture
def issue_foreign_ticket(service_rig: ServiceRig) -> Callable[[str], str]:
    """Return a function that issues a pair in another state, and returns the ticket."""

    def issue(name: str) -> str:
        path = service_rig.folder / f"{name}.db"
        state = f"sqlite:///{path}"
        with service_rig.start("refresh_ticket", KYCOURIER_STATE=state) as refresh:
            refresh.invoke(TIMER_EVENT)
        return SqliteTicketStore(path).get(APP_ID).ticket.expose()

    return issue
