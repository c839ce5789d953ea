"""Properties of what keeps data: MySQL, the cache, secrets, buckets."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache

from trestle_aws.template import Resource
from trestle_aws.values import GetAtt, Value

from engine.checks.app import config
from engine.checks.registry import Need, absent_or_false, equals, is_false, is_true, needs, property_of
from engine.environment import GIVEN, ROOT, Environment, at, items, mapping, number, truth

PREFIX = f"{GIVEN['Project']}-{GIVEN['Environment']}"
NAMESPACE = f"/{GIVEN['Project']}/{GIVEN['Environment']}"



needs(
    "the database is private, encrypted, and survives mistakes",
    Need("AWS::RDS::DBInstance", "PubliclyAccessible", is_false, "it would have a public address"),
    Need("AWS::RDS::DBInstance", "StorageEncrypted", is_true, "its disk, backups and snapshots would be readable; it cannot be changed later"),
    Need("AWS::RDS::DBInstance", "CopyTagsToSnapshot", is_true, "nobody would know whose the final snapshot is"),
    Need("AWS::RDS::DBInstance", "AutoMinorVersionUpgrade", is_true, "security fixes would not come"),
    Need("AWS::RDS::DBInstance", "AllowMajorVersionUpgrade", absent_or_false, "a slip of a parameter would change the version of the data"),
    Need("AWS::RDS::DBInstance", "DeleteAutomatedBackups", is_true, "they would be paid for after destroy, beside the final snapshot"),
    Need("AWS::RDS::DBInstance", "StorageType", equals("gp3"), "gp2's speed depends on the size"),
    Need("AWS::RDS::DBInstance", "Engine", equals("mysql"), "Trestle is written for MySQL"),
    Need("AWS::RDS::DBInstance", "EngineVersion", lambda value: str(value).startswith("8.4"), "8.4 is the line with long support that is tested"),
    Need("AWS::RDS::DBInstance", "CACertificateIdentifier", equals("rds-ca-rsa2048-g1"), "an instance verifies by that authority"),
    Need("AWS::RDS::DBInstance", "Port", equals("3306"), "the security groups let 3306 through"),
)

needs(
    "the cache is encrypted, asks who comes, and keeps nothing for itself",
    Need("AWS::ElastiCache::ReplicationGroup", "TransitEncryptionEnabled", is_true, "the AUTH token would cross the network in the clear"),
    Need("AWS::ElastiCache::ReplicationGroup", "TransitEncryptionMode", equals("required"), "a client could go without TLS"),
    Need("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled", is_true, "it cannot be changed later"),
    Need("AWS::ElastiCache::ReplicationGroup", "AutoMinorVersionUpgrade", is_true, "security fixes would not come"),
    Need("AWS::ElastiCache::ReplicationGroup", "SnapshotRetentionLimit", equals("0"), "snapshots of a cache are paid for in vain"),
    Need("AWS::ElastiCache::ReplicationGroup", "Port", equals("6379"), "the security groups let 6379 through"),
)


@property_of("what holds data stays when its stack goes")
def deletion_policies(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::RDS::DBInstance"):
        for name, policy in (("DeletionPolicy", resource.deletion_policy), ("UpdateReplacePolicy", resource.update_replace_policy)):
            if policy != "Snapshot":
                yield resource, f"{name} is {policy}: orders would be gone without a final snapshot"
    for resource in environment.resources():
        for name, policy in (("DeletionPolicy", resource.deletion_policy), ("UpdateReplacePolicy", resource.update_replace_policy)):
            if resource.type != "AWS::RDS::DBInstance" and policy != "Delete":
                yield resource, f"{name} is {policy}: destroy would leave it behind"


@property_of("the database is what the parameters ask for")
def database_parameters(environment: Environment) -> Iterator[tuple[object, str]]:
    wanted = {
        "DBInstanceClass": "DatabaseClass",
        "EngineVersion": "DatabaseVersion",
        "AllocatedStorage": "DatabaseStorageGiB",
        "BackupRetentionPeriod": "BackupDays",
    }
    for resource in environment.resources("AWS::RDS::DBInstance"):
        properties = resource.properties
        for key, name in wanted.items():
            if str(properties.get(key)) != environment.parameter(name, "data"):
                yield resource, f"{key} is {properties.get(key)}, and {name} is {environment.parameter(name, 'data')}"
        for key, name in (("MultiAZ", "MultiAz"), ("DeletionProtection", "DeletionProtection")):
            if truth(properties.get(key)) != (environment.parameter(name, "data") == "yes"):
                yield resource, f"{key} is {properties.get(key)}, and {name} is {environment.parameter(name, 'data')}"
        size, most = number(properties.get("AllocatedStorage")), number(properties.get("MaxAllocatedStorage"))
        if not 2 * size <= most <= 10 * size:
            yield resource, f"its disk of {size} GiB grows to {most} GiB: too little, or a bill without bounds"
        logs = {str(one) for one in items(properties.get("EnableCloudwatchLogsExports"))}
        if logs != {"error", "slowquery"}:
            yield resource, f"its logs {sorted(logs)} go to CloudWatch; error and slowquery should"
        if environment.name == "production" and not (truth(properties.get("MultiAZ")) and truth(properties.get("DeletionProtection"))):
            yield resource, "production has no standby, or is not protected"


@property_of("backups and maintenance have an hour each, at night where the shop's visitors are few")
def windows(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"):
        weekly = re.fullmatch(r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)", str(resource.properties.get("PreferredMaintenanceWindow")))
        if not weekly:
            yield resource, "AWS chooses when it is maintained"
            continue
        day, start, end = weekly[1], int(weekly[2]) * 60 + int(weekly[3]), int(weekly[5]) * 60 + int(weekly[6])
        if day != "sun" or weekly[4] != day or end - start != 60:
            yield resource, f"its maintenance is {weekly[0]}: not an hour of Sunday"
        if resource.type == "AWS::RDS::DBInstance":
            daily = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", str(resource.properties.get("PreferredBackupWindow")))
            if not daily:
                yield resource, "AWS chooses when it is backed up"
                continue
            first, last = int(daily[1]) * 60 + int(daily[2]), int(daily[3]) * 60 + int(daily[4])
            if last - first != 60 or (first < end and start < last) or not 0 <= start - last <= 180:
                yield resource, f"its backup {daily[0]} overlaps {weekly[0]}, or is far from it"


@cache
def own_server() -> dict[str, str]:
    """What the shop's own MySQL is configured to, in containers; the same is needed of RDS."""
    text = (ROOT.parent / "containers" / "mysql" / "trestle.cnf").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z_]+)\s*=\s*(\S+)", text, re.MULTILINE))


