#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends by panicking, or says why it did not run"
)]
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::stack::proc::tests::put as put_process;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A made-up machine. Its kernel does nothing: what is written stays as it was written.
struct Machine {
    folder: tempfile::TempDir,
    root: Root,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root {
            cgroup: folder.path().join("cgroup"),
            proc: folder.path().join("proc"),
        };
        fs::create_dir_all(&root.cgroup).unwrap();
        Self { folder, root }.process(i32::try_from(std::process::id()).unwrap(), 1, "/")
    }

    fn v1() -> Self {
        let machine = Self::new();
        for controller in ["cpu", "cpuacct"] {
            fs::create_dir_all(machine.root.cgroup.join(controller)).unwrap();
        }
        machine
    }

    fn v2() -> Self {
        let machine = Self::new();
        machine.file("cgroup.controllers", "cpuset cpu memory pids\n");
        machine.file("cgroup.subtree_control", "memory pids\n");
        machine
    }

    fn file(&self, path: &str, text: &str) {
        let file = self.root.cgroup.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.cgroup.join(path)).unwrap_or_default()
    }

    /// A process in this cgroup, in all hierarchies.
    fn process(self, pid: i32, parent: i32, path: &str) -> Self {
        put_process(&self.root.proc, pid, parent, pid, 0, 0);
        let own = i32::try_from(std::process::id()).unwrap();
        let text = format!("3:memory:/elsewhere\n2:cpuacct:{path}\n1:cpu:{path}\n0::{path}\n");
        fs::write(self.root.proc.join(pid.to_string()).join("cgroup"), &text).unwrap();
        if pid == own {
            fs::create_dir_all(self.root.proc.join("self")).unwrap();
            fs::write(self.root.proc.join("self/cgroup"), text).unwrap();
        }
        self
    }

    fn quota(&self) -> Quota {
        Quota::open(self.root.clone()).unwrap()
    }

    fn name(&self, name: &str) -> String {
        self.quota().owner.folder(name)
    }
}

fn gone() -> Owner {
    Owner {
        pid: 4_000_000,
        started: 5,
    }
}

#[test]
fn v1_gives_a_process_with_its_workers_a_folder_where_it_was() {
    let machine = Machine::v1();
    for controller in ["cpu", "cpuacct"] {
        fs::create_dir_all(machine.root.cgroup.join(controller).join("shop")).unwrap();
    }
    let machine = machine
        .process(70, 1, "/shop")
        .process(71, 70, "/shop")
        .process(80, 1, "/shop");
    let name = machine.name("nginx");
    let held = machine.quota().hold("nginx", 70, 0.05).unwrap();
    assert_eq!(machine.text(&format!("cpu/shop/{name}/cpu.cfs_quota_us")), "1000");
    assert_eq!(
        machine.text(&format!("cpu/shop/{name}/cpu.cfs_period_us")),
        "20000"
    );
    for controller in ["cpu", "cpuacct"] {
        assert_eq!(
            machine.text(&format!("{controller}/shop/{name}/cgroup.procs")),
            "70\n71\n"
        );
    }
    held.set(0.5).unwrap();
    assert_eq!(machine.text(&format!("cpu/shop/{name}/cpu.cfs_quota_us")), "5000");
    assert_eq!(
        machine.text(&format!("cpu/shop/{name}/cpu.cfs_period_us")),
        "10000"
    );

    machine.file(
        &format!("cpu/shop/{name}/cpu.stat"),
        "nr_periods 40\nnr_throttled 30\nthrottled_time 5\n",
    );
    machine.file(&format!("cpuacct/shop/{name}/cpuacct.usage"), "1500000000\n");
    let counters = held.counters().unwrap();
    assert_eq!((counters.periods, counters.throttled), (40, 30));
    assert!((counters.seconds - 1.5).abs() < 1e-9);
    drop(held);
    for controller in ["cpu", "cpuacct"] {
        assert!(
            machine
                .text(&format!("{controller}/shop/cgroup.procs"))
                .starts_with("70\n71\n")
        );
    }
    let other = machine.quota().counters(80);
    assert_eq!(other, None, "what is counted together with others is nobody's");
}

