"""Properties of CloudFront: what is personal never rests there, what is public does, and everything goes by HTTPS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, number, truth
from trestle_aws.pictures import PREFIX
from trestle_aws.template import Resource
from trestle_aws.values import GetAtt, Ref, Text, Value

REPOSITORY = Path(__file__).resolve().parents[5]
SERVICES = REPOSITORY / "services"

# docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html and
# .../using-managed-origin-request-policies.html
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
# .../DeveloperGuide/HTTPStatusCodes.html: what CloudFront keeps for 10 s unless it is told otherwise.
KEPT_ERRORS = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}

# .../DeveloperGuide/DownloadDistValuesCacheBehavior.html: AllowedMethods is one of these.
READS = frozenset({"GET", "HEAD"})
METHODS = (READS, READS | {"OPTIONS"}, READS | {"OPTIONS", "PUT", "PATCH", "POST", "DELETE"})

FILE = "/v/0123456789ab/app.mjs"
PICTURE = f"/{PREFIX}/07.svg"
PAGES = ("/", "/products/7", "/cart", "/favicon.svg", "/robots.txt")
ALB_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Policy:
    """How long an answer rests, and by what it is told from others. Without headers, cookies, query everybody is given the same."""

    lowest: float
    usual: float
    longest: float
    headers: frozenset[str]
    cookies: str
    query: str
    compresses: bool

    @property
    def keeps(self) -> bool:
        """Does anything rest at all?"""
        return self.longest > 0


NOTHING = Policy(0, 0, 0, frozenset(), "none", "none", False)


@dataclass(frozen=True)
class Sent:
    """What the origin is told of a request."""

    headers: frozenset[str]
    cookies: str
    query: str


@dataclass(frozen=True)
class Behaviour:
    """What is done with the requests that a pattern fits."""

    pattern: str
    origin: str
    methods: frozenset[str]
    kept_methods: frozenset[str]
    compress: bool
    viewers: str
    policy: Policy
    sent: Sent
    headers_policy: Value


def distribution(environment: Environment) -> Resource | None:
    """The one distribution."""
    found = list(environment.resources("AWS::CloudFront::Distribution"))
    return found[0] if len(found) == 1 else None


def before_all(environment: Environment) -> Resource | None:
    """The distribution, if all traffic passes it."""
    where = distribution(environment)
    return where if where is not None and environment.parameter("Mode", "edge") == "all" else None


def config(environment: Environment) -> dict[str, Value]:
    """Its configuration."""
    found = distribution(environment)
    return mapping(found.properties.get("DistributionConfig")) if found else {}


def _headers(value: Value) -> frozenset[str]:
    settings = mapping(value)
    kind = settings.get("HeaderBehavior", "none")
    if kind in ("allViewer", "allViewerAndWhitelistCloudFront"):
        return frozenset({"*"})
    return (
        frozenset(str(name).lower() for name in items(settings.get("Headers"))) if kind == "whitelist" else frozenset()
    )


def _policy(environment: Environment, value: Value) -> Policy | None:
    if value == CACHING_DISABLED:
        return NOTHING
    found = environment.behind(value)
    if found is None or found.type != "AWS::CloudFront::CachePolicy":
        return None
    settings = mapping(found.properties.get("CachePolicyConfig"))
    key = mapping(settings.get("ParametersInCacheKeyAndForwardedToOrigin"))
    return Policy(
        number(settings.get("MinTTL")),
        number(settings.get("DefaultTTL")),
        number(settings.get("MaxTTL")),
        _headers(key.get("HeadersConfig")),
        str(at(key, "CookiesConfig/CookieBehavior")),
        str(at(key, "QueryStringsConfig/QueryStringBehavior")),
        truth(key.get("EnableAcceptEncodingGzip")) and truth(key.get("EnableAcceptEncodingBrotli")),
    )


def _sent(environment: Environment, value: Value, policy: Policy) -> Sent | None:
    """What is in the cache's key is always sent."""
    if value is None:
        return Sent(policy.headers, policy.cookies, policy.query)
    if value == ALL_VIEWER:
        return Sent(frozenset({"*"}), "all", "all")
    found = environment.behind(value)
    if found is None or found.type != "AWS::CloudFront::OriginRequestPolicy":
        return None
    settings = mapping(found.properties.get("OriginRequestPolicyConfig"))
    cookies = str(at(settings, "CookiesConfig/CookieBehavior"))
    query = str(at(settings, "QueryStringsConfig/QueryStringBehavior"))
    return Sent(
        policy.headers | _headers(settings.get("HeadersConfig")),
        cookies if policy.cookies == "none" else policy.cookies,
        query if policy.query == "none" else policy.query,
    )


