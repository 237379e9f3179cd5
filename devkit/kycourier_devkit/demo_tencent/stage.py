"""The stage on Tencent Cloud: what is deployed there, called as SCF calls it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import requests
import yaml

from kycourier.adapters.local.files import place_file
from kycourier.adapters.redis.address import parse_address
from kycourier.adapters.redis.keys import app_key
from kycourier.adapters.redis.server import RedisServer
from kycourier.adapters.system import draw_key
from kycourier.core.request_signature import HEADER
from kycourier.setting_forms import Place
from kycourier_devkit.demo.commands import Ended, run_command
from kycourier_devkit.demo.stage import Answer, Members, read_answer, read_facts
from kycourier_devkit.demo_tencent.account import NAME, Account
from kycourier_devkit.demo_tencent.wanted import build_wanted
from kycourier_devkit.functions.process import FUNCTIONS, FunctionProcess, close_all
from kycourier_devkit.functions.running import enter
from kycourier_devkit.functions.trigger_events import HttpCall
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Report, Sandbox
from kycourier_devkit.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)
from kycourier_devkit.scf_runtime.given import unpack_given
from kycourier_devkit.scf_runtime.process import start_on_scf
from kycourier_devkit.session import Session
from kycourier_devkit.sign import build_signature
from kycourier_devkit.stand_ins.servers import start_moto, start_redis

REFRESH, COLLECT, API, SWEEP = FUNCTIONS
_DOWNLOAD_SECONDS, _DEPLOY_SECONDS = 10, 120
_HOST = "https://stand-in.example"  # no part of what is signed


class CloudStage:
    """Calls the functions as SCF would, and looks at what came of it.

    `folder` takes tencent.yml, the API's key, and what is unpacked.
    """

    def __init__(
        self,
        account: Account,
        sandbox: Sandbox,
        session: Session,
        *,
        redis_url: str,
        packages: Path,
        folder: Path,
        log: Path,
    ) -> None:
        self.account, self.clock, self.log = account, session.clock, log
        self._sandbox, self._session = sandbox, session
        self._packages, self._folder = packages, folder
        address = parse_address(Place("redis", redis_url.removeprefix("redis://")))
        self._redis = RedisServer(address, session.around, load_password=None)
        self._config, self._key = folder / "tencent.yml", folder / "api.key"
        self._stream, self._said = log.open("ab"), list[str]()
        self._running: dict[str, FunctionProcess] = {}
        wanted = yaml.safe_dump(
            build_wanted(bus=account.bus, kyc_url=sandbox.url, redis_url=redis_url)
        )
        self._config.write_text(wanted, encoding="utf-8")
        place_file(self._key, draw_key().reveal().encode())

    def close(self) -> None:
        """End the functions."""
        close_all(self._running.values())
        self._stream.close()

    def deploy(self) -> Ended:
        """Deploy the packages, without asking."""
        dist = str(self._packages)
        return self.operate("deploy", "tencent", "--dist", dist, "--yes")

    def put_app_secret(self) -> Ended:
        """Put the app's secret where the deployment left room for it."""
        return self._put("KYCOURIER_APP_SECRET", APP_SECRET)

    def put_api_key(self) -> Ended:
        """Put a key that callers of the API sign with."""
        return self._put("KYCOURIER_API_KEYS", self._key.read_text("utf-8"))

    def _put(self, variable: str, value: str) -> Ended:
        return self.operate("deploy", "secret", variable, typed=value)

    def operate(self, *arguments: str, typed: str = "", **environ: str) -> Ended:
        """Run a command of `kycourier` as the operator."""
        if arguments[0] == "deploy":
            arguments = (*arguments, "--config", str(self._config))
        ended = run_command(
            *arguments,
            environ={**self.account.operator_environ(), **environ},
            typed=typed,
            seconds=_DEPLOY_SECONDS,
        )
        self._said += [*ended.lines, *ended.problems]
        return ended

    def refuses(self, environ: Mapping[str, str]) -> bool:
        """Tell whether the keys of an environment are refused."""
        return self.account.refuses(environ, self._session)

    def settings(self) -> dict[str, str]:
        """Give the settings of all functions, as SCF keeps them."""
        variables: dict[str, str] = {}
        for made in self.account.scf.functions.values():
            given = made.members["Environment"]["Variables"]
            variables |= {each["Key"]: each["Value"] for each in given}
        return variables

    def start(self, name: str) -> FunctionProcess:
        """Start a function cold, or give it as it runs. Raises FunctionNotStarted."""
        if name not in self._running:
            function = f"{NAME}-{name.replace('_', '-')}"
            given = unpack_given(self.account.scf, function, self._folder / name)
            process = start_on_scf(
                given.module,
                given.deployment,
                given.variables,
                log=self._stream,
                role=self.account.role_environ,
            )
            self._running[name] = enter(process)
        return self._running[name]

    def fire(self, name: str) -> Members:
        """Let a function's timer fire."""
        event = build_timer_event(name, at=self.clock.now())
        answer: Members = self.start(name).invoke(event)
        return answer

    def deliver(self, *bodies: str) -> bool:
        """Let CKafka deliver a batch; tell whether the function returned nothing."""
        answer = self.start(COLLECT).invoke(build_ckafka_event(bodies))
        return bool(answer["batchItemFailures"] == [])

    def request(self, method: str, path: str, *, signed: bool = True) -> Answer:
        """Send a request to the function URL, signed as `kycourier sign` does."""
        headers = [("Host", "stand-in.example")]
        if signed:
            signature = build_signature(
                self._session, method, _HOST + path, body=b"", key_file=self._key
            )
            headers.append((HEADER, signature))
        call = HttpCall(method=method, path=path, headers=headers)
        return read_answer(self.start(API).invoke(build_url_event(call)))

    def download(self, link: str) -> bytes:
        """Follow a link as a browser does."""
        return requests.get(link, timeout=_DOWNLOAD_SECONDS).content

    def choose(self, order_no: str, behaviour: str) -> None:
        """Choose what the platform does with an order."""
        self._sandbox.set_order(order_no, behaviour)

    def report(self) -> Report:
        """Give what the platform has seen."""
        return self._sandbox.report()

    def events(self, order_no: str | None = None) -> list[Members]:
        """Give the events that the bus has taken, or those of one order."""
        events = [json.loads(taken.event["Data"]) for taken in self.account.eb.taken]
        return [each for each in events if order_no in {None, each["subject"]}]

    def poison(self) -> int:
        """Tell how many records that are no JSON are counted in Redis."""
        key = app_key(APP_ID, "poison:ckafka:bad_json")
        return int(self._redis.read_field(key, "count") or 0)

    def facts(self, name: str) -> list[Members]:
        """Give the log lines that tell of a fact."""
        self._stream.flush()
        return [line for line in read_facts(self.log) if line["message"] == name]

    def leaks(self) -> int:
        """Count secrets and card numbers in events, log lines and what was printed."""
        said = [self.log.read_text("utf-8"), json.dumps(self.events()), *self._said]
        return sum(canary in "\n".join(said) for canary in self.canaries())

    def canaries(self) -> Sequence[str]:
        """Give what must not be seen: secrets, tickets, signatures, card numbers."""
        return [*self._sandbox.canaries(), *self.account.secrets()]


@contextmanager
def set_stage(
    session: Session, packages: Path, folder: Path, *, log: Path
) -> Iterator[CloudStage]:
    """Start the account, Redis and the emulator; end all at the end.

    `packages` holds the built zips, `folder` is free for what is unpacked.
    Raises ToolMissing.
    """
    with ExitStack() as ends:
        sandbox = ends.enter_context(Sandbox())
        redis_folder = folder / "redis"
        redis_folder.mkdir()
        redis_url = ends.enter_context(start_redis(redis_folder))
        moto = ends.enter_context(start_moto())
        account = ends.enter_context(closing(Account(moto)))
        stage = CloudStage(
            account,
            sandbox,
            session,
            redis_url=redis_url,
            packages=packages,
            folder=folder,
            log=log,
        )
        ends.callback(stage.close)
        yield stage
