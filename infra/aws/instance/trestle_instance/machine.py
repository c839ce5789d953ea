"""Which machine this is: what user-data said at the first boot, kept for the services that run later."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path("/etc/trestle")
CURRENT = Path("/opt/trestle/current")
ROLES = ("web", "api", "job", "single", "instance")


class Stop(Exception):
    """The machine cannot become what it should; the text is the last line of the log."""


@dataclass(frozen=True)
class Machine:
    """What user-data said."""

    role: str
    project: str
    environment: str
    region: str
    release: str

    @classmethod
    def from_environment(cls) -> Machine:
        """As bootstrap is called."""
        names = {
            "role": "ROLE",
            "project": "Project",
            "environment": "Environment",
            "region": "Region",
            "release": "Release",
        }
        missing = [name for name in names.values() if not os.environ.get(name)]
        if missing:
            raise Stop(f"user-data sets no {', '.join(missing)}")
        machine = cls(**{field: os.environ[name] for field, name in names.items()})
        if machine.role not in ROLES:
            raise Stop(f"ROLE {machine.role}: one of {', '.join(ROLES)}")
        return machine

    @classmethod
    def known(cls) -> Machine:
        """As it was configured."""
        return cls(**json.loads((FOLDER / "machine.json").read_text()))

    def keep(self) -> None:
        """For the services."""
        write(FOLDER / "machine.json", json.dumps(asdict(self), indent=2) + "\n")

    def path(self, rest: str) -> str:
        """The name of a parameter or a log group."""
        return f"/{self.project}/{self.environment}/{rest}"


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A file, whole or not at all; never readable by more than `mode` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    temporary.replace(path)


def environment_file(values: dict[str, str]) -> str:
    """Variables as systemd's EnvironmentFile reads them."""
    lines = []
    for name, value in sorted(values.items()):
        if "\n" in value or "\0" in value:
            raise Stop(f"the parameter {name} has more than one line")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
        lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)
