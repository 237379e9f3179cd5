"""Every value type of the core is immutable; many fields are passed by name."""

import pkgutil
from importlib import import_module

import pytest
from msgspec import Struct

import kycourier.core

VALUE_TYPES = [
    value
    for module in pkgutil.walk_packages(kycourier.core.__path__, "kycourier.core.")
    for value in vars(import_module(module.name)).values()
    if isinstance(value, type) and issubclass(value, Struct)
    if value.__module__ == module.name
    if not value.__name__.startswith("_")
]
MANY_FIELDS = 5


def test_value_types_are_found():
    assert {"TicketPair", "BreakerRecord", "OrderRecord", "Effect"} <= {
        value.__name__ for value in VALUE_TYPES
    }


@pytest.mark.parametrize("value_type", VALUE_TYPES)
def test_value_is_immutable(value_type):
    assert value_type.__struct_config__.frozen


@pytest.mark.parametrize(
    "value_type",
    [each for each in VALUE_TYPES if len(each.__struct_fields__) >= MANY_FIELDS],
)
def test_value_of_many_fields_takes_keywords_only(value_type):
    with pytest.raises(TypeError, match="positional"):
        value_type(*value_type.__struct_fields__)
