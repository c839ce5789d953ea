"""From a preset and what the user sets to stacks with all their parameters, checked before anything is made.

What only a deployment knows (a certificate's ARN, the release bucket) comes from a `Source`: real, or an example that
is good enough to evaluate the templates with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from trestle_aws import mirrors
from trestle_aws.errors import UsageError
from trestle_aws.place import US_EAST_1, Place
from trestle_aws.presets import ORDER, Preset, Settings, template_path
from trestle_aws.template import ParameterError, RuleError, Stack, Template
from trestle_aws.values import Value

# Stacks that are there because of a domain; without one they are left out, with one they are added.
DOMAIN_STACKS = ("dns", "certificate", "certificate-us-east-1", "records")
# Stacks that every preset can have beside its own: --with.
ADDED_STACKS = ("schedule", "peering")
OWN = ("Project", "Environment")


@dataclass(frozen=True)
class Release:
    """What is installed: a version, and the SHA-256 of its archive."""

    version: str
    sha256: str


EXAMPLE_RELEASE = Release("0.0.0", "0" * 64)


class Source(Protocol):
    """Values that only a deployment knows."""

    def certificate(self, key: str) -> str:
        """The ARN of the certificate in the stack of this key."""

    def hosted_zone(self) -> str:
        """The id of the domain's zone."""

    def release_bucket(self) -> str:
        """The name of the bucket with the releases."""

    def database_is_ready(self) -> bool:
        """Whether the job has reported that the schema is there."""

    def cloudfront_list(self) -> str:
        """The id of the region's prefix list with the addresses that CloudFront asks from."""

    def cloudfront_networks(self) -> list[str]:
        """What is in it."""

    def distribution(self) -> str:
        """CloudFront's name of the place's distribution; nothing before there is one."""


@dataclass(frozen=True)
class Examples:
    """Values of the right form, before anything is there."""

    place: Place
    bucket: str = ""
    """The release bucket, where it is known."""

    def certificate(self, key: str) -> str:
        """An ARN."""
        region = US_EAST_1 if key.endswith(US_EAST_1) else self.place.region
        return f"arn:aws:acm:{region}:123456789012:certificate/00000000-0000-0000-0000-000000000000"

    def hosted_zone(self) -> str:
        """An id."""
        return "Z0000000000EXAMPLE"

    def release_bucket(self) -> str:
        """A name."""
        return self.bucket or f"{self.place.prefix}releases-example"

    def database_is_ready(self) -> bool:
        """As it ends."""
        return True

    def cloudfront_list(self) -> str:
        """An id."""
        return "pl-00000000"

    def cloudfront_networks(self) -> list[str]:
        """Networks."""
        return ["192.0.2.0/24", "198.51.100.0/24"]

    def distribution(self) -> str:
        """A name."""
        return "d000000000000.cloudfront.net"


