//! What each owner's cart and orders have to be, by the journal alone.

use std::collections::{BTreeMap, BTreeSet};

use super::is_same;
use crate::journal::{Entry, Fate, Order, Owner, Placed, Write};

/// The shop caps a line here when carts are merged.
const MOST_PIECES: u32 = 99;

/// What one owner must find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// For each variant that was ever written, the quantities that it may have; 0 is not there.
    lines: BTreeMap<u64, BTreeSet<u32>>,
    pub acknowledged: Vec<Order>,
    pub unknown: Vec<Order>,
    /// Of a visitor: the cookie with which the cart is found.
    pub cookie: Option<String>,
}

/// Replays the journal.
pub fn expectations(entries: &[Entry]) -> BTreeMap<Owner, Expected> {
    let mut owners: BTreeMap<Owner, Expected> = BTreeMap::new();
    for entry in entries {
        match &entry.write {
            Write::Cart {
                variant,
                quantity,
                cookie,
            } => {
                let owner = owners.entry(entry.owner).or_default();
                owner.set(*variant, *quantity, entry.fate);
                if cookie.is_some() {
                    owner.cookie.clone_from(cookie);
                }
            }
            Write::Merge { from } if entry.fate != Fate::Refused => {
                let visitor = owners.remove(&Owner::Visitor(*from)).unwrap_or_default();
                owners.entry(entry.owner).or_default().merge(&visitor, entry.fate);
                if entry.fate == Fate::Unknown {
                    // It may be there still, and be filled further.
                    owners.insert(Owner::Visitor(*from), visitor.perhaps_gone());
                }
            }
            Write::Order(order) => owners.entry(entry.owner).or_default().order(order, entry.fate),
            Write::Merge { .. } | Write::Other { .. } => {}
        }
    }
    owners
}

impl Expected {
    fn allowed(&mut self, variant: u64) -> &mut BTreeSet<u32> {
        self.lines.entry(variant).or_insert_with(|| BTreeSet::from([0]))
    }

    fn set(&mut self, variant: u64, quantity: u32, fate: Fate) {
        let allowed = self.allowed(variant);
        match fate {
            Fate::Acknowledged => *allowed = BTreeSet::from([quantity]),
            Fate::Unknown => {
                allowed.insert(quantity);
            }
            Fate::Refused => {}
        }
    }

    fn merge(&mut self, visitor: &Self, fate: Fate) {
        for (variant, theirs) in &visitor.lines {
            let own = self.allowed(*variant);
            let sums = own
                .iter()
                .flat_map(|a| theirs.iter().map(move |b| (a + b).min(MOST_PIECES)));
            let sums: BTreeSet<u32> = sums.collect();
            *own = match fate {
                Fate::Acknowledged => sums,
                _ => own.union(&sums).copied().collect(),
            };
        }
    }

    /// Each line is there as it was, or was taken away.
    fn perhaps_gone(mut self) -> Self {
        for allowed in self.lines.values_mut() {
            allowed.insert(0);
        }
        self
    }

    fn order(&mut self, order: &Order, fate: Fate) {
        let paid = order.placed.as_ref().is_some_and(|placed| placed.state == "paid");
        match fate {
            Fate::Acknowledged => self.acknowledged.push(order.clone()),
            Fate::Unknown => self.unknown.push(order.clone()),
            Fate::Refused => return,
        }
        // What is paid is taken off the cart.
        for (variant, quantity) in &order.items {
            let own = self.allowed(*variant);
            let left: BTreeSet<u32> = own
                .iter()
                .map(|pieces| pieces.saturating_sub(*quantity))
                .collect();
            *own = if paid {
                left
            } else {
                own.union(&left).copied().collect()
            };
        }
    }

    pub fn has_cart(&self) -> bool {
        !self.lines.is_empty()
    }

    pub fn has_orders(&self) -> bool {
        !self.acknowledged.is_empty() || !self.unknown.is_empty()
    }

