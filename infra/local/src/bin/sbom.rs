//! `sbom`: writes what is in each of the shop's container images, one CycloneDX 1.6 file an image.
//!
//! The packages of the operating system are asked for inside the image; the crates are those that cargo compiles into
//! trestle-api in this tree, so the image is to be built from the same tree. The same image gives the same file: all is
//! sorted, and the file's time is the image's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use serde_json::{Value, json};

/// Bad usage, as sysexits.h has it.
const EXIT_USAGE: u8 = 64;
const IMAGES: [&str; 4] = ["trestle-api", "trestle-web", "trestle-mysql", "trestle-redis"];
/// What either is asked of a package: status, name, version, architecture, and rpm's epoch as the purl has it.
const DPKG: &str = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t\n";
const RPM: &str = "installed\t%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%|EPOCH?{&epoch=%{EPOCH}}|\n";
/// Features are resolved as the build resolves them; `cargo metadata` would add those of the tests and the launcher,
/// and with them crates that are not in the image. Macros are not in it either: they run in the compiler.
const TREE: &str = "tree --locked --package trestle-api --edges normal,no-proc-macro --prefix depth --format";

/// Writes the software bill of materials (CycloneDX 1.6, JSON) of each container image
#[derive(Parser)]
#[command(name = "sbom")]
struct Arguments {
    /// Where the files go; target/sbom in this tree without it
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The images' tag in the local Docker engine
    #[arg(long, default_value = "local")]
    tag: String,
}

fn main() -> ExitCode {
    match Arguments::try_parse().map(run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("sbom: {error:#}");
            ExitCode::FAILURE
        }
        Err(usage) => {
            // A closed output is no reason to complain.
            let _ = usage.print();
            ExitCode::from(if usage.use_stderr() { EXIT_USAGE } else { 0 })
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().context("the workspace")?;
    let folder = arguments.output.unwrap_or_else(|| root.join("target/sbom"));
    let images = IMAGES.map(|name| Image::find(name, &arguments.tag));
    let images = images.into_iter().collect::<Result<Vec<_>>>()?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let (mut packages, mut crates) = (0, 0);
    for image in &images {
        let mut contents = Contents::default();
        contents.add_system(image)?;
        let listed = contents.components.len();
        if image.name == "trestle-api" {
            contents.add_crates(&root, image.text("/0/Architecture"))?;
        }
        let compiled = contents.components.len() - listed;
        let file = folder.join(format!("{}.json", image.name));
        let text = serde_json::to_string_pretty(&contents.document(image))? + "\n";
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        println!("{}: {listed} packages, {compiled} crates", image.name);
        packages += listed;
        crates += compiled;
    }
    let (count, folder) = (images.len(), folder.display());
    println!("{count} images with {packages} packages and {crates} crates: {folder}");
    Ok(())
}

struct Image<'a> {
    name: &'static str,
    tag: &'a str,
    facts: Value,
}

impl<'a> Image<'a> {
    fn find(name: &'static str, tag: &'a str) -> Result<Self> {
        let reference = format!("{name}:{tag}");
        let (code, facts, why) = ask(Command::new("docker").args(["image", "inspect", &reference]))?;
        ensure!(code == Some(0), "{reference} (of `make compose-build`): {why}");
        let facts = serde_json::from_str(&facts).context("what docker image inspect says")?;
        Ok(Self { name, tag, facts })
    }

    fn text(&self, at: &str) -> &str {
        self.facts.pointer(at).and_then(Value::as_str).unwrap_or("")
    }

    /// What one of its programs says; None when it has no such program.
    fn ask(&self, program: &str, arguments: &[&str]) -> Result<Option<String>> {
        let mut docker = Command::new("docker");
        docker.args("run --rm --network none --entrypoint".split(' '));
        docker.args([program, self.text("/0/Id")]).args(arguments);
        match ask(&mut docker)? {
            (Some(0), says, _) => Ok(Some(says)),
            // As shells have it: not found.
            (Some(127), ..) => Ok(None),
            (.., why) => bail!("running {program} in {}: {why}", self.name),
        }
    }
}

/// A program's exit code, what it says, and what it complains of, in one line.
fn ask(command: &mut Command) -> Result<(Option<i32>, String, String)> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("running {program}"))?;
    let [says, why] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    let why: Vec<&str> = why.split_whitespace().collect();
    Ok((output.status.code(), says, why.join(" ")))
}

