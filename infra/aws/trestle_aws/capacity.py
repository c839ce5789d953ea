"""Whether the database takes the connections of so many replicas, and whether machines are fit to be measured."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trestle_aws.errors import UsageError

# The rest is for the job, for people, and for MySQL's own.
SHARE = 0.8
BURSTABLE = re.compile(r"(db\.|cache\.)?t\d[a-z]*\.")


def check_connections(pool: int, replicas: int, surplus: int, most: int) -> None:
    """Refuses when all pools together could take more than 80 % of what MySQL allows."""
    wanted = pool * (replicas + surplus)
    if wanted > SHARE * most:
        fits = int(SHARE * most / pool) - surplus
        raise UsageError(
            f"N {replicas}: {pool} connections (PoolSize) x ({replicas} + {surplus} while instances are refreshed) = "
            f"{wanted} is more "
            f"than 80 % of the database's {most}; {max(fits, 0)} replicas fit, or a larger DatabaseClass"
        )


def check_steady(types: Iterable[tuple[str, str]]) -> None:
    """Refuses machines whose CPU depends on the credits that they have left. Pairs of what it is, and its class."""
    for what, type_ in types:
        if BURSTABLE.match(type_):
            raise UsageError(
                f"{what} is a {type_}, whose CPU depends on its credits: a measurement would show those. Take "
                "another class "
                "(m7g, c7g; db.m7g), or say --allow-burst"
            )
