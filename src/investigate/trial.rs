//! Made-up marketplaces with a known cause, or with none: the cause is named first, and chance names none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Amount, Finding, Form, Kind, Pair, Segment, Verdicts, judge, of_dimension, of_whole};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

const PERIODS: usize = 25;

/// Orders and their value by the segments of one dimension, period by period, the latest first.
type Table = Vec<[Amount; PERIODS]>;

/// A table in which nothing happened: segments of different sizes and prices that vary by chance, and together.
fn calm(random: &mut Random, segments: usize) -> Table {
    let together: Vec<f64> = (0..PERIODS).map(|_| 1.0 + 0.04 * random.normal()).collect();
    (0..segments)
        .map(|at| {
            let size = 3000.0 / (1.0 + at as f64);
            let price = 10.0 + 9.0 * ((at * 7) % 5) as f64;
            let mut amounts = [Amount::default(); PERIODS];
            for (period, amount) in amounts.iter_mut().enumerate() {
                let mean = size * together[period] * (1.0 + 0.02 * random.normal());
                let orders = (mean + mean.sqrt() * random.normal()).max(0.0).round();
                let spread = 1.0 + random.normal() / orders.max(1.0).sqrt();
                *amount = Amount {
                    num: orders * price * spread,
                    den: orders,
                    rows: orders,
                };
            }
            amounts
        })
        .collect()
}

fn segments(table: &Table) -> Vec<Segment> {
    let segment = |(at, amounts): (usize, &[Amount; PERIODS])| Segment {
        value: Some(format!("s{at}")),
        label: format!("s{at}"),
        pairs: (0..PERIODS - 1)
            .map(|period| Pair {
                before: amounts[period + 1],
                after: amounts[period],
            })
            .collect(),
    };
    table.iter().enumerate().map(segment).collect()
}

/// What is said of tables that are the same rows by several dimensions; the first one is the whole.
fn said(form: Form, tables: &[Table]) -> Verdicts {
    let first = segments(&tables[0]);
    let whole: Vec<Pair> = (0..PERIODS - 1)
        .map(|period| {
            super::whole(
                &first
                    .iter()
                    .map(|one| one.pairs[period])
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let (movement, mut findings) = of_whole(form, &whole).unwrap();
    for (at, table) in tables.iter().enumerate() {
        findings.extend(of_dimension(form, &format!("d{at}"), &segments(table)));
    }
    judge(&movement, &findings)
}

const SUM: Form = Form::Sum { has_price: true };
const RATIO: Form = Form::Ratio {
    factor: 1.0,
    offset: 0.0,
};

fn first(verdicts: &Verdicts) -> Option<&Finding> {
    Some(&verdicts.causes.first()?.finding)
}

#[test]
fn chance_alone_has_no_clear_cause() {
    let mut named = 0;
    for seed in 0..400 {
        let mut random = Random(seed);
        let tables: Vec<Table> = [12, 6, 4, 3, 2, 20].map(|n| calm(&mut random, n)).to_vec();
        for form in [SUM, RATIO] {
            named += usize::from(first(&said(form, &tables)).is_some());
        }
    }
    // Of 800 changes in which nothing happened.
    assert!(named <= 24, "{named}");
}

#[test]
fn a_planted_cause_is_named_first() {
    let mut right = [0; 4];
    for seed in 0..100 {
        let random = &mut Random(1000 + seed);
        let calm_one = calm(random, 8);
        // An outage of the second segment.
        let mut table = calm_one.clone();
        table[1][0] = Amount::default();
        let verdicts = said(SUM, &[table]);
        right[0] +=
            usize::from(first(&verdicts).is_some_and(|one| one.label == "s1" && one.is_dark));
        // Everything 20 % cheaper.
        let mut table = calm_one.clone();
        table.iter_mut().for_each(|amounts| amounts[0].num *= 0.8);
        let verdicts = said(SUM, &[table]);
        right[1] += usize::from(first(&verdicts).is_some_and(|one| one.kind == Kind::Rate));
        // Half of the orders of the largest segments, at their own prices, go to a cheap one.
        let mut table = calm_one.clone();
        for at in [1, 2] {
            let moved = (table[at][0].den * 0.6).round();
            table[at][0].num *= 1.0 - moved / table[at][0].den;
            table[at][0].den -= moved;
            table[at][0].rows -= moved;
            let price = table[0][0].rate().unwrap();
            table[0][0] = table[0][0].plus(Amount {
                num: moved * price,
                den: moved,
                rows: moved,
            });
        }
        let verdicts = said(RATIO, std::slice::from_ref(&table));
        right[2] += usize::from(first(&verdicts).is_some_and(|one| one.kind == Kind::Mix));
        let verdicts = said(SUM, &[table]);
        right[3] += usize::from(first(&verdicts).is_some_and(|one| one.kind == Kind::Mix));
    }
    assert!(right.iter().all(|right| *right >= 90), "{right:?}");
}
