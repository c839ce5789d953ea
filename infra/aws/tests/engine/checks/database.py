"""Properties of the database: private, encrypted, kept, and configured as the shop needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.checks.registry import Need, absent_or_false, equals, is_false, is_true, needs, property_of
from engine.environment import ROOT, Environment, items, mapping, number, truth

needs(
    "the database is private, encrypted, and survives mistakes",
    Need("AWS::RDS::DBInstance", "PubliclyAccessible", is_false, "it would have a public address"),
    Need(
        "AWS::RDS::DBInstance",
        "StorageEncrypted",
        is_true,
        "its disk, backups and snapshots would be readable; it cannot be changed later",
    ),
    Need("AWS::RDS::DBInstance", "CopyTagsToSnapshot", is_true, "nobody would know whose the final snapshot is"),
    Need("AWS::RDS::DBInstance", "AutoMinorVersionUpgrade", is_true, "security fixes would not come"),
    Need(
        "AWS::RDS::DBInstance",
        "AllowMajorVersionUpgrade",
        absent_or_false,
        "a slip of a parameter would change the version of the data",
    ),
    Need(
        "AWS::RDS::DBInstance",
        "DeleteAutomatedBackups",
        is_true,
        "they would be paid for after destroy, beside the final snapshot",
    ),
    Need("AWS::RDS::DBInstance", "StorageType", equals("gp3"), "gp2's speed depends on the size"),
    Need("AWS::RDS::DBInstance", "Engine", equals("mysql"), "Trestle is written for MySQL"),
    Need(
        "AWS::RDS::DBInstance",
        "EngineVersion",
        lambda value: str(value).startswith("8.4"),
        "8.4 is the line with long support that is tested",
    ),
    Need(
        "AWS::RDS::DBInstance",
        "CACertificateIdentifier",
        equals("rds-ca-rsa2048-g1"),
        "an instance verifies by that authority",
    ),
    Need("AWS::RDS::DBInstance", "Port", equals("3306"), "the security groups let 3306 through"),
)


@property_of("what holds data stays when its stack goes")
def deletion_policies(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources():
        for name, policy in (
            ("DeletionPolicy", resource.deletion_policy),
            ("UpdateReplacePolicy", resource.update_replace_policy),
        ):
            if resource.type == "AWS::RDS::DBInstance":
                if policy != "Snapshot":
                    yield resource, f"{name} is {policy}: orders would be gone without a final snapshot"
            elif policy != "Delete":
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
        if environment.name == "production" and not (
            truth(properties.get("MultiAZ")) and truth(properties.get("DeletionProtection"))
        ):
            yield resource, "production has no standby, or is not protected"


@property_of("backups and maintenance have an hour each, at night where the shop's visitors are few")
def windows(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"):
        weekly = re.fullmatch(
            r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)", str(resource.properties.get("PreferredMaintenanceWindow"))
        )
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
        for key, wanted in (
            ("sync_binlog", "1"),
            ("local_infile", "0"),
            ("slow_query_log", "1"),
            ("log_output", "FILE"),
        ):
            if values.get(key) != wanted:
                yield group, f"{key} is {values.get(key)}, not {wanted}"
        if not 0.1 <= number(values.get("long_query_time")) <= 2:
            yield group, f"long_query_time is {values.get('long_query_time')}: nothing, or everything, is called slow"
        if (
            group.properties.get("Family")
            != f"mysql{'.'.join(str(database.properties.get('EngineVersion')).split('.')[:2])}"
        ):
            yield (
                group,
                f"is of the family {group.properties.get('Family')}, the server of {database.properties.get('EngineVersion')}",
            )
        if values.get("max_connections") != str(environment.export("MaxConnections")):
            yield (
                group,
                f"max_connections is {values.get('max_connections')}, and {environment.export('MaxConnections')} is exported",
            )
        known = set(NEEDED) | {
            "sync_binlog",
            "local_infile",
            "slow_query_log",
            "log_output",
            "long_query_time",
            "max_connections",
        }
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
    instances = number(environment.parameter("ApiMaxInstances", "data")) + number(
        environment.parameter("RefreshSurplus", "data")
    )
    if pool * instances > 0.8 * most:
        yield "data", f"{instances} pools of {pool} are more than 80 % of {most} connections"
