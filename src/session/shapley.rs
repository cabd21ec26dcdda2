//! Shapley values of a game in which a coalition is worth everything that sets of players inside of it are worth.

use std::collections::HashMap;

/// Most players for which every coalition is looked at.
pub const EXACT: usize = 12;
/// Most players there can be.
pub const MOST: usize = 64;
/// Random orders above that.
const ORDERS: u32 = 4_000;

/// What a player is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The value.
    pub value: f64,
    /// Its standard error; none for one that is exact.
    pub error: Option<f64>,
}

/// The players, and what each set of them brought by itself.
///
/// The worth of a coalition is the sum over the sets inside of it: of attribution, the conversions all of whose contacts
/// came from its channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Game {
    players: Vec<String>,
    sets: Vec<(u64, f64)>,
}

impl Game {
    /// The game of sets of players with what each set brought; none of more than 64 players.
    pub fn new(sets: impl IntoIterator<Item = (Vec<String>, f64)>) -> Option<Self> {
        let sets: Vec<_> = sets.into_iter().collect();
        let mut players: Vec<String> = sets.iter().flat_map(|(set, _)| set.clone()).collect();
        players.sort();
        players.dedup();
        if players.len() > MOST {
            return None;
        }
        let place = |name: &String| players.binary_search(name).ok();
        let mut worth: HashMap<u64, f64> = HashMap::new();
        for (set, amount) in &sets {
            let mask = set
                .iter()
                .try_fold(0_u64, |mask, name| Some(mask | (1 << place(name)?)));
            if let Some(mask) = mask {
                *worth.entry(mask).or_insert(0.0) += amount;
            }
        }
        let mut sets: Vec<_> = worth.into_iter().collect();
        sets.sort_by_key(|(mask, _)| *mask);
        Some(Self { players, sets })
    }

    /// The players, by name.
    pub fn players(&self) -> &[String] {
        &self.players
    }

    /// What a coalition is worth.
    pub fn worth(&self, coalition: u64) -> f64 {
        let inside = self.sets.iter().filter(|(set, _)| set & !coalition == 0);
        inside.map(|(_, amount)| amount).sum()
    }

    /// The share of each player, with how they were found: over all coalitions where these are few, else from random orders.
    pub fn shares(&self) -> (Vec<Share>, String) {
        let count = self.players.len();
        if count <= EXACT {
            let values = exact(count, &|coalition| self.worth(coalition));
            let shares = values.into_iter().map(|value| Share { value, error: None });
            let how = format!(
                "exact, over all {} coalitions of {count} channels",
                1_u64 << count
            );
            return (shares.collect(), how);
        }
        let how = format!(
            "estimated from {ORDERS} random orders of {count} channels (more than {EXACT}), with standard errors"
        );
        (
            sampled(count, ORDERS, &|coalition| self.worth(coalition)),
            how,
        )
    }
}

/// Shapley values by their definition: what a player adds to each coalition, weighed by how often it comes after just these.
pub fn exact(players: usize, worth: &dyn Fn(u64) -> f64) -> Vec<f64> {
    let worths: Vec<f64> = (0..1_u64 << players).map(worth).collect();
    // |S|! (n - |S| - 1)! / n! is 1 / (n * C(n - 1, |S|)).
    let mut weights = Vec::with_capacity(players);
    let mut choose = 1.0;
    for size in 0..players {
        weights.push(1.0 / (players as f64 * choose));
        choose = choose * (players - 1 - size) as f64 / (size + 1) as f64;
    }
    let at = |coalition: usize| worths.get(coalition).copied().unwrap_or_default();
    let value = |player: usize| {
        let others = (0..worths.len()).filter(|coalition| coalition >> player & 1 == 0);
        others
            .map(|coalition| {
                let size = coalition.count_ones() as usize;
                let weight = weights.get(size).copied().unwrap_or_default();
                weight * (at(coalition | 1 << player) - at(coalition))
            })
            .sum()
    };
    (0..players).map(value).collect()
}

