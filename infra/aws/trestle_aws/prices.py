"""The price table: `prices.yml`, which users edit, so that what is wrong in it is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from trestle_aws.errors import UsageError
from trestle_aws.presets import ROOT


@dataclass(frozen=True)
class Prices:
    """US dollars, in the region that was asked for."""

    source: dict[str, object]
    factor: float
    where: str

    @classmethod
    def read(cls, region: str, path: Path = ROOT / "prices.yml") -> Prices:
        """The table of a file. A region that it does not know costs what us-east-1 does; `is_known` tells."""
        if not path.is_file():
            raise UsageError(f"--prices {path}: there is no such file")
        try:
            source = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
        if not isinstance(source, dict):
            raise UsageError(f"{path}: it is no table of prices")
        table = cls(source, 1.0, str(path))
        factors = source.get("region_factor")
        known = isinstance(factors, dict) and region in factors
        return cls(source, table.plain("region_factor", region) if known else 1.0, str(path))

    def knows(self, region: str) -> bool:
        """Whether the region has a factor of its own."""
        factors = self.source.get("region_factor")
        return isinstance(factors, dict) and region in factors

    @property
    def hours(self) -> float:
        """Hours of a month."""
        return self._number(self.source.get("hours_per_month"), "hours_per_month")

    def plain(self, *names: str) -> float:
        """A number as it stands, such as `assumed`, `nat_gib`."""
        value: object = self.source
        for name in names:
            if not isinstance(value, dict) or name not in value:
                raise UsageError(f"{self.where}: {'/'.join(names)} is missing")
            value = value[name]
        return self._number(value, "/".join(names))

    def price(self, *names: str) -> float:
        """A price in the region."""
        return self.plain(*names) * self.factor

    def month(self, *names: str) -> float:
        """The price of a month of what is priced by the hour."""
        return self.price(*names) * self.hours

    def _number(self, value: object, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise UsageError(f"{self.where}: {name} is {value!r}, no price")
        return float(value)
