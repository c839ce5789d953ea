//! What a mix of interactions uses: each as often as it comes.

use serde::{Deserialize, Serialize};

use super::demand::{Demand, Point};
use super::tiers::Tiers;
use crate::interaction::{Interaction, Mix};
use crate::model::think::{TPCW_SESSION_S, TPCW_THINK_S};

/// Of those who have no session at Buy Request, so many make an account instead of logging in.
const NEW: f64 = 0.2;
/// Interactions of a visit, on average: visits scale with the think time.
pub const VISIT: f64 = TPCW_SESSION_S / TPCW_THINK_S;

/// What was measured of a shop.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shop {
    /// Without shoppers.
    pub idle: Point,
    /// With the mix, of shoppers who have sessions: medians.
    pub mix: Point,
    /// With each interaction on top.
    pub demands: Vec<Demand>,
}

impl Shop {
    fn demand(&self, interaction: Interaction) -> Option<&Demand> {
        self.demands.iter().find(|it| it.interaction == interaction)
    }
}

/// How often each of [`Interaction::ALL`] comes, for one interaction of the mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Frequencies {
    pub each: [f64; 16],
    /// Of the orders, 0 to 1, those before which Shopping Cart had put something in.
    pub filled: f64,
}

impl Frequencies {
    /// Visits end after 15 min / 7 s interactions on average, exponentially; the first that wants to buy has no session and gets one.
    pub fn of(mix: Mix) -> Self {
        let share = |interaction: Interaction| {
            let weight = mix.weights().get(interaction.index()).copied();
            f64::from(weight.unwrap_or_default()) / 10_000.0
        };
        let buys = share(Interaction::BuyRequest) + share(Interaction::BuyConfirm);
        // A visit comes to that with the chance buys / (buys + 1 / VISIT), and there is one visit in VISIT interactions.
        let enters = buys / (1.0 + buys * VISIT);
        let mut each = [0.0; 16];
        for interaction in Interaction::MIXED {
            each[interaction.index()] = share(interaction);
        }
        each[Interaction::NewAccount.index()] = NEW * enters;
        each[Interaction::Login.index()] = (1.0 - NEW) * enters;
        let (puts, orders) = (share(Interaction::Cart), share(Interaction::BuyConfirm));
        Self {
            each,
            // A cart is empty when the last of: put in, ordered, visit begun, was not the first.
            filled: puts / (puts + orders + 1.0 / VISIT),
        }
    }

    /// Logins and new accounts for one interaction of the mix.
    pub fn hashes(&self) -> f64 {
        self.each[Interaction::NewAccount.index()] + self.each[Interaction::Login.index()]
    }

    /// With logins and new accounts as they were counted.
    pub fn with_hashes(mut self, logins: f64, accounts: f64) -> Self {
        self.each[Interaction::Login.index()] = logins;
        self.each[Interaction::NewAccount.index()] = accounts;
        self
    }

    /// What a whole mix uses beyond `idle`, at so many interactions a second: in proportion up to the rate at which it was measured, by the
    /// slopes from there on. Logins and new accounts were not among those.
    fn used(
        &self,
        shop: &Shop,
        rate: f64,
        of_point: impl Fn(&Point) -> f64,
        of: impl Fn(&Demand) -> f64,
    ) -> f64 {
        let measured = rate.min(shop.mix.rate);
        let of_mix = (of_point(&shop.mix) - of_point(&shop.idle)) * measured / shop.mix.rate.max(1e-9);
        let each = |interaction| shop.demand(interaction).map_or(0.0, &of);
        let comes = |interaction: Interaction| self.each[interaction.index()] * each(interaction);
        let mixed: f64 = Interaction::MIXED.into_iter().map(comes).sum();
        let hashes = comes(Interaction::NewAccount) + comes(Interaction::Login);
        // On top of the mix, Buy Confirm filled its cart more often than in it.
        let confirms = self.each[Interaction::BuyConfirm.index()];
        let doubled = confirms * (self.filled - self.filled_beside(shop)).max(0.0) * each(Interaction::Cart);
        of_mix + (rate - measured) * (mixed - doubled).max(0.0) + rate * hashes
    }

    /// Of the orders on top of the mix, those before which Shopping Cart had put something in.
    fn filled_beside(&self, shop: &Shop) -> f64 {
        let more = shop.demand(Interaction::BuyConfirm).map_or(0.0, Demand::rate) / shop.mix.rate.max(1e-9);
        let (puts, orders) = (
            self.each[Interaction::Cart.index()],
            self.each[Interaction::BuyConfirm.index()],
        );
        puts / (puts + orders + more + (1.0 + more) / VISIT)
    }

    /// Cores that a mix uses at so many interactions a second, beyond those without any.
    pub fn cores(&self, shop: &Shop, rate: f64) -> Tiers {
        Tiers::from_array(std::array::from_fn(|tier| {
            let (of_point, of) = (
                |it: &Point| it.cores.array()[tier],
                |it: &Demand| it.cpu.array()[tier],
            );
            self.used(shop, rate, of_point, of).max(0.0)
        }))
    }

