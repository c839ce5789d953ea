"""The stack schedule: the right hours on the right days by the clock of a place, summer time included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from engine.checks.schedule import Cron, Step, steps
from engine.environment import STACKS, Variant, build
from engine.variants import OPTIONS

from trestle_aws.template import ParameterError, RuleError, Stack, Template


def evaluate(**parameters: str) -> Stack:
    return Template.read(STACKS / "schedule.yml").evaluate({"Environment": "test"} | parameters)


def known(zone: str, *settings: str) -> dict[tuple[str, bool], Step]:
    """The demo's schedule in a place, by what and whether it starts."""
    base = OPTIONS["office hours"]
    other = tuple(one for one in base.settings if not one.startswith("schedule.TimeZone"))
    variant = Variant(
        base.preset, (*other, f"schedule.TimeZone={zone}", *(f"schedule.{one}" for one in settings)), base.stacks
    )
    return {(step.what, step.starts): step for step in steps(build(variant)) if isinstance(step, Step)}


def utc(step: Step, day: datetime) -> str:
    """When it comes on that day, by the clock of Greenwich; "" if not."""
    times = step.cron.times(ZoneInfo(step.zone), day, 1)
    return times[0].astimezone(UTC).strftime("%H:%M") if times else ""


@pytest.mark.parametrize(
    ("zone", "day", "web_starts", "database_stops"),
    [
        ("Asia/Seoul", datetime(2026, 1, 12), "23:20", "10:20"),
        ("Asia/Seoul", datetime(2026, 7, 13), "23:20", "10:20"),
        ("Europe/Berlin", datetime(2026, 1, 12), "07:20", "18:20"),
        ("Europe/Berlin", datetime(2026, 7, 13), "06:20", "17:20"),
        # The Monday after the clocks went forward in America, and before they do in Europe.
        ("America/New_York", datetime(2026, 3, 9), "12:20", "23:20"),
        ("America/New_York", datetime(2026, 3, 2), "13:20", "00:20"),
        ("Europe/London", datetime(2026, 3, 9), "08:20", "19:20"),
        ("Europe/London", datetime(2026, 10, 26), "08:20", "19:20"),
        ("Europe/London", datetime(2026, 10, 23), "07:20", "18:20"),
        ("Australia/Sydney", datetime(2026, 1, 12), "21:20", "08:20"),
        ("Asia/Kolkata", datetime(2026, 1, 12), "02:50", "13:50"),
    ],
)
def test_hours_are_those_of_the_place_in_summer_and_winter(
    zone: str, day: datetime, web_starts: str, database_stops: str
) -> None:
    found = known(zone)
    assert utc(found["web", True], day) == web_starts
    assert utc(found["database", False], day) == database_stops


def test_the_weekend_is_free_and_stops_go_on() -> None:
    found = known("Asia/Seoul")
    saturday, sunday = datetime(2026, 11, 28), datetime(2026, 11, 29)
    for what in ("web", "api", "database"):
        assert utc(found[what, True], saturday) == utc(found[what, True], sunday) == ""
        assert utc(found[what, False], saturday) and utc(found[what, False], sunday)


def test_rds_that_starts_itself_after_seven_days_is_stopped_the_same_evening() -> None:
    stop = known("Asia/Seoul")["database", False]
    zone = ZoneInfo("Asia/Seoul")
    stopped = datetime(2026, 12, 18, 19, 20, tzinfo=zone)
    restarted = stopped + timedelta(days=7, minutes=30)
    again = min(time for time in stop.cron.times(zone, datetime(2026, 12, 18), 14) if time > restarted)
    assert again - restarted < timedelta(days=1)


@pytest.mark.parametrize("days", ["MON-FRI", "MON-SAT", "SUN-SAT"])
def test_days_mean_the_same_to_both_services(days: str) -> None:
    found = known("Etc/UTC", f"Days={days}")
    assert found["web", True].cron.days == found["database", True].cron.days
    assert len(found["web", True].cron.days) == {"MON-FRI": 5, "MON-SAT": 6, "SUN-SAT": 7}[days]


def test_no_clock_is_changed_in_the_hours_that_may_be_chosen() -> None:
    """An hour that is skipped would stop nothing, one that comes twice would start twice."""
    body = Template.read(STACKS / "schedule.yml").parameters
    first, last = int(str(body["StartHour"]["MinValue"])), int(str(body["StopHour"]["MaxValue"]))
    places = [
        name
        for name in available_timezones()
        if name.startswith(("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/"))
    ]
    assert len(places) > 300
    for name in places:
        zone = ZoneInfo(name)
        # The offset at both ends of the allowed hours is the same on every day of two years.
        for offset in range(0, 730):
            day = datetime(2026, 1, 1, tzinfo=zone) + timedelta(days=offset)
            begin, end = day.replace(hour=first), day.replace(hour=last, minute=59)
            assert begin.utcoffset() == end.utcoffset(), f"{name}, {day:%F}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TimeZone", "KST"),
        ("TimeZone", "UTC+9"),
        ("TimeZone", "asia/seoul"),
        ("TimeZone", "Asia/Seoul; rm"),
        ("StartHour", "3"),
        ("StartHour", "12"),
        ("StopHour", "11"),
        ("StopHour", "21"),
        ("Days", "MON-SUN"),
        ("WebMin", "0"),
        ("ApiMax", "17"),
        ("Tier", "all"),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError) as refused:
        evaluate(**{name: value})
    assert refused.value.name == name


@pytest.mark.parametrize(
    "zone", ["Asia/Seoul", "America/Argentina/Buenos_Aires", "Etc/UTC", "America/Port-au-Prince", "Etc/GMT+9"]
)
def test_names_of_places_are_taken(zone: str) -> None:
    assert zone in available_timezones()
    evaluate(TimeZone=zone)


def test_without_office_hours_nothing_is_stopped() -> None:
    stack = evaluate()
    assert [resource.type for resource in stack.resources.values()] == ["AWS::CloudFormation::WaitConditionHandle"]
    assert not list(steps(build(Variant("demo"))))


def test_groups_without_a_database_are_refused() -> None:
    with pytest.raises(RuleError, match="Tier=groups needs Database=yes"):
        evaluate(Database="no")


@pytest.mark.parametrize(
    "text",
    [
        "* 8 * * *",
        "0 24 * * *",
        "0 8 1 * *",
        "0 8 * * MON-FRI",
        "0 8 * * 1-7",
        "cron(0 8 ? * MON-SUN *)",
        "cron(0 8 ? * 2-6 *)",
        "cron(0 8 * * MON *)",
        "cron(0 8 ? * ? *)",
        "rate(1 day)",
    ],
)
def test_a_time_that_is_not_understood_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Cron.of(text)
