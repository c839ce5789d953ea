"""Instances for real: the launch templates' own user-data in Debian 13, until the shop answers, and until a group takes one away.

AWS is at its real names and checks each request's signature and the role's policy (lab/cloud.py); MySQL and Redis speak TLS alone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine.checks import permissions
from engine.environment import GIVEN
from lab import needs
from lab import vpc as addresses
from lab.calls import Call
from lab.client import Visitors, ask
from lab.design import BALANCER, DATABASE
from lab.machine import Machine
from lab.region import PASSWORDS, REPOSITORY, SECRETS, Region, binaries
from moto import mock_aws

from trestle_aws.build import BINARIES, newest_glibc

pytestmark = pytest.mark.xdist_group("lab")
RECORDED = Path(__file__).with_name("recorded_calls.json")
PRODUCTS = "40"
# As short as the parts allow: the waiting itself proves nothing.
LINGER = "2"
MISSING = "keys-99999999"


@dataclasses.dataclass
class Shop:
    """A region in which a shop has been started."""

    region: Region
    web: Machine
    api: Machine
    job: Machine
    tampered: Machine
    unreachable: Machine
    without_secret: list[str]
    """What the API's instance said while its secret was missing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Everything is started at once, as a deployment would, and the API's instance finds no key at first."""
    needs.check()
    with mock_aws():
        region = Region()
        try:
            yield start(region)
        finally:
            region.close()


def start(region: Region) -> Shop:
    """The machines, when each has come as far as it can."""
    region.configure(
        {
            region.path("config/job/products"): PRODUCTS,
            region.path("config/api/TRESTLE_LINGER_SECONDS"): LINGER,
            region.path("config/web/TRESTLE_WEB_LINGER_SECONDS"): LINGER,
        }
    )
    keys = region.path("config/keys/secret")
    right = region.design.configuration()[keys]
    region.configure({keys: right.replace("keys-0a1b2c3d", MISSING)})
    api = region.start("api", "api")
    job = region.start("job", "job")
    web = region.start("web", "web")
    good = region.release.path.read_bytes()
    region.upload("1.2.4", good[:-1] + bytes([good[-1] ^ 1]))
    user_data = region.user_data("web")
    tampered = region.start(
        "tampered", "web", user_data=user_data.replace(f"Release='{GIVEN['Release']}'", "Release='1.2.4'")
    )
    nowhere = {name: (addresses.GATEWAY,) if ".s3." in name else to for name, to in region.hosts.items()}
    unreachable = region.start("unreachable", "web", user_data=user_data, hosts=nowhere)
    assert api.wait(150) != 0, api.story()
    without_secret = api.log()
    region.configure({keys: right})
    job.wait(150)
    job.wait_off(90)
    api.run("sh", "-c", "rm /var/lib/cloud/result && systemctl start cloud-final.service")
    for machine in (api, web):
        assert machine.wait(150) == 0, machine.story()
    region.balancer.targets.append(f"{api.address}:8000")
    until(lambda: bool(region.balancer.healthy), "the API is healthy behind the load balancer")
    return Shop(region, web, api, job, tampered, unreachable, without_secret)


def until(holds: Callable[[], object], what: str, seconds: float = 40) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def test_the_shop_answers_through_nginx(shop: Shop) -> None:
    """Pages, products of the database, and which instance answered."""
    page = ask(shop.region.vpc, shop.web.address, "/")
    assert page.status == 200 and b"<title>" in page.body
    products = ask(shop.region.vpc, shop.web.address, "/api/v1/products")
    assert products.status == 200 and len(products.json()["items"]) == 20, products
    host = ask(shop.region.vpc, shop.web.address, "/api/v1/instance").json()["host"]
    instance = shop.region.instance(shop.api)
    assert host == {"kind": "ec2", "id": instance.id, "type": instance.type, "zone": instance.zone}
    assert products.headers["trestle-replica"] == instance.id


def test_a_visitor_can_register(shop: Shop) -> None:
    """The application's user may write, by a verified TLS connection, and its keys sign."""
    who = {"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"}
    made = ask(shop.region.vpc, shop.web.address, "/api/v1/customers", method="POST", body=who)
    assert made.status == 201, made
    assert (
        shop.region.database.ask("SELECT COUNT(*) FROM trestle.customers WHERE email = 'ada@example.com'").strip()
        == "1"
    )


def test_database_and_cache_are_reached_by_tls(shop: Shop) -> None:
    """Both are in use, and the state names no trouble; the servers take nothing but TLS."""
    ready = ask(shop.region.vpc, shop.api.address, "/readyz", port=9000).json()
    assert ready["database"]["state"] == "ok" and ready["redis"]["state"] == "ok", ready
    grants = shop.region.database.ask("SHOW GRANTS FOR 'trestle'@'%'")
    assert "REQUIRE SSL" in grants
    given = re.search(r"GRANT (.+) ON `trestle`\.\* TO", grants)
    assert given and set(given.group(1).split(", ")) == {"SELECT", "INSERT", "UPDATE", "DELETE"}, grants