NEEDED = (
    "innodb_flush_log_at_trx_commit",
    "character_set_server",
    "collation_server",
    "transaction_isolation",
    "innodb_ft_min_token_size",
    "require_secure_transport",
)
"""What the shop's SQL and promises depend on; the rest of that file is for a laptop's memory, or for a container."""


@property_of("MySQL is configured as the shop needs it")
def mysql(environment: Environment) -> Iterator[tuple[object, str]]:
    onoff = {"ON": "1", "OFF": "0"}
    for database in environment.resources("AWS::RDS::DBInstance"):
        group = environment.behind(database.properties.get("DBParameterGroupName"))
        if group is None:
            yield database, "has RDS's own parameters"
            continue
        values = {key: str(value) for key, value in mapping(group.properties.get("Parameters")).items()}
        for key in NEEDED:
            wanted = onoff.get(own_server()[key], own_server()[key])
            if values.get(key) != wanted:
                yield group, f"{key} is {values.get(key)}; the shop's own server has {wanted}"
        # The binary log that backups live on is flushed with each commit, too.
        for key, wanted in (("sync_binlog", "1"), ("local_infile", "0"), ("slow_query_log", "1"), ("log_output", "FILE")):
            if values.get(key) != wanted:
                yield group, f"{key} is {values.get(key)}, not {wanted}"
        if not 0.1 <= number(values.get("long_query_time")) <= 2:
            yield group, f"long_query_time is {values.get('long_query_time')}: nothing, or everything, is called slow"
        if group.properties.get("Family") != f"mysql{'.'.join(str(database.properties.get('EngineVersion')).split('.')[:2])}":
            yield group, f"is of the family {group.properties.get('Family')}, the server of {database.properties.get('EngineVersion')}"
        if values.get("max_connections") != str(environment.export("MaxConnections")):
            yield group, f"max_connections is {values.get('max_connections')}, and {environment.export('MaxConnections')} is exported"
        known = set(NEEDED) | {"sync_binlog", "local_infile", "slow_query_log", "log_output", "long_query_time", "max_connections"}
        for key in sorted(set(values) - known):
            yield group, f"sets {key}, which nobody asked for"


