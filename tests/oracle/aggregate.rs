//! Aggregates over the values of the rows of one group.

use std::cmp::Ordering;

use metrex::model::Aggregate;

use super::{Key, Value};

/// The aggregate of the values, NULLs included; for a count of rows, one value per row.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few rows"
)]
pub fn aggregate(agg: Aggregate, values: &[Value]) -> Value {
    let mut known: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    known.sort_by(|one, other| one.sort(other));
    let numbers: Vec<f64> = known.iter().filter_map(|value| value.number()).collect();
    let n = numbers.len() as f64;
    let mean = (n > 0.0).then(|| numbers.iter().sum::<f64>() / n);
    let squares = mean.map(|mean| numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>());
    let variance = |over: f64| squares.filter(|_| over > 0.0).map(|squares| squares / over);
    match agg {
        Aggregate::Count => Value::Number(known.len() as f64),
        Aggregate::CountDistinct => {
            known.dedup_by(|one, other| one.compare(other) == Some(Ordering::Equal));
            Value::Number(known.len() as f64)
        }
        Aggregate::Sum => mean.map(|_| numbers.iter().sum::<f64>()).into(),
        Aggregate::Avg => mean.into(),
        Aggregate::Min => known.first().map_or(Value::Null, |value| (*value).clone()),
        Aggregate::Max => known.last().map_or(Value::Null, |value| (*value).clone()),
        Aggregate::Percentile(p) => {
            let Some(last) = numbers.len().checked_sub(1) else {
                return Value::Null;
            };
            let rank = p * last as f64;
            let (low, high) = (rank.floor() as usize, rank.ceil() as usize);
            Value::Number(numbers[low] + (numbers[high] - numbers[low]) * (rank - rank.floor()))
        }
        Aggregate::PercentileDiscrete(p) => {
            let reaches = |index: usize| (index + 1) as f64 >= p * known.len() as f64 - 1e-9;
            let first = (0..known.len()).find(|index| reaches(*index));
            first.map_or(Value::Null, |index| known[index].clone())
        }
        Aggregate::SumBoolean => {
            let yes = values.iter().filter(|value| value.truth() == Some(true));
            Value::Number(yes.count() as f64)
        }
        Aggregate::Variance => variance(n - 1.0).into(),
        Aggregate::VariancePopulation => variance(n).into(),
        Aggregate::Stddev => variance(n - 1.0).map(f64::sqrt).into(),
        Aggregate::StddevPopulation => variance(n).map(f64::sqrt).into(),
    }
}

/// What a group without rows has: a count is 0, everything else unknown.
pub fn of_nothing(agg: Aggregate) -> Value {
    aggregate(agg, &[])
}

/// The groups of a leaf with their values.
pub type Groups = std::collections::BTreeMap<Key, Value>;