def test_a_database_that_somebody_else_vouches_for_is_refused(shop: Shop) -> None:
    """By the API's program and by the job's: another authority, or another name than the certificate's."""
    api = shop.api
    right = "ssl-ca=/opt/trestle/current/rds-ca.pem"
    for change, said in (
        (f"s#{right}#ssl-ca=/etc/ssl/certs/ca-certificates.crt#", "certificate"),
        (f"s#@{DATABASE}:#@{addresses.DATABASE}:#", "certificate"),
    ):
        ran = with_url(api, change)
        assert ran.returncode != 0 and said in (ran.stdout + ran.stderr).lower(), (change, ran)
    assert with_url(api, "s#x#x#").returncode == 0


def with_url(machine: Machine, change: str) -> subprocess.CompletedProcess[str]:
    """The audit with a changed URL of the database."""
    script = f"umask 077; sed '{change}' /etc/trestle/secrets/database-url >/run/changed; /opt/trestle/current/bin/trestle-api audit"
    return machine.run("env", "TRESTLE_DATABASE_URL_FILE=/run/changed", "sh", "-c", script, check=False)


def test_secrets_are_in_no_log_and_no_command_line(shop: Shop) -> None:
    """Neither in user-data's log, nor in the journal, nor in what ps shows, nor in the unit's environment."""
    api = shop.api
    seen = api.run(
        "sh", "-c", "journalctl --quiet --no-pager; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'"
    ).stdout
    seen += "\n".join(api.log())
    assert "trestle-api" in seen
    instance = shop.region.instance(api)
    for secret in (*passwords(), instance.secret, instance.session):
        assert secret not in seen
    modes = api.run("sh", "-c", "stat -c %a:%U /etc/trestle/secrets/*").stdout.split()
    assert set(modes) == {"600:root"}


def passwords() -> list[str]:
    """All that is secret in the lab."""
    return [value for secret in SECRETS.values() for name, value in secret.items() if name in ("password", "key")]


def test_the_job_reports_and_ends_itself(shop: Shop) -> None:
    """User, schema and products are there; the machine is off; its last lines are in CloudWatch."""
    ssm = shop.region.client("ssm")
    report = json.loads(ssm.get_parameter(Name=shop.region.path("job/report"))["Parameter"]["Value"])
    assert (report["state"], report["release"], report["step"]) == ("done", GIVEN["Release"], "seed"), report
    assert not shop.job.is_running()
    assert shop.region.database.ask("SELECT COUNT(*) FROM trestle.products").strip() == PRODUCTS
    assert any(line.startswith("trestle: the job is done") for line in shop.region.lines("job", shop.job))


def test_logs_are_in_cloudwatch(shop: Shop) -> None:
    """nginx's and the API's lines are JSON with one request id; the boot's log is in the group system."""
    request = "trace-of-this-test"
    ask(shop.region.vpc, shop.web.address, "/api/v1/products?page=2", headers={"X-Request-Id": request})
    for group, machine in (("web", shop.web), ("api", shop.api)):
        until(
            lambda: any(request in line for line in shop.region.lines(group, machine)),  # noqa: B023 - called at once
            f"the request in the group {group}",
        )
        line = next(line for line in shop.region.lines(group, machine) if request in line)
        assert json.loads(line)["request_id"] == request
    until(lambda: any("ready as web" in line for line in shop.region.lines("system", shop.web)), "user-data's log")


def test_a_tampered_archive_stops_the_boot(shop: Shop) -> None:
    """One bit is enough, and nothing of it was run."""
    assert shop.tampered.wait(120) != 0
    assert re.search(
        r"^trestle: stopped: s3://\S+/releases/1\.2\.4/\S+ has the SHA-256 [0-9a-f]{64}, not ", shop.tampered.log()[-1]
    )
    assert not (shop.tampered.files / "opt/trestle").exists()


def test_an_unreachable_bucket_stops_the_boot(shop: Shop) -> None:
    """The last line names the object and what to look at."""
    assert shop.unreachable.wait(120) != 0
    assert re.search(r"^trestle: stopped: s3://\S+ cannot be read .*is there a way to S3", shop.unreachable.log()[-1])
    assert any(line.startswith("curl: ") for line in shop.unreachable.log())


def test_a_missing_secret_stops_the_boot(shop: Shop) -> None:
    """Which one, before the shop is started half; once it is there, the same user-data makes the instance (see `start`)."""
    stopped = [line for line in shop.without_secret if "stopped" in line]
    assert re.search(rf"^trestle: stopped: secret arn:\S+{MISSING}\S*: ", stopped[0]), shop.without_secret
    assert shop.without_secret[-1].startswith("trestle: stopped: the bootstrap of 1.2.3 as api failed")