@dataclass(frozen=True)
class Design:
    """The stacks of a preset as the user wants them; parameters come from a source."""

    place: Place
    preset: Preset
    settings: Settings
    release: Release
    root: Path
    templates: dict[str, Template]

    @classmethod
    def make(cls, place: Place, preset: Preset, settings: Settings, release: Release, root: Path) -> Design:
        """Reads the templates, and leaves out or adds what depends on a domain."""
        preset = _with_domain(place, preset, settings)
        templates = {key: Template.read(template_path(key, root)) for key in preset.stacks}
        settings.check({key: template.parameters for key, template in templates.items()})
        return cls(place, preset, settings, release, root, templates)

    @property
    def domain(self) -> str:
        """The shop's domain, if it has one."""
        return _domain(self.settings)

    def keys(self) -> list[str]:
        """The stacks in the order in which they are made."""
        return list(self.preset.stacks)

    def parameters(self, key: str, source: Source) -> dict[str, str]:
        """All that a stack is given: the preset's, what is filled in, and what the user sets, which goes over all."""
        names = self.templates[key].parameters
        filled = {name: value for name, value in self._filled(key, source) if name in names}
        own = {"Project": self.place.project, "Environment": self.place.environment}
        follows = dict(mirrors.following(key, self._set, self._says))
        return own | filled | self.preset.stacks[key] | follows | self.settings.of(key, names)

    def _filled(self, key: str, source: Source) -> Iterator[tuple[str, str]]:
        names = self.templates[key].parameters
        if "Release" in names:
            yield "Release", self.release.version
        if "ReleaseSha256" in names:
            yield "ReleaseSha256", self.release.sha256
        if "ReleaseBucket" in names:
            yield "ReleaseBucket", source.release_bucket()
        if "DatabaseReady" in names:
            yield "DatabaseReady", "yes" if source.database_is_ready() else "no"
        if key == "security" and self._says(key, "CloudFrontOnly") == "yes":
            yield "CloudFrontPrefixList", source.cloudfront_list()
            yield "CloudFrontPort", "443" if self.domain else "80"
        if key == "app" and self._says(key, "BehindCloudFront") == "yes":
            yield "TrustedProxies", ",".join(source.cloudfront_networks())
        if key == "app" and self._says(key, "Pictures") == "cdn" and not self.domain:
            yield "PictureHosts", source.distribution()
        if key == "schedule":
            yield from mirrors.schedule(self.preset.stacks)
        if self.domain:
            yield "Domain", self.domain
            yield from self._filled_for_domain(key, source)

    def _set(self, key: str, parameter: str) -> str:
        """What the user sets of a parameter."""
        template = self.templates.get(key)
        return self.settings.of(key, template.parameters).get(parameter, "") if template else ""

    def _says(self, key: str, parameter: str) -> str:
        """What the user, the preset or the template says of a parameter."""
        if key not in self.templates:
            return ""
        default = self.templates[key].parameters.get(parameter, {}).get("Default", "")
        return self._set(key, parameter) or self.preset.stacks[key].get(parameter, str(default))

    def _filled_for_domain(self, key: str, source: Source) -> Iterator[tuple[str, str]]:
        if key == "certificate-us-east-1":
            yield "HostedZoneId", source.hosted_zone()
        if "CertificateArn" in self.templates[key].parameters:
            elsewhere = key == "edge" and self.place.region != US_EAST_1
            yield "CertificateArn", source.certificate("certificate-us-east-1" if elsewhere else "certificate")
        if key == "records":
            mode = (self._says("edge", "Mode") or "pictures") if "edge" in self.preset.stacks else ""
            target = "cloudfront" if mode == "all" else "alb" if "app" in self.preset.stacks else "instances"
            yield "Target", target
            yield "Pictures", "yes" if mode == "pictures" else "no"

    def evaluate(self, source: Source | None = None, known: Mapping[str, str] | None = None) -> list[Stack]:
        """All the stacks, each with the exports of those before it. Names the stack and the parameter that is wrong.

        `known` are exports of stacks that are there already, by their names after Project-Environment-.
        """
        source = source or Examples(self.place)
        there: dict[str, Value] = {self.place.export(name): value for name, value in (known or {}).items()}
        exports: dict[str, dict[str, Value]] = {self.place.region: there}
        stacks = []
        for key in self.keys():
            region = US_EAST_1 if key.endswith(US_EAST_1) else self.place.region
            parameters = self.parameters(key, source)
            try:
                imports = exports.setdefault(region, {})
                stack = self.templates[key].evaluate(parameters, region=region, imports=imports, key=key)
            except ParameterError as error:
                name = self._said_as(key, error.name)
                raise UsageError(f"{name}: {error.reason} (--set {name}=VALUE)") from error
            except RuleError as error:
                raise UsageError(f"{key}: {error}") from error
            exports[region].update(stack.exports)
            stacks.append(stack)
        return stacks

    def _said_as(self, key: str, parameter: str) -> str:
        """The name under which the user knows a parameter: of what it follows, if that was set."""
        source = mirrors.FOLLOWS.get((key, parameter))
        if source and not self._set(key, parameter) and self._set(*source):
            return ".".join(source)
        return f"{key}.{parameter}"


def with_added(preset: Preset, added: Iterable[str]) -> Preset:
    """The preset with stacks that the user adds."""
    stacks = dict(preset.stacks)
    for key in added:
        if key not in ADDED_STACKS:
            raise UsageError(f"--with {key}: it is one of {', '.join(ADDED_STACKS)}")
        stacks.setdefault(key, {})
    return replace(preset, stacks={key: stacks[key] for key in ORDER if key in stacks})


def _domain(settings: Settings) -> str:
    for values in (settings.values, settings.earlier):
        said = [value for name, value in values.items() if name.rpartition(".")[2] == "Domain"]
        if said:
            return said[0]
    return ""


def _with_domain(place: Place, preset: Preset, settings: Settings) -> Preset:
    stacks = dict(preset.stacks)
    if not _domain(settings):
        for key in DOMAIN_STACKS:
            stacks.pop(key, None)
        return replace(preset, stacks=stacks)
    wanted = ["dns", "records"]
    if "app" in stacks:
        wanted.append("certificate")
    if "edge" in stacks:
        # CloudFront takes its certificate from us-east-1; there one serves both.
        wanted.append("certificate" if place.region == US_EAST_1 else "certificate-us-east-1")
    for key in wanted:
        stacks.setdefault(key, {})
    for key in set(DOMAIN_STACKS) - set(wanted):
        stacks.pop(key, None)
    return replace(preset, stacks={key: stacks[key] for key in ORDER if key in stacks})
