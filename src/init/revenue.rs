//! Which column is what was sold: only where the table is about selling and one column stands out.

use super::draft::{Dataset, Known};
use super::roles::{Measure, Role};
use super::words::{self, has_word, sql_name};

/// Things that are sold, and the lines they have. A purchase or a payment is not among them: the first is a cost, the
/// second would be counted beside the order it pays.
const SALES: [&str; 10] = [
    "order",
    "sale",
    "invoice",
    "booking",
    "checkout",
    "receipt",
    "basket",
    "reservation",
    "rental",
    "transaction",
];
/// Amounts that are part of the price, or another price.
const OTHER_AMOUNTS: [&str; 25] = [
    "cost",
    "costs",
    "tax",
    "vat",
    "fee",
    "fees",
    "discount",
    "refund",
    "shipping",
    "freight",
    "tip",
    "commission",
    "unit",
    "list",
    "budget",
    "target",
    "planned",
    "expected",
    "forecast",
    "lifetime",
    "previous",
    "prev",
    "paid",
    "balance",
    "credit",
];

/// What was sold, in one table.
#[derive(Debug, Clone)]
pub(super) struct Revenue {
    /// SQL over the table's columns.
    pub(super) expr: String,
    /// The column it was read from, where it is one.
    pub(super) column: Option<String>,
    /// Name of the metric.
    pub(super) name: String,
}

/// The revenue of every table that has one. The table that others are lines of has `revenue`, its lines have
/// `item_revenue`; where several unrelated tables sell, none of them is just `revenue`.
pub(super) fn find(
    known: &[Known<'_>],
    datasets: &[Dataset],
    shorts: &[String],
) -> Vec<Option<Revenue>> {
    let mut found: Vec<Option<Revenue>> = Vec::with_capacity(known.len());
    for (at, table) in known.iter().enumerate() {
        let parents = || {
            table
                .joins
                .found
                .iter()
                .filter_map(|join| known.get(join.to))
        };
        let lines = parents().any(|parent| sells(*parent))
            && (has_word(&table.table.entity, &["item", "line", "detail"])
                || unit_price(*table).is_some());
        let in_time = datasets
            .get(at)
            .is_some_and(|dataset| dataset.time.is_some());
        found.push(if lines || in_time && sells(*table) {
            amount(*table)
        } else {
            None
        });
    }
    let is_line = |at: usize| {
        known.get(at).is_some_and(|known| {
            known
                .joins
                .found
                .iter()
                .any(|join| found.get(join.to).is_some_and(Option::is_some))
        })
    };
    let heads: Vec<usize> = (0..found.len())
        .filter(|&at| found.get(at).is_some_and(Option::is_some) && !is_line(at))
        .collect();
    for (at, (revenue, short)) in found.iter_mut().zip(shorts).enumerate() {
        if let Some(revenue) = revenue
            && heads != [at]
        {
            revenue.name = format!("{short}_revenue");
        }
    }
    found
}

/// Whether the rows are things that are sold.
pub(super) fn sells(known: Known<'_>) -> bool {
    has_word(&known.table.entity, &SALES)
}

/// The one amount that stands out by its name.
fn amount(known: Known<'_>) -> Option<Revenue> {
    let entity = &known.table.entity;
    let amounts: Vec<_> = known
        .columns()
        .filter(|(_, role)| **role == Role::Measure(Measure::Money))
        .map(|(column, _)| (words::identifier(&column.name), column))
        .collect();
    let rank = |name: &str| {
        let parts = words::words(name);
        let last = parts.last().copied().unwrap_or_default();
        if has_word(name, &OTHER_AMOUNTS) {
            None
        } else if ["revenue", "gmv", "sales", "turnover"].contains(&name) {
            Some(0)
        } else if name == format!("{entity}_total")
            || [
                "total",
                "grand_total",
                "total_amount",
                "total_price",
                "amount_total",
                "total_value",
            ]
            .contains(&name)
        {
            Some(1)
        } else if has_word(name, &["amount"]) {
            Some(2)
        } else if ["price", "value", "revenue", "sales", "total"].contains(&last) {
            Some(3)
        } else {
            (name == "subtotal").then_some(4)
        }
    };
    let best = amounts.iter().filter_map(|(name, _)| rank(name)).min();
    let ranked: Vec<_> = amounts
        .iter()
        .filter(|(name, _)| best.is_some() && rank(name) == best)
        .collect();
    match ranked.as_slice() {
        [(_, column)] => Some(Revenue {
            expr: sql_name(&column.name),
            column: Some(column.name.clone()),
            name: "revenue".to_owned(),
        }),
        [] => {
            let (quantity, price) = unit_price(known)?;
            Some(Revenue {
                expr: format!("{} * {}", sql_name(quantity), sql_name(price)),
                column: None,
                name: "revenue".to_owned(),
            })
        }
        _ => None,
    }
}

/// The columns of a line's quantity and of the price of one, where there is one of each.
fn unit_price(known: Known<'_>) -> Option<(&str, &str)> {
    let named = |wanted: &dyn Fn(&str, Measure) -> bool| {
        let mut found = known.columns().filter(|(column, role)| {
            matches!(role, Role::Measure(measure) if wanted(&words::identifier(&column.name), *measure))
        });
        let (first, _) = found.next()?;
        found.next().is_none().then_some(first.name.as_str())
    };
    let quantity = named(&|name, measure| {
        measure == Measure::Quantity && has_word(name, &["quantity", "qty"])
    })?;
    let price = named(&|_, measure| measure == Measure::UnitPrice)?;
    Some((quantity, price))
}
