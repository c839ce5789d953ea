//! The templates have two renderers, the launcher's and services/web/render for containers and EC2: they must agree.

use std::fs;
use std::path::Path;
use std::process::Command;

use trestle::web::{Http2, Tls, WebConfig, WebTree, render};

/// Without its layout: the value of a list has its own line breaks.
fn words(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

fn value_of(conf: &str, directive: &str) -> String {
    let line = conf.lines().find_map(|line| line.trim().strip_prefix(directive));
    line.unwrap().trim().trim_end_matches(';').to_owned()
}

#[test]
fn the_launcher_and_the_shell_render_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let tree = WebTree::find().unwrap();
    let config = WebConfig {
        listen: vec!["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()],
        tls: Some(Tls {
            certificate: at("shop.pem"),
            key: at("shop.key"),
            listen: vec!["127.0.0.1:443".parse().unwrap()],
            http2: Http2::Directive,
        }),
        upstreams: vec!["10.0.0.1:8000".parse().unwrap(), "10.0.0.2:8000".parse().unwrap()],
        storefront: tree.storefront.clone(),
        templates: tree.templates.clone(),
        release: tree.release.clone(),
        run_dir: at("run"),
        log_dir: at("log"),
        run_as_root: true,
        hostname: Some("shop.example".to_owned()),
        trusted_proxies: vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()],
        picture_hosts: vec!["cdn.example".to_owned(), "img.example:8443".to_owned()],
    };
    let conf = fs::read_to_string(render(&config, &at("rust")).unwrap()).unwrap();
    let script = tree.templates.parent().unwrap().join("render");
    let shell = Command::new(script)
        .args([&tree.templates, &at("shell")])
        .env("TRESTLE_WEB_RUN_AS", "root")
        .env("TRESTLE_WEB_WORKERS", value_of(&conf, "worker_processes"))
        .env("TRESTLE_WEB_FILES", value_of(&conf, "worker_rlimit_nofile"))
        .env("TRESTLE_WEB_CONNECTIONS", value_of(&conf, "worker_connections"))
        .env("TRESTLE_WEB_RUN_DIR", at("run"))
        .env("TRESTLE_WEB_LOG_DIR", at("log"))
        .env("TRESTLE_WEB_STOREFRONT", &tree.storefront)
        .env("TRESTLE_WEB_ADDRESSES", "127.0.0.1:80 [::1]:80")
        .env("TRESTLE_WEB_TLS_ADDRESSES", "127.0.0.1:443")
        .env("TRESTLE_WEB_HTTP2", "on")
        .env("TRESTLE_WEB_CERTIFICATE", at("shop.pem"))
        .env("TRESTLE_WEB_KEY", at("shop.key"))
        .env("TRESTLE_WEB_HOSTNAME", "shop.example")
        .env("TRESTLE_WEB_TRUSTED_PROXIES", "10.0.0.0/8 fd00::/8")
        .env("TRESTLE_WEB_PICTURE_HOSTS", "cdn.example  img.example:8443")
        .env("TRESTLE_WEB_API_ADDRESSES", "10.0.0.1:8000 10.0.0.2:8000")
        .output()
        .unwrap();
    assert!(shell.status.success(), "{shell:?}");
    for file in fs::read_dir(at("rust")).unwrap() {
        let name = file.unwrap().file_name();
        assert_eq!(
            words(&at("rust").join(&name)),
            words(&at("shell").join(&name)),
            "{}",
            name.display()
        );
    }
}

#[test]
fn the_shell_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let tree = WebTree::find().unwrap();
    let script = tree.templates.parent().unwrap().join("render");
    let render = |templates: &Path, api: &str, hosts: &str| {
        let output = Command::new(&script)
            .args([templates, &folder.path().join("out")])
            .env("TRESTLE_WEB_RUN_DIR", folder.path().join("run"))
            .env("TRESTLE_WEB_STOREFRONT", &tree.storefront)
            .env("TRESTLE_WEB_API_NAME", api)
            .env("TRESTLE_WEB_PICTURE_HOSTS", hosts)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = render(&tree.templates, "", "");
    assert_eq!(code, Some(64));
    assert!(said.contains("TRESTLE_WEB_API_NAME"), "{said}");
    for bad in [
        "*",
        "https://cdn.example",
        "cdn.example;x",
        "cdn.example CDN.example",
    ] {
        let (code, said) = render(&tree.templates, "api:8000", bad);
        assert_eq!(code, Some(64), "{bad}");
        assert!(said.contains("TRESTLE_WEB_PICTURE_HOSTS"), "{said}");
    }
    fs::write(folder.path().join("a.template"), "x ${TRESTLE_WEB_NOTHING};").unwrap();
    let (code, said) = render(folder.path(), "api:8000", "");
    assert_eq!(code, Some(64));
    assert!(said.contains("TRESTLE_WEB_NOTHING is not set"), "{said}");
}
