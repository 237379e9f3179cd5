"""What the settings may name in Redis: the state, and a key with a ticket."""

from collections.abc import Callable

from kycourier.adapters.places import find_home
from kycourier.adapters.redis.address import Address, parse_address
from kycourier.adapters.redis.brake import RedisBrakeStore
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.orders import RedisOrderStore
from kycourier.adapters.redis.secrets import RedisSecret
from kycourier.adapters.redis.server import RedisServer
from kycourier.adapters.redis.state import check_server
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.ports import SecretSource, State
from kycourier.setting_forms import Place


def open_state(place: Place, around: Surroundings) -> State:
    """Open a Redis that is fit for it. Raises StoreUnavailable, SettingError."""
    server = _open_server(parse_address(place), around)
    check_server(server)
    return State(
        tickets=RedisTicketStore(server),
        leases=RedisLeaseStore(server),
        orders=RedisOrderStore(server),
        brakes=RedisBrakeStore(server),
    )


def open_secret(place: Place, around: Surroundings) -> SecretSource:
    """Open `redis[s]://…#key`. Raises StoreUnavailable, SettingError."""
    address = parse_address(place)
    return RedisSecret(_open_server(address, around), address.key)


def _open_server(address: Address, around: Surroundings) -> RedisServer:
    return RedisServer(address, around, load_password=_password(address, around))


def _password(address: Address, around: Surroundings) -> Callable[[], Secret] | None:
    """Tell how the password is had: as the URL says, or where it refers to."""
    password, reference = address.password, address.password_reference
    if password is not None:
        return lambda: password
    if reference is None:
        return None
    home = find_home(reference.scheme)
    if home is None:
        raise StoreUnavailable("its password is in a service this release lacks")
    source: SecretSource = home.open_secret(reference, around)
    return source.load