def behaviours(environment: Environment) -> Iterator[Behaviour | str]:
    """In the order in which CloudFront tries them, the default last; a string says what cannot be understood."""
    settings = config(environment)
    for body in [*items(settings.get("CacheBehaviors")), settings.get("DefaultCacheBehavior")]:
        one = mapping(body)
        pattern = str(one.get("PathPattern", "*"))
        policy = _policy(environment, one.get("CachePolicyId"))
        sent = _sent(environment, one.get("OriginRequestPolicyId"), policy) if policy else None
        if policy is None or sent is None:
            yield f"{pattern}: a policy that is not known"
            continue
        yield Behaviour(
            pattern,
            str(one.get("TargetOriginId")),
            frozenset(str(method) for method in items(one.get("AllowedMethods"))),
            frozenset(str(method) for method in items(one.get("CachedMethods"))),
            truth(one.get("Compress")),
            str(one.get("ViewerProtocolPolicy")),
            policy,
            sent,
            one.get("ResponseHeadersPolicyId"),
        )


def fits(pattern: str, path: str) -> bool:
    """CloudFront's patterns: * is anything, slashes too, ? one character."""
    expression = "".join(
        ".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern)
    )
    return re.fullmatch(expression, path) is not None


def for_path(environment: Environment, path: str) -> Behaviour | None:
    """The first that fits."""
    for one in behaviours(environment):
        if isinstance(one, Behaviour) and (one.pattern == "*" or fits(one.pattern, path)):
            return one
    return None


@cache
def operations() -> list[tuple[str, str, bool]]:
    """Each operation of the API as (METHOD, a path, may be the same for all)."""
    document = json.loads((SERVICES / "api/openapi.json").read_text(encoding="utf-8"))
    found = []
    for template, methods in document["paths"].items():
        path = re.sub(r"\{[^}]+\}", "42", template)
        for method, body in methods.items():
            if method in ("get", "head", "put", "post", "patch", "delete", "options"):
                found.append((method.upper(), path, method == "get" and not body.get("security")))
    return found


def is_catalogue(path: str) -> bool:
    """What CacheCatalogSeconds is about: products and lists of them. Reviews are not: they lie below, and one is the customer's own."""
    return re.match(r"/api/v1/products(/|$)", path) is not None and "/reviews" not in path


