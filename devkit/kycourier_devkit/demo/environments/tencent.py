"""The Tencent environment: the packages, deployed to emulators and run as SCF does."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import requests
import yaml

from kycourier.adapters.local.files import write_file_once
from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.keys import app_key
from kycourier.adapters.redis.urls import parse_redis_url
from kycourier.adapters.system import draw_key
from kycourier.core.request_signature import HEADER
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.demo.environments.environment import Members, read_log
from kycourier_devkit.demo.environments.tencent_config import (
    EVIDENCE_URI,
    build_config,
)
from kycourier_devkit.demo.environments.traits import TENCENT, Resource
from kycourier_devkit.demo.operator_command import Finished, run_command
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.deploy.zips import read_zips
from kycourier_devkit.emulators.http_call import ApiResponse, build_call, parse_response
from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.emulators.running_function import close_all, start_or_close
from kycourier_devkit.emulators.scf_runtime.deployed_function import unpack_function
from kycourier_devkit.emulators.scf_runtime.deployment import REGION
from kycourier_devkit.emulators.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)
from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
from kycourier_devkit.emulators.servers import start_moto, start_redis
from kycourier_devkit.emulators.tencent.account import NAME, TencentAccount
from kycourier_devkit.request_signature import build_signature
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox

_CONSUMER = "collect_results"
_DOWNLOAD_SECONDS = 10
_HOST = "emulator.example"  # not part of what is signed


class TencentEnvironment:
    """Invokes the deployed functions as SCF does, with the role's credentials."""

    traits = TENCENT

    def __init__(
        self,
        account: TencentAccount,
        sandbox: Sandbox,
        session: CliContext,
        *,
        redis_url: str,
        packages: Path,
        folder: Path,
        log: Path,
    ) -> None:
        """`folder` is free for tencent.yml, the API key and the unpacked packages."""
        self.account, self.sandbox, self.clock = account, sandbox, session.clock
        self._session, self._packages, self._folder = session, packages, folder
        address = parse_redis_url(
            ResourceUrl("redis", redis_url.removeprefix("redis://"))
        )
        self._redis = RedisClient(address, session.adapter_context, load_password=None)
        self._config, self._key = folder / "tencent.yml", folder / "api.key"
        self._log, self._stream, self._printed = log, log.open("ab"), list[str]()
        self._running: dict[str, FunctionProcess] = {}
        config = build_config(bus=account.bus, kyc_url=sandbox.url, redis_url=redis_url)
        self._config.write_text(yaml.safe_dump(config), encoding="utf-8")
        write_file_once(self._key, draw_key().expose().encode())

    def close(self) -> None:
        """Ends the functions."""
        close_all(self._running.values())
        self._stream.close()

    def deploy(self) -> Iterator[Check]:
        """Runs `kycourier deploy tencent` twice."""
        first = self._deploy()
        scf = self.account.scf
        triggers = [each for one in scf.functions.values() for each in one.triggers]
        counts = (len(scf.functions), len(scf.layers.versions), len(triggers))
        yield Check(first.last_line, first.code == 0)
        text = "four functions, two layers, four triggers, and secrets in SSM"
        yield Check(text, first.code == 0 and counts == (4, 2, 4))
        todo = [each for each in first.lines if "kycourier deploy secret" in each]
        text = " ".join("".join(todo).split())
        yield Check(f"it prints what is left: {text}", len(todo) == 1)
        again = self._deploy()
        yield Check("a second run changes nothing", "Nothing differs." in again.lines)

    def _deploy(self) -> Finished:
        dist = str(self._packages)
        return self._run_deploy("tencent", "--dist", dist, "--yes")

    def put_secrets(self) -> bool:
        """Stores the app secret and a key of the API's callers; False on failure."""
        api_key = self._key.read_text("utf-8")
        values = {"KYCOURIER_APP_SECRET": APP_SECRET, "KYCOURIER_API_KEYS": api_key}
        finished = [
            self._run_deploy("secret", variable, stdin=value)
            for variable, value in values.items()
        ]
        return all(each.code == 0 for each in finished)

    def start(self, name: str) -> FunctionProcess:
        """Returns a function, started cold if necessary. Raises FunctionStartError."""
        if name not in self._running:
            function = f"{NAME}-{name.replace('_', '-')}"
            deployed = unpack_function(self.account.scf, function, self._folder / name)
            process = start_on_scf(
                deployed.module,
                deployed.deployment,
                deployed.variables,
                log=self._stream,
                role_environ=self.account.role_environ,
            )
            self._running[name] = start_or_close(process)
        return self._running[name]

    def fire_timer(self, name: str) -> Members:
        """Invokes a function as its timer does; returns the result."""
        event = build_timer_event(name, at=self.clock.now())
        result: Members = self.start(name).invoke(event)
        return result

    def deliver(self, *bodies: str) -> list[str]:
        """Delivers a batch; returns the messages that the function returned."""
        result = self.start(_CONSUMER).invoke(build_ckafka_event(bodies))
        return [str(each) for each in result["batchItemFailures"]]

    def retry_due_orders(self) -> int:
        """Fires the sweep timer; returns how many orders were due."""
        return int(self.fire_timer("sweep_orders")["due"])

    def request(self, method: str, target: str, *, signed: bool = True) -> ApiResponse:
        """Sends a request to the function URL, signed as `kycourier sign` does."""
        headers = [("Host", _HOST)]
        if signed:
            url = f"https://{_HOST}{target}"
            signature = build_signature(
                self._session, method, url, body=b"", key_file=self._key
            )
            headers.append((HEADER, signature))
        call = build_call(method, target, headers)
        return parse_response(self.start("orders_api").invoke(build_url_event(call)))

    def download(self, link: str) -> bytes:
        """Follows a link as a browser does."""
        return requests.get(link, timeout=_DOWNLOAD_SECONDS).content

    def deny(self, resource: Resource) -> AbstractContextManager[None]:
        """Denies writing to a resource within the block."""
        return self.account.denied(TENCENT.permissions[resource])

    def renew_credentials(self) -> bool:
        """Renews the role's credentials; False if the former ones still work."""
        former = self.account.role_environ()
        self.account.renew_role()
        return self.account.rejects(former, self._session)

    def events(self) -> list[Members]:
        """Returns all events that the bus has accepted."""
        return [json.loads(each.event["Data"]) for each in self.account.eb.taken]

    def log_lines(self) -> list[Members]:
        """Returns the functions' log events."""
        return read_log(self._log)

    def verify(self) -> Finished:
        """Runs `kycourier verify` on all evidence."""
        return self._run_command("verify", f"{EVIDENCE_URI}/{APP_ID}?region={REGION}")

    def examine(self) -> Finished:
        """Runs `kycourier doctor` with the functions' settings."""
        variables: dict[str, str] = {}
        for function in self.account.scf.functions.values():
            listed = function.members["Environment"]["Variables"]
            variables |= {each["Key"]: each["Value"] for each in listed}
        return self._run_command("doctor", **variables, KYCOURIER_QUEUE="none")

    def outputs(self) -> str:
        """Returns all events, log lines and printed lines."""
        log = self._log.read_text("utf-8")
        return "\n".join([log, json.dumps(self.events()), *self._printed])

    def secrets(self) -> list[str]:
        """Returns secrets, keys, tickets, signatures and card numbers."""
        return [*self.sandbox.canaries(), *self.account.secrets()]

    def check_broken_message(self, body: str) -> Iterator[Check]:  # noqa: ARG002
        """Checks that the message is counted, in Redis and in the log."""
        key = app_key(APP_ID, "poison:ckafka:bad_json")
        counted = int(self._redis.read_field(key, "count") or 0)
        logged = [line["message"] for line in self.log_lines()]
        text = "the broken message is counted as poison, in Redis and in the log"
        yield Check(text, (counted, logged.count("message_unprocessable")) == (1, 1))

    def _run_deploy(self, *arguments: str, stdin: str = "") -> Finished:
        config = ("--config", str(self._config))
        return self._run_command("deploy", *arguments, *config, stdin=stdin)

    def _run_command(
        self, *arguments: str, stdin: str = "", **environ: str
    ) -> Finished:
        """Runs a `kycourier` command as the operator."""
        finished = run_command(
            *arguments,
            environ={**self.account.operator_environ(), **environ},
            stdin=stdin,
        )
        self._printed += [*finished.lines, *finished.problems]
        return finished


@contextmanager
def open_tencent(
    session: CliContext, packages: Path, folder: Path, *, log: Path
) -> Iterator[TencentEnvironment]:
    """Starts the sandbox, Redis and the account; ends all with the block.

    `packages` has the built zips, `folder` is free for unpacked files, and `log` takes
    the functions' output. Raises ToolUnavailableError, and UsageError without zips.
    """
    read_zips(packages, with_sealing=False)
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        redis_folder = folder / "redis"
        redis_folder.mkdir()
        redis_url = stack.enter_context(start_redis(redis_folder))
        moto = stack.enter_context(start_moto())
        account = stack.enter_context(closing(TencentAccount(moto)))
        environment = TencentEnvironment(
            account,
            sandbox,
            session,
            redis_url=redis_url,
            packages=packages,
            folder=folder,
            log=log,
        )
        stack.callback(environment.close)
        yield environment
