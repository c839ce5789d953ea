#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
#![expect(clippy::float_cmp, reason = "a bound that is active is exactly 0")]

use rand_distr::{Distribution as _, Normal};

use super::*;
use crate::model::rng;

fn near(found: f64, wanted: f64, share: f64) -> bool {
    (found - wanted).abs() <= share * wanted.abs()
}

#[test]
fn exact_data_gives_its_parameters() {
    for law in [
        Usl {
            g: 1.0,
            a: 0.02,
            b: 0.02,
        },
        Usl {
            g: 4_321.0,
            a: 0.03,
            b: 0.0007,
        },
        Usl {
            g: 0.5,
            a: 0.4,
            b: 0.00001,
        },
    ] {
        let points: Vec<_> = [1.0, 2.0, 3.0, 4.0, 6.0].map(|n| (n, law.predict(n))).to_vec();
        let found = fit(&points).unwrap();
        assert!(near(found.g, law.g, 1e-6), "{found:?}");
        assert!((found.a - law.a).abs() < 1e-6, "{found:?}");
        assert!((found.b - law.b).abs() < 1e-6, "{found:?}");
    }
}

#[test]
fn noisy_data_gives_them_nearly() {
    let law = Usl {
        g: 1_000.0,
        a: 0.05,
        b: 0.002,
    };
    let noise = Normal::new(1.0, 0.02).unwrap();
    let mut rng = rng(3, 0);
    let mut points = Vec::new();
    for _ in 0..100 {
        points.extend(
            [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0].map(|n| (n, law.predict(n) * noise.sample(&mut rng))),
        );
    }
    let found = fit(&points).unwrap();
    assert!(near(found.g, 1_000.0, 0.01), "{found:?}");
    assert!(near(found.a, 0.05, 0.1), "{found:?}");
    assert!(near(found.b, 0.002, 0.1), "{found:?}");
}

/// A Sun SPARCcenter 2000 in SPEC's SDM91 benchmark, scripts an hour by users; the fit is the one that the R
/// package `usl` publishes in its README (alpha 0.0277285, beta 0.0001044, gamma 89.9952330).
#[test]
fn published_data_gives_the_published_fit() {
    let points = [
        (1.0, 64.9),
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ];
    let found = fit(&points).unwrap();
    assert!((found.a - 0.027_728_5).abs() < 1e-7, "{found:?}");
    assert!((found.b - 0.000_104_4).abs() < 1e-7, "{found:?}");
    assert!((found.g - 89.995_233).abs() < 1e-4, "{found:?}");
}

/// Gunther's ray tracer by processors, with the bounded fit that is quoted for it (alpha 0.057771, beta 0, gamma 21.848843): its best b
/// lies on the limit.
#[test]
fn published_data_whose_best_b_is_0() {
    let points = [
        (1.0, 20.0),
        (4.0, 78.0),
        (8.0, 130.0),
        (12.0, 170.0),
        (16.0, 190.0),
        (20.0, 200.0),
        (24.0, 210.0),
        (28.0, 230.0),
        (32.0, 260.0),
        (48.0, 280.0),
        (64.0, 310.0),
    ];
    let found = fit(&points).unwrap();
    assert!((found.a - 0.057_771).abs() < 1e-6, "{found:?}");
    assert_eq!(found.b, 0.0);
    assert!((found.g - 21.848_843).abs() < 1e-5, "{found:?}");
}

/// Data that a fit without limits would give a b below 0, then an a below 0, then both.
#[test]
fn limits_hold_and_the_fit_is_the_best_inside() {
    let sum = |law: &Usl, points: &[(f64, f64)]| {
        points
            .iter()
            .map(|&(n, x)| (x - law.predict(n)).powi(2))
            .sum::<f64>()
    };
    let free_b = [
        (1.0, 100.0),
        (2.0, 180.0),
        (3.0, 252.0),
        (4.0, 330.0),
        (6.0, 480.0),
    ];
    let free_a = [
        (1.0, 100.0),
        (2.0, 203.0),
        (3.0, 300.0),
        (4.0, 390.0),
        (6.0, 540.0),
    ];
    let both = [
        (1.0, 100.0),
        (2.0, 204.0),
        (3.0, 309.0),
        (4.0, 416.0),
        (6.0, 630.0),
    ];
    let (no_b, no_a, neither) = (fit(&free_b).unwrap(), fit(&free_a).unwrap(), fit(&both).unwrap());
    assert!(no_b.b == 0.0 && no_b.a > 0.0, "{no_b:?}");
    assert!(no_a.a == 0.0 && no_a.b > 0.0, "{no_a:?}");
    assert!(neither.a == 0.0 && neither.b == 0.0, "{neither:?}");
    for (law, points) in [(no_b, &free_b), (no_a, &free_a), (neither, &both)] {
        for (g, a, b) in [
            (1e-3, 0.0, 0.0),
            (-1e-3, 0.0, 0.0),
            (0.0, 1e-4, 0.0),
            (0.0, 0.0, 1e-5),
            (1e-3, 1e-4, 1e-5),
        ] {
            let other = Usl {
                g: law.g * (1.0 + g),
                a: law.a + a,
                b: law.b + b,
            };
            assert!(
                sum(&other, points) > sum(&law, points),
                "{other:?} is better than {law:?}"
            );
        }
        // Downwards only where that stays inside.
        let less = Usl {
            a: (law.a - 1e-4).max(0.0),
            b: (law.b - 1e-5).max(0.0),
            ..law
        };
        assert!(
            sum(&less, points) >= sum(&law, points),
            "{less:?} is better than {law:?}"
        );
    }
}

#[test]
fn too_little_is_not_fitted() {
    assert_eq!(fit(&[(1.0, 1.0), (2.0, 2.0), (2.0, 2.1)]), None);
    assert_eq!(fit(&[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]), None);
    assert_eq!(fit(&[(1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]), None);
}