def test_nginx_follows_the_balancer(shop: Shop) -> None:
    """Its name gets another address: nginx is told within seconds, by a reload. (Later tests use the new one.)"""
    shop.web.resolve({**shop.web.hosts, BALANCER: (addresses.BALANCER[1],)})
    upstream = f"server {addresses.BALANCER[0]}:80"
    until(
        lambda: upstream not in shop.web.run("cat", "/run/trestle-web/conf/upstream-list.conf").stdout,
        "one address is gone",
    )
    assert ask(shop.region.vpc, shop.web.address, "/api/v1/products").status == 200


def test_termination_of_an_api_instance_fails_no_request(shop: Shop) -> None:
    """The group decides, the load balancer learns of it a second later, the instance drains and says that it may go."""
    region, instance = shop.region, shop.region.instance(shop.api)
    environment = shop.api.run("cat", "/etc/trestle/api.env").stdout
    other = other_api(region, environment)
    try:
        region.balancer.targets.append(f"{addresses.OTHER_API}:8000")
        until(lambda: len(region.balancer.healthy) == 2, "both replicas are healthy")
        with Visitors(region.vpc, shop.web.address, "/api/v1/products") as visitors:
            until(
                lambda: visitors.replicas[instance.id] > 20 and visitors.replicas["other"] > 20, "both replicas answer"
            )
            instance.lifecycle = "Terminated"
            time.sleep(1)
            region.balancer.leaving.add(f"{shop.api.address}:8000")
            until(lambda: region.cloud.lifecycle, "the lifecycle action is completed")
            before = visitors.replicas[instance.id]
            until(
                lambda: visitors.answers.total() > 3000 or visitors.replicas["other"] > before + 200, "visitors go on"
            )
        assert set(visitors.answers) == {"200"}, visitors.answers
        assert visitors.replicas[instance.id] == before
    finally:
        other.kill()
        other.wait()
    completed = region.cloud.lifecycle[-1]
    assert completed["InstanceId"] == instance.id and completed["LifecycleActionResult"] == "CONTINUE"
    assert completed["AutoScalingGroupName"] == instance.group and completed["LifecycleHookName"] == hook(
        region, "ApiDrain"
    )
    assert shop.api.run("systemctl", "is-active", "trestle-api", check=False).stdout.strip() == "inactive"


def other_api(region: Region, environment: str) -> subprocess.Popen[bytes]:
    """A second replica, as a process beside the load balancer."""
    given = dict(re.findall(r'^(\w+)="(.*)"$', environment, re.MULTILINE))
    listen = {
        "TRESTLE_LISTEN": f"{addresses.OTHER_API}:8000",
        "TRESTLE_OPS_LISTEN": f"{addresses.OTHER_API}:9000",
        "TRESTLE_REPLICA": "other",
    }
    # The host knows the database by its address alone.
    url = f"mysql://trestle:{PASSWORDS['AppSecret']}@{addresses.DATABASE}:3306/trestle?ssl-mode=REQUIRED"
    keys = f"k1:{SECRETS['KeysSecret']['key']}"
    process = {
        **os.environ,
        **given,
        **listen,
        "TRESTLE_DATABASE_URL": url,
        "TRESTLE_SECRETS_KEY": keys,
        "TRESTLE_METADATA_URL": "off",
    }
    with (region.folder / "other-api.log").open("wb") as log:
        return subprocess.Popen(
            region.vpc.command(binaries() / "trestle-api", "serve"), env=process, stdout=log, stderr=log
        )


def hook(region: Region, logical_id: str) -> str:
    """The hook's name in the template."""
    return str(region.design.environment.stacks["app"].resources[logical_id].properties["LifecycleHookName"])


def test_termination_of_a_web_instance_fails_no_request(shop: Shop) -> None:
    """nginx takes requests until the load balancer has forgotten it, ends those that it has, and then says so."""
    region, instance = shop.region, shop.region.instance(shop.web)
    told = len(region.cloud.lifecycle)
    with Visitors(region.vpc, shop.web.address, "/app.mjs") as visitors:
        until(lambda: visitors.answers.total() > 50, "visitors are served")
        instance.lifecycle = "Terminated"
        # The load balancer sends nothing new from here on; visitors stop where it would send them elsewhere.
        time.sleep(float(LINGER))
    until(lambda: len(region.cloud.lifecycle) > told, "the lifecycle action is completed")
    assert set(visitors.answers) == {"200"}, visitors.answers
    completed = region.cloud.lifecycle[-1]
    assert completed["InstanceId"] == instance.id and completed["LifecycleHookName"] == hook(region, "WebDrain")
    assert shop.web.run("systemctl", "is-active", "trestle-web", check=False).stdout.strip() == "inactive"


