"""What this program remembers of a place, in SSM parameters beside the shop's own: which preset is there, and since
when.

Values that a user set are not remembered (a webhook is a secret): CloudFormation has them, and their names are enough
to keep them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from trestle_aws.clients import code_of
from trestle_aws.place import Place

FOLDER = "trestle-aws"


@dataclass(frozen=True)
class Record:
    """What was deployed last."""

    preset: str
    release: str
    sha256: str
    set: list[str] = field(default_factory=list)
    at: str = ""
    added: list[str] = field(default_factory=list)


@dataclass
class Notes:
    """Small JSON values that outlive this process."""

    client: BaseClient
    place: Place

    def read(self, name: str) -> dict[str, object] | None:
        """A value; none where there is none."""
        try:
            found = self.client.get_parameter(Name=self.place.parameter(f"{FOLDER}/{name}"))
        except ClientError as error:
            if code_of(error) == "ParameterNotFound":
                return None
            raise
        value = json.loads(found["Parameter"]["Value"])
        return value if isinstance(value, dict) else None

    def write(self, name: str, value: dict[str, object], *, new: bool = False) -> bool:
        """Keeps a value; with `new` only where there is none yet, and false where there is."""
        path = self.place.parameter(f"{FOLDER}/{name}")
        try:
            if new or self.read(name) is None:
                self.client.put_parameter(Name=path, Value=json.dumps(value), Type="String", Tags=self.place.tag_list())
            else:
                self.client.put_parameter(Name=path, Value=json.dumps(value), Type="String", Overwrite=True)
        except ClientError as error:
            if code_of(error) == "ParameterAlreadyExists":
                return False
            raise
        return True

    def forget(self, name: str) -> None:
        """Deletes a value, if it is there."""
        try:
            self.client.delete_parameter(Name=self.place.parameter(f"{FOLDER}/{name}"))
        except ClientError as error:
            if code_of(error) != "ParameterNotFound":
                raise

    def deployed(self) -> Record | None:
        """What was deployed last."""
        value = self.read("deployed")
        if value is None:
            return None
        return Record(
            preset=str(value.get("preset", "")),
            release=str(value.get("release", "")),
            sha256=str(value.get("sha256", "")),
            set=_names(value.get("set")),
            at=str(value.get("at", "")),
            added=_names(value.get("added")),
        )

    def deploy(self, record: Record) -> None:
        """Remembers what is deployed."""
        self.write("deployed", dict(asdict(record)))


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
