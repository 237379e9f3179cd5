"""What the settings may name on AWS: `dynamodb` and the like."""

from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import StoreUnavailable
from kycourier.ports import State
from kycourier.setting_forms import Place


def open_state(_: Place, _around: Surroundings) -> State:
    """Refuse: the tables are not kept there yet. Raises StoreUnavailable."""
    raise StoreUnavailable("not part of this release")
