//! What can reach what, and what a container may do: as in a VPC with three subnets, and as nobody.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::project::{Project, service, shared};

/// An address of a container on one of the project's networks.
fn address(project: &Project, container: &str, network: &str) -> IpAddr {
    let network = format!("{}_{network}", project.name);
    let found = &project.inspect(container)["NetworkSettings"]["Networks"][&network]["IPAddress"];
    found.as_str().unwrap_or_default().parse().unwrap()
}

/// Whether nginx's container can open a connection; its image has curl, which then waits for the server (124 is the
/// time-out's). 6, 7 and 28: no such name, refused, no answer.
fn web_reaches(project: &Project, host: &str, port: u16) -> bool {
    let url = format!("telnet://{host}:{port}");
    let curl = [
        "exec",
        "-T",
        "web",
        "timeout",
        "3",
        "curl",
        "--silent",
        "--connect-timeout",
        "2",
        &url,
    ];
    match project.output(&curl).status.code() {
        Some(0 | 124) => true,
        Some(6 | 7 | 28) => false,
        other => panic!("curl {url}: {other:?}"),
    }
}

#[tokio::test]
async fn web_reaches_the_replicas_and_nothing_of_the_data_tier() {
    let (_alone, project) = shared().await;
    assert!(web_reaches(project, "api", 8000), "the API is reached");
    for (service, port) in [("mysql", 3306), ("redis", 6379)] {
        assert!(
            !web_reaches(project, service, port),
            "{service} by its name from web"
        );
        let address = address(project, &format!("{service}-1"), "data").to_string();
        assert!(!web_reaches(project, &address, port), "{service} by its address");
        // The servers do listen, where the replicas are.
        let asked = format!("exec 3<>/dev/tcp/{service}/{port}");
        project.must(&["exec", "-T", "api", "timeout", "3", "bash", "-c", &asked]);
    }
}

/// Neither tier behind the web tier has a way out.
#[tokio::test]
async fn nothing_behind_web_has_a_way_out() {
    let (_alone, project) = shared().await;
    for network in ["app", "data"] {
        let name = format!("{}_{network}", project.name);
        let output = Command::new("docker")
            .args(["network", "inspect", "--format", "{{.Internal}}", &name])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "true", "{name}");
    }
    for container in project.containers() {
        let networks = container["NetworkSettings"]["Networks"].as_object().unwrap();
        let mut on: Vec<&str> = networks
            .keys()
            .filter_map(|name| name.rsplit('_').next())
            .collect();
        on.sort_unstable();
        let expected: &[&str] = match service(&container) {
            "web" => &["app", "edge"],
            "api" => &["app", "data"],
            "mysql" | "redis" | "migrate" => &["data"],
            "secrets" => &["none"],
            other => panic!("what is {other}?"),
        };
        assert_eq!(on, expected, "{}", container["Name"]);
    }
}

