"""Where a Trestle is: project, environment and region, and the names and tags that follow from them.

Invariant: whatever this program creates bears both tags, and it deletes nothing that does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trestle_aws.errors import UsageError

NAME = re.compile(r"^[a-z][a-z0-9-]{0,15}$")
REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
# CloudFront takes its certificates from there, whatever the region.
US_EAST_1 = "us-east-1"


@dataclass(frozen=True)
class Place:
    """One environment of one project in one region."""

    project: str
    environment: str
    region: str

    def check(self) -> Place:
        """Itself, or which option is wrong."""
        for option, value in (("--project", self.project), ("--environment", self.environment)):
            if not NAME.match(value):
                raise UsageError(f"{option} {value!r}: a small letter, then up to 15 small letters, digits or hyphens")
        if not REGION.match(self.region):
            raise UsageError(f"--region {self.region!r}: name one as us-east-1")
        return self

    @property
    def prefix(self) -> str:
        """What every stack's and export's name begins with."""
        return f"{self.project}-{self.environment}-"

    def stack(self, name: str) -> str:
        """The name of a stack."""
        return self.prefix + name

    def export(self, name: str) -> str:
        """The name of an export."""
        return self.prefix + name

    def parameter(self, path: str) -> str:
        """The name of an SSM parameter."""
        return f"/{self.project}/{self.environment}/{path}"

    @property
    def tags(self) -> dict[str, str]:
        """The two tags that say whose a resource is."""
        return {"Project": self.project, "Environment": self.environment}

    def tag_list(self, name: str | None = None) -> list[dict[str, str]]:
        """The tags as most services want them."""
        tags = self.tags | ({"Name": self.prefix + name} if name else {})
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def filters(self) -> list[dict[str, object]]:
        """EC2's filters for both tags."""
        return [{"Name": f"tag:{key}", "Values": [value]} for key, value in self.tags.items()]

    def owns(self, tags: list[dict[str, str]] | None) -> bool:
        """Whether a resource with these tags is this environment's."""
        found = {tag["Key"]: tag["Value"] for tag in tags or []}
        return all(found.get(key) == value for key, value in self.tags.items())
