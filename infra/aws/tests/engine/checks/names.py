"""Properties of DNS: the chain from the registrar to what answers is complete, and the certificates are proven by it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, number
from trestle_aws.template import Resource
from trestle_aws.values import GetAtt, Text, Value

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html: of every distribution."""


def domain_of(environment: Environment) -> str:
    """The shop's domain, "" without one."""
    return environment.parameter("Domain", "dns") or environment.parameter("Domain", "records")


def zone_of(environment: Environment) -> Value:
    """The zone's id: of the one that is made, or of the one that was there."""
    given = environment.parameter("ExistingZoneId", "dns")
    zones = list(environment.resources("AWS::Route53::HostedZone"))
    return given or (zones[0].ref if len(zones) == 1 else None)


def records(environment: Environment) -> dict[tuple[str, str], Resource]:
    """By name and type."""
    return {
        (str(one.properties.get("Name")).rstrip("."), str(one.properties.get("Type"))): one
        for one in environment.resources("AWS::Route53::RecordSet")
    }


@property_of("the shop's names lead to what answers")
def chain(environment: Environment) -> Iterator[tuple[object, str]]:
    domain = domain_of(environment)
    found = records(environment)
    if not domain:
        if found:
            yield "records", "there are records without a domain"
        return
    everything = environment.has("edge") and environment.parameter("Mode", "edge") == "all"
    served = "cloudfront" if everything else "alb" if environment.has("app") else "instances"
    wanted = {(name, kind) for name in (domain, f"www.{domain}") for kind in (("A", "AAAA") if everything else ("A",))}
    pictures = environment.has("edge") and not everything
    if pictures:
        wanted |= {(f"pictures.{domain}", "A"), (f"pictures.{domain}", "AAAA")}
    leading = {key for key in found if key[1] in ("A", "AAAA", "CNAME")}
    for name, kind in sorted(wanted - leading):
        yield "records", f"{name} has no {kind} record"
    for name, kind in sorted(leading - wanted):
        yield "records", f"{name} has an {kind} record, and nothing answers there"
    for key in sorted(wanted & leading):
        target = "cloudfront" if key[0].startswith("pictures.") else served
        yield from _leads(environment, found[key], target)


def _leads(environment: Environment, record: Resource, target: str) -> Iterator[tuple[object, str]]:
    alias = mapping(record.properties.get("AliasTarget"))
    if target == "instances":
        addresses = [str(one) for one in items(record.properties.get("ResourceRecords"))]
        if addresses != [str(one) for one in environment.export_list("InstanceAddresses")] or not addresses or alias:
            yield record, f"leads to {addresses or alias}, not to the instances' addresses"
        if not 30 <= number(record.properties.get("TTL")) <= 120:
            yield record, f"is remembered for {record.properties.get('TTL')} s, when an instance's address has changed"
        return
    names = {"alb": ("AlbDnsName", "AlbZoneId"), "cloudfront": ("DistributionDomain", "")}[target]
    if alias.get("DNSName") != environment.export(names[0]) or alias.get("DNSName") is None:
        yield record, f"leads to {alias.get('DNSName')}, not to {names[0]}"
    zone = environment.export(names[1]) if names[1] else CLOUDFRONT_ZONE
    if alias.get("HostedZoneId") != zone:
        yield record, f"is an alias in the zone {alias.get('HostedZoneId')}, in which {names[0]} is not"
    if alias.get("EvaluateTargetHealth") not in (False, "false"):
        yield (
            record,
            "is no answer when no target is well: a page of nginx's or CloudFront's is better, and CloudFront's alias allows no other",
        )
    if "ResourceRecords" in record.properties or "TTL" in record.properties:
        yield record, "is an alias and has records"


@property_of("all records are in the shop's zone")
def zone(environment: Environment) -> Iterator[tuple[object, str]]:
    domain = domain_of(environment)
    if not domain:
        return
    own = zone_of(environment)
    if own is None:
        yield "dns", "there is no zone, or more than one"
    if environment.export("HostedZoneId") != own:
        yield "dns", f"the export HostedZoneId is {environment.export('HostedZoneId')}"
    for record in environment.resources("AWS::Route53::RecordSet"):
        if record.properties.get("HostedZoneId") != own:
            yield record, "is in another zone"
        name = str(record.properties.get("Name")).rstrip(".")
        if name != domain and not name.endswith(f".{domain}"):
            yield record, f"{name} is not of the domain"
    for made in environment.resources("AWS::Route53::HostedZone"):
        if str(made.properties.get("Name")).rstrip(".") != domain:
            yield made, f"is the zone of {made.properties.get('Name')}"
        if "VPCs" in made.properties:
            yield made, "is a private zone, which nobody outside sees"
        servers = environment.export("NameServers")
        if GetAtt(made.stack, made.id, "NameServers") not in _parts(servers):
            yield made, "nobody is told its name servers (export NameServers)"


def _parts(value: Value) -> list[object]:
    found: list[object] = [value]
    if isinstance(value, Text):
        found += value.parts
    arguments = getattr(value, "arguments", ())
    for one in arguments:
        found += _parts(one)
    return found


@property_of("only Amazon may issue certificates")
def authorities(environment: Environment) -> Iterator[tuple[object, str]]:
    for made in environment.resources("AWS::Route53::HostedZone"):
        record = records(environment).get((domain_of(environment), "CAA"))
        said = {str(one) for one in items(record.properties.get("ResourceRecords"))} if record else set()
        if record and not 300 <= number(record.properties.get("TTL")) <= 86400:
            yield record, f"is remembered for {record.properties.get('TTL')} s"
        if said != {'0 issue "amazon.com"', '0 issuewild "amazon.com"'}:
            yield made, f"CAA says {sorted(said)}: ACM has to be allowed the name and the wildcard, and nobody else"


@property_of("certificates are proven in the zone, and hold all names")
def certificates(environment: Environment) -> Iterator[tuple[object, str]]:
    domain = domain_of(environment)
    if not domain:
        return
    found = {one.stack: one for one in environment.resources("AWS::CertificateManager::Certificate")}
    wanted = set()
    if environment.has("app"):
        wanted.add("certificate")
    if environment.has("edge"):
        wanted.add("certificate" if environment.region == "us-east-1" else "certificate-us-east-1")
    for key in sorted(wanted - set(found)):
        yield key, "there is no such certificate"
    for key, one in found.items():
        if environment.stacks[key].region != ("us-east-1" if key.endswith("-us-east-1") else environment.region):
            yield one, "is in another region than what uses it"
        names = [one.properties.get("DomainName"), *items(one.properties.get("SubjectAlternativeNames"))]
        if set(map(str, names)) != {domain, f"*.{domain}"}:
            yield one, f"is of {names}, not of the domain and of what is below it"
        if one.properties.get("ValidationMethod") != "DNS":
            yield one, "is proven by e-mail, by hand"
        stack = environment.stacks[key]
        project, name = environment.parameter("Project", key), environment.parameter("Environment", key)
        if stack.exports != {f"{project}-{name}-CertificateArn": one.ref}:
            yield one, f"is exported as {sorted(stack.exports)}: trestle-aws passes CertificateArn on"
        given = environment.parameter("HostedZoneId", key)
        where = given or zone_of(environment)
        proofs = {
            str(at(proof, "DomainName")): at(proof, "HostedZoneId")
            for proof in items(one.properties.get("DomainValidationOptions"))
        }
        for name in map(str, names):
            if name not in proofs or proofs[name] != where:
                yield one, f"{name} is proven in the zone {proofs.get(name)}"
