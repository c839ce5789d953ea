"""What the services are given: trestle-api's and nginx's variables, and where the database and the cache are, made of parameters and
secrets.

Invariant: a secret goes into a file that root alone reads, and into no log, no command line and no environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from trestle_instance import account
from trestle_instance.machine import CURRENT, FOLDER, Machine, Stop, environment_file, write

AUTHORITIES = CURRENT / "rds-ca.pem"
VARIABLE = re.compile(r"^TRESTLE_[A-Z0-9_]+$")
SECRETS = ("TRESTLE_DATABASE_URL", "TRESTLE_SECRETS_KEY")
# Nobody listens there: nginx answers 502 under /api/ at once, which the load balancer (ApiEntry=path) sends straight to the API.
NOWHERE = "127.0.0.1:1"
OWN_REDIS = "redis://127.0.0.1:6379/0"


@dataclass(frozen=True)
class Database:
    """Where MySQL is, and as whom."""

    host: str
    port: int
    name: str
    user: str
    password: str

    @classmethod
    def of(cls, machine: Machine, which: str) -> Database:
        """As the user whose secret is named by config/database/WHICH: app-secret or master-secret."""
        where = machine.path("config/database/")
        found = account.parameters(machine, "database")
        secret = account.secret(machine, account.field(found, which, where))
        port = account.field(found, "port", where)
        if not port.isdigit():
            raise Stop(f"{where}port is no number: {port}")
        return cls(
            host=account.field(found, "endpoint", where),
            port=int(port),
            name=account.field(found, "name", where),
            user=account.field(secret, "username", f"secret {found[which]}"),
            password=account.field(secret, "password", f"secret {found[which]}"),
        )

    def url(self) -> str:
        """For trestle-api: TLS, verified against the authorities of the release and the server's name."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        trust = f"ssl-mode=VERIFY_IDENTITY&ssl-ca={quote(str(AUTHORITIES))}"
        return f"mysql://{who}@{self.host}:{self.port}/{quote(self.name, safe='')}?{trust}"


def own(machine: Machine, tier: str) -> dict[str, str]:
    """A tier's environment variables. An instance with both tiers has parameters of its own, so that groups can come beside it."""
    part = tier if machine.role == tier else f"instance-{tier}"
    return variables(account.parameters(machine, part), machine.path(f"config/{part}"))


def variables(found: dict[str, str], where: str) -> dict[str, str]:
    """Those of the parameters that are environment variables of a service; what is secret must not be among them."""
    for name in found:
        if name in SECRETS:
            raise Stop(f"{where}/{name} belongs into Secrets Manager, not into a parameter that many may read")
    return {name: value for name, value in found.items() if VARIABLE.match(name)}


def part(machine: Machine, tier: str) -> str:
    """Where a tier's variables are. Single instances have their own: for a while they serve beside the groups that follow them."""
    return f"instance-{tier}" if machine.role in ("single", "instance") else tier


def api(machine: Machine, instance: str) -> None:
    """trestle-api's variables and secrets."""
    values = variables(
        account.parameters(machine, part(machine, "api")), machine.path(f"config/{part(machine, 'api')}")
    )
    keys = account.parameters(machine, "keys")
    where = machine.path("config/keys/")
    key = account.secret(machine, account.field(keys, "secret", where))
    kid, key_itself = (account.field(key, part, f"secret {keys['secret']}") for part in ("kid", "key"))
    redis = values.pop("TRESTLE_REDIS_URL", "") or cache(machine)
    _secret("database-url", Database.of(machine, "app-secret").url())
    _secret("secrets-key", f"{kid}:{key_itself}")
    _secret("redis-url", redis)
    write(FOLDER / "api.env", environment_file({"TRESTLE_REPLICA": instance, **values}))


def cache(machine: Machine) -> str:
    """The URL of ElastiCache; nothing where there is none."""
    found = account.parameters(machine, "cache")
    if not found:
        return ""
    where = machine.path("config/cache/")
    host, port, named = (account.field(found, name, where) for name in ("endpoint", "port", "auth-secret"))
    token = account.field(account.secret(machine, named), "password", f"secret {named}")
    return f"rediss://:{quote(token, safe='')}@{host}:{port}/0"


def web(machine: Machine) -> None:
    """nginx's variables. A name of the API is for trestle-web-resolve; addresses are taken as they are."""
    values = variables(
        account.parameters(machine, part(machine, "web")), machine.path(f"config/{part(machine, 'web')}")
    )
    name = values.pop("TRESTLE_WEB_API_NAME", "")
    addresses = values.pop("TRESTLE_WEB_API_ADDRESSES", "")
    write(FOLDER / "web.env", environment_file(values))
    write(FOLDER / "web-api-name", name)
    if not name:
        addresses_of_api(addresses.split() or [NOWHERE])


def addresses_of_api(addresses: list[str]) -> bool:
    """Writes where the API is; whether that is news."""
    path = FOLDER / "web-api.env"
    text = environment_file({"TRESTLE_WEB_API_ADDRESSES": " ".join(addresses)})
    if path.exists() and path.read_text() == text:
        return False
    write(path, text)
    return True


def single(machine: Machine) -> None:
    """What `trestle up` is given: the shop's variables reach its replicas."""
    values = variables(
        account.parameters(machine, part(machine, "api")), machine.path(f"config/{part(machine, 'api')}")
    )
    shown = variables(account.parameters(machine, part(machine, "web")), machine.path(f"config/{part(machine, 'web')}"))
    flags = ["--hostname", shown["TRESTLE_WEB_HOSTNAME"]] if shown.get("TRESTLE_WEB_HOSTNAME") else []
    if shown.get("TRESTLE_WEB_PICTURE_HOSTS"):
        flags += ["--picture-hosts", ",".join(shown["TRESTLE_WEB_PICTURE_HOSTS"].split())]
    write(FOLDER / "single.env", environment_file({**values, "TRESTLE_UP_FLAGS": " ".join(flags)}))


def _secret(name: str, value: str) -> None:
    write(FOLDER / "secrets" / name, value, mode=0o600)
