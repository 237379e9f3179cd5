"""What the settings may name on AWS: `dynamodb` and the like."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import State
from kycourier.setting_forms import Place


def open_state(place: Place, around: Surroundings) -> State:
    """Open `dynamodb://table`. Raises StoreUnavailable."""
    from kycourier.adapters.aws.brake import DynamoBrakeStore
    from kycourier.adapters.aws.leases import DynamoLeaseStore
    from kycourier.adapters.aws.orders import DynamoOrderStore
    from kycourier.adapters.aws.table import open_table
    from kycourier.adapters.aws.tickets import DynamoTicketStore

    table = open_table(place.where, around)
    return State(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        brakes=DynamoBrakeStore(table),
    )