def test_an_instance_with_both_tiers_serves_the_shop(shop: Shop) -> None:
    """Stages 2 and 3: nginx and the API on one machine, the data tier by TLS, as its own launch template starts it."""
    machine = shop.region.start("instance", "instance")
    assert machine.wait(150) == 0, machine.story()
    products = ask(shop.region.vpc, machine.address, "/api/v1/products")
    assert products.status == 200 and products.headers["trestle-replica"] == shop.region.instance(machine).id
    # Replicas and operations are nobody's business outside of it.
    for port in (8000, 9000):
        with pytest.raises(OSError):
            ask(shop.region.vpc, machine.address, "/readyz", port=port)
    until(
        lambda: shop.region.lines("web", machine) and shop.region.lines("api", machine), "its lines are in CloudWatch"
    )


def test_a_single_instance_runs_trestle_up(shop: Shop) -> None:
    """Stage 1: everything on one machine, seen from outside with the visitor's address, and the commands of trestle-aws work there."""
    machine = shop.region.start("single", "single")
    assert machine.wait(150) == 0, machine.story()
    products = ask(shop.region.vpc, machine.address, "/api/v1/products")
    assert products.status == 200 and len(products.json()["items"]) == 20
    audit = machine.run("/opt/trestle/current/instance/shop", "api", "audit")
    assert "hold" in audit.stdout, audit
    until(
        lambda: any('"client":"10.20.0.1"' in line for line in shop.region.lines("web", machine)),
        "the visitor's address in the log",
    )


def test_a_load_generator_is_ready(shop: Shop) -> None:
    """It has its release and nothing that runs."""
    machine = shop.region.start("generator", "generator")
    assert machine.wait(120) == 0, machine.story()
    assert machine.log()[-1] == "trestle: ready as generator"
    assert "--help" in machine.run("/opt/trestle/current/bin/trestle-loadtest", "--help").stdout


def test_what_roles_did_is_what_is_recorded(shop: Shop) -> None:
    """test_permissions.py compares the roles' policies with this record; TRESTLE_AWS_RECORD=1 makes it anew."""
    names = {"WebRole": "web", "ApiRole": "api", "JobRole": "job", "SingleRole": "single", "GeneratorRole": "generator"}
    done = {
        names[role]: sorted({about(shop.region, call) for call in calls})
        for role, calls in shop.region.cloud.calls.items()
    }
    if os.environ.get("TRESTLE_AWS_RECORD"):
        RECORDED.write_text(permissions.text(done))
    kept = json.loads(RECORDED.read_text())
    for role in kept:
        assert done[role] == kept[role], (role, set(done[role]) ^ set(kept[role]))
    assert set(done) == set(kept)


def about(region: Region, call: Call) -> str:
    """A call by what it is about, as permissions.py reads it."""
    place = f"/{GIVEN['Project']}/{GIVEN['Environment']}/"
    if ":log-group:" in call.resource:
        what = call.resource.split(place)[1].split(":")[0]
    elif ":parameter/" in call.resource:
        what = call.resource.split(f"parameter{place}")[1]
    elif ":secret:" in call.resource:
        # The one that was missing at first is meant to be the other.
        named = {value: name.removeprefix(place) for name, value in region.design.configuration().items()}
        what = "config/keys/secret" if MISSING in call.resource else named[call.resource]
    elif ":autoScalingGroup:" in call.resource:
        what = call.resource.rpartition("/")[2].split("-")[-2]
    else:
        what = "release"
    return f"{call.action} {what}"


def test_nothing_was_refused_but_what_was_missing(shop: Shop) -> None:
    """Each request had the signature that AWS computes, and each call was the role's right."""
    assert shop.region.cloud.refused == []


def test_the_c_library_is_new_enough(shop: Shop) -> None:
    """What the binaries ask for at most is in the image."""
    status = (shop.region.root / "var/lib/dpkg/status").read_text()
    found = re.search(r"^Package: libc6$.*?^Version: (\d+)\.(\d+)", status, re.MULTILINE | re.DOTALL)
    assert found
    for name in BINARIES:
        assert (2, 17) < newest_glibc(binaries() / name) <= tuple(map(int, found.groups())), name


def test_the_instance_runs_the_repositorys_own_web_tier(shop: Shop) -> None:
    """Templates and storefront are those of services/web, byte for byte."""
    installed = shop.web.files / "opt/trestle/current"
    installed = shop.web.files / str(installed.readlink()).lstrip("/") / "share/trestle/web"
    for path in sorted((REPOSITORY / "services/web").rglob("*")):
        if path.is_file() and path.parts[-2] in ("nginx", "storefront", "views"):
            assert (installed / path.relative_to(REPOSITORY / "services/web")).read_bytes() == path.read_bytes(), path
