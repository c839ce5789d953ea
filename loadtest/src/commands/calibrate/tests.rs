#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use super::*;

fn found(all_busy: f64, spread: f64) -> Calibration {
    Calibration {
        work: WORK,
        optimised: true,
        began: String::new(),
        machine: Machine::default(),
        alone: 2.0 * all_busy,
        all_busy,
        spread,
    }
}

#[test]
fn the_ratio_is_of_here_to_there() {
    let text = told(&found(30_000.0, 0.01), Some(20_000.0));
    assert!(text.contains("plan --vcpu-ratio 1.500"), "{text}");
    assert!(text.contains("50.0 % of the former"), "{text}");
    assert!(!text.contains("Try again"), "{text}");
    assert!(told(&found(30_000.0, 0.2), None).contains("Try again"));
    assert!(!told(&found(30_000.0, 0.2), None).contains("--vcpu-ratio"));
}

#[test]
fn it_is_compared_with_a_number_or_a_file_of_the_same_work() {
    assert!((read("1234.5", true).unwrap() - 1234.5).abs() < 1e-9);
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, calibration: &Calibration| {
        let path = folder.path().join(name);
        std::fs::write(&path, serde_json::to_vec(calibration).unwrap()).unwrap();
        path.to_string_lossy().into_owned()
    };
    let good = save("good.json", &found(500.0, 0.0));
    assert!((read(&good, true).unwrap() - 500.0).abs() < 1e-9);
    let other_work = Calibration {
        work: WORK + 1,
        ..found(500.0, 0.0)
    };
    for (text, optimised) in [
        ("-1", true),
        ("no-such-file", true),
        (&*save("work.json", &other_work), true),
        (&*good, false),
        (&*save("none.json", &found(0.0, 0.0)), true),
    ] {
        let error = read(text, optimised).unwrap_err();
        assert!(error.downcast_ref::<Usage>().is_some(), "{text}");
        assert!(error.to_string().starts_with("--against"), "{error}");
    }
}

#[test]
fn a_piece_depends_on_all_of_the_document() {
    let document = product().to_string();
    assert_eq!(piece(&document), piece(&document));
    assert_ne!(piece(&document), piece(&document.replace("1999", "1998")));
    assert_ne!(piece(&document), 0);
}

#[test]
fn a_machine_comes_to_a_number() {
    let machine = Machine {
        cores: 2,
        ..Machine::default()
    };
    let found = calibrate(machine, 0.07, true).unwrap();
    assert!(found.alone > 0.0 && found.all_busy > 0.0 && found.spread.is_finite());
}
