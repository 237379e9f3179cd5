"""What holds for every value of the core."""

import pkgutil
from importlib import import_module

import pytest
from msgspec import Struct

import kycourier.core

VALUES = [
    value
    for module in pkgutil.iter_modules(kycourier.core.__path__)
    for value in vars(import_module(f"kycourier.core.{module.name}")).values()
    if isinstance(value, type) and issubclass(value, Struct)
    if value.__module__ == f"kycourier.core.{module.name}"
    if not value.__name__.startswith("_")
]
MANY = 5


def test_the_values_are_found():
    assert {"TicketPair", "Brake", "OrderRecord", "Effect"} <= {
        value.__name__ for value in VALUES
    }


@pytest.mark.parametrize("value", VALUES)
def test_a_value_cannot_be_changed(value):
    assert value.__struct_config__.frozen


@pytest.mark.parametrize(
    "value", [value for value in VALUES if len(value.__struct_fields__) >= MANY]
)
def test_a_value_of_many_fields_is_built_by_their_names(value):
    with pytest.raises(TypeError, match="positional"):
        value(*value.__struct_fields__)
