"""What every command is given: where, with which clients, and where to say what happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from trestle_aws.clients import Clients
from trestle_aws.cloudformation import Stacks, State
from trestle_aws.errors import Failure
from trestle_aws.place import US_EAST_1, Place
from trestle_aws.presets import ORDER, ROOT
from trestle_aws.progress import Progress
from trestle_aws.record import Notes
from trestle_aws.remote import Remote


@dataclass
class Context:
    """One call of `trestle-aws`."""

    place: Place
    profile: str | None = None
    root: Path = ROOT
    progress: Progress = field(default_factory=Progress)

    @cached_property
    def clients(self) -> Clients:
        """The account, in the place's region."""
        return Clients(self.place.region, self.profile)

    @cached_property
    def notes(self) -> Notes:
        """What is remembered of the place."""
        return Notes(self.clients.of("ssm"), self.place)

    @cached_property
    def remote(self) -> Remote:
        """Commands on instances."""
        return Remote(self.clients.of("ssm"))

    def say(self, line: str) -> None:
        """Progress."""
        self.progress.say(line)

    def region_of(self, key: str) -> str:
        """Where a stack is: what CloudFront needs is in us-east-1."""
        return US_EAST_1 if key.endswith("-us-east-1") else self.place.region

    def stacks(self, key: str = "") -> Stacks:
        """The stacks, in the region of the one that is meant."""
        client = self.clients.elsewhere(self.region_of(key)).of("cloudformation")
        return Stacks(client, self.place, self.progress)

    def exports(self) -> dict[str, str]:
        """What the stacks export, by the name after Project-Environment-."""
        pages = self.clients.of("cloudformation").get_paginator("list_exports").paginate()
        prefix = self.place.prefix
        found: dict[str, str] = {}
        for page in pages:
            for export in page["Exports"]:
                name = str(export["Name"]).removeprefix(prefix)
                # Another environment's name can begin with this one's: trestle-a and trestle-a-b.
                if name != export["Name"] and "-" not in name:
                    found[name] = str(export["Value"])
        return found

    def own(self) -> dict[str, State]:
        """The stacks of this environment that there are, in the order in which they are made. Both tags have to be
        right.
        """
        found = {}
        for key in ORDER:
            state = self.stacks(key).state(key)
            if state and self.place.owns(state.tags):
                found[key] = state
        return found

    def nothing(self) -> Failure:
        """What is said where a shop is needed and there is none."""
        place = self.place
        return Failure(
            f"nothing is deployed as --project {place.project} --environment {place.environment} --region "
            f"{place.region}; "
            "`trestle-aws deploy PRESET` does"
        )