#[test]
fn v2_as_root_gives_it_a_folder_at_the_top() {
    let machine = Machine::v2();
    machine.file("user.slice/cgroup.type", "domain\n");
    let machine = machine.process(70, 1, "/user.slice");
    let name = machine.name("api-1");
    let held = machine.quota().hold("api-1", 70, 0.2).unwrap();
    assert_eq!(machine.text(&format!("{name}/cpu.max")), "2000 10000");
    assert_eq!(machine.text(&format!("{name}/cgroup.procs")), "70\n");
    assert_eq!(machine.text("cgroup.subtree_control"), "+cpu");
    machine.file(
        &format!("{name}/cpu.stat"),
        "usage_usec 2500000\nuser_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7\n",
    );
    let machine = machine.process(70, 1, &format!("/{name}"));
    let counters = machine.quota().counters(70).unwrap();
    assert!((counters.seconds - 2.5).abs() < 1e-9);
    assert_eq!(counters.throttled, 4);
    let again = format!("{:#}", machine.quota().hold("api-1", 70, 0.3).unwrap_err());
    assert!(again.contains("held already"), "{again}");
    drop(held);
    assert!(machine.text("user.slice/cgroup.procs").starts_with("70\n"));
}

/// The kernel of a made-up machine takes nobody out of the cgroup that he leaves, so its list stays.
#[test]
fn v2_in_a_delegated_cgroup_moves_aside_who_is_there_first() {
    let machine = Machine::v2();
    // Not the kernel's own first one, as in a container.
    machine.file("cgroup.type", "domain\n");
    machine.file("cgroup.procs", "70\n");
    let machine = machine.process(70, 1, "/");
    let (name, rest) = (machine.name("api-1"), machine.name("rest"));
    let held = machine.quota().hold("api-1", 70, 0.2).unwrap();
    assert!(machine.text(&format!("{rest}/cgroup.procs")).starts_with("70\n"));
    assert_eq!(machine.text("cgroup.subtree_control"), "+cpu");
    assert_eq!(machine.text(&format!("{name}/cpu.max")), "2000 10000");
    fs::remove_dir_all(machine.root.cgroup.join(&name)).unwrap();
    drop(held);
    assert_eq!(machine.text("cgroup.subtree_control"), "-cpu");
}

#[test]
fn a_containers_own_quota_is_changed_and_set_back() {
    for (machine, folder, files) in [
        (Machine::v2(), format!("docker/{ID}"), &["cpu.max"][..]),
        (
            Machine::v1(),
            format!("cpu/docker/{ID}"),
            &["cpu.cfs_quota_us", "cpu.cfs_period_us"],
        ),
    ] {
        let formers: &[&str] = if files.len() == 1 {
            &["50000 100000"]
        } else {
            &["50000", "100000"]
        };
        for (file, former) in files.iter().zip(formers) {
            machine.file(&format!("{folder}/{file}"), former);
        }
        let machine = machine.process(70, 1, &format!("/docker/{ID}"));
        let read = || {
            let texts = files.iter().map(|file| machine.text(&format!("{folder}/{file}")));
            texts.collect::<Vec<String>>()
        };
        let held = machine.quota().hold("api-1", 70, 0.2).unwrap();
        assert_eq!(read().join(" "), "2000 10000");
        assert_eq!(
            machine.text(&format!("{folder}/cgroup.procs")),
            "",
            "nobody is moved"
        );
        let again = format!("{:#}", machine.quota().hold("api-1", 70, 0.3).unwrap_err());
        assert!(again.contains("held already"), "{again}");
        drop(held);
        assert_eq!(read(), formers);
        assert_eq!(leftover::folders(&machine.root.cgroup.join(&folder)), []);
    }
}

