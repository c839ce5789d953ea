"""Mistakes that somebody could make, by name. Each has to be noticed by a property."""

from __future__ import annotations

from collections.abc import Callable

from engine.mutate import Body, Mutation, drop, put, replace_text, resource

WORLD = "0.0.0.0/0"


def _set(name: str, stack: str, path: str, value: object) -> Mutation:
    return Mutation(name, stack, put(path, value))


def _drop(name: str, stack: str, path: str) -> Mutation:
    return Mutation(name, stack, drop(path))


def _do(name: str, stack: str, apply: Callable[[Body], None]) -> Mutation:
    return Mutation(name, stack, apply)


def _text(name: str, stack: str, path: str, old: str, new: str) -> Mutation:
    return Mutation(name, stack, replace_text(path, old, new))


def _add_resource(logical_id: str, kind: str, **properties: object) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        section = body["Resources"]
        assert isinstance(section, dict)
        section[logical_id] = {"Type": kind, "Properties": properties}

    return apply


def _attribute(target_group: str, key: str, value: str) -> Callable[[Body], None]:
    """Changes an attribute of a target group or load balancer, wherever in a condition it is."""

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("Key") == key:
                node["Value"] = value
            for item in node.values():
                walk(item)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    return lambda body: walk(resource(body, target_group))