/// Components by bom-ref, which is their purl. Only of a crate it is known what it depends on.
#[derive(Default)]
struct Contents {
    system: Value,
    components: BTreeMap<String, Value>,
    dependencies: BTreeMap<String, BTreeSet<String>>,
}

impl Contents {
    fn add(&mut self, purl: &str, name: &str, version: &str) -> &mut Value {
        let new = json!({"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl});
        self.components.entry(purl.to_owned()).or_insert(new)
    }

    fn add_system(&mut self, image: &Image) -> Result<()> {
        let of = image.name;
        let release = image.ask("cat", &["/etc/os-release"])?.unwrap_or_default();
        let id = value(&release, "ID").with_context(|| format!("{of}: its system has no name"))?;
        let codename = value(&release, "VERSION_CODENAME");
        // Debian's next release has no number yet.
        let number = value(&release, "VERSION_ID").or(codename).unwrap_or("unknown");
        self.system = json!({"type": "operating-system", "name": id, "version": number, "bom-ref": "system"});
        if let Some(list) = image.ask("dpkg-query", &["--show", "--showformat", DPKG])? {
            self.add_packages(&list, &format!("deb/{id}"), codename.unwrap_or(number));
        } else if let Some(list) = image.ask("rpm", &["--query", "--all", "--queryformat", RPM])? {
            self.add_packages(&list, &format!("rpm/{id}"), &format!("{id}-{number}"));
        } else {
            bail!("{of}: its packages cannot be listed, it has neither dpkg-query nor rpm");
        }
        ensure!(!self.components.is_empty(), "{of}: its list of packages is empty");
        // The official image has Redis itself from source, not from a package.
        if of == "trestle-redis" && !self.components.keys().any(|purl| purl.contains("/redis")) {
            let says = image.ask("redis-server", &["--version"])?.unwrap_or_default();
            let version = says.split(' ').find_map(|word| word.strip_prefix("v="));
            let version = version.context("redis-server does not say its version")?;
            self.add(&purl("generic", "redis", version), "redis", version);
        }
        Ok(())
    }

    fn add_packages(&mut self, list: &str, kind: &str, distribution: &str) {
        // gpg-pubkey is a key that rpm checks packages with, no package.
        for line in list.lines().filter(|line| !line.contains("\tgpg-pubkey\t")) {
            let fields: Vec<&str> = line.split('\t').collect();
            if let ["installed", name, version, arch, epoch] = fields[..] {
                let purl = purl(kind, name, version);
                let purl = format!("{purl}?arch={arch}&distro={distribution}{epoch}");
                self.add(&purl, name, version);
            }
        }
    }

    fn add_crates(&mut self, root: &Path, architecture: &str) -> Result<()> {
        let machine = architecture.replace("amd64", "x86_64");
        let machine = machine.replace("arm64", "aarch64");
        let target = format!("{machine}-unknown-linux-gnu");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args(TREE.split(' '));
        let (code, tree, why) = ask(cargo.args(["\t{p}\t{l}", "--target", &target]))?;
        ensure!(code == Some(0), "cargo tree: {why}");
        let lock = fs::read_to_string(root.join("Cargo.lock")).context("reading Cargo.lock")?;
        self.add_tree(&tree, &lock)
    }

    /// Reads a line for each crate: depth, name and version, licence. What a crate depends on is below its first line;
    /// further ones end in `(*)`.
    fn add_tree(&mut self, tree: &str, lock: &str) -> Result<()> {
        let mut above: Vec<String> = Vec::new();
        for line in tree.lines() {
            let fields: Vec<&str> = line.trim_end_matches(" (*)").split('\t').collect();
            let [depth, package, licence] = fields[..] else {
                bail!("cargo tree has the line {line:?}");
            };
            let (name, version) = package.split_once(" v").unwrap_or_default();
            let version = version.split(' ').next().unwrap_or_default();
            let purl = purl("cargo", name, version);
            let component = self.add(&purl, name, version);
            if let Some(checksum) = checksum(lock, name, version) {
                component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
            }
            if !licence.is_empty() {
                // A slash is an old way to write OR.
                component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
            }
            self.dependencies.entry(purl.clone()).or_default();
            above.truncate(depth.parse().with_context(|| format!("the depth {depth:?}"))?);
            if let Some(below) = above.last().and_then(|parent| self.dependencies.get_mut(parent)) {
                below.insert(purl.clone());
            }
            above.push(purl);
        }
        Ok(())
    }

    fn document(mut self, image: &Image) -> Value {
        // The image has what nothing in it depends on.
        let below: BTreeSet<&String> = self.dependencies.values().flatten().collect();
        let top = self.components.keys().filter(|purl| !below.contains(purl));
        let top = top.cloned().collect();
        self.dependencies.insert(image.name.to_owned(), top);
        let depends = |(of, on)| json!({"ref": of, "dependsOn": on});
        let dependencies: Vec<Value> = self.dependencies.iter().map(depends).collect();
        self.components.insert("system".to_owned(), self.system);
        let components: Vec<Value> = self.components.into_values().collect();
        let label = |name: &str| image.text(&format!("/0/Config/Labels/org.opencontainers.image.{name}"));
        let version = Some(label("version")).filter(|version| !version.is_empty());
        let version = version.unwrap_or(image.tag);
        json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "metadata": {
                "timestamp": image.text("/0/Created"),
                "tools": {"components": [{"type": "application", "group": "trestle", "name": "sbom"}]},
                "component": {
                    "type": "container", "name": image.name, "version": version, "bom-ref": image.name,
                    "properties": [{"name": "trestle:image-id", "value": image.text("/0/Id")},
                                   {"name": "trestle:revision", "value": label("revision")}],
                },
            },
            "components": components, "dependencies": dependencies,
        })
    }
}