@property_of("CloudFront is reached by HTTPS alone")
def https(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    for one in behaviours(environment):
        if isinstance(one, str):
            yield where, one
            continue
        if one.viewers not in ("redirect-to-https", "https-only"):
            yield where, f"{one.pattern} is answered by {one.viewers}"
        if one.methods not in METHODS or one.kept_methods != READS:
            yield (
                where,
                f"{one.pattern}: CloudFront does not take these methods, or keeps answers to others than GET and HEAD",
            )
    settings = config(environment)
    for flag in ("Enabled", "IPV6Enabled"):
        if not truth(settings.get(flag)):
            yield where, f"{flag} is {settings.get(flag)}: records lead to it by IPv4 and IPv6"
    if settings.get("HttpVersion") not in ("http2", "http2and3"):
        yield where, "the storefront's many small files want HTTP/2"


@property_of("CloudFront answers by the shop's names, with a certificate of theirs")
def names(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    domain, mode = environment.parameter("Domain", "edge"), environment.parameter("Mode", "edge")
    found = config(environment)
    wanted = [] if not domain else [domain, f"www.{domain}"] if mode == "all" else [f"pictures.{domain}"]
    if sorted(map(str, items(found.get("Aliases")))) != sorted(wanted):
        yield where, f"its names are {found.get('Aliases')}, not {wanted}"
    certificate = mapping(found.get("ViewerCertificate"))
    if not domain:
        if not truth(certificate.get("CloudFrontDefaultCertificate")):
            yield where, "has no name of its own, and not CloudFront's certificate"
        return
    arn = str(certificate.get("AcmCertificateArn"))
    if not arn.startswith("arn:aws:acm:us-east-1:") or arn != environment.parameter("CertificateArn", "edge"):
        yield where, f"its certificate is {arn}: CloudFront takes those of us-east-1 only"
    if certificate.get("MinimumProtocolVersion") not in ("TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"):
        yield where, f"admits {certificate.get('MinimumProtocolVersion')}"
    if certificate.get("SslSupportMethod") != "sni-only":
        yield where, "has an address of its own, for 600 USD a month"


@property_of("what is personal never rests at CloudFront")
def personal(environment: Environment) -> Iterator[tuple[object, str]]:
    where = before_all(environment)
    if where is None:
        return
    seconds = number(environment.parameter("CacheCatalogSeconds", "edge"))
    for method, path, shared in operations():
        one = for_path(environment, path)
        if one is None or one.origin != "shop":
            yield where, f"{method} {path} does not come to the shop"
            continue
        if method not in one.methods:
            yield where, f"{method} {path} is refused"
        if shared and seconds > 0 and is_catalogue(path):
            yield from _catalogue(where, path, one, seconds)
        elif one.policy.keeps:
            yield where, f"{method} {path} is kept for up to {one.policy.longest:g} s"
        elif one.sent != Sent(frozenset({"*"}), "all", "all"):
            yield (
                where,
                f"{method} {path}: not everything is sent on, so Host, Authorization, cookies or the query are lost",
            )
        elif one.compress:
            yield where, f"{method} {path} is compressed, also where it holds a token (BREACH)"


def _catalogue(where: Resource, path: str, one: Behaviour, seconds: float) -> Iterator[tuple[object, str]]:
    policy, sent = one.policy, one.sent
    if (policy.lowest, policy.usual) != (0, 0):
        yield where, f"{path} is kept though the API did not say so, errors included (MinTTL, DefaultTTL)"
    if policy.longest != seconds:
        yield where, f"{path} is kept for {policy.longest:g} s, not CacheCatalogSeconds"
    if sent.cookies != "none" or sent.headers & {"*", "authorization", "cookie"}:
        yield where, f"{path}: the origin is told who asks, and its answer is given to others"
    if policy.query != "all":
        yield where, f"{path}: lists with other filters are the same to it"
    if not {"host", "origin"} <= policy.headers:
        yield where, f"{path}: the answer depends on Host (www redirects) and Origin (CORS), the key does not"
    if not (policy.compresses and one.compress):
        yield where, f"{path} is kept as it is and not compressed"
    if (
        not {"access-control-request-method", "access-control-request-headers"} <= sent.headers
        or "OPTIONS" not in one.methods
    ):
        yield where, f"{path}: a CORS preflight does not reach the API"


@property_of("pages are asked for each time, files of a release once")
def static(environment: Environment) -> Iterator[tuple[object, str]]:
    where = before_all(environment)
    if where is None:
        return
    for page in PAGES:
        one = for_path(environment, page)
        if (
            one is None
            or one.origin != "shop"
            or one.policy.keeps
            or one.sent.headers != {"*"}
            or not {"GET", "HEAD"} <= one.methods
        ):
            yield where, f"{page} is not asked of the shop each time, with all that the browser sent"
    one = for_path(environment, FILE)
    if one is None or one.origin != "shop" or not {"GET", "HEAD"} <= one.methods:
        yield where, f"{FILE} does not come from the shop"
        return
    policy = one.policy
    if policy.longest != 31536000:
        yield where, f"{FILE} is kept for {policy.longest:g} s, not for the year that nginx says"
    if (policy.lowest, policy.usual) != (0, 0):
        yield where, f"{FILE} is kept though nginx says no-store, as it does for a release that is not its own"
    if policy.cookies != "none" or policy.query != "none" or policy.headers != {"host"} or one.sent.headers != {"host"}:
        yield where, f"{FILE} is kept once for each visitor, or for www as for the apex"
    if not (policy.compresses and one.compress):
        yield where, f"{FILE} is not compressed"


@property_of("errors do not rest at CloudFront")
def errors(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    told = {
        number(mapping(one).get("ErrorCode")): mapping(one)
        for one in items(config(environment).get("CustomErrorResponses"))
    }
    for code in sorted(KEPT_ERRORS):
        if code not in told or number(told[code].get("ErrorCachingMinTTL")) != 0:
            yield where, f"{code} outlasts its cause"
    for code, one in told.items():
        if "ResponsePagePath" in one:
            yield where, f"{code:g}: the API's and the shop's own words are replaced"


@property_of("CloudFront fetches pictures from the bucket, signed")
def pictures(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    one = for_path(environment, PICTURE)
    origins = {str(mapping(origin).get("Id")): mapping(origin) for origin in items(config(environment).get("Origins"))}
    origin = origins.get(one.origin, {}) if one else {}
    if origin.get("DomainName") != environment.export("PicturesOrigin"):
        yield where, f"{PICTURE} comes from {origin.get('DomainName')}"
        return
    access = environment.behind(origin.get("OriginAccessControlId"))
    settings = mapping(access.properties.get("OriginAccessControlConfig")) if access else {}
    asked = [settings.get(name) for name in ("OriginAccessControlOriginType", "SigningBehavior", "SigningProtocol")]
    if asked != ["s3", "always", "sigv4"]:
        yield where, f"asks the bucket unsigned ({asked}), which refuses"
    if at(origin, "S3OriginConfig/OriginAccessIdentity") != "":
        yield where, "has an origin access identity beside the access control"
    assert one is not None
    if one.sent.headers or one.sent.cookies != "none" or one.sent.query != "none":
        yield where, "tells S3 of the visitor, whose Host S3 does not know"
    if (
        not one.policy.keeps
        or one.policy.lowest != 0
        or not 3600 <= one.policy.usual <= 604800
        or one.policy.longest < one.policy.usual
    ):
        yield where, "pictures do not rest for between an hour and a week, or no longer than they say"
    if not (one.compress and one.policy.compresses):
        yield where, "pictures, which are text, are not compressed"
    if one.methods != {"GET", "HEAD"}:
        yield where, f"the bucket is open to {sorted(one.methods)}"
    headers = environment.behind(one.headers_policy)
    security = mapping(at(headers.properties, "ResponseHeadersPolicyConfig/SecurityHeadersConfig")) if headers else {}
    content = str(at(security, "ContentSecurityPolicy/ContentSecurityPolicy"))
    if (
        "default-src 'none'" not in content
        or "sandbox" not in [part.strip() for part in content.split(";")]
        or "script-src" in content
    ):
        yield where, "a picture that is opened by itself may run scripts"
    if not all(
        truth(at(security, f"{name}/Override")) for name in ("ContentSecurityPolicy", "StrictTransportSecurity")
    ):
        yield where, "what S3 says goes over what pictures may do"
    if not truth(at(security, "ContentTypeOptions/Override")):
        yield where, "a picture may be taken for something else (nosniff)"
    more = (
        [mapping(one) for one in items(at(headers.properties, "ResponseHeadersPolicyConfig/CustomHeadersConfig/Items"))]
        if headers
        else []
    )
    if {"Header": "Cross-Origin-Resource-Policy", "Value": "cross-origin", "Override": True} not in more:
        yield where, "the shop's pages, which are of another origin, may not show the pictures"
    if PREFIX in {path.name for path in (SERVICES / "web/storefront").iterdir()}:
        yield where, f"/{PREFIX} hides files of the storefront"


@property_of("the shop says that it is reached by HTTPS")
def strict(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    for one in behaviours(environment):
        if isinstance(one, str):
            continue
        policy = environment.behind(one.headers_policy)
        said = (
            mapping(at(policy.properties, "ResponseHeadersPolicyConfig/SecurityHeadersConfig/StrictTransportSecurity"))
            if policy
            else {}
        )
        if number(said.get("AccessControlMaxAgeSec")) < 15768000 or not said:
            yield where, f"{one.pattern} has no Strict-Transport-Security of half a year or more"


@property_of("CloudFront asks the load balancer as that listens")
def origin(environment: Environment) -> Iterator[tuple[object, str]]:
    where = before_all(environment)
    if where is None:
        return
    origins = {str(mapping(one).get("Id")): mapping(one) for one in items(config(environment).get("Origins"))}
    shop = origins.get("shop", {})
    if shop.get("DomainName") != environment.export("AlbDnsName"):
        yield where, f"the shop is asked at {shop.get('DomainName')}"
    settings = mapping(shop.get("CustomOriginConfig"))
    scheme = "https-only" if environment.parameter("CertificateArn", "app") else "http-only"
    if settings.get("OriginProtocolPolicy") != scheme:
        yield where, f"asks by {settings.get('OriginProtocolPolicy')}, the load balancer answers by {scheme}"
    if items(settings.get("OriginSSLProtocols")) != ["TLSv1.2"]:
        yield where, f"speaks {settings.get('OriginSSLProtocols')} with the load balancer"
    if (settings.get("HTTPPort"), settings.get("HTTPSPort")) != (80, 443):
        yield where, "asks at other ports than 80 and 443"
    if not 5 <= number(settings.get("OriginKeepaliveTimeout")) < ALB_IDLE_SECONDS:
        yield where, "keeps idle connections as long as the load balancer does, which then closes them under a request"
    if not checkout_seconds() < number(settings.get("OriginReadTimeout")) <= 60:
        yield where, "gives a checkout up before nginx does, and the shopper is not told how it ended"
    if not 1 <= number(shop.get("ConnectionTimeout")) * number(shop.get("ConnectionAttempts")) <= 10:
        yield where, "waits longer than 10 s for a load balancer that does not accept"


@cache
def checkout_seconds() -> float:
    """When nginx gives up a checkout: the last try may begin just before the end of the time for tries."""
    source = (SERVICES / "web/nginx/checkout.conf.template").read_text(encoding="utf-8")
    limits = dict(re.findall(r"^(proxy_read_timeout|proxy_next_upstream_timeout)\s+(\d+)s;", source, re.MULTILINE))
    return float(limits["proxy_read_timeout"]) + float(limits["proxy_next_upstream_timeout"])


@property_of("CloudFront's exports are its own")
def exports(environment: Environment) -> Iterator[tuple[object, str]]:
    where = distribution(environment)
    if where is None:
        return
    own_name = GetAtt(where.stack, where.id, "DomainName")
    if environment.export("DistributionDomain") != own_name:
        yield where, "the export DistributionDomain is not its name"
    if environment.export("DistributionId") != Ref(where.stack, where.id):
        yield where, "the export DistributionId is not its id"
    names = [str(name) for name in items(config(environment).get("Aliases"))]
    url = environment.export("EdgePicturesUrl")
    fit = [f"https://{name}/{PREFIX}" for name in names] if names else [Text(("https://", own_name, f"/{PREFIX}"))]
    if url not in fit:
        yield where, f"the export EdgePicturesUrl is {url}, which does not lead to it"
