//! The first metrics: what somebody who knows such tables would define on the first day, all of them drafts.

use std::collections::HashSet;

use super::draft::{Dataset, Known};
use super::naming;
use super::revenue::{self, Revenue};
use super::roles::{Measure, Role};
use super::survey::{Column, Table};
use super::words::{self, has_word, label, phrase, plural, sql_name};
use crate::model::ColumnType;

/// A metric to write.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    /// The name to take where the first is not free.
    pub(super) fallback: String,
    pub(super) label: String,
    pub(super) description: String,
    pub(super) rules: Vec<String>,
    pub(super) aliases: Vec<String>,
    /// As YAML; `None` is a plain number.
    pub(super) format: Option<String>,
    pub(super) formula: Formula,
}

/// How it is computed.
#[derive(Debug)]
pub(super) enum Formula {
    /// One aggregation.
    Simple(Leaf),
    /// One over the other.
    Ratio(Leaf, Leaf),
    /// A metric of the same table over another one; positions among the table's metrics.
    Quotient(usize, usize),
}

/// An aggregation.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) agg: &'static str,
    pub(super) expr: Option<String>,
    pub(super) filters: Vec<String>,
}

impl Leaf {
    fn new(agg: &'static str, expr: Option<String>) -> Self {
        Self {
            agg,
            expr,
            filters: Vec::new(),
        }
    }

    fn only(mut self, filter: Option<String>) -> Self {
        self.filters.extend(filter);
        self
    }
}

/// The metrics of every table, in the order of the tables.
pub(super) fn find(known: &[Known<'_>], datasets: &[Dataset]) -> Vec<Vec<Metric>> {
    let shorts = naming::short_entities(known);
    let revenues = revenue::find(known, datasets, &shorts);
    let entities: HashSet<&str> = known
        .iter()
        .map(|known| known.table.entity.as_str())
        .collect();
    let mut all = Vec::with_capacity(known.len());
    for (at, ((known_table, short), revenue)) in
        known.iter().zip(&shorts).zip(&revenues).enumerate()
    {
        let in_time = |at: usize| {
            datasets
                .get(at)
                .is_some_and(|dataset| dataset.time.is_some())
        };
        let joined_to = known
            .iter()
            .any(|other| other.joins.found.iter().any(|join| join.to == at));
        let mut draft = Draft {
            known: *known_table,
            dataset: datasets.get(at).map_or("", |dataset| dataset.name.as_str()),
            short,
            revenue: revenue.as_ref(),
            entities: &entities,
            // Things that happen add up; a list of what there is has averages only.
            happens: in_time(at)
                || revenue::sells(*known_table)
                || !joined_to && known_table.joins.found.iter().any(|join| in_time(join.to)),
            metrics: Vec::new(),
        };
        draft.rows();
        draft.money_first();
        draft.measures();
        draft.flags();
        draft.first_times();
        draft.distinct();
        all.push(draft.metrics);
    }
    naming::settle(&mut all, datasets);
    all
}

/// The metrics of one table in the making.
struct Draft<'a> {
    known: Known<'a>,
    dataset: &'a str,
    short: &'a str,
    revenue: Option<&'a Revenue>,
    entities: &'a HashSet<&'a str>,
    happens: bool,
    metrics: Vec<Metric>,
}