MEMORY = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
"""GiB by size, for the classes in use (r7g.large has 16)."""


@property_of("all pools together leave a fifth of MySQL's connections")
def connections(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("data"):
        return
    most = number(environment.export("MaxConnections"))
    kind = environment.parameter("DatabaseClass", "data")
    memory = 16 if kind.startswith("db.r7g") else MEMORY[kind.rsplit(".", 1)[1]]
    # RDS's own formula, memory / 12,582,880, is what a class of this memory is meant for.
    if not 30 <= most <= memory * 2**30 / 12_582_880:
        yield "data", f"{kind} with {memory} GiB is given {most} connections"
    pool = number(environment.parameter("PoolSize", "data"))
    instances = number(environment.parameter("ApiMaxInstances", "data")) + number(environment.parameter("RefreshSurplus", "data"))
    if pool * instances > 0.8 * most:
        yield "data", f"{instances} pools of {pool} are more than 80 % of {most} connections"


@property_of("parameters that two stacks share are the same in both")
def shared_parameters(environment: Environment) -> Iterator[tuple[object, str]]:
    pairs = [
        ("app", "ApiMax", "data", "ApiMaxInstances"),
        ("app", "PoolSize", "data", "PoolSize"),
        ("app", "RefreshSurplus", "data", "RefreshSurplus"),
        ("app", "DatabaseClass", "data", "DatabaseClass"),
        ("ops", "DatabaseClass", "data", "DatabaseClass"),
        ("app", "ApiEntry", "security", "ApiEntry"),
        ("app", "ApiEntry", "ops", "ApiEntry"),
        ("app", "Currency", "job", "Currency"),
        ("app", "CacheCatalogSeconds", "edge", "CacheCatalogSeconds"),
        ("data", "CacheNodes", "ops", "CacheNodes"),
        ("instances", "PoolSize", "data", "PoolSize"),
        ("instances", "Currency", "job", "Currency"),
        ("network", "ZoneCount", "peering", "ZoneCount"),
        ("app", "WebMin", "schedule", "WebMin"),
        ("app", "WebMax", "schedule", "WebMax"),
        ("app", "ApiMin", "schedule", "ApiMin"),
        ("app", "ApiMax", "schedule", "ApiMax"),
        ("instances", "Count", "ops", "Instances"),
    ]
    for first, name, second, other in pairs:
        if environment.has(first) and environment.has(second):
            left, right = environment.parameter(name, first), environment.parameter(other, second)
            if left != right and (left or right):
                yield f"{first}.{name}", f"is {left}, and {second}.{other} is {right}"
    if environment.has("data") and environment.has("ops"):
        cached = environment.parameter("Cache", "data") != "none"
        if cached != (environment.parameter("Cache", "ops") == "yes"):
            yield "ops.Cache", f"is {environment.parameter('Cache', 'ops')}, and data.Cache is {environment.parameter('Cache', 'data')}"
    if environment.has("app") and environment.has("edge"):
        through = environment.parameter("Mode", "edge") == "all"
        if through != (environment.parameter("BehindCloudFront", "app") == "yes"):
            yield "app.BehindCloudFront", f"is {environment.parameter('BehindCloudFront', 'app')}, and edge.Mode is {environment.parameter('Mode', 'edge')}"
        if environment.parameter("CloudFrontOnly", "security") == "yes" and not through:
            yield "security.CloudFrontOnly", "is yes, and visitors do not come by CloudFront"


@property_of("the cache is what the parameters ask for")
def cache_parameters(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("data"):
        return
    groups = list(environment.resources("AWS::ElastiCache::ReplicationGroup"))
    engine = environment.parameter("Cache", "data")
    if len(groups) != int(engine != "none"):
        yield "data", f"{len(groups)} caches with Cache={engine}"
    for resource in groups:
        properties = resource.properties
        for key, name in (("Engine", "Cache"), ("CacheNodeType", "CacheNodeType"), ("NumCacheClusters", "CacheNodes")):
            if str(properties.get(key)) != environment.parameter(name, "data"):
                yield resource, f"{key} is {properties.get(key)}, and {name} is {environment.parameter(name, 'data')}"
        for key in ("AutomaticFailoverEnabled", "MultiAZEnabled"):
            if truth(properties.get(key)) != (environment.parameter("CacheFailover", "data") == "yes"):
                yield resource, f"{key} is {properties.get(key)}, and CacheFailover is {environment.parameter('CacheFailover', 'data')}"
        version = str(properties.get("EngineVersion"))
        # Redis 7.1 is the last one of its licence; Valkey begins at 7.2. Both know what the API sends.
        if (engine, version) not in (("valkey", "8.0"), ("valkey", "8.1"), ("redis", "7.1"), ("redis", "7.0")):
            yield resource, f"{engine} {version} is not offered, or not tested"
        group = environment.behind(properties.get("CacheParameterGroupName"))
        if group is None or group.properties.get("CacheParameterGroupFamily") != f"{engine}{version.split('.')[0]}":
            yield resource, f"its parameters are not of the family {engine}{version.split('.')[0]}"
            continue
        values = {key: str(value) for key, value in mapping(group.properties.get("Properties")).items()}
        if values.get("maxmemory-policy") not in ("allkeys-lru", "allkeys-lfu"):
            yield group, f"maxmemory-policy is {values.get('maxmemory-policy')}: a full cache would refuse writes"
        if not 30 <= number(values.get("tcp-keepalive")) <= 300 or values.get("timeout") != "0":
            yield group, "an idle link of the API is closed, or a dead one kept"


@property_of("each secret is made up at random, and names its user")
def secrets(environment: Environment) -> Iterator[tuple[object, str]]:
    users = {}
    for role, export, key in (("master", "MasterSecretArn", "password"), ("app", "AppSecretArn", "password"), ("keys", "KeysSecretArn", "key"), ("cache", "CacheAuthSecretArn", "password")):
        resource = environment.behind(environment.export(export))
        if resource is None:
            if environment.has("data") and (role != "cache" or environment.parameter("Cache", "data") != "none"):
                yield "data", f"{export} is not exported"
            continue
        if not str(resource.properties.get("Name")).startswith(f"{PREFIX}/{role}-"):
            yield resource, f"is exported as {export}, and its name is {resource.properties.get('Name')}: roles find it by {PREFIX}/{role}-"
        if not re.fullmatch(rf"{PREFIX}/{role}-[0-9a-f]{{8}}", str(resource.properties.get("Name"))):
            yield resource, f"its name {resource.properties.get('Name')} does not end in 8 digits of the stack's id, as roles expect"
        generate = mapping(resource.properties.get("GenerateSecretString"))
        if "SecretString" in resource.properties or generate.get("GenerateStringKey") != key:
            yield resource, f"is not made up under {key}"
        if not 32 <= number(generate.get("PasswordLength")) <= 128:
            yield resource, f"has {generate.get('PasswordLength')} signs: from 32 on it cannot be guessed; ElastiCache takes 128"
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
            yield database, f"its schema is {database.properties.get('DBName')}, and {environment.export('DatabaseName')} is exported"
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
    if (database and environment.export("DatabaseIdentifier") != database.ref) or (cached and environment.export("CacheIdentifier") != cached.ref):
        yield "data", "DatabaseIdentifier or CacheIdentifier is not what metrics know"


@property_of("configuration is plain text under the environment's own path")
def plain(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::SSM::Parameter"):
        if resource.properties.get("Type") != "String":
            yield resource, f"is a {resource.properties.get('Type')}; what is secret is in Secrets Manager"
        name = str(resource.properties.get("Name"))
        if not re.fullmatch(rf"{NAMESPACE}/config/(api|web|instance-api|instance-web|job|database|cache|keys)/[A-Za-z_-]+", name):
            yield resource, f"{name} is not where instances look, or roles may read"
        if resource.properties.get("Tier", "Standard") != "Standard":
            yield resource, "is paid for"
    job = config(environment)
    if environment.has("job"):
        for name, parameter in (("job/products", "Products"), ("job/customers", "Customers"), ("job/TRESTLE_CURRENCY", "Currency")):
            if str(job.get(name)) != environment.parameter(parameter, "job"):
                yield name, f"is {job.get(name)}, and {parameter} is {environment.parameter(parameter, 'job')}"


@property_of("no name is claimed twice")
def names(environment: Environment) -> Iterator[tuple[object, str]]:
    """Two stacks that make the same parameter or log group fail at the second."""
    found: dict[tuple[str, str, str], Resource] = {}
    for stack in environment.stacks.values():
        for resource in stack.resources.values():
            for key in ("Name", "LogGroupName", "AlarmName", "DashboardName", "FunctionName"):
                value = resource.properties.get(key)
                if value is None or resource.type in ("AWS::Route53::RecordSet", "AWS::Logs::MetricFilter"):
                    continue
                mark = (resource.type, stack.region, str(value))
                if mark in found:
                    yield resource, f"{key} {value} is {found[mark]}'s, too"
                found[mark] = resource


# --- Buckets ---------------------------------------------------------------------------------------------------------

PUBLIC = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


@property_of("buckets are encrypted, versioned, and closed unless pictures are read from S3 itself")
def buckets(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::S3::Bucket"):
        properties = resource.properties
        opened = resource.stack == "assets" and environment.parameter("PublicRead", "assets") == "yes"
        for key in PUBLIC:
            wanted = not (opened and key in ("BlockPublicPolicy", "RestrictPublicBuckets"))
            if truth(at(properties, f"PublicAccessBlockConfiguration/{key}")) != wanted:
                yield resource, f"{key} is {at(properties, f'PublicAccessBlockConfiguration/{key}')}"
        algorithm = at(properties, "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm")
        if algorithm not in ("AES256", "aws:kms"):
            yield resource, f"is encrypted by {algorithm}"
        if algorithm == "aws:kms":
            yield resource, "asks a KMS permission of every reader"
        if at(properties, "VersioningConfiguration/Status") != "Enabled":
            yield resource, "what is replaced is gone"
        if [mapping(one).get("ObjectOwnership") for one in items(at(properties, "OwnershipControls/Rules"))] != ["BucketOwnerEnforced"]:
            yield resource, "takes ACLs, by which one object alone can be opened"
        rules = [mapping(one) for one in items(at(properties, "LifecycleConfiguration/Rules"))]
        days = environment.parameter("OldVersionDays", resource.stack) or "30"
        said = {
            "old versions": [str(at(one, "NoncurrentVersionExpiration/NoncurrentDays")) for one in rules if "NoncurrentVersionExpiration" in one] == [days],
            "broken uploads": any(1 <= number(at(one, "AbortIncompleteMultipartUpload/DaysAfterInitiation")) <= 7 for one in rules),
            "delete markers": any(truth(one.get("ExpiredObjectDeleteMarker")) for one in rules),
        }
        for what, forgotten in said.items():
            if not forgotten:
                yield resource, f"{what} are kept, and paid for, for ever, or not as long as was asked"
        if any(one.get("Status") != "Enabled" or not one.get("Id") for one in rules):
            yield resource, "a rule of its lifecycle is switched off, or has no name"


@property_of("buckets answer by TLS only, and to whom they are for")
def bucket_policies(environment: Environment) -> Iterator[tuple[object, str]]:
    for bucket in environment.resources("AWS::S3::Bucket"):
        policies = [
            one for one in environment.resources("AWS::S3::BucketPolicy") if environment.behind(one.properties.get("Bucket")) is bucket
        ]
        statements = [mapping(one) for policy in policies for one in items(at(policy.properties, "PolicyDocument/Statement"))]
        arn = str(GetAtt(bucket.stack, bucket.id, "Arn"))
        plain_http = [
            one
            for one in statements
            if one.get("Effect") == "Deny"
            and one.get("Principal") == "*"
            and one.get("Action") == "s3:*"
            and sorted(map(str, items(one.get("Resource")))) == sorted([arn, f"{arn}/*"])
            and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        if not plain_http:
            yield bucket, "answers without TLS"
        allowed = [one for one in statements if one.get("Effect") == "Allow"]
        if bucket.stack != "assets":
            if allowed:
                yield bucket, f"its policy lets {allowed[0].get('Principal')} in"
            old_tls = [one for one in statements if at(one, "Condition/NumericLessThan/s3:TlsVersion") == "1.2" and one.get("Effect") == "Deny"]
            if not old_tls or old_tls[0].get("Principal") != "*" or old_tls[0].get("Action") != "s3:*":
                yield bucket, "takes TLS 1.1"
            if old_tls and sorted(map(str, items(old_tls[0].get("Resource")))) != sorted([arn, f"{arn}/*"]):
                yield bucket, "takes TLS 1.1 for a part of it"
            continue
        if len(allowed) != 1:
            yield bucket, f"{len(allowed)} statements let somebody in"
        for one in allowed:
            if one.get("Action") != "s3:GetObject" or str(one.get("Resource")) != f"{arn}/product-pictures/*":
                yield bucket, f"lets {one.get('Principal')} do {one.get('Action')} with {one.get('Resource')}"
            if environment.parameter("PublicRead", "assets") == "yes":
                if one.get("Principal") != "*":
                    yield bucket, f"lets {one.get('Principal')} read, not everybody"
            else:
                source = str(at(one, "Condition/ArnLike/aws:SourceArn"))
                wanted = f"arn:aws:cloudfront::123456789012:distribution/{environment.parameter('Distribution', 'assets')}"
                if one.get("Principal") != {"Service": "cloudfront.amazonaws.com"} or source != wanted:
                    yield bucket, f"lets {one.get('Principal')} of {source} read, not this account's distribution alone"


@property_of("the buckets that are exported are the ones that are used")
def bucket_exports(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack, pairs in {"release": {"ReleaseBucket": ""}, "assets": {"PicturesBucket": "", "PicturesOrigin": "RegionalDomainName"}}.items():
        for bucket in environment.stacks[stack].of_type("AWS::S3::Bucket") if environment.has(stack) else ():
            for export, attribute in pairs.items():
                wanted: Value = GetAtt(bucket.stack, bucket.id, attribute) if attribute else bucket.ref
                if environment.export(export) != wanted:
                    yield bucket, f"{export} is {environment.export(export)}"
            if stack == "assets":
                url = f"https://{GetAtt(bucket.stack, bucket.id, 'RegionalDomainName')}/product-pictures"
                if str(environment.export("PicturesUrl")) != url:
                    yield bucket, f"PicturesUrl is {environment.export('PicturesUrl')}"


@property_of("logs are kept for as long as was asked, under the names that instances and queries use")
def log_groups(environment: Environment) -> Iterator[tuple[object, str]]:
    expected = {}
    if environment.has("network"):
        days = environment.parameter("LogRetentionDays", "network")
        expected |= {f"{NAMESPACE}/{name}": days for name in ("web", "api", "job", "system")}
        if environment.parameter("FlowLogs", "network") == "yes":
            expected[f"{NAMESPACE}/flow"] = days
    if environment.parameter("SlackWebhook", "ops") or environment.parameter("SlackSecretArn", "ops"):
        expected[f"{NAMESPACE}/slack"] = environment.parameter("LogDays", "ops")
    found = {str(one.properties.get("LogGroupName")): str(one.properties.get("RetentionInDays")) for one in environment.resources("AWS::Logs::LogGroup")}
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            yield name, f"is kept for {found.get(name)} days, not {expected.get(name)}"


@property_of("flow logs are of the whole VPC, and may be written")
def flow_logs(environment: Environment) -> Iterator[tuple[object, str]]:
    logs = list(environment.resources("AWS::EC2::FlowLog"))
    if len(logs) != int(environment.parameter("FlowLogs", "network") == "yes"):
        yield "network", f"{len(logs)} flow logs"
    for resource in logs:
        properties = resource.properties
        if properties.get("ResourceType") != "VPC" or properties.get("ResourceId") != environment.export("VpcId"):
            yield resource, f"is of {properties.get('ResourceType')} {properties.get('ResourceId')}"
        if properties.get("TrafficType") != "ALL" or properties.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs":
            yield resource, f"has {properties.get('TrafficType')} traffic"
        role = environment.behind(properties.get("DeliverLogsPermissionArn"))
        group = environment.behind(properties.get("LogGroupName"))
        trusted = [mapping(one).get("Principal") for one in items(at(role.properties, "AssumeRolePolicyDocument/Statement"))] if role else []
        if trusted != [{"Service": "vpc-flow-logs.amazonaws.com"}]:
            yield resource, "its role is not for flow logs"
        target = str(group.properties.get("LogGroupName")) if group else ""
        if not target.endswith("/flow"):
            yield resource, f"goes to {target}"
        actions = {str(action) for policy in map(mapping, items(role.properties.get("Policies") if role else None)) for one in map(mapping, items(at(policy, "PolicyDocument/Statement"))) for action in items(one.get("Action")) if any(f"{target}:" in str(where) for where in items(one.get("Resource")))}
        if not {"logs:CreateLogStream", "logs:PutLogEvents"} <= actions:
            yield resource, f"its role may {', '.join(sorted(actions)) or 'do nothing'} with {target}"
