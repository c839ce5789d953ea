"""Properties of what instances read at their start: the application's own words, true, and where they look."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.checks.tiers import (
    api_variables,
    config,
)
from engine.environment import GIVEN, Environment, items
from trestle_aws.values import GetAtt, Value

PREFIX = f"{GIVEN['Project']}-{GIVEN['Environment']}"
NAMESPACE = f"/{GIVEN['Project']}/{GIVEN['Environment']}"


@property_of("the API's configuration is in its own words, and true")
def api_configuration(environment: Environment) -> Iterator[tuple[object, str]]:
    values = config(environment)
    for name, value in values.items():
        tier, _, variable = name.partition("/")
        if tier in ("api", "instance-api") and variable not in api_variables():
            yield name, "is no variable of trestle-api"
        if value in (None, ""):
            yield name, "is empty, which Systems Manager refuses"
    cidr = str(environment.export("VpcCidr"))
    for stack in ("app", "instances"):
        if environment.has(stack):
            prefix = "" if stack == "app" else "instance-"
            for name, value in _wanted(environment, stack, cidr).items():
                if (str(values[prefix + name]) if prefix + name in values else None) != value:
                    yield prefix + name, f"is {values.get(prefix + name)}, not {value}"


def _wanted(environment: Environment, stack: str, cidr: str) -> dict[str, str | None]:
    """What the instances of a stack are told; None is not at all."""
    given = {name: environment.parameter(name, stack) for name in environment.stacks[stack].parameters}
    split = stack == "app" or given["Database"] == "rds"
    secure = bool(given.get("CertificateArn")) or given.get("BehindCloudFront") == "yes"
    wanted: dict[str, str | None] = {
        "api/TRESTLE_COOKIE_SECURE": "on" if secure else "off",
        "api/TRESTLE_CURRENCY": given["Currency"],
        "api/TRESTLE_DATABASE_CONNECTIONS": given["PoolSize"] if split else None,
        "web/TRESTLE_WEB_HOSTNAME": given["Domain"] or None,
    }
    if stack == "app":
        proxies = [str(one) for one in items(environment.stacks[stack].parameters.get("TrustedProxies"))]
        scheme = "https" if given["BehindCloudFront"] == "yes" else "http"
        return wanted | {
            "api/TRESTLE_LISTEN": "0.0.0.0:8000",
            "api/TRESTLE_OPS_LISTEN": "0.0.0.0:9000",
            "api/TRESTLE_CACHE_CATALOG_SECONDS": given["CacheCatalogSeconds"],
            "api/TRESTLE_TRUSTED_PROXIES": ",".join([cidr, *proxies]),
            "api/TRESTLE_BEHIND_NGINX": "on" if given["ApiEntry"] == "nlb" else "off",
            "web/TRESTLE_WEB_TRUSTED_PROXIES": " ".join([cidr, *proxies]),
            "web/TRESTLE_WEB_PROXY_SCHEME": None if given["CertificateArn"] else scheme,
        }
    own = split and given["Cache"] == "local"
    return wanted | {
        "api/TRESTLE_LISTEN": "127.0.0.1:8000" if split else None,
        "api/TRESTLE_OPS_LISTEN": "127.0.0.1:9000" if split else None,
        "api/TRESTLE_TRUSTED_PROXIES": "127.0.0.1" if split else None,
        "api/TRESTLE_REDIS_URL": "redis://127.0.0.1:6379/0" if own else None,
        "web/TRESTLE_WEB_API_ADDRESSES": "127.0.0.1:8000" if split else None,
    }


@property_of("pictures are shown from where they lie")
def pictures(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    where, domain = environment.parameter("Pictures", "app"), environment.parameter("Domain", "app")
    hosts = (
        [str(environment.export("PicturesOrigin"))]
        if where == "s3"
        else [f"pictures.{domain}"]
        if where == "cdn" and domain
        else []
    )
    hosts += environment.parameter("PictureHosts", "app").split()
    found = config(environment).get("web/TRESTLE_WEB_PICTURE_HOSTS")
    if (str(found) if found is not None else "") != " ".join(hosts):
        yield "web/TRESTLE_WEB_PICTURE_HOSTS", f"is {found}, not {' '.join(hosts)}"
    for name in hosts:
        if name == "None":
            yield "app", "pictures are at S3, and no bucket is exported"


@property_of("instances find database, cache and secrets where they look")
def addresses(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("data"):
        return
    values = config(environment)
    database = next(iter(environment.resources("AWS::RDS::DBInstance")), None)
    cached = next(iter(environment.resources("AWS::ElastiCache::ReplicationGroup")), None)
    wanted: dict[str, Value] = {
        "database/app-secret": environment.export("AppSecretArn"),
        "database/master-secret": environment.export("MasterSecretArn"),
        "database/name": environment.export("DatabaseName"),
        "keys/secret": environment.export("KeysSecretArn"),
    }
    if database:
        wanted["database/endpoint"] = GetAtt(database.stack, database.id, "Endpoint.Address")
        wanted["database/port"] = GetAtt(database.stack, database.id, "Endpoint.Port")
    if cached:
        wanted["cache/endpoint"] = GetAtt(cached.stack, cached.id, "PrimaryEndPoint.Address")
        wanted["cache/port"] = GetAtt(cached.stack, cached.id, "PrimaryEndPoint.Port")
        wanted["cache/auth-secret"] = environment.export("CacheAuthSecretArn")
    for name, value in wanted.items():
        if values.get(name) != value:
            yield name, f"is {values.get(name)}, not {value}"
    for name in values:
        if name.split("/")[0] in ("database", "cache", "keys") and name not in wanted:
            yield name, "is read by nobody"
    pairs = {"DatabaseEndpoint": "database/endpoint", "DatabasePort": "database/port"}
    pairs |= {"CacheEndpoint": "cache/endpoint", "CachePort": "cache/port"} if cached else {}
    for export, name in pairs.items():
        if environment.export(export) != wanted.get(name):
            yield "data", f"{export} is {environment.export(export)}"
    if (database and environment.export("DatabaseIdentifier") != database.ref) or (
        cached and environment.export("CacheIdentifier") != cached.ref
    ):
        yield "data", "DatabaseIdentifier or CacheIdentifier is not what metrics know"


@property_of("configuration is plain text under the environment's own path")
def plain(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::SSM::Parameter"):
        if resource.properties.get("Type") != "String":
            yield resource, f"is a {resource.properties.get('Type')}; what is secret is in Secrets Manager"
        name = str(resource.properties.get("Name"))
        if not re.fullmatch(
            rf"{NAMESPACE}/config/(api|web|instance-api|instance-web|job|database|cache|keys)/[A-Za-z_-]+", name
        ):
            yield resource, f"{name} is not where instances look, or roles may read"
        if resource.properties.get("Tier", "Standard") != "Standard":
            yield resource, "is paid for"
    job = config(environment)
    if environment.has("job"):
        for name, parameter in (
            ("job/products", "Products"),
            ("job/customers", "Customers"),
            ("job/TRESTLE_CURRENCY", "Currency"),
        ):
            if str(job.get(name)) != environment.parameter(parameter, "job"):
                yield name, f"is {job.get(name)}, and {parameter} is {environment.parameter(parameter, 'job')}"
