//! The storefront's files among themselves and with nginx: addresses, what the page loads ahead, and how much it weighs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::header::ACCEPT_ENCODING;
use trestle::web::WebTree;

use crate::front::{Front, Wish, start};

/// How index.html names its files.
const BASE: &str = "/v/<!--# echo var=\"release\" -->/";
/// What the home page may weigh, compressed: HTML, CSS and JS.
const HOME_BYTES: usize = 80_000;

fn storefront() -> PathBuf {
    WebTree::find().unwrap().storefront
}

fn read(name: &str) -> String {
    let path = storefront().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between each `before` and the next `after`.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(move |rest| rest.split(after).next())
}

/// The modules that `module` imports before it runs, by their names in the storefront. Those statements begin and end
/// lines.
fn imports(module: &str) -> Vec<String> {
    let folder = Path::new(module).parent().unwrap();
    read(module)
        .lines()
        .filter(|line| line.contains(" from \"") || line.starts_with("import \""))
        .filter(|line| {
            ["import ", "export ", "} from "]
                .iter()
                .any(|word| line.starts_with(word))
        })
        .filter_map(|line| line.strip_suffix("\";")?.rsplit('"').next())
        .map(|name| plain(&folder.join(name)))
        .collect()
}

/// Without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap().split('/') {
        match part {
            "" | "." => {}
            ".." => assert!(parts.pop().is_some(), "{} is outside", path.display()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// These modules and all that they import.
fn closure(modules: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<String> = modules.iter().map(ToString::to_string).collect();
    while let Some(module) = next.pop() {
        if found.insert(module.clone()) {
            next.extend(imports(&module));
        }
    }
    found
}

/// The home page's view and sheet.
fn home() -> (String, String) {
    let routes = read("routes.mjs");
    let home = between(&routes, "{ path: \"/\"", '}').next().unwrap();
    let word = |name: &str| {
        let before = format!("{name}: \"");
        between(home, &before, '"').next().unwrap().to_owned()
    };
    (
        format!("views/{}.mjs", word("view")),
        format!("styles/{}.css", word("style")),
    )
}

/// Every file with this ending, by its name in the storefront.
fn files(ending: &str) -> Vec<String> {
    let root = storefront();
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn nginx_knows_the_address_of_every_view() {
    let routes = read("routes.mjs");
    let views: BTreeSet<String> = between(&routes, "{ path: \"/", '"')
        .filter(|path| !path.is_empty())
        .map(|path| {
            let segments = path
                .split('/')
                .map(|part| if part.starts_with(':') { "[^/]+" } else { part });
            segments.collect::<Vec<_>>().join("/")
        })
        .collect();
    let template = WebTree::find().unwrap().templates.join("server.conf.template");
    let template = fs::read_to_string(template).unwrap();
    let known = template.split_once("location ~ \"(?x) ^/ (").unwrap().1;
    let known = known.split_once(')').unwrap().0;
    let known: BTreeSet<String> = known.split('|').map(|path| path.trim().to_owned()).collect();
    assert_eq!(known, views);
    assert!(known.len() > 10, "{known:?}");
}

#[test]
fn the_page_loads_ahead_what_every_page_needs_and_nothing_else() {
    let page = read("index.html");
    let before = format!("<link rel=\"modulepreload\" href=\"{BASE}");
    let ahead: Vec<&str> = between(&page, &before, '"').collect();
    let mut needed = closure(&["app.mjs"]);
    needed.remove("app.mjs");
    let unique: BTreeSet<String> = ahead.iter().map(ToString::to_string).collect();
    assert_eq!(
        unique, needed,
        "index.html's modulepreload, and what app.mjs imports"
    );
    assert_eq!(unique.len(), ahead.len(), "{ahead:?}");
    assert_eq!(page.matches("<link rel=\"modulepreload\"").count(), ahead.len());
}

#[test]
fn the_home_page_has_its_view_loaded_ahead_too() {
    let before = read("before.js");
    let ahead: BTreeSet<String> = before
        .split('"')
        .filter(|text| {
            ["lib/", "parts/", "styles/", "views/"]
                .iter()
                .any(|folder| text.starts_with(folder))
        })
        .map(str::to_owned)
        .collect();
    let (view, sheet) = home();
    let common = closure(&["app.mjs"]);
    let mut needed: BTreeSet<String> = closure(&[&view]).difference(&common).cloned().collect();
    needed.insert(sheet);
    assert_eq!(ahead, needed, "before.js's list, and what {view} imports");
}

#[test]
fn every_file_is_asked_for_under_the_release() {
    let page = read("index.html");
    for attribute in ["href=\"", "src=\""] {
        for rest in page.split(attribute).skip(1) {
            let name = rest
                .strip_prefix(BASE)
                .unwrap_or_else(|| panic!("{attribute}{}", &rest[..40]));
            let name = name.split('"').next().unwrap();
            assert!(storefront().join(name).is_file(), "{name}");
        }
    }
    // An address that begins with a slash would leave it, and load a module a second time.
    let folders = ["lib", "parts", "pictures", "styles", "texts", "views"];
    for name in ["mjs", "js", "css"].iter().flat_map(|ending| files(ending)) {
        let text = read(&name);
        for folder in folders {
            for quote in ['"', '`', '\'', '('] {
                let wrong = format!("{quote}/{folder}/");
                assert!(!text.contains(&wrong), "{name} has {wrong}");
            }
        }
    }
    for name in files("mjs") {
        for imported in imports(&name) {
            assert!(
                storefront().join(&imported).is_file(),
                "{name} imports {imported}"
            );
        }
    }
}

#[tokio::test]
async fn the_home_page_is_light() {
    let front = start(Wish::default()).await;
    let (view, sheet) = home();
    for language in ["en", "ko"] {
        let mut names = closure(&["app.mjs", &view, &format!("texts/{language}.mjs")]);
        names.extend(["before.js", "styles/base.css", &sheet].map(str::to_owned));
        let mut weights = vec![(weight(&front, "/").await, "/".to_owned())];
        for name in names {
            let path = format!("/v/{}/{name}", front.release());
            weights.push((weight(&front, &path).await, name));
        }
        weights.sort_unstable();
        let sum: usize = weights.iter().map(|(bytes, _)| bytes).sum();
        println!("home page in {language}: {sum} bytes in {} files", weights.len());
        assert!(sum < HOME_BYTES, "{language}: {sum} bytes: {weights:?}");
    }
}

/// Bytes of the body as it is sent.
async fn weight(front: &Front, path: &str) -> usize {
    let request = front.client.get(front.url(path)).header(ACCEPT_ENCODING, "gzip");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().len()
}

/// The names of a dictionary, `section.name`: it is laid out with two blanks a level and a name at the head of a line.
fn names(language: &str) -> BTreeSet<String> {
    let text = read(&format!("texts/{language}.mjs"));
    let (_, body) = text.split_once("export const texts = {").expect("a dictionary");
    let mut path: Vec<&str> = Vec::new();
    let mut names = BTreeSet::new();
    for line in body.lines() {
        let level = (line.len() - line.trim_start().len()) / 2;
        let Some((name, rest)) = line.trim_start().split_once(':') else {
            continue;
        };
        if !is_name(name) || !(1..=path.len() + 1).contains(&level) {
            continue;
        }
        path.truncate(level - 1);
        path.push(name);
        let path = path.join(".");
        // A short section stands on one line.
        if let Some(inner) = rest.strip_prefix(" { ") {
            let inner = inner.split(", ").filter_map(|part| part.split_once(':'));
            names.extend(
                inner
                    .filter(|(name, _)| is_name(name))
                    .map(|(name, _)| format!("{path}.{name}")),
            );
        }
        names.insert(path);
    }
    names
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[test]
fn the_dictionaries_have_the_same_names_and_every_name_that_is_asked_for() {
    let (en, ko) = (names("en"), names("ko"));
    let different: Vec<_> = en.symmetric_difference(&ko).collect();
    assert!(different.is_empty(), "in one language only: {different:?}");
    assert!(en.len() > 300, "{} names", en.len());
    let mut asked = 0;
    for file in files("mjs").iter().filter(|file| !file.starts_with("texts/")) {
        let text = read(file);
        for (at, _) in text.match_indices("t(\"") {
            // Not the end of another name, such as put("…").
            if text[..at].ends_with(|before: char| before.is_alphanumeric() || "_.".contains(before)) {
                continue;
            }
            let name = text[at + 3..].split('"').next().unwrap();
            assert!(en.contains(name), "{file} asks for {name}");
            asked += 1;
        }
    }
    assert!(asked > 200, "{asked} texts are asked for");
}
