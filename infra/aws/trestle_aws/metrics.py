"""CPU of instances, as CloudWatch has it: a point a minute with detailed monitoring, which the templates switch on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from botocore.client import BaseClient

# A point is there some two minutes after its minute; older than this it says nothing about now.
OLDEST = timedelta(minutes=6)
PERIOD = 60
MOST_QUERIES = 500


def cpu(client: BaseClient, ids: list[str]) -> dict[str, float]:
    """The latest point of each instance, 0 to 1; none for an instance without one."""
    now = datetime.now(UTC)
    found: dict[str, float] = {}
    for begin in range(0, len(ids), MOST_QUERIES):
        part = ids[begin : begin + MOST_QUERIES]
        queries = [_query(number, id_) for number, id_ in enumerate(part)]
        answer = client.get_metric_data(
            MetricDataQueries=queries, StartTime=now - OLDEST, EndTime=now, ScanBy="TimestampDescending"
        )
        for result in answer["MetricDataResults"]:
            if result["Values"]:
                found[part[int(result["Id"].removeprefix("m"))]] = round(result["Values"][0] / 100.0, 4)
    return found


def _query(number: int, id_: str) -> dict[str, object]:
    metric = {
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": id_}],
    }
    return {
        "Id": f"m{number}",
        "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": "Average"},
        "ReturnData": True,
    }