def _statement(role: str, sid: str, key: str, value: object) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        found = resource(body, role)["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        next(one for one in found if one["Sid"] == sid)[key] = value

    return apply


def _rename_export(stack: str, output: str) -> Mutation:
    return _set(
        f"the export {output} is renamed",
        stack,
        f"/Outputs/{output}/Export/Name",
        {"Fn::Sub": "${Project}-${Environment}-" + output + "s"},
    )


def _ingress(group: str, port: int) -> dict[str, object]:
    return {
        "GroupId": {"Fn::GetAtt": [group, "GroupId"]},
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIp": WORLD,
    }


def _keep_api(body: Body) -> None:
    """/api/* is the last of the behaviours that come with Mode all."""
    behaviours = resource(body, "Distribution")["Properties"]["DistributionConfig"]["CacheBehaviors"]["Fn::If"][1]
    behaviours[-1]["CachePolicyId"] = {"Ref": "StaticCache"}


NAMED = [
    # --- Network
    _do(
        "data subnets get a way out",
        "network",
        _add_resource(
            "Out",
            "AWS::EC2::Route",
            RouteTableId={"Ref": "DataRouteTable"},
            DestinationCidrBlock=WORLD,
            GatewayId={"Ref": "InternetGateway"},
        ),
    ),
    _set(
        "an app subnet uses the public route table",
        "network",
        "AppSubnetRoutes1/Properties/RouteTableId",
        {"Ref": "PublicRouteTable"},
    ),
    _set(
        "public subnets give every instance an address", "network", "PublicSubnet1/Properties/MapPublicIpOnLaunch", True
    ),
    _set(
        "two subnets of a tier in one zone",
        "network",
        "AppSubnet2/Properties/AvailabilityZone",
        {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
    ),
    _set(
        "two subnets overlap",
        "network",
        "DataSubnet2/Properties/CidrBlock",
        {"Fn::Select": [8, {"Fn::Cidr": [{"Ref": "VpcCidr"}, 12, 8]}]},
    ),
    _set("zones share a NAT gateway", "network", "AppRoute2/Properties/NatGatewayId/Fn::If/2", {"Ref": "NatGateway1"}),
    _drop("MySQL's replies do not pass the access list", "network", "DataAclRepliesToApp"),
    _set("the data subnets' access list is open", "network", "DataAclMysqlFromApp/Properties/CidrBlock", WORLD),
    _set(
        "the data subnets' access list has ssh",
        "network",
        "DataAclRedisFromApp/Properties/PortRange",
        {"From": 22, "To": 22},
    ),
    _set("the NAT instance drops what is not for itself", "network", "NatInstance/Properties/SourceDestCheck", True),
    _drop("the NAT instance has no address", "network", "NatInstanceAddress"),
    _drop("the endpoint of Secrets Manager is missing", "network", "SecretsManagerEndpoint"),
    _set(
        "an endpoint does not take over the service's name",
        "network",
        "SsmEndpoint/Properties/PrivateDnsEnabled",
        False,
    ),
    _drop("the S3 endpoint leads to every bucket", "network", "S3Endpoint/Properties/PolicyDocument"),
    _drop("a route does not wait for the internet gateway", "network", "PublicRoute/DependsOn"),
    _rename_export("network", "VpcId"),
    _rename_export("network", "DataSubnets"),
    # --- Security groups
    _do(
        "the API is open to the world",
        "security",
        _add_resource("Open", "AWS::EC2::SecurityGroupIngress", **_ingress("ApiSecurityGroup", 8000)),
    ),
    _do(
        "MySQL is open to the world",
        "security",
        _add_resource("Open", "AWS::EC2::SecurityGroupIngress", **_ingress("DatabaseSecurityGroup", 3306)),
    ),
    _do(
        "ssh is open on the load balancer's group",
        "security",
        _add_resource("Open", "AWS::EC2::SecurityGroupIngress", **_ingress("AlbSecurityGroup", 22)),
    ),
    _set(
        "visitors may come from anywhere, whatever AllowedFrom says",
        "security",
        "AlbFromVisitors443/Properties/CidrIp",
        WORLD,
    ),
    _drop("the edge from the ALB to web is missing", "security", "WebFromAlb"),
    _drop("the edge from the API to MySQL is missing", "security", "DatabaseFromApi"),
    _drop("the NLB cannot ask for the API's health", "security", "ApiHealthFromNlb"),
    _set(
        "web reaches Redis",
        "security",
        "CacheFromApi/Properties/SourceSecurityGroupId",
        {"Fn::GetAtt": ["WebSecurityGroup", "GroupId"]},
    ),
    _drop("the API may send everywhere", "security", "ApiSecurityGroup/Properties/SecurityGroupEgress"),
    _set(
        "the API may not send to MySQL's port",
        "security",
        "ApiSecurityGroup/Properties/SecurityGroupEgress/1/ToPort",
        3305,
    ),
    _set("MySQL's port is wrong", "security", "DatabaseFromApi/Properties/FromPort", 3307),
    _drop("the rule about CloudFront's list is missing", "security", "/Rules/CloudFrontNeedsItsList"),
    _set(
        "the bastion admits the whole internet",
        "access",
        "BastionSecurityGroup/Properties/SecurityGroupIngress/0/CidrIp",
        WORLD,
    ),
    # --- Identity
    _do("the API's role reads every secret", "security", _statement("ApiRole", "ReadSecrets", "Resource", "*")),
    _do(
        "the web role may do everything with its releases",
        "security",
        _statement("WebRole", "ReadReleases", "Action", "s3:*"),
    ),
    _do(
        "the API's role reads the master user's secret",
        "security",
        _statement(
            "ApiRole",
            "ReadSecrets",
            "Resource",
            [
                {
                    "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${Project}-${Environment}/*"
                }
            ],
        ),
    ),
    _set(
        "instances may be taken on by anybody",
        "security",
        "ApiRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
        {"AWS": "*"},
    ),
    _set(
        "the API's profile holds the job's role",
        "security",
        "ApiInstanceProfile/Properties/Roles",
        [{"Ref": "JobRole"}],
    ),
    # --- Data
    _set("the database is public", "data", "Database/Properties/PubliclyAccessible", True),
    _set(
        "the database is in public subnets",
        "data",
        "DatabaseSubnets/Properties/SubnetIds",
        {"Fn::Split": [",", {"Fn::ImportValue": {"Fn::Sub": "${Project}-${Environment}-PublicSubnets"}}]},
    ),
    _set("the database is not encrypted", "data", "Database/Properties/StorageEncrypted", False),
    _set("the database goes with its stack", "data", "Database/DeletionPolicy", "Delete"),
    _drop("a replaced database leaves no snapshot", "data", "Database/UpdateReplacePolicy"),
    _set("there is never a standby", "data", "Database/Properties/MultiAZ", False),
    _set("there are no backups", "data", "Database/Properties/BackupRetentionPeriod", 0),
    _set("production can be deleted", "data", "Database/Properties/DeletionProtection", False),
    _set(
        "the master's password is written down",
        "data",
        "Database/Properties/MasterUserPassword",
        "correct-horse-battery",
    ),
    _set(
        "MySQL takes connections without TLS",
        "data",
        "DatabaseParameters/Properties/Parameters/require_secure_transport",
        "0",
    ),
    _set(
        "a commit is not flushed",
        "data",
        "DatabaseParameters/Properties/Parameters/innodb_flush_log_at_trx_commit",
        "2",
    ),
    _set("the table of connections is wrong", "data", "/Mappings/Classes/db.t4g.micro/MaxConnections", "600"),
    _drop("more pools than connections", "data", "/Rules/FitsSixApiInstances"),
    _set("the cache has no TLS", "data", "CacheGroup/Properties/TransitEncryptionEnabled", False),
    _drop("the cache asks nobody who comes", "data", "CacheGroup/Properties/AuthToken"),
    _set("a full cache refuses writes", "data", "CacheParameters/Properties/Properties/maxmemory-policy", "noeviction"),
    _set(
        "the application is the master user",
        "data",
        "AppSecret/Properties/GenerateSecretString/SecretStringTemplate",
        '{"username": "trestle_master"}',
    ),
    _rename_export("data", "DatabaseEndpoint"),
    # --- App
    _set("the API's port is wrong", "app", "ApiTargetGroup/Properties/Port", 8001),
    _set("the API's health check reads MySQL", "app", "ApiTargetGroup/Properties/HealthCheckPath", "/api/v1/products"),
    _set("the API's health check asks the public port", "app", "ApiTargetGroup/Properties/HealthCheckPort", "8000"),
    _set(
        "the web tier's health follows the API", "app", "WebTargetGroup/Properties/HealthCheckPath", "/api/v1/products"
    ),
    _do(
        "draining takes 300 s",
        "app",
        _attribute("ApiTargetGroup", "deregistration_delay.timeout_seconds", "300"),
    ),
    _do(
        "web draining has the default",
        "app",
        _attribute("WebTargetGroup", "deregistration_delay.timeout_seconds", "300"),
    ),
    _drop("nobody waits for an API instance to drain", "app", "ApiDrain"),
    _set("the hook gives up before the drain ends", "app", "WebDrain/Properties/HeartbeatTimeout", 10),
    _set("an instance that hangs is kept", "app", "ApiDrain/Properties/DefaultResult", "ABANDON"),
    _set(
        "metadata version 1 is answered",
        "app",
        "WebLaunchTemplate/Properties/LaunchTemplateData/MetadataOptions/HttpTokens",
        "optional",
    ),
    _set(
        "disks are not encrypted",
        "app",
        "ApiLaunchTemplate/Properties/LaunchTemplateData/BlockDeviceMappings/0/Ebs/Encrypted",
        False,
    ),
    _set(
        "an image's id is written down",
        "app",
        "WebLaunchTemplate/Properties/LaunchTemplateData/ImageId",
        "ami-0123456789abcdef0",
    ),
    _set("groups run $Latest", "app", "WebGroup/Properties/LaunchTemplate/Version", "$Latest"),
    _set("groups trust EC2's health alone", "app", "ApiGroup/Properties/HealthCheckType", "EC2"),
    _set("the API starts before its database is ready", "app", "ApiGroup/Properties/MinSize", {"Ref": "ApiMin"}),
    _set(
        "the web group is in one zone",
        "app",
        "WebGroup/Properties/VPCZoneIdentifier",
        [
            {
                "Fn::Select": [
                    0,
                    {"Fn::Split": [",", {"Fn::ImportValue": {"Fn::Sub": "${Project}-${Environment}-AppSubnets"}}]},
                ]
            }
        ],
    ),
    _set("groups never shrink", "app", "ApiScaling/Properties/TargetTrackingConfiguration/DisableScaleIn", True),
    _drop("the web group does not scale", "app", "WebScaling"),
    _set(
        "a refresh takes away before it adds",
        "app",
        "ApiGroup/Properties/InstanceMaintenancePolicy/MinHealthyPercentage",
        50,
    ),
    _set(
        "http is not led to https",
        "app",
        "Http/Properties/DefaultActions",
        [{"Type": "forward", "TargetGroupArn": {"Ref": "WebTargetGroup"}}],
    ),
    _set("www stays www", "app", "HttpsFromWww/Properties/Actions/0/RedirectConfig/Host", "#{host}"),
    _set("TLS 1.0 is spoken", "app", "Https/Properties/SslPolicy", "ELBSecurityPolicy-2016-08"),
    _set("the internal load balancer is public", "app", "Nlb/Properties/Scheme", "internet-facing"),
    _set("the load balancer has a fixed name", "app", "Alb/Properties/Name", "trestle"),
    _do(
        "the load balancer outlasts nginx's connections",
        "app",
        _attribute("Alb", "idle_timeout.timeout_seconds", "120"),
    ),
    _set("cookies are sent without https", "app", "ConfigApiCookieSecure/Properties/Value", "off"),
    _drop("an instance may start without its configuration", "app", "ApiGroup/DependsOn"),
    _drop("ApiMin may be above ApiMax", "app", "/Rules/ApiMinIsNotAboveApiMax"),
    _text(
        "the archive is not checked",
        "job",
        "JobLaunchTemplate/Properties/LaunchTemplateData/UserData/Fn::Base64/Fn::Join/1/1",
        '[ "$found" = "$ReleaseSha256" ] ||',
        "true ||",
    ),
    _set(
        "the job's instance stays",
        "job",
        "JobLaunchTemplate/Properties/LaunchTemplateData/InstanceInitiatedShutdownBehavior",
        "stop",
    ),
    _set(
        "a single instance's data goes with it",
        "instances",
        "LaunchTemplate/Properties/LaunchTemplateData/BlockDeviceMappings/0/Ebs/DeleteOnTermination",
        True,
    ),
    _set(
        "both single instances are in one zone",
        "instances",
        "Second/Properties/SubnetId",
        {
            "Fn::Select": [
                0,
                {"Fn::Split": [",", {"Fn::ImportValue": {"Fn::Sub": "${Project}-${Environment}-PublicSubnets"}}]},
            ]
        },
    ),
    # --- Edge, pictures, names
    _set(
        "the pictures' bucket is public",
        "assets",
        "Bucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy",
        False,
    ),
    _drop("the release bucket answers without TLS", "release", "BucketPolicy"),
    _set(
        "CloudFront answers by http",
        "edge",
        "Distribution/Properties/DistributionConfig/DefaultCacheBehavior/Fn::If/1/ViewerProtocolPolicy",
        "allow-all",
    ),
    _do(
        "CloudFront keeps the API's answers",
        "edge",
        _keep_api,
    ),
    _drop("the apex leads nowhere", "records", "Apex"),
    _drop("the certificate is not for www", "certificate", "Certificate/Properties/SubjectAlternativeNames"),
    # --- Operations
    _set(
        "an alarm looks at a metric that does not exist", "ops", "Latency/Properties/MetricName", "TargetResponseTimes"
    ),
    _drop("an alarm tells nobody", "ops", "DatabaseStorage/Properties/AlarmActions"),
    _set("the database's alarm looks at another one", "ops", "DatabaseCpu/Properties/Dimensions/0/Name", "InstanceId"),
    _set("office hours are of another place", "schedule", "StartWeb/Properties/TimeZone", "Etc/UTC"),
    _set("the evening does not stop the API", "schedule", "StopApi/Properties/MaxSize", 4),
    _drop("nobody knows whose the database is", "data", "Database/Properties/Tags"),
    _set(
        "the peered VPC has no route back", "peering", "PeerRouteBack/Properties/DestinationCidrBlock", "10.99.0.0/16"
    ),
]
