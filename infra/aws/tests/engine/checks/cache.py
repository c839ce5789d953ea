"""Properties of the cache."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks.registry import Need, equals, is_true, needs, property_of
from engine.environment import Environment, mapping, number, truth

needs(
    "the cache is encrypted, asks who comes, and keeps nothing for itself",
    Need(
        "AWS::ElastiCache::ReplicationGroup",
        "TransitEncryptionEnabled",
        is_true,
        "the AUTH token would cross the network in the clear",
    ),
    Need(
        "AWS::ElastiCache::ReplicationGroup",
        "TransitEncryptionMode",
        equals("required"),
        "a client could go without TLS",
    ),
    Need("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled", is_true, "it cannot be changed later"),
    Need("AWS::ElastiCache::ReplicationGroup", "AutoMinorVersionUpgrade", is_true, "security fixes would not come"),
    Need(
        "AWS::ElastiCache::ReplicationGroup",
        "SnapshotRetentionLimit",
        equals("0"),
        "snapshots of a cache are paid for in vain",
    ),
    Need("AWS::ElastiCache::ReplicationGroup", "Port", equals("6379"), "the security groups let 6379 through"),
)


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
                yield (
                    resource,
                    f"{key} is {properties.get(key)}, and CacheFailover is {environment.parameter('CacheFailover', 'data')}",
                )
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