/// A package URL without qualifiers. Of what Debian, rpm and cargo allow in names and versions, two are to be encoded.
fn purl(kind: &str, name: &str, version: &str) -> String {
    let path = format!("{kind}/{name}@{version}");
    "pkg:".to_owned() + &path.replace('+', "%2B").replace('^', "%5E")
}

/// The value of a key in a text of lines such as `key = "value"`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(of, _)| of.trim() == key)?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// The sha256 of a crate's archive; none of a crate of this tree.
fn checksum<'a>(lock: &'a str, name: &str, version: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("\nname = \"{name}\"\nversion = \"{version}\"\n"))?;
    value(rest.split("\n\n").next()?, "checksum")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_dpkg_and_rpm() {
        let mut contents = Contents::default();
        let list = "installed\tlibstdc++6\t1:14-19\tamd64\t\nconfig-files\tgone\t1\tall\t\n";
        contents.add_packages(list, "deb/debian", "trixie");
        let list = "installed\tssl\t3-6.el9\tx86_64\t&epoch=1\ninstalled\tgpg-pubkey\t8d-5e\t(none)\t\n";
        contents.add_packages(list, "rpm/ol", "ol-9");
        assert!(contents.components.keys().eq([
            "pkg:deb/debian/libstdc%2B%2B6@1:14-19?arch=amd64&distro=trixie",
            "pkg:rpm/ol/ssl@3-6.el9?arch=x86_64&distro=ol-9&epoch=1",
        ]));
        assert_eq!(value("NAME=x\nID=\"ol\"\n", "ID"), Some("ol"));
    }

    #[test]
    fn crates_have_their_graph_licence_and_checksum() -> Result<()> {
        let tree = "0\tshop v1 (/shop)\tMIT\n1\ta v1\tMIT/ISC\n2\tb v2\t\n1\ta v1\tMIT/ISC (*)\n";
        let lock = "\nname = \"a\"\nversion = \"1\"\nchecksum = \"c0\"\n\n[[package]]\nname = \"b\"\n";
        let mut contents = Contents::default();
        contents.add_tree(tree, lock)?;
        let [shop, a, b] = ["shop@1", "a@1", "b@2"].map(|of| format!("pkg:cargo/{of}"));
        assert_eq!(contents.components[&a]["licenses"][0]["expression"], "MIT OR ISC");
        assert_eq!(contents.components[&a]["hashes"][0]["content"], "c0");
        assert!(contents.components[&b].get("hashes").is_none());
        assert!(contents.dependencies[&shop].iter().eq([&a]));
        assert!(contents.dependencies[&a].iter().eq([&b]));
        assert!(contents.add_tree("shop v1", lock).is_err());
        Ok(())
    }
}