    /// Connections that execute a statement at a time; none unless it is known of all.
    pub fn statements(&self, shop: &Shop, rate: f64) -> Option<f64> {
        let known = !shop.demands.is_empty() && shop.demands.iter().all(|it| it.statements.is_some());
        known.then(|| {
            let of_point = |it: &Point| it.statements.unwrap_or_default();
            self.used(shop, rate, of_point, |it| it.statements.unwrap_or_default())
                .max(0.0)
        })
    }

    /// Mean response time in seconds.
    pub fn response_s(&self, shop: &Shop) -> f64 {
        let mixed = shop
            .demands
            .iter()
            .map(|it| self.each[it.interaction.index()] * it.response_ms);
        mixed.sum::<f64>() / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::demand::Round;
    use super::super::demand::tests::{near, point};
    use super::*;

    /// All cost the same but for those named; the mix was measured at 10 a second.
    fn shop(api: f64, others: &[(Interaction, f64)]) -> Shop {
        let idle = point(0.0, 0.0, 0.1);
        let demand = |interaction| {
            let other = others.iter().find(|(it, _)| *it == interaction);
            let cost = other.map_or(api, |(_, cost)| *cost);
            let round = Round {
                mix: point(10.0, 0.0, 0.2),
                with: point(1_000_010.0, 1_000_000.0, 0.2 + 1_000_000.0 * cost),
            };
            Demand::of(interaction, &idle, vec![round])
        };
        Shop {
            mix: point(10.0, 0.0, 0.2),
            demands: Interaction::ALL.into_iter().map(demand).collect(),
            idle,
        }
    }

    #[test]
    fn a_visit_comes_to_one_session_at_most() {
        // 3.8 % of the shopping mix want to buy: one session in some 26 interactions at first, then none until the visit ends.
        let shopping = Frequencies::of(Mix::Shopping);
        near(shopping.hashes(), 0.038 / (1.0 + 0.038 * 900.0 / 7.0));
        near(
            shopping.each[Interaction::NewAccount.index()],
            shopping.hashes() / 5.0,
        );
        let mixed: f64 = Interaction::MIXED
            .iter()
            .map(|it| shopping.each[it.index()])
            .sum();
        near(mixed, 1.0);
        // Nearly every visit of the ordering mix has one, and there is a visit in each 900 / 7 interactions.
        let ordering = Frequencies::of(Mix::Ordering).hashes() * VISIT;
        assert!(ordering > 0.96 && ordering < 1.0, "{ordering}");
    }

    #[test]
    fn a_mix_is_weighted() {
        let mix = Frequencies {
            filled: 0.0,
            ..Frequencies::of(Mix::Shopping).with_hashes(0.01, 0.002)
        };
        let hashing = [(Interaction::Login, 0.030), (Interaction::NewAccount, 0.050)];
        let all = shop(0.001, &hashing);
        // What was measured at 10 a second, 90 more, and hashes of all of them.
        near(
            mix.cores(&all, 100.0).api,
            0.1 + 90.0 * 0.001 + 100.0 * (0.01 * 0.030 + 0.002 * 0.050),
        );
        // At half of what was measured half of it.
        near(
            mix.cores(&all, 5.0).api,
            0.05 + 5.0 * (0.01 * 0.030 + 0.002 * 0.050),
        );
        near(mix.cores(&all, 0.0).api, 0.0);
        // Search Request is a fifth of the shopping mix.
        let slow = [
            (Interaction::SearchRequest, 0.006),
            (Interaction::Login, 0.0),
            (Interaction::NewAccount, 0.0),
        ];
        let all = shop(0.001, &slow);
        near(
            mix.cores(&all, 50.0).api,
            0.1 + 40.0 * (0.8 * 0.001 + 0.2 * 0.006),
        );
        near(
            mix.statements(&all, 50.0).unwrap_or_default(),
            50.0 * 0.002 * 1.012,
        );
        near(mix.response_s(&all), 0.010 * 1.012);
    }

    #[test]
    fn a_cart_that_was_filled_before_is_not_filled_again() {
        let mix = Frequencies::of(Mix::Shopping).with_hashes(0.0, 0.0);
        near(mix.filled, 0.116 / (0.116 + 0.012 + 7.0 / 900.0));
        let costly = [(Interaction::BuyConfirm, 0.005), (Interaction::Cart, 0.002)];
        let plain = 0.001 * (1.0 - 0.012 - 0.116) + 0.116 * 0.002;
        // So many came on top that hardly one of them found something in its cart.
        let found = mix.cores(&shop(0.001, &costly), 110.0).api;
        let expected = 0.1 + 100.0 * (plain + 0.012 * (0.005 - mix.filled * 0.002));
        assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
    }

    #[test]
    fn what_one_does_not_know_the_mix_does_not() {
        let mut all = shop(0.001, &[]);
        all.demands[3].statements = None;
        assert!(Frequencies::of(Mix::Browsing).statements(&all, 1.0).is_none());
        assert!(
            Frequencies::of(Mix::Browsing)
                .statements(&Shop::default(), 1.0)
                .is_none()
        );
    }
}
