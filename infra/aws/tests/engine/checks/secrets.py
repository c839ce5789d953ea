"""Properties of secrets: made up at random, and read by those who need them."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.environment import GIVEN, Environment, at, items, mapping, number, truth

PREFIX = f"{GIVEN['Project']}-{GIVEN['Environment']}"
NAMESPACE = f"/{GIVEN['Project']}/{GIVEN['Environment']}"


@property_of("each secret is made up at random, and names its user")
def secrets(environment: Environment) -> Iterator[tuple[object, str]]:
    users = {}
    for role, export, key in (
        ("master", "MasterSecretArn", "password"),
        ("app", "AppSecretArn", "password"),
        ("keys", "KeysSecretArn", "key"),
        ("cache", "CacheAuthSecretArn", "password"),
    ):
        resource = environment.behind(environment.export(export))
        if resource is None:
            if environment.has("data") and (role != "cache" or environment.parameter("Cache", "data") != "none"):
                yield "data", f"{export} is not exported"
            continue
        if not str(resource.properties.get("Name")).startswith(f"{PREFIX}/{role}-"):
            yield (
                resource,
                f"is exported as {export}, and its name is {resource.properties.get('Name')}: roles find it by {PREFIX}/{role}-",
            )
        if not re.fullmatch(rf"{PREFIX}/{role}-[0-9a-f]{{8}}", str(resource.properties.get("Name"))):
            yield (
                resource,
                f"its name {resource.properties.get('Name')} does not end in 8 digits of the stack's id, as roles expect",
            )
        generate = mapping(resource.properties.get("GenerateSecretString"))
        if "SecretString" in resource.properties or generate.get("GenerateStringKey") != key:
            yield resource, f"is not made up under {key}"
        if not 32 <= number(generate.get("PasswordLength")) <= 128:
            yield (
                resource,
                f"has {generate.get('PasswordLength')} signs: from 32 on it cannot be guessed; ElastiCache takes 128",
            )
        if not truth(generate.get("ExcludePunctuation")):
            yield resource, "may hold signs that mean something in an address, or that RDS refuses"
        if truth(generate.get("IncludeSpace")) or "ExcludeCharacters" in generate:
            yield resource, "may hold a blank, or fewer letters than it seems"
        try:
            users[role] = json.loads(str(generate.get("SecretStringTemplate")))
        except ValueError:
            yield resource, "its template is no JSON"
    for database in environment.resources("AWS::RDS::DBInstance"):
        if database.properties.get("MasterUsername") != users.get("master", {}).get("username"):
            yield database, "its master user is not the one in the secret"
        if users.get("app", {}).get("username") in (None, users.get("master", {}).get("username")):
            yield database, "the application is the master user"
        wanted = f"{{{{resolve:secretsmanager:{environment.export('MasterSecretArn')}:SecretString:password}}}}"
        if str(database.properties.get("MasterUserPassword")) != wanted:
            yield database, f"its password is {database.properties.get('MasterUserPassword')}"
        if database.properties.get("DBName") != environment.export("DatabaseName"):
            yield (
                database,
                f"its schema is {database.properties.get('DBName')}, and {environment.export('DatabaseName')} is exported",
            )
    for resource in environment.resources("AWS::ElastiCache::ReplicationGroup"):
        wanted = f"{{{{resolve:secretsmanager:{environment.export('CacheAuthSecretArn')}:SecretString:password}}}}"
        if str(resource.properties.get("AuthToken")) != wanted:
            yield resource, f"its token is {resource.properties.get('AuthToken')}"
    if users.get("keys", {}).get("kid") in (None, "") and environment.has("data"):
        yield "data", "the keys have no id, of which TRESTLE_SECRETS_KEY is made"


READERS = {
    "WebRole": set(),
    "ApiRole": {"app", "keys", "cache"},
    "JobRole": {"master", "app"},
    "SingleRole": {"app", "keys", "cache"},
    "GeneratorRole": set(),
}


@property_of("each role reads exactly the secrets that it needs")
def readers(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("security"):
        return
    for export, wanted in READERS.items():
        role = environment.behind(environment.export(export))
        if role is None:
            yield "security", f"{export} is not exported"
            continue
        found = set()
        for policy in map(mapping, items(role.properties.get("Policies"))):
            for statement in map(mapping, items(at(policy, "PolicyDocument/Statement"))):
                if "secretsmanager:GetSecretValue" in items(statement.get("Action")):
                    for target in map(str, items(statement.get("Resource"))):
                        for secret in ("app", "master", "keys", "cache", "slack"):
                            arn = f"arn:aws:secretsmanager:{environment.region}:123456789012:secret:{PREFIX}/{secret}-00000000-AbCdEf"
                            if fnmatch.fnmatchcase(arn, target):
                                found.add(secret)
        if found != wanted:
            yield role, f"reads {', '.join(sorted(found)) or 'nothing'}, not {', '.join(sorted(wanted)) or 'nothing'}"