#[tokio::test]
async fn only_the_shops_port_is_open_on_the_host_and_only_on_loopback() {
    let (_alone, project) = shared().await;
    let mut open = Vec::new();
    for container in project.containers() {
        for (port, bindings) in container["NetworkSettings"]["Ports"].as_object().unwrap() {
            for binding in bindings.as_array().into_iter().flatten() {
                open.push((
                    service(&container).to_owned(),
                    port.clone(),
                    binding["HostIp"].as_str().unwrap().to_owned(),
                    binding["HostPort"].as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    let only = (
        "web".to_owned(),
        "8080/tcp".to_owned(),
        "127.0.0.1".to_owned(),
        project.port.to_string(),
    );
    assert_eq!(open, [only]);
    // Not at the host's other addresses either: its gateway on the network `edge` is one of them.
    let network = format!("{}_edge", project.name);
    let gateway = &project.inspect("web-1")["NetworkSettings"]["Networks"][&network]["Gateway"];
    let gateway: IpAddr = gateway.as_str().unwrap().parse().unwrap();
    let there = SocketAddr::new(gateway, project.port);
    let refused = TcpStream::connect_timeout(&there, Duration::from_secs(2));
    assert!(refused.is_err(), "{there} is open");
}

/// However the path is written. The operations port would answer each of these pages.
#[tokio::test]
async fn no_path_through_nginx_leads_to_the_operations_port() {
    let (_alone, project) = shared().await;
    for page in ["livez", "readyz", "metrics", "log", "log/access", "caches"] {
        for path in [
            format!("/{page}"),
            format!("//{page}"),
            format!("/api/../{page}"),
            format!("/api/v1/../../{page}"),
            format!("/api/%2e%2e/{page}"),
            format!("/api/..%2f{page}"),
            format!("/api//{page}"),
            format!("/api/{page}"),
            format!("/api/v1/{page}"),
            format!("http://api:9000/{page}"),
        ] {
            for host in ["localhost", "api:9000"] {
                let answer = raw(project, &path, host);
                let told = [
                    "trestle_",
                    "\"ready\"",
                    "\"filter\"",
                    "\"breaker\"",
                    "\r\n\r\nok\n",
                ];
                let leaked = told.iter().find(|text| answer.contains(*text));
                assert!(leaked.is_none(), "{path} with Host {host}: {answer}");
            }
        }
    }
    // The same words are found where they are.
    let metrics = project.must(&[
        "exec",
        "-T",
        "api",
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/9000; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
    ]);
    assert!(metrics.contains("trestle_"));
}

/// One request, byte by byte as it stands.
fn raw(project: &Project, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", project.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn every_container_is_nobody_on_a_read_only_disk_within_limits() {
    let (_alone, project) = shared().await;
    let mut memory = 0;
    for container in project.containers() {
        let (name, host) = (&container["Name"], &container["HostConfig"]);
        assert_eq!(host["ReadonlyRootfs"], true, "{name}");
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{name}");
        assert!(host["CapAdd"].as_array().is_none_or(Vec::is_empty), "{name}");
        assert_eq!(
            host["SecurityOpt"],
            serde_json::json!(["no-new-privileges:true"]),
            "{name}"
        );
        assert_eq!(host["Privileged"], false, "{name}");
        assert!(
            host["PidsLimit"].as_u64().is_some_and(|limit| limit > 0),
            "{name}"
        );
        let log = &host["LogConfig"]["Config"];
        assert!(
            log["max-size"].is_string() && log["max-file"].is_string(),
            "{name}: its log is turned over"
        );
        let user = container["Config"]["User"].as_str().unwrap_or_default();
        let id: u32 = user.split(':').next().unwrap().parse().expect("a number");
        assert!(id > 0, "{name} runs as {user}");
        let limit = host["Memory"].as_u64().unwrap();
        assert!(limit > 0, "{name}");
        let stays = host["RestartPolicy"]["Name"] == "unless-stopped";
        let job = ["secrets", "migrate"].contains(&service(&container));
        assert_eq!(stays, !job, "{name}");
        if !job {
            memory += limit;
            assert!(process_is_nobody(&container), "{name}");
        }
    }
    // Two replicas, 96 MiB each: with all limits reached the shop takes no more than was promised.
    assert!(memory < 700_000_000, "{memory} bytes");
    for service in ["web", "api", "mysql", "redis"] {
        let tried = project.output(&[
            "exec",
            "-T",
            service,
            "sh",
            "-c",
            "echo x >/etc/x || echo x >/usr/x",
        ]);
        assert!(!tried.status.success(), "{service} writes to its image");
    }
}

/// By the kernel: neither root nor any capability, in main process and namespace alike.
fn process_is_nobody(container: &Value) -> bool {
    let pid = container["State"]["Pid"].as_u64().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let users: Vec<&str> = field("Uid:").split_whitespace().collect();
    users.iter().all(|user| *user != "0")
        && field("CapEff:").trim() == "0000000000000000"
        && field("NoNewPrivs:").trim() == "1"
}

/// Each service can read its own secrets and nobody else's.
#[tokio::test]
async fn a_secret_is_read_by_its_service_alone() {
    let (_alone, project) = shared().await;
    let files = [
        ("mysql", "mysql/password"),
        ("mysql", "mysql/root-password"),
        ("redis", "redis/password.conf"),
        ("api", "api/database-url"),
        ("api", "api/redis-url"),
        ("api", "api/keys"),
    ];
    for service in ["mysql", "redis", "api"] {
        for (owner, file) in files {
            let path = format!("/run/trestle-secrets/{file}");
            let read = project.output(&["exec", "-T", service, "cat", &path]);
            assert_eq!(read.status.success(), service == owner, "{service} reads {file}");
            if service == owner {
                let write = project.output(&["exec", "-T", service, "sh", "-c", &format!("echo >{path}")]);
                assert!(!write.status.success(), "{service} writes {file}");
            }
        }
    }
    // None is in what the engine shows of a container, nor in a log.
    let password = project.must(&[
        "exec",
        "-T",
        "mysql",
        "cat",
        "/run/trestle-secrets/mysql/password",
    ]);
    let shown =
        serde_json::to_string(&project.containers()).unwrap() + &project.must(&["logs", "--no-color"]);
    assert!(password.len() > 40 && !shown.contains(password.trim()));
}
