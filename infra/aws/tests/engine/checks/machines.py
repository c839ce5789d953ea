"""Properties of everything that runs a system of ours: what it starts from, what it may be asked, what it leaves behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.checks.machine import head_of, machines, role_of, tested_user_data, user_data
from engine.checks.registry import property_of
from engine.environment import GIVEN, Environment, at, items, mapping, number, truth
from trestle_aws.values import GetAtt, SsmParameter, Value


@property_of("instances answer metadata requests by version 2 only, and no further than to themselves")
def imds(environment: Environment) -> Iterator[tuple[object, str]]:
    """Version 1 gives the role's credentials to whoever can make a program fetch an address."""
    for machine in machines(environment):
        options = mapping(machine.data.get("MetadataOptions"))
        if options.get("HttpTokens") != "required":
            yield machine, f"HttpTokens is {options.get('HttpTokens')}"
        if number(options.get("HttpPutResponseHopLimit")) != 1:
            yield machine, f"HttpPutResponseHopLimit is {options.get('HttpPutResponseHopLimit')}"
        if options.get("HttpEndpoint", "enabled") != "enabled":
            yield machine, "the metadata service is off, so nothing finds its role"


@property_of("disks are encrypted, named as the image names its own, and kept only with a shop's only data")
def disks(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        volumes = [mapping(one) for one in items(machine.data.get("BlockDeviceMappings"))]
        if [one.get("DeviceName") for one in volumes] != ["/dev/xvda"]:
            yield (
                machine,
                f"its disks are {[one.get('DeviceName') for one in volumes]}: Debian's root is /dev/xvda, another name adds a disk",
            )
        only_copy = machine.stack == "instances" and environment.parameter("Database", "instances") == "local"
        for one in volumes:
            disk = mapping(one.get("Ebs"))
            if not truth(disk.get("Encrypted")):
                yield machine, "its disk is not encrypted"
            if disk.get("VolumeType") != "gp3":
                yield machine, f"its disk is a {disk.get('VolumeType')}"
            if truth(disk.get("DeleteOnTermination")) == only_copy or "DeleteOnTermination" not in disk:
                yield (
                    machine,
                    "its disk goes with the shop's only data" if only_copy else "its disk is left behind, and paid for",
                )
            wanted = environment.parameter("VolumeGiB", machine.stack) or "8"
            if str(disk.get("VolumeSize")) != wanted:
                yield machine, f"its disk has {disk.get('VolumeSize')} GiB, not {wanted}"


ARM = re.compile(r"[a-z]+\d+g[a-z]*\.")


@property_of("images come from a public parameter and are of the instance's architecture")
def images(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        image, kind = machine.data.get("ImageId"), str(machine.data.get("InstanceType"))
        if not isinstance(image, SsmParameter):
            yield machine, f"ImageId is {image}: an id of one region, and of one day"
            continue
        arm = "arm64" in image.path
        if bool(ARM.match(kind)) != arm:
            yield machine, f"{kind} cannot start {image.path}"


@property_of("instances are of the type that was asked for")
def types(environment: Environment) -> Iterator[tuple[object, str]]:
    names = {"network": ["NatInstanceType"], "app": ["WebInstanceType", "ApiInstanceType"]}
    for machine in machines(environment):
        candidates = names.get(machine.stack, ["InstanceType"])
        if machine.stack == "app":
            candidates = ["ApiInstanceType" if role_of(machine) == "api" else "WebInstanceType"]
        wanted = environment.parameter(candidates[0], machine.stack)
        if str(machine.data.get("InstanceType")) != wanted:
            yield machine, f"is a {machine.data.get('InstanceType')}, not {wanted}"


PROFILES = {
    "web": "WebInstanceProfile",
    "api": "ApiInstanceProfile",
    "job": "JobInstanceProfile",
    "single": "SingleInstanceProfile",
    "instance": "SingleInstanceProfile",
    "generator": "GeneratorInstanceProfile",
}
GROUPS = {
    "web": "WebSecurityGroup",
    "api": "ApiSecurityGroup",
    "job": "JobSecurityGroup",
    "single": "InstanceSecurityGroup",
    "instance": "InstanceSecurityGroup",
    "generator": "GeneratorSecurityGroup",
}


@property_of("each role has its own profile and security group")
def profiles(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        role = role_of(machine)
        named = machine.data.get("IamInstanceProfile")
        profile = mapping(named).get("Name") if isinstance(named, dict) else named
        if role in PROFILES:
            if profile != environment.export(PROFILES[role]):
                yield machine, f"{role} has the profile {profile}"
            groups = items(machine.data.get("SecurityGroupIds"))
            for interface in map(mapping, items(machine.data.get("NetworkInterfaces"))):
                groups = groups + items(interface.get("Groups"))
            if groups != [environment.export(GROUPS[role])]:
                yield machine, f"{role} is in {', '.join(map(str, groups))}"
        elif (
            profile is not None
            and environment.behind(profile) not in environment.stacks[machine.stack].resources.values()
        ):
            yield machine, f"has the profile {profile}"


@property_of("each profile holds its own role")
def profile_roles(environment: Environment) -> Iterator[tuple[object, str]]:
    pairs = {"Web": "Web", "Api": "Api", "Job": "Job", "Single": "Single", "Generator": "Generator"}
    for name in pairs:
        profile, role = (
            environment.behind(environment.export(f"{name}InstanceProfile")),
            environment.export(f"{name}Role"),
        )
        if profile and [str(one) for one in items(profile.properties.get("Roles"))] != [str(role)]:
            yield profile, f"holds {', '.join(map(str, items(profile.properties.get('Roles'))))}, not {role}"


@property_of("a key pair is only where one was asked for")
def keys(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        wanted = environment.parameter("KeyPair", machine.stack)
        if machine.stack == "access" and "openvpn" in user_data(machine):
            wanted = ""
        if str(machine.data.get("KeyName", "")) != wanted:
            yield machine, f"its key pair is {machine.data.get('KeyName', 'none')}"


@property_of("the job ends itself, and only it; disks have a lane of their own")
def shutdown(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        behaviour = machine.data.get("InstanceInitiatedShutdownBehavior", "stop")
        if (
            "LaunchTemplate" not in machine.data
            and machine.template is None
            and not truth(machine.data.get("EbsOptimized"))
        ):
            yield machine, "shares its network with its disk, which costs the same"
        if (behaviour == "terminate") != (role_of(machine) == "job"):
            yield machine, f"a shutdown from inside makes it {behaviour}"


@property_of("instances run the user-data that is tested, with their own release")
def starts(environment: Environment) -> Iterator[tuple[object, str]]:
    expected = {"app": {"web", "api"}, "job": {"job"}, "generator": {"generator"}}
    local = environment.parameter("Database", "instances") == "local"
    expected["instances"] = {"single"} if local else {"instance"}
    for machine in machines(environment):
        if machine.stack not in expected:
            continue
        head = head_of(machine)
        if head.get("ROLE") not in expected[machine.stack]:
            yield machine, f"starts as {head.get('ROLE')}"
        wanted = {name: GIVEN[name] for name in ("Project", "Environment", "Release", "ReleaseBucket", "ReleaseSha256")}
        for name, value in (wanted | {"Region": environment.region}).items():
            if head.get(name) != value:
                yield machine, f"{name} is {head.get(name)}"
        found = user_data(machine)
        body = found[found.index("set -euo pipefail") :] if "set -euo pipefail" in found else found
        if body.strip() != tested_user_data().strip():
            yield machine, "its user-data is not instance/user-data.sh"
        before = found.split("set -euo pipefail", 1)[0].splitlines()[1:]
        strange = [line for line in before if line and not re.fullmatch(r"#.*|[A-Za-z0-9]+='[^']*'", line)]
        if strange:
            yield machine, f"its user-data runs {strange[0]!r} before anything is tested"
        if not found.startswith("#!/bin/bash\n"):
            yield machine, "its user-data is no shell script, so cloud-init does not run it"
        if len(found) > 16 * 1024:
            yield machine, f"its user-data has {len(found)} bytes; EC2 takes 16 KiB"


@property_of("systems that forward, answer or ask for others have their program")
def helpers(environment: Environment) -> Iterator[tuple[object, str]]:
    words = {"network": "nftables", "access": "sshd", "peering": "ping-peer"}
    for machine in machines(environment):
        found = user_data(machine)
        if machine.stack == "network" and ("ip_forward" not in found or "masquerade" not in found):
            yield machine, "does not forward"
        if machine.stack == "access" and "sshd -t" not in found and "openvpn" not in found:
            yield machine, "is neither bastion nor VPN"
        asks = machine.stack == "peering" and environment.behind(machine.data.get("SubnetId")) in [
            environment.behind(value) for value in environment.export_list("AppSubnets")
        ]
        if asks and words["peering"] not in found:
            yield machine, "does not ping"
        if found and not found.startswith("#!/bin/bash\nset -euo pipefail") and machine.stack in words:
            yield machine, "goes on after a command that failed"


@property_of("only a NAT passes on what is not for itself")
def forwards(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        off = machine.data.get("SourceDestCheck") is not None and not truth(machine.data.get("SourceDestCheck"))
        if off != (machine.stack == "network"):
            yield machine, f"SourceDestCheck is {machine.data.get('SourceDestCheck')}"
        if machine.stack == "network" and at(machine.data, "CreditSpecification/CPUCredits") != "unlimited":
            yield machine, "gets slow when its credits run out"


@property_of("instances run the newest version of their own launch template")
def versions(environment: Environment) -> Iterator[tuple[object, str]]:
    """$Latest would never start an instance refresh, and a number would keep what was first."""
    for machine in machines(environment):
        if machine.template is None or machine.template is machine.resource:
            continue
        version = at(machine.resource.properties, "LaunchTemplate/Version")
        only_copy = machine.stack == "instances" and environment.parameter("Database", "instances") == "local"
        wanted: Value = "1" if only_copy else GetAtt(machine.template.stack, machine.template.id, "LatestVersionNumber")
        if version != wanted:
            yield machine, f"its version is {version}"


@property_of("instances are measured each minute where auto scaling looks")
def monitoring(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        on = truth(at(machine.data, "Monitoring/Enabled"))
        if machine.stack == "app" and on != (environment.parameter("AutoScaling", "app") == "yes"):
            yield machine, f"detailed monitoring is {'on' if on else 'off'}"
        if machine.stack == "generator" and not on:
            yield machine, "a measurement needs each minute's CPU"


@property_of("single instances have an address that stays, and stand in different zones")
def addresses(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("instances"):
        return
    found = list(environment.resources("AWS::EC2::Instance"))
    ours = [resource for resource in found if resource.stack == "instances"]
    count = int(environment.parameter("Count", "instances"))
    if len(ours) != count:
        yield "instances", f"{len(ours)} instances, not {count}"
    if len({str(resource.properties.get("SubnetId")) for resource in ours}) != len(ours):
        yield "instances", "both are in one zone"
    held = {}
    for resource in environment.resources("AWS::EC2::EIPAssociation"):
        held[str(environment.behind(resource.properties.get("InstanceId")))] = resource.properties.get("AllocationId")
    exported = [str(value) for value in environment.export_list("InstanceAddresses")]
    for index, (resource, value) in enumerate(zip(ours, environment.export_list("InstanceIds"), strict=False)):
        if environment.behind(value) is not resource:
            yield resource, f"InstanceIds has {value} in its place"
        allocation = held.get(str(resource))
        address = environment.behind(allocation) if isinstance(allocation, GetAtt) else None
        if address is None or index >= len(exported) or str(address.ref) != exported[index]:
            yield resource, "has no Elastic IP, or InstanceAddresses names another"
    if len(environment.export_list("InstanceIds")) != count or len(exported) != count:
        yield "instances", "InstanceIds or InstanceAddresses has not one for each"
    for resource in environment.resources("AWS::EC2::EIP"):
        if resource.properties.get("Domain") != "vpc":
            yield resource, f"Domain is {resource.properties.get('Domain')}"