    /// What is wrong with a cart, a line each.
    pub fn cart_violations(&self, owner: Owner, lines: &BTreeMap<u64, u32>) -> Vec<String> {
        let variants: BTreeSet<u64> = self.lines.keys().chain(lines.keys()).copied().collect();
        let none = BTreeSet::from([0]);
        variants
            .into_iter()
            .filter_map(|variant| {
                let there = lines.get(&variant).copied().unwrap_or(0);
                let allowed = self.lines.get(&variant).unwrap_or(&none);
                (!allowed.contains(&there)).then(|| {
                    let allowed: Vec<String> = allowed.iter().map(u32::to_string).collect();
                    format!(
                        "cart of {owner:?}: variant {variant}: {there} pieces, acknowledged were {}",
                        allowed.join(" or ")
                    )
                })
            })
            .collect()
    }

    /// What is wrong with the orders, a line each.
    pub fn order_violations(&self, owner: Owner, there: &[Placed]) -> Vec<String> {
        let mut violations = Vec::new();
        let mut known = BTreeSet::new();
        for placed in self.acknowledged.iter().filter_map(|order| order.placed.as_ref()) {
            known.insert(placed.id.as_str());
            let found: Vec<&Placed> = there.iter().filter(|order| order.id == placed.id).collect();
            match found.as_slice() {
                [] => violations.push(format!(
                    "order {} of {owner:?} was acknowledged and is not there",
                    placed.id
                )),
                [order] => violations.extend(difference(placed, order)),
                more => violations.push(format!(
                    "order {} of {owner:?} is there {} times",
                    placed.id,
                    more.len()
                )),
            }
        }
        let mut open: Vec<&Order> = self.unknown.iter().collect();
        for order in there.iter().filter(|order| !known.contains(order.id.as_str())) {
            match open.iter().position(|wanted| is_same(wanted, order)) {
                Some(place) => {
                    open.swap_remove(place);
                }
                None => violations.push(format!(
                    "order {} of {owner:?} is there, and nobody asked for it",
                    order.id
                )),
            }
        }
        violations
    }
}