impl<'a> Draft<'a> {
    fn table(&self) -> &'a Table {
        self.known.table
    }

    /// `order items`
    fn things(&self) -> String {
        phrase(&plural(&self.table().entity))
    }

    fn add(
        &mut self,
        name: String,
        label: String,
        description: String,
        formula: Formula,
    ) -> Option<&mut Metric> {
        let entity = &self.table().entity;
        let own =
            name.starts_with(entity.as_str()) || name.starts_with(&format!("average_{entity}"));
        let fallback = match name.strip_prefix("average_") {
            // Who the name is about keeps it.
            _ if own => name.clone(),
            Some(rest) => format!("average_{}_{rest}", self.short),
            None => format!("{}_{name}", self.short),
        };
        self.metrics.push(Metric {
            name,
            fallback,
            label,
            description,
            rules: Vec::new(),
            aliases: Vec::new(),
            format: None,
            formula,
        });
        self.metrics.last_mut()
    }

    /// How many rows there are.
    fn rows(&mut self) {
        let (many, things) = (plural(&self.table().entity), self.things());
        let dataset = self.dataset.to_owned();
        let aliases = [plural(self.short), format!("new_{many}")];
        let keep = if self.happens
            && self
                .known
                .columns()
                .any(|(_, role)| *role == Role::Personal)
        {
            2
        } else {
            1
        };
        let metric = self.add(
            many.clone(),
            label(&many),
            format!("Number of {things}."),
            Formula::Simple(Leaf::new("count", None)),
        );
        if let Some(metric) = metric {
            metric.aliases.extend(aliases.into_iter().take(keep));
            metric.fallback = dataset;
        }
    }

    /// What was sold, and what one sale was worth.
    fn money_first(&mut self) {
        let Some(revenue) = self.revenue else { return };
        let things = self.things();
        let (column, format, mixed) = (
            revenue.column.clone(),
            self.money_format(&revenue.expr),
            self.currencies(),
        );
        let source = column.clone().unwrap_or_else(|| revenue.expr.clone());
        let index = self.metrics.len();
        let sum = Formula::Simple(Leaf::new("sum", Some(revenue.expr.clone())));
        let metric = self.add(
            revenue.name.clone(),
            label(&revenue.name),
            format!("Sum of {} over all {things}.", words::quoted(&source)),
            sum,
        );
        if let Some(metric) = metric {
            metric.rules.push(format!(
                "Guessed from {source}. Check whether tax, refunds and cancelled {things} belong in it."
            ));
            metric.rules.extend(mixed);
            let total =
                column.filter(|column| has_word(column, &["total", "amount", "sales", "gmv"]));
            metric.aliases.extend(total);
            metric.format.clone_from(&format);
        }
        let (short, revenue_name) = (self.short, phrase(&revenue.name));
        let metric = self.add(
            format!("average_{short}_value"),
            label(&format!("average_{short}_value")),
            words::capitalise(&format!(
                "{revenue_name} per {}.",
                phrase(&self.table().entity)
            )),
            Formula::Quotient(index, 0),
        );
        if let Some(metric) = metric {
            metric
                .aliases
                .extend((short == "order").then(|| "aov".to_owned()));
            metric.format = format;
        }
    }

    /// Sums and averages of the other numbers.
    fn measures(&mut self) {
        for (column, role) in self.known.columns() {
            let Role::Measure(measure) = role else {
                continue;
            };
            let is_revenue = self
                .revenue
                .is_some_and(|revenue| revenue.column.as_ref() == Some(&column.name));
            if is_revenue {
                continue;
            }
            let adds_up = matches!(measure, Measure::Money | Measure::Quantity) && self.happens;
            if adds_up {
                self.sum(column, *measure);
            }
            self.average(column, *measure);
        }
    }

    /// A column's name as a metric's: one word says too little, `cost` of repairs is `repair_cost`.
    fn measure_name(&self, column: &str) -> String {
        let name = words::identifier(column);
        match words::words(&name).as_slice() {
            [only] if *only != self.short => format!("{}_{only}", self.short),
            _ => name,
        }
    }

    fn sum(&mut self, column: &Column, measure: Measure) {
        let name = self.measure_name(&column.name);
        let (format, mixed) = match measure {
            Measure::Money => (self.money_format_of(column), self.currencies()),
            _ => (None, None),
        };
        let description = format!(
            "Sum of {} over all {}.",
            words::quoted(&column.name),
            self.things()
        );
        let sum = Formula::Simple(Leaf::new("sum", Some(sql_name(&column.name))));
        if let Some(metric) = self.add(name.clone(), measure_label(&name), description, sum) {
            metric.format = format;
            metric.rules.extend(mixed);
            metric.aliases.push(words::identifier(&column.name));
        }
    }

    fn average(&mut self, column: &Column, measure: Measure) {
        let name = self.measure_name(&column.name);
        let base = [
            "average_", "avg_", "mean_", "total_", "count_", "num_", "sum_",
        ]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(&name);
        let (format, rule) = match measure {
            Measure::Money | Measure::UnitPrice => {
                (self.money_format_of(column), self.currencies())
            }
            Measure::Rate(true) => (Some("percent".to_owned()), None),
            Measure::Level => (
                Some("{decimals: 1}".to_owned()),
                Some("A level, not a flow: adding it up over time means nothing.".to_owned()),
            ),
            Measure::Rate(false) | Measure::Quantity => (Some("{decimals: 2}".to_owned()), None),
        };
        let empty = match column.nulls {
            0 => String::new(),
            _ => format!("; {} without it are left out", self.things()),
        };
        let description = format!(
            "Average {} per {}{empty}.",
            words::quoted(&column.name),
            phrase(&self.table().entity)
        );
        let average = Formula::Simple(Leaf::new("avg", Some(sql_name(&column.name))));
        let name = format!("average_{base}");
        if let Some(metric) = self.add(name.clone(), label(&name), description, average) {
            metric.format = format;
            metric.rules.extend(rule);
        }
    }

    /// The share of rows with a flag, and of the revenue in them.
    fn flags(&mut self) {
        for (column, role) in self.known.columns() {
            let Role::Flag(when) = role else { continue };
            let identifier = words::identifier(&column.name);
            let parts = words::words(&identifier);
            let flag: Vec<&str> = parts
                .iter()
                .copied()
                .filter(|word| {
                    ![
                        "is", "has", "was", "are", "had", "did", "can", "should", "flag",
                    ]
                    .contains(word)
                })
                .collect();
            let flag = if flag.is_empty() {
                identifier.clone()
            } else {
                flag.join("_")
            };
            let last = words::words(self.short).last().copied();
            let what = match last {
                Some(last) if !has_word(&flag, &[last]) => format!("{flag}_{}", self.short),
                _ => flag,
            };
            let known_only =
                (column.nulls > 0).then(|| format!("{} is not null", sql_name(&column.name)));
            let (things, source) = (self.things(), words::quoted(&column.name));
            let rule = match column.nulls {
                0 => None,
                _ if self.table().large => Some(format!(
                    "{} where {source} is empty are left out.",
                    words::capitalise(&things)
                )),
                1 => Some(format!(
                    "1 {} where {source} is empty is left out.",
                    phrase(&self.table().entity)
                )),
                nulls => Some(format!(
                    "{} {things} where {source} is empty are left out.",
                    words::thousands(nulls)
                )),
            };
            let mut shares = vec![(
                format!("{what}_share"),
                format!("Share of {things} with {source}."),
                Leaf::new("count", None),
                Leaf::new("count", None),
            )];
            if let Some(revenue) = self.revenue {
                let sum = || Leaf::new("sum", Some(revenue.expr.clone()));
                let description = format!(
                    "Share of {} from {things} with {source}.",
                    phrase(&revenue.name)
                );
                shares.push((format!("{what}_revenue_share"), description, sum(), sum()));
            }
            for (name, description, part, whole) in shares {
                let ratio = Formula::Ratio(
                    part.only(Some(when.clone())),
                    whole.only(known_only.clone()),
                );
                if let Some(metric) = self.add(name.clone(), label(&name), description, ratio) {
                    metric.format = Some("percent".to_owned());
                    metric.rules.extend(rule.clone());
                }
            }
        }
    }

    /// Customers with their first order, where orders are numbered per customer.
    fn first_times(&mut self) {
        for (column, role) in self.known.columns() {
            let Role::Sequence { entity } = role else {
                continue;
            };
            let name = format!("new_{}", plural(entity));
            let first = format!("{} = 1", sql_name(&column.name));
            let description = format!(
                "{} with their first {}: {} is 1.",
                label(&plural(entity)),
                phrase(&self.table().entity),
                words::quoted(&column.name),
            );
            let count = Formula::Simple(Leaf::new("count", None).only(Some(first)));
            self.add(name.clone(), label(&name), description, count);
        }
    }

    /// How many different things the rows are about: customers with orders.
    fn distinct(&mut self) {
        if !self.happens {
            return;
        }
        let many = plural(&self.table().entity);
        for (column, role) in self.known.columns() {
            let name = words::identifier(&column.name);
            if *role != Role::Identifier(false) || self.table().is_key(&column.name) {
                continue;
            }
            let thing = match self.known.joins.on(&column.name) {
                Some(join) if join.on.len() == 1 => join.name.as_str(),
                Some(_) => continue,
                None => match name.rsplit_once('_') {
                    Some((thing, _)) => thing,
                    None => continue,
                },
            };
            let things = plural(thing);
            let full = format!("{things}_with_{many}");
            let name = if self.entities.contains(thing) {
                full.clone()
            } else {
                things.clone()
            };
            let description = format!(
                "{} that have at least one {}.",
                label(&things),
                phrase(&self.table().entity)
            );
            let count = Formula::Simple(Leaf::new("count_distinct", Some(sql_name(&column.name))));
            let title = label(&name);
            if let Some(metric) = self.add(name, title, description, count) {
                metric.fallback = full;
            }
        }
    }

    fn money_format_of(&self, column: &Column) -> Option<String> {
        let whole = column.ty == ColumnType::Integer;
        self.currency(&words::identifier(&column.name))
            .or_else(|| (!whole).then(|| "{decimals: 2}".to_owned()))
    }

    fn money_format(&self, expr: &str) -> Option<String> {
        self.currency(expr)
            .or_else(|| Some("{decimals: 2}".to_owned()))
    }

    /// The currency in the column's name, or the only one in a column called currency.
    fn currency(&self, name: &str) -> Option<String> {
        let named = ["usd", "eur", "gbp"]
            .into_iter()
            .find(|code| has_word(name, &[code]))
            .map(str::to_uppercase);
        let only = || {
            let (low, high) = self.currency_column()?.range.as_ref()?;
            let code =
                low == high && low.len() == 3 && low.bytes().all(|byte| byte.is_ascii_uppercase());
            code.then(|| low.clone())
        };
        let code = named.or_else(only)?;
        Some(format!("{{kind: currency, currency: {code}, decimals: 2}}"))
    }

    fn currency_column(&self) -> Option<&'a Column> {
        let is_currency = |column: &&Column| {
            ["currency", "currency_code"].contains(&words::identifier(&column.name).as_str())
        };
        self.table().columns.iter().find(is_currency)
    }

    /// A warning where amounts of several currencies stand in one column.
    fn currencies(&self) -> Option<String> {
        let column = self
            .currency_column()
            .filter(|column| column.distinct > 1)?;
        Some(format!(
            "Amounts are in several currencies: filter or group by {}.",
            column.name
        ))
    }
}

/// `count_order_items` -> `Number of order items`
fn measure_label(name: &str) -> String {
    let counted = ["count_of_", "number_of_", "count_", "num_", "n_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    match counted.or_else(|| name.strip_suffix("_count")) {
        Some(things) => format!("Number of {}", phrase(&plural(things))),
        None => label(name),
    }
}