/// Estimates from random orders of the players, the same ones every time.
pub fn sampled(players: usize, orders: u32, worth: &dyn Fn(u64) -> f64) -> Vec<Share> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |n: usize| {
        // SplitMix64: small, and the same on every machine.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (n.max(1) as u64)).unwrap_or_default()
    };
    let mut sums = vec![(0.0, 0.0); players];
    let mut order: Vec<usize> = (0..players).collect();
    let empty = worth(0);
    for _ in 0..orders {
        for last in (1..players).rev() {
            order.swap(last, below(last + 1));
        }
        let (mut coalition, mut before) = (0_u64, empty);
        for &player in &order {
            coalition |= 1 << player;
            let after = worth(coalition);
            if let Some((sum, squares)) = sums.get_mut(player) {
                *sum += after - before;
                *squares += (after - before) * (after - before);
            }
            before = after;
        }
    }
    let n = f64::from(orders);
    let share = |(sum, squares): (f64, f64)| {
        let mean = sum / n;
        let variance = ((squares - sum * mean) / (n - 1.0)).max(0.0);
        Share {
            value: mean,
            error: Some((variance / n).sqrt()),
        }
    };
    sums.into_iter().map(share).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(one: &[f64], other: &[f64]) {
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(other) {
            assert!((one - other).abs() < 1e-9, "{one} is not {other}");
        }
    }

    /// Two left gloves and a right one: only a pair is worth anything.
    #[test]
    fn the_glove_game() {
        let worth =
            |coalition: u64| f64::from(u8::from(coalition & 0b011 != 0 && coalition & 0b100 != 0));
        near(&exact(3, &worth), &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0]);
    }

    /// Littlechild and Owen (1973): a runway costs what the largest aircraft on it needs; costs 8, 11, 13 and 18.
    #[test]
    fn the_airport_game() {
        let costs = [8.0, 11.0, 13.0, 18.0];
        let worth = |coalition: u64| {
            let inside = (0..4).filter(|player| coalition >> player & 1 == 1);
            inside.map(|player| costs[player]).fold(0.0, f64::max)
        };
        near(&exact(4, &worth), &[2.0, 3.0, 4.0, 9.0]);
    }

    fn game() -> impl Strategy<Value = (usize, Vec<f64>)> {
        (1_usize..7).prop_flat_map(|players| {
            (
                Just(players),
                prop::collection::vec(0.0..100.0_f64, 1 << players),
            )
        })
    }

    proptest! {
        #[test]
        fn the_shares_are_all_there_is((players, worths) in game()) {
            let worth = |coalition: u64| worths[coalition as usize];
            let all: f64 = exact(players, &worth).iter().sum();
            let wanted = worths[(1 << players) - 1] - worths[0];
            prop_assert!((all - wanted).abs() < 1e-6);
        }

        #[test]
        fn players_alike_have_the_same((players, worths) in game()) {
            // A game in which only the number of players counts.
            let worth = |coalition: u64| worths[coalition.count_ones() as usize];
            let shares = exact(players, &worth);
            prop_assert!(shares.iter().all(|share| (share - shares[0]).abs() < 1e-6));
        }

        #[test]
        fn who_adds_nothing_has_nothing((players, worths) in game()) {
            let worth = |coalition: u64| worths[(coalition & !1) as usize];
            prop_assert!(exact(players, &worth)[0].abs() < 1e-9);
        }

        /// What the SQL relies on: a set's worth is shared equally by its players.
        #[test]
        fn a_game_of_sets_has_a_closed_form(sets in prop::collection::vec((1_u64..128, 0.0..50.0_f64), 1..20)) {
            let named = sets.iter().map(|(set, amount)| {
                let inside = (0..7).filter(|player| set >> player & 1 == 1);
                (inside.map(|player| format!("c{player}")).collect::<Vec<_>>(), *amount)
            });
            let game = Game::new(named.clone()).unwrap();
            let mut closed = vec![0.0; game.players().len()];
            for (set, amount) in named {
                for name in &set {
                    let place = game.players().iter().position(|player| player == name).unwrap();
                    closed[place] += amount / set.len() as f64;
                }
            }
            let (shares, how) = game.shares();
            prop_assert!(how.starts_with("exact"));
            for (share, closed) in shares.iter().zip(&closed) {
                prop_assert!((share.value - closed).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn from_twelve_to_thirteen_players() {
        for players in [12, 13, MOST, MOST + 1] {
            let all: Vec<String> = (0..players).map(|player| format!("c{player:02}")).collect();
            // Everybody alone, two together, and all: 1 + 3 for each of the first two, 1 for the others, 1 shared by all.
            let mut sets: Vec<_> = all.iter().map(|one| (vec![one.clone()], 1.0)).collect();
            sets.push((all[..2].to_vec(), 6.0));
            sets.push((all.clone(), players as f64));
            let Some(game) = Game::new(sets) else {
                assert!(players > MOST, "{players}");
                continue;
            };
            let (shares, how) = game.shares();
            assert_eq!(how.starts_with("exact"), players <= EXACT, "{how}");
            for (place, share) in shares.iter().enumerate() {
                let wanted = if place < 2 { 5.0 } else { 2.0 };
                assert_eq!(share.error.is_none(), players <= EXACT);
                let error = share.error.unwrap_or(1e-9);
                assert!(
                    (share.value - wanted).abs() < 4.5 * error,
                    "{place}: {share:?}"
                );
            }
        }
    }

    #[test]
    fn above_twelve_players_an_error_is_told() {
        let sets = (0..40_u64).map(|n| {
            let set: Vec<String> = (0..15)
                .filter(|player| (n * 7 + player * 5) % 4 == 0)
                .map(|player| format!("c{player:02}"))
                .collect();
            (set, 10.0 + n as f64)
        });
        let sets: Vec<_> = sets.filter(|(set, _)| !set.is_empty()).collect();
        let game = Game::new(sets.clone()).unwrap();
        assert_eq!(game.players().len(), 15);
        let (shares, how) = game.shares();
        assert!(
            how.starts_with("estimated from 4000 random orders of 15 channels"),
            "{how}"
        );
        let total: f64 = sets.iter().map(|(_, amount)| amount).sum();
        let all: f64 = shares.iter().map(|share| share.value).sum();
        assert!((all - total).abs() < 1e-6, "each order shares everything");
        // By the definition, over all coalitions, and by the closed form.
        let by_definition = exact(15, &|coalition| game.worth(coalition));
        for ((name, share), by_definition) in game.players().iter().zip(&shares).zip(by_definition)
        {
            let inside = sets.iter().filter(|(set, _)| set.contains(name));
            let exact: f64 = inside.map(|(set, amount)| amount / set.len() as f64).sum();
            assert!((exact - by_definition).abs() < 1e-6, "{name}");
            let error = share.error.unwrap();
            assert!(
                error > 0.0 && (share.value - exact).abs() < 4.5 * error,
                "{name}: {share:?}, exactly {exact}"
            );
        }
    }
}