fn difference(acknowledged: &Placed, there: &Placed) -> Option<String> {
    let sorted = |order: &Placed| {
        let mut lines = order.lines.clone();
        lines.sort_unstable();
        lines
    };
    if acknowledged.total == there.total && sorted(acknowledged) == sorted(there) {
        let unpaid = acknowledged.state == "paid" && there.state == "pending";
        return unpaid.then(|| format!("order {}: acknowledged as paid, it is pending", there.id));
    }
    Some(format!(
        "order {}: acknowledged with total {} and lines {:?}, there are {} and {:?}",
        there.id, acknowledged.total, acknowledged.lines, there.total, there.lines
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Owner = Owner::Account(1);

    fn put(owner: Owner, variant: u64, quantity: u32, fate: Fate) -> Entry {
        Entry {
            owner,
            write: Write::Cart {
                variant,
                quantity,
                cookie: Some("c".to_owned()),
            },
            fate,
        }
    }

    fn order(id: Option<&str>, quantity: u32) -> Order {
        Order {
            key: "k".to_owned(),
            items: vec![(7, quantity)],
            placed: id.map(|id| placed(id, quantity, 100)),
        }
    }

    fn placed(id: &str, quantity: u32, total: i64) -> Placed {
        Placed {
            id: id.to_owned(),
            state: "paid".to_owned(),
            total,
            lines: vec![(7, quantity, total)],
        }
    }

    fn ordered(order: Order, fate: Fate) -> Entry {
        Entry {
            owner: ME,
            write: Write::Order(order),
            fate,
        }
    }

    fn carts(entries: &[Entry], owner: Owner, lines: &[(u64, u32)]) -> Vec<String> {
        let expected = expectations(entries);
        expected[&owner].cart_violations(owner, &lines.iter().copied().collect())
    }

    #[test]
    fn a_cart_equals_its_last_acknowledged_state() {
        let entries = [
            put(ME, 7, 2, Fate::Acknowledged),
            put(ME, 8, 1, Fate::Acknowledged),
        ];
        assert!(carts(&entries, ME, &[(7, 2), (8, 1)]).is_empty());
        assert_eq!(carts(&entries, ME, &[(7, 2)]).len(), 1, "a lost line");
        assert_eq!(
            carts(&entries, ME, &[(7, 1), (8, 1)]).len(),
            1,
            "another quantity"
        );
        assert_eq!(
            carts(&entries, ME, &[(7, 2), (8, 1), (9, 1)]).len(),
            1,
            "a line too many"
        );
    }

    #[test]
    fn an_unknown_write_may_have_been_done_until_another_is_acknowledged() {
        let mut entries = vec![put(ME, 7, 2, Fate::Acknowledged), put(ME, 7, 5, Fate::Unknown)];
        assert!(carts(&entries, ME, &[(7, 2)]).is_empty());
        assert!(carts(&entries, ME, &[(7, 5)]).is_empty());
        assert_eq!(carts(&entries, ME, &[(7, 3)]).len(), 1);
        entries.push(put(ME, 7, 1, Fate::Acknowledged));
        assert_eq!(carts(&entries, ME, &[(7, 5)]).len(), 1);
    }

    #[test]
    fn a_login_takes_the_visitors_cart_along() {
        let visitor = Owner::Visitor(4);
        let entries = [
            put(ME, 7, 98, Fate::Acknowledged),
            put(visitor, 7, 2, Fate::Acknowledged),
            put(visitor, 8, 1, Fate::Acknowledged),
            Entry {
                owner: ME,
                write: Write::Merge { from: 4 },
                fate: Fate::Acknowledged,
            },
        ];
        assert!(carts(&entries, ME, &[(7, 99), (8, 1)]).is_empty());
        assert_eq!(carts(&entries, ME, &[(7, 98)]).len(), 2);
        assert!(!expectations(&entries).contains_key(&visitor));
    }

    #[test]
    fn a_login_whose_answer_never_came_may_have_left_the_visitors_cart() {
        let visitor = Owner::Visitor(4);
        let entries = [
            put(visitor, 7, 2, Fate::Acknowledged),
            Entry {
                owner: ME,
                write: Write::Merge { from: 4 },
                fate: Fate::Unknown,
            },
            put(visitor, 8, 1, Fate::Acknowledged),
        ];
        assert!(carts(&entries, visitor, &[(7, 2), (8, 1)]).is_empty());
        assert!(carts(&entries, visitor, &[(8, 1)]).is_empty());
        assert_eq!(carts(&entries, visitor, &[(7, 2)]).len(), 1, "a lost line");
        assert!(carts(&entries, ME, &[(7, 2)]).is_empty());
        assert!(carts(&entries, ME, &[]).is_empty());
    }

    #[test]
    fn what_is_paid_leaves_the_cart() {
        let entries = [
            put(ME, 7, 3, Fate::Acknowledged),
            ordered(order(Some("a"), 2), Fate::Acknowledged),
        ];
        assert!(carts(&entries, ME, &[(7, 1)]).is_empty());
        assert_eq!(carts(&entries, ME, &[(7, 3)]).len(), 1);
    }

    #[test]
    fn an_acknowledged_order_is_there_once_as_it_was() {
        let entries = [ordered(order(Some("a"), 2), Fate::Acknowledged)];
        let expected = &expectations(&entries)[&ME];
        assert!(expected.order_violations(ME, &[placed("a", 2, 100)]).is_empty());
        assert_eq!(expected.order_violations(ME, &[]).len(), 1, "lost");
        assert_eq!(
            expected.order_violations(ME, &[placed("a", 2, 90)]).len(),
            1,
            "another price"
        );
        let doubled = [placed("a", 2, 100), placed("b", 2, 100)];
        assert_eq!(expected.order_violations(ME, &doubled).len(), 1, "doubled");
    }

    #[test]
    fn an_unknown_order_is_there_at_most_once() {
        let entries = [ordered(order(None, 2), Fate::Unknown)];
        let expected = &expectations(&entries)[&ME];
        assert!(expected.order_violations(ME, &[]).is_empty());
        assert!(expected.order_violations(ME, &[placed("a", 2, 100)]).is_empty());
        let twice = [placed("a", 2, 100), placed("b", 2, 100)];
        assert_eq!(expected.order_violations(ME, &twice).len(), 1);
        assert_eq!(
            expected.order_violations(ME, &[placed("a", 1, 50)]).len(),
            1,
            "another one"
        );
    }
}
