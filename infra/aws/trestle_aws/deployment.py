"""Brings a place to a design, stack by stack. Each step looks at what is there first, so that it can be given again
after any failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from trestle_aws import cloudfront, delegation, job, pictures, refresh, releases
from trestle_aws.cloudformation import Outcome, Review, Wanted
from trestle_aws.context import Context
from trestle_aws.errors import Failure
from trestle_aws.planning import ADDED_STACKS, OWN, Design
from trestle_aws.presets import template_path
from trestle_aws.record import Record
from trestle_aws.releases import Archive


@dataclass
class Deployment:
    """One run. It is also the `Source` of the values that only a deployment knows."""

    context: Context
    design: Design
    archive: Archive
    kept: dict[str, set[str]] = field(default_factory=dict)
    """Secret parameters by stack that a user set earlier: CloudFormation keeps them."""
    review: Review | None = None
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What else is done before a stack, by `move`."""
    delegated: Callable[[str, list[str]], None] = delegation.check
    _given: dict[str, dict[str, str]] = field(default_factory=dict)
    _job: str | None = None

    def run(self) -> None:
        """All of it, and what was done is remembered."""
        self.make()
        self.remember()

    def make(self) -> None:
        """All stacks, the job, and the instances of the release."""
        for key in self.design.keys():
            self._before_stack(key)
            outcome = self._stack(key)
            self._after_stack(key, outcome)
        self._complete()
        refresh.groups(self.context)

    def certificate(self, key: str) -> str:
        """The ARN of a certificate that this deployment has made before."""
        state = self.context.stacks(key).state(key)
        if state is None or "CertificateArn" not in state.outputs:
            raise Failure(f"{key}: the stack has no certificate; it comes before those that need it")
        return state.outputs["CertificateArn"]

    def hosted_zone(self) -> str:
        """The domain's zone."""
        return self._export("HostedZoneId", "dns")

    def release_bucket(self) -> str:
        """The bucket of the stack release."""
        return self._export("ReleaseBucket", "release")

    def database_is_ready(self) -> bool:
        """Whether there is a schema for the API. Without a job the instances make their own database."""
        if "job" not in self.design.keys():
            return True
        found = job.report(self.context)
        return found is not None and found.is_done

    def cloudfront_list(self) -> str:
        """The region's prefix list of CloudFront."""
        return cloudfront.prefix_list(self.context)

    def cloudfront_networks(self) -> list[str]:
        """What is in it."""
        return cloudfront.networks(self.context)

    def distribution(self) -> str:
        """Nothing on the first way through: the distribution comes after what it stands before, which is then changed
        once more.
        """
        return self.context.exports().get("DistributionDomain", "")

    def _export(self, name: str, key: str) -> str:
        exports = self.context.exports()
        if name not in exports:
            raise Failure(f"{key}: the stack does not export {name}; it comes before those that need it")
        return exports[name]

    def _before_stack(self, key: str) -> None:
        if key.startswith("certificate"):
            servers = self.context.exports().get("NameServers", "")
            # A zone that was there before (ExistingZoneId) is its owner's, and delegated.
            if servers:
                self.delegated(self.design.domain, servers.split(","))
        if key == "app" and self._job is not None and self._api_is_on():
            # The API that runs must find the new schema before the first instance of the new release starts.
            self.await_job()
        if key in self.before:
            self.before[key]()

    def _stack(self, key: str) -> Outcome:
        body = template_path(key, self.design.root).read_text(encoding="utf-8")
        kept = frozenset(self.kept.get(key, set()))
        stacks = self.context.stacks(key)
        if key != "release":
            stacks.upload = self._upload
        if kept and stacks.state(key) is None:
            raise Failure(
                f"{key}: the stack is gone, and with it what was set: say --set {key}.{min(kept)}=VALUE again"
            )
        self._given[key] = self.design.parameters(key, self)
        return stacks.change(Wanted(key, body, self._given[key], kept), self.review)

    def _upload(self, body: str) -> str:
        return releases.upload_template(self.context, self.release_bucket(), body)

    def _after_stack(self, key: str, outcome: Outcome) -> None:
        if key == "release":
            releases.upload(self.context, self.release_bucket(), self.archive)
        if key == "data" and outcome is Outcome.CREATED:
            job.forget(self.context)
        if key == "job":
            self._start_job()
        if key == "assets":
            new = pictures.upload(self.context.clients.of("s3"), self._export("PicturesBucket", key))
            self.context.say(
                f"assets: {new} pictures are new in the bucket" if new else "assets: the pictures are in the bucket"
            )

    def _start_job(self) -> None:
        """Where the database is not ready for this release."""
        found = job.report(self.context)
        if found and found.is_done and found.release == self.design.release.version:
            self.context.say("job: the database is ready for this release")
            return
        self._job = job.start(self.context, self.design.release.version)

    def await_job(self) -> None:
        """Until the job that was started has reported."""
        if self._job is not None:
            job.wait(self.context, self._job)
            self._job = None

    def _api_is_on(self) -> bool:
        state = self.context.stacks("app").state("app")
        return state is not None and state.parameters.get("DatabaseReady") == "yes"

    def _complete(self) -> None:
        """What a stack was given too early: that the database is ready, or the name of the distribution before it."""
        self.await_job()
        for key in self.design.keys():
            if self.design.parameters(key, self) != self._given[key]:
                self._stack(key)

    def remember(self) -> None:
        """For the next call."""
        preset, release = self.design.preset.name, self.design.release
        now = datetime.now(UTC).isoformat(timespec="seconds")
        added = [key for key in self.design.keys() if key in ADDED_STACKS]
        self.context.notes.deploy(
            Record(preset, release.version, release.sha256, user_set(self.design, self.kept), now, added)
        )


def user_set(design: Design, kept: dict[str, set[str]]) -> list[str]:
    """The names of what the user set, now or earlier, stack by stack."""
    names = {f"{key}.{name}" for key, some in kept.items() for name in some}
    for key in design.keys():
        given = design.settings.of(key, design.templates[key].parameters)
        names |= {f"{key}.{name}" for name, value in given.items() if value and name not in OWN}
    return sorted(names)
