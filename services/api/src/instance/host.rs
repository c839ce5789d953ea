//! What this replica runs as: a machine of EC2, a container, or a process among others.

use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use serde::Serialize;
use utoipa::ToSchema;

/// Files that container runtimes leave in a container, and what their orchestrators set.
const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
const CONTAINER_VARIABLES: [&str; 2] = ["KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4"];

/// Where the replica runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceHost)]
pub struct Host {
    pub kind: Kind,
    /// The instance's id, the container's host name, or the process's number and its host
    #[schema(examples("i-0abcd1234ef567890"))]
    pub id: String,
    /// The instance's type, on EC2
    #[schema(examples("t4g.small"))]
    pub r#type: Option<String>,
    /// The instance's zone, on EC2
    #[schema(examples("ap-northeast-2a"))]
    pub zone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = InstanceHostKind)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Ec2,
    Container,
    Process,
}

/// What is known of it: the machine, once EC2 has said, before that and elsewhere what the process sees itself.
#[derive(Debug)]
pub struct Place {
    seen: LazyLock<Host>,
    told: OnceLock<Host>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            seen: LazyLock::new(see),
            told: OnceLock::new(),
        }
    }
}

impl Place {
    pub fn host(&self) -> &Host {
        self.told.get().unwrap_or(&self.seen)
    }

    pub fn is(&self, host: Host) {
        self.told.set(host).ok();
    }
}

fn see() -> Host {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let contained = CONTAINER_FILES.iter().any(|path| Path::new(path).exists())
        || CONTAINER_VARIABLES
            .iter()
            .any(|name| std::env::var_os(name).is_some());
    let (kind, id) = if contained && !name.is_empty() {
        (Kind::Container, name.to_owned())
    } else {
        (Kind::Process, format!("{}@{name}", std::process::id()))
    };
    Host {
        kind,
        id,
        r#type: None,
        zone: None,
    }
}