#[test]
fn a_killed_load_test_s_quota_on_a_container_is_taken_away_by_the_next() {
    let machine = Machine::v2();
    let folder = format!("docker/{ID}");
    machine.file(&format!("{folder}/cpu.max"), "2000 10000");
    let was = Limit {
        quota: None,
        period: 100_000,
    };
    let marker = machine
        .root
        .cgroup
        .join(&folder)
        .join(gone().folder(&leftover::was(was)));
    fs::create_dir_all(&marker).unwrap();
    let machine = machine.process(70, 1, &format!("/docker/{ID}"));
    machine.quota().sweep(&[70]);
    assert_eq!(machine.text(&format!("{folder}/cpu.max")), "max 100000");
    assert!(!marker.exists());
}

#[test]
fn a_killed_load_test_s_processes_go_back_and_a_living_one_s_stay() {
    let machine = Machine::v1();
    let (left, living) = (gone().folder("api-1"), machine.name("api-2"));
    for (name, pid) in [(&left, 70), (&living, 80)] {
        machine.file(&format!("cpu/{name}/cgroup.procs"), &format!("{pid}\n"));
    }
    let machine = machine.process(70, 1, &format!("/{left}"));
    machine.quota().sweep(&[70]);
    let procs = machine.text("cpu/cgroup.procs");
    assert!(procs.contains("70\n") && !procs.contains("80\n"), "{procs}");
}

#[test]
fn what_cannot_be_is_an_error_that_names_it() {
    let machine = Machine::v1().process(70, 1, "/");
    let error = |name: &str, pid, cores| {
        let error = machine.quota().hold(name, pid, cores).unwrap_err();
        format!("{error:#}")
    };
    assert!(error("api-1", 70, 0.0).starts_with("api-1: 0 cores"));
    assert!(error("api-1", 99, 0.2).contains("process 99 does not run"));
    assert!(error("../x", 70, 0.2).contains("cannot name"));
    let empty = Machine::new();
    let error = Quota::open(empty.root.clone()).unwrap_err().to_string();
    assert!(
        error.contains(&empty.folder.path().display().to_string()),
        "{error}"
    );
    let denied = told(
        std::io::Error::from(ErrorKind::PermissionDenied),
        Path::new("/c/cpu.max"),
    );
    let denied = format!("{denied:#}");
    assert!(
        denied.contains("needs root") && denied.contains("Delegate=yes") && denied.contains("/c/cpu.max")
    );
}

/// A shell that computes without an end; killed when the test ends.
struct Busy(Child);

impl Busy {
    fn start() -> Self {
        let loop_for_ever = "while :; do :; done";
        Self(
            Command::new("sh")
                .args(["-c", loop_for_ever])
                .stdin(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_busy_process_is_held_by_this_kernel() {
    let held = |quota: &Quota, pid| quota.hold("busy", pid, 0.2);
    let busy = Busy::start();
    let quota = match Quota::open(Root::default()) {
        Ok(quota) => quota,
        Err(error) => return eprintln!("not run: {error:#}"),
    };
    let held = match held(&quota, busy.pid()) {
        Ok(held) => held,
        Err(error) => return eprintln!("not run: {error:#}"),
    };
    let folders = held.folders.clone();
    let (before, began) = (held.counters().unwrap(), Instant::now());
    // Until the kernel has counted periods enough; its CPU time is then compared with them, not with a clock.
    while held.counters().unwrap().since(before).periods < 100 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it does not run at all"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let used = held.counters().unwrap().since(before);
    assert!(used.throttled * 2 > used.periods, "{used:?}");
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let share = used.seconds / (used.periods as f64 * 0.010);
    assert!(
        (0.02..0.5).contains(&share),
        "{share} of a core, 0.2 allowed: {used:?}"
    );
    assert!(quota.counters(busy.pid()).unwrap().seconds > 0.0);
    drop(held);
    assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
    assert!(Stat::read(Path::new("/proc"), busy.pid()).unwrap().is_alive());
    assert_eq!(quota.counters(busy.pid()), None);
}
