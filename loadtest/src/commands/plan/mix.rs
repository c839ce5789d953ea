//! What a mix of interactions uses: each as often as it comes.

use super::demand::Demand;
use super::tiers::Tiers;
use crate::interaction::{Interaction, Mix};
use crate::model::think::{TPCW_SESSION_S, TPCW_THINK_S};

/// Of those who have no session at Buy Request, so many make an account instead of logging in.
const NEW: f64 = 0.2;
/// Interactions of a visit, on average: visits scale with the think time.
pub const VISIT: f64 = TPCW_SESSION_S / TPCW_THINK_S;

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

    /// What a whole mix uses, at so many interactions a second. Buy Confirm alone fills its cart itself: where Shopping Cart has done it,
    /// that is taken off again.
    fn used(&self, demands: &[Demand], rate: f64, of: impl Fn(&Demand, f64) -> f64) -> f64 {
        let find = |interaction| demands.iter().find(|demand| demand.interaction == interaction);
        let comes = |interaction: Interaction| rate * self.each[interaction.index()];
        let one = |interaction, rate| find(interaction).map_or(0.0, |demand| of(demand, rate));
        let all: f64 = Interaction::ALL.into_iter().map(|it| one(it, comes(it))).sum();
        let confirms = comes(Interaction::BuyConfirm);
        // At the rate at which carts are filled in any case: what comes on top of it.
        let carts = comes(Interaction::Cart);
        let doubled = one(Interaction::Cart, carts + self.filled * confirms) - one(Interaction::Cart, carts);
        all - doubled.clamp(0.0, one(Interaction::BuyConfirm, confirms).max(0.0))
    }

    /// Cores that a mix uses at so many interactions a second, beyond those without any.
    pub fn cores(&self, demands: &[Demand], rate: f64) -> Tiers {
        let waking = self.waking(demands);
        let used = |tier: usize| {
            let at = |demand: &Demand, rate| demand.cores_at(rate, waking).array()[tier];
            self.used(demands, rate, at)
        };
        let own = Tiers::from_array(std::array::from_fn(used));
        let low_rate = self.mean(demands, |_| true, |it| it.low.rate);
        let awake = waking.times((rate / low_rate.max(1e-9)).clamp(0.0, 1.0));
        own.with(awake, |own, awake| (own + awake).max(0.0))
    }

    /// What nginx and the API use beyond the slope with few arrivals, without filling any cache: they wake up for each one, and take
    /// several at once of many. They do so once for all that come, not once for each kind of them.
    pub fn waking(&self, demands: &[Demand]) -> Tiers {
        Tiers {
            nginx: self.mean(demands, |_| true, |it| it.base.nginx).max(0.0),
            api: self
                .mean(demands, Demand::is_of_memory, |it| it.base.api)
                .max(0.0),
            ..Tiers::default()
        }
    }

    /// The mean over some of the interactions, as often as they come; 0 over none.
    fn mean(&self, demands: &[Demand], which: fn(&Demand) -> bool, of: fn(&Demand) -> f64) -> f64 {
        let chosen = demands.iter().filter(|it| which(it));
        let (sum, weight) = chosen.fold((0.0, 0.0), |(sum, weight), it| {
            let each = self.each[it.interaction.index()];
            (sum + each * of(it), weight + each)
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Connections that execute a statement at a time; none unless it is known of all.
    pub fn statements(&self, demands: &[Demand], rate: f64) -> Option<f64> {
        let known = !demands.is_empty() && demands.iter().all(|it| it.statements.is_some());
        known.then(|| {
            self.used(demands, rate, |demand, rate| {
                demand
                    .statements
                    .map_or(0.0, |cost| cost.at(rate, demand.low.rate))
            })
            .max(0.0)
        })
    }

    /// Mean response time in seconds.
    pub fn response_s(&self, demands: &[Demand]) -> f64 {
        let mixed = demands
            .iter()
            .map(|it| self.each[it.interaction.index()] * it.low.response_ms);
        mixed.sum::<f64>() / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::demand::Point;
    use super::super::demand::tests::{near, point};
    use super::*;
    use crate::result::Caches;

    /// All cost the same but for those named; each a base of so many cores too.
    fn demands(api: f64, base: f64, others: &[(Interaction, f64)]) -> Vec<Demand> {
        let cost = |interaction| {
            let other = others.iter().find(|(it, _)| *it == interaction);
            other.map_or(api, |(_, cost)| *cost)
        };
        let at = |interaction, rate| point(rate, 0.1 + base + rate * cost(interaction));
        Interaction::ALL
            .into_iter()
            .map(|it| Demand::of(it, &point(0.0, 0.1), at(it, 10.0), at(it, 20.0)))
            .collect()
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
        let all = demands(0.001, 0.0, &hashing);
        near(
            mix.cores(&all, 100.0).api,
            100.0 * (0.001 + 0.01 * 0.030 + 0.002 * 0.050),
        );
        // Search Request is a fifth of the shopping mix.
        let slow = [
            (Interaction::SearchRequest, 0.006),
            (Interaction::Login, 0.0),
            (Interaction::NewAccount, 0.0),
        ];
        let all = demands(0.001, 0.0, &slow);
        near(mix.cores(&all, 50.0).api, 50.0 * (0.8 * 0.001 + 0.2 * 0.006));
        near(
            mix.statements(&all, 50.0).unwrap_or_default(),
            50.0 * 0.002 * 1.012,
        );
        near(mix.response_s(&all), 0.010 * 1.012);
    }

    #[test]
    fn what_each_uses_in_any_case_is_used_once() {
        let mix = Frequencies {
            filled: 0.0,
            ..Frequencies::of(Mix::Shopping).with_hashes(0.0, 0.0)
        };
        let all = demands(0.001, 0.01, &[]);
        // So many come that each is beyond the lower rate, 10/s: the rarest is 0.09 % of the mix.
        near(mix.cores(&all, 20_000.0).api, 20.0 + 14.0 * 0.01);
        // At 10/s in all, each comes at its share of the lower rate.
        near(mix.cores(&all, 10.0).api, 0.01 + 0.01);
    }

    #[test]
    fn what_wakes_up_does_so_once_for_all() {
        let mix = Frequencies {
            filled: 0.0,
            ..Frequencies::of(Mix::Shopping).with_hashes(0.0, 0.0)
        };
        let at = |base: f64, rate: f64, memory| Point {
            cores: Tiers {
                nginx: 0.01 + rate * 0.0002,
                api: base + rate * 0.001,
                ..Tiers::default()
            },
            caches: Caches {
                memory,
                ..Caches::default()
            },
            ..point(rate, 0.0)
        };
        let all: Vec<Demand> = Interaction::ALL
            .into_iter()
            .map(|it| {
                // Home alone fills no cache: its base is what all have.
                let (base, memory) = if it == Interaction::Home {
                    (0.02, 100)
                } else {
                    (0.05, 0)
                };
                Demand::of(
                    it,
                    &point(0.0, 0.0),
                    at(base, 10.0, memory),
                    at(base, 20.0, memory),
                )
            })
            .collect();
        let cores = mix.cores(&all, 20_000.0);
        near(cores.nginx, 0.01 + 4.0);
        near(cores.api, 20.0 + 0.02 + 13.0 * 0.03);
    }

    #[test]
    fn a_cart_that_was_filled_before_is_not_filled_again() {
        let mix = Frequencies::of(Mix::Shopping).with_hashes(0.0, 0.0);
        near(mix.filled, 0.116 / (0.116 + 0.012 + 7.0 / 900.0));
        let costly = [(Interaction::BuyConfirm, 0.005), (Interaction::Cart, 0.002)];
        let plain = 0.001 * (1.0 - 0.012 - 0.116) + 0.116 * 0.002;
        near(
            mix.cores(&demands(0.001, 0.0, &costly), 100.0).api,
            100.0 * (plain + 0.012 * (0.005 - mix.filled * 0.002)),
        );
        // Never below nothing.
        let odd = [(Interaction::BuyConfirm, 0.001), (Interaction::Cart, 0.900)];
        near(
            mix.cores(&demands(0.0, 0.0, &odd), 100.0).api,
            100.0 * 0.116 * 0.900,
        );
    }

    #[test]
    fn what_one_does_not_know_the_mix_does_not() {
        let mut all = demands(0.001, 0.0, &[]);
        all[3].statements = None;
        assert!(Frequencies::of(Mix::Browsing).statements(&all, 1.0).is_none());
        assert!(Frequencies::of(Mix::Browsing).statements(&[], 1.0).is_none());
    }
}
