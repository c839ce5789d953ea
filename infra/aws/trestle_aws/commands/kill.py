"""`trestle-aws kill`: a fault on purpose."""

from __future__ import annotations

import argparse

from trestle_aws import fleet, instance
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.errors import DONE
from trestle_aws.fleet import Fleet, Member

EXAMPLES = """\
trestle-aws kill api-1         the instance ends at once; its group starts another, which is api-1 again
trestle-aws kill web-1 api-2
trestle-aws kill database      restarts it; with Multi-AZ it fails over to the other zone
trestle-aws kill redis         fails over, or restarts the node where there is one alone"""


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "kill",
        run,
        "Kill parts of the stack to see what follows",
        EXAMPLES,
        description=(
            "Instances without a group, which nobody would replace, are left alone: their API's process is killed."
        ),
    )
    parser.add_argument("names", metavar="NAME", nargs="+", help="an instance (api-1, web-1), database, or redis")


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it, when all names are known."""
    now = fleet.look(context)
    for member in [now.find(name) for name in args.names]:
        context.say(f"{member.name}: {_kill(context, now, member)}")
    return DONE


def _kill(context: Context, now: Fleet, member: Member) -> str:
    if member.name == "database":
        return _fail_over_database(context, member)
    if member.name == "redis":
        return _fail_over_cache(context, member)
    if not now.groups:
        context.remote.check(member.id, instance.signal("KILL"))
        return "trestle-api got SIGKILL; systemd starts it again"
    context.clients.of("ec2").terminate_instances(InstanceIds=[member.id])
    return f"{member.id} is terminated; its group replaces it"


def _fail_over_database(context: Context, member: Member) -> str:
    client = context.clients.of("rds")
    found = client.describe_db_instances(DBInstanceIdentifier=member.id)["DBInstances"][0]
    twofold = bool(found.get("MultiAZ"))
    client.reboot_db_instance(DBInstanceIdentifier=member.id, ForceFailover=twofold)
    return "fails over to the other zone" if twofold else "restarts, in its only zone"


def _fail_over_cache(context: Context, member: Member) -> str:
    client = context.clients.of("elasticache")
    found = client.describe_replication_groups(ReplicationGroupId=member.id)["ReplicationGroups"][0]
    if found.get("AutomaticFailover") == "enabled":
        node_group = found["NodeGroups"][0]["NodeGroupId"]
        client.test_failover(ReplicationGroupId=member.id, NodeGroupId=node_group)
        return "fails over to its replica"
    for cluster in found["MemberClusters"]:
        client.reboot_cache_cluster(CacheClusterId=cluster, CacheNodeIdsToReboot=["0001"])
    return "restarts, empty"
