//! Every metric of the demo a second time, as a loop over rows; nothing here knows the compiler.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::rows::{Row, World};
use super::timed::{Window, converted, days, last_snapshots};

pub type Key = Vec<String>;

/// Groups with the metric's value; `None` is NULL.
pub type Answer = BTreeMap<Key, Option<f64>>;

type Number = fn(&Row) -> Option<f64>;

enum Total {
    Count,
    Distinct(&'static str),
    Sum(Number),
    Average(Number),
    Largest(Number),
    Percentile(f64, Number),
}

/// An aggregation over the rows of one table that are kept.
struct Part(&'static str, fn(&Row) -> bool, Total);

enum Metric {
    Simple(Part),
    Ratio(Part, Part),
    Derived(Vec<&'static str>, fn(&[Option<f64>]) -> Option<f64>),
    /// Arithmetic over inputs with a time and a filter of their own.
    Beside(
        Vec<(&'static str, Context)>,
        fn(&[Option<f64>]) -> Option<f64>,
    ),
    /// The rows of the last snapshot of each period.
    Last(Part),
    /// Conversions over base events, both of the same user and less than so many days apart.
    Converted(&'static str, &'static str, i64),
}

/// What is asked of a metric inside another one.
#[derive(Clone, Copy)]
pub struct Context {
    window: Window,
    keep: fn(&Row) -> bool,
}

const PLAIN: Context = Context {
    window: Window::Own,
    keep: any,
};

/// Which rows a question is about and how they are grouped.
pub struct Question<'q> {
    /// Whether the question groups or filters by module.
    pub module: bool,
    /// Whether a row meets the condition.
    pub keep: &'q dyn Fn(&Row) -> bool,
    /// The first and the last day, where there is a range.
    pub range: Option<(Date, Date)>,
    /// The days that the periods of the answer end with.
    pub ends: Vec<Date>,
    /// The group of a row that counts for a day.
    pub key: &'q dyn Fn(&Row, Date) -> Key,
    /// The period of that group.
    pub period: &'q dyn Fn(&Row, Date) -> Key,
    /// Groups that are shown even without rows.
    pub groups: Vec<Key>,
}

/// The table whose rows the metric counts first.
pub fn base(name: &str, module: bool) -> &'static str {
    match metric(name, module) {
        Metric::Simple(part) | Metric::Ratio(part, _) | Metric::Last(part) => part.0,
        Metric::Derived(inputs, _) => base(inputs[0], module),
        Metric::Beside(inputs, _) => base(inputs[0].0, module),
        Metric::Converted(events, ..) => base(events, module),
    }
}

/// Whether rows of other periods count, so that a condition on their time would be none on the answer's.
pub fn looks_beyond(name: &str) -> bool {
    match metric(name, false) {
        Metric::Beside(inputs, _) => inputs
            .iter()
            .any(|(_, context)| !matches!(context.window, Window::Own)),
        _ => false,
    }
}

/// The answer, with the groups for which any part of the metric has rows.
pub fn answer(world: &World, name: &str, question: &Question) -> Answer {
    within(world, name, question, PLAIN)
}

fn within(world: &World, name: &str, question: &Question, context: Context) -> Answer {
    match metric(name, question.module) {
        Metric::Simple(part) => part.answer(world, question, context),
        Metric::Last(part) => {
            let rows = part.rows(world, question, context);
            part.grouped(last_snapshots(rows, question), question)
        }
        Metric::Converted(base, conversion, within) => {
            let (Metric::Simple(base), Metric::Simple(conversion)) =
                (metric(base, false), metric(conversion, false))
            else {
                panic!("{name} follows what is not simple")
            };
            let all = world.rows(base.0).filter(|row| (base.1)(row));
            let orders = world.rows(conversion.0).filter(|row| (conversion.1)(row));
            let conversions = converted(all, orders, within, question);
            let asked = base.answer(world, question, context);
            asked
                .into_iter()
                .map(|(key, events)| {
                    let found = conversions.get(&key).copied().unwrap_or_default();
                    (key, divide(Some(found), events))
                })
                .collect()
        }
        Metric::Ratio(upper, lower) => {
            let (nothing_above, nothing_below) = (upper.nothing(), lower.nothing());
            let (upper, lower) = (
                upper.answer(world, question, context),
                lower.answer(world, question, context),
            );
            let keys: BTreeSet<Key> = upper.keys().chain(lower.keys()).cloned().collect();
            let value = |key: &Key| {
                let upper = upper.get(key).copied().unwrap_or(nothing_above);
                divide(upper, lower.get(key).copied().unwrap_or(nothing_below))
            };
            keys.into_iter()
                .map(|key| (key.clone(), value(&key)))
                .collect()
        }
        Metric::Derived(inputs, combine) => {
            let inputs = inputs.into_iter().map(|input| (input, context)).collect();
            combined(world, inputs, combine, question)
        }
        Metric::Beside(inputs, combine) => combined(world, inputs, combine, question),
    }
}

fn combined(
    world: &World,
    inputs: Vec<(&'static str, Context)>,
    combine: fn(&[Option<f64>]) -> Option<f64>,
    question: &Question,
) -> Answer {
    let answers: Vec<Answer> = inputs
        .iter()
        .map(|(input, context)| within(world, input, question, *context))
        .collect();
    let keys: BTreeSet<Key> = answers.iter().flat_map(Answer::keys).cloned().collect();
    let value = |key: &Key| {
        let values = answers.iter().zip(&inputs).map(|(answer, (input, _))| {
            answer
                .get(key)
                .copied()
                .unwrap_or_else(|| nothing(input, question.module))
        });
        combine(&values.collect::<Vec<_>>())
    };
    keys.into_iter()
        .map(|key| (key.clone(), value(&key)))
        .collect()
}

/// What an input is where it has no rows but another input has.
fn nothing(name: &str, module: bool) -> Option<f64> {
    match metric(name, module) {
        Metric::Simple(part) | Metric::Last(part) => part.nothing(),
        _ => None,
    }
}

impl Part {
    /// Without rows a count is 0; anything else is unknown.
    fn nothing(&self) -> Option<f64> {
        matches!(self.2, Total::Count | Total::Distinct(_)).then_some(0.0)
    }

    fn answer(&self, world: &World, question: &Question, context: Context) -> Answer {
        self.grouped(self.rows(world, question, context), question)
    }

    /// The rows that count, each with the days that it counts for.
    fn rows<'w>(
        &self,
        world: &'w World,
        question: &Question,
        context: Context,
    ) -> Vec<(Row<'w>, Date)> {
        let Self(table, keep, _) = self;
        let kept = world
            .rows(table)
            .filter(|row| keep(row) && (context.keep)(row) && (question.keep)(row));
        let counted = kept.flat_map(|row| {
            days(context.window, &row, question)
                .into_iter()
                .map(move |day| (row, day))
        });
        counted.collect()
    }

    fn grouped(&self, rows: Vec<(Row, Date)>, question: &Question) -> Answer {
        let mut groups: BTreeMap<Key, Vec<Row>> = BTreeMap::new();
        for (row, day) in rows {
            let key = (question.key)(&row, day);
            groups.entry(key).or_default().push(row);
        }
        let mut answer: Answer = groups
            .into_iter()
            .map(|(key, rows)| (key, self.2.of(&rows)))
            .collect();
        for key in &question.groups {
            answer.entry(key.clone()).or_insert(self.nothing());
        }
        answer
    }
}

impl Total {
    fn of(&self, rows: &[Row]) -> Option<f64> {
        let numbers = |number: &Number| rows.iter().filter_map(number).collect::<Vec<f64>>();
        match self {
            Self::Count => Some(rows.len() as f64),
            Self::Distinct(column) => {
                let known = rows.iter().filter(|row| row.has(column));
                Some(
                    known
                        .map(|row| row.value(column).key())
                        .collect::<BTreeSet<_>>()
                        .len() as f64,
                )
            }
            Self::Sum(number) => {
                let numbers = numbers(number);
                (!numbers.is_empty()).then(|| numbers.iter().sum())
            }
            Self::Average(number) => {
                let numbers = numbers(number);
                (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
            Self::Largest(number) => numbers(number).into_iter().reduce(f64::max),
            Self::Percentile(share, number) => percentile(numbers(number), *share),
        }
    }
}

/// The value that `share` of the numbers lie below, between two numbers in proportion.
fn percentile(mut numbers: Vec<f64>, share: f64) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let place = share * (numbers.len().checked_sub(1)? as f64);
    let (below, above) = (
        numbers[place.floor() as usize],
        numbers[place.ceil() as usize],
    );
    Some(below + (above - below) * place.fract())
}

fn divide(upper: Option<f64>, lower: Option<f64>) -> Option<f64> {
    let lower = lower.filter(|lower| *lower != 0.0)?;
    Some(upper? / lower)
}

fn any(_: &Row) -> bool {
    true
}

fn not_cancelled(order: &Row) -> bool {
    !order.is("status", "CANCELLED")
}

fn amount(order: &Row) -> Option<f64> {
    order.number("amount_usd")
}

fn bought(item: &Row) -> bool {
    item.join("purchase")
        .is_some_and(|order| not_cancelled(&order))
}

fn opening(month: &Row) -> bool {
    month.number("opening_mrr_usd") > Some(0.0)
}

fn closing(month: &Row) -> bool {
    month.number("closing_mrr_usd") > Some(0.0)
}

fn first_over_second(values: &[Option<f64>]) -> Option<f64> {
    divide(values[0], values[1])
}

fn as_it_is(values: &[Option<f64>]) -> Option<f64> {
    values[0]
}

/// The same metric over other rows than those of the period.
fn over(name: &'static str, window: Window) -> (&'static str, Context) {
    (name, Context { window, keep: any })
}

fn metric(name: &str, module: bool) -> Metric {
    use Metric::{Beside, Converted, Derived, Last, Ratio, Simple};
    use Total::{Average, Count, Distinct, Largest, Percentile, Sum};
    match name {
        // Commerce
        "gmv" => Simple(Part("orders", not_cancelled, Sum(amount))),
        "orders" => Simple(Part("orders", not_cancelled, Count)),
        "buyers" => Simple(Part("orders", not_cancelled, Distinct("user_id"))),
        "aov" => Derived(vec!["gmv", "orders"], first_over_second),
        "gmv_within_month" => Beside(vec![over("gmv", Window::Month)], as_it_is),
        "gmv_annual_growth" => Beside(
            vec![over("gmv", Window::Own), over("gmv", Window::YearLater)],
            |values| Some(first_over_second(values)? - 1.0),
        ),
        "ads_gmv_share" => {
            let keep = |order: &Row| order.is("channel", "ads");
            Beside(
                vec![("gmv", Context { keep, ..PLAIN }), ("gmv", PLAIN)],
                first_over_second,
            )
        }
        "buyers_28d" => Beside(vec![over("buyers", Window::Days(28))], as_it_is),
        "gmv_per_buyer" => Derived(vec!["gmv", "buyers"], first_over_second),
        "orders_per_buyer" => Derived(vec!["orders", "buyers"], first_over_second),
        "median_order_value" => Simple(Part("orders", not_cancelled, Percentile(0.5, amount))),
        "p90_order_value" => Simple(Part("orders", not_cancelled, Percentile(0.9, amount))),
        "largest_order" => Simple(Part("orders", any, Largest(amount))),
        "cancellation_rate" => Ratio(
            Part("orders", |order| order.is("status", "CANCELLED"), Count),
            Part("orders", any, Count),
        ),
        "return_rate" => Ratio(
            Part("orders", |order| order.is("status", "RETURNED"), Count),
            Part("orders", not_cancelled, Count),
        ),
        "voucher_rate" => Ratio(
            Part(
                "orders",
                not_cancelled,
                Sum(|order| order.number("voucher_usd")),
            ),
            Part("orders", not_cancelled, Sum(amount)),
        ),
        "cross_border_share" => Ratio(
            Part(
                "orders",
                |order| order.is("cross_border", "true") && not_cancelled(order),
                Sum(amount),
            ),
            Part("orders", not_cancelled, Sum(amount)),
        ),
        "avg_shipping_fee" => Simple(Part(
            "orders",
            not_cancelled,
            Average(|order| order.number("shipping_usd")),
        )),
        "items_sold" => Simple(Part(
            "order_items",
            bought,
            Sum(|item| item.number("quantity")),
        )),
        "item_value" => Simple(Part(
            "order_items",
            bought,
            Sum(|item| Some(item.number("quantity")? * item.number("price_usd")?)),
        )),
        "avg_selling_price" => Derived(vec!["item_value", "items_sold"], first_over_second),
        "items_per_order" => Derived(vec!["items_sold", "orders"], first_over_second),

        // Customers
        "new_customers" => Simple(Part("users", any, Count)),
        "opt_in_rate" => Ratio(
            Part("users", |user| user.is("marketing_opt_in", "true"), Count),
            Part("users", any, Count),
        ),
        "business_buyers" => Simple(Part(
            "orders",
            |order| {
                let business =
                    |buyer: Row| buyer.is("segment", "SMB") || buyer.is("segment", "Enterprise");
                not_cancelled(order) && order.join("buyer").is_some_and(business)
            },
            Distinct("user_id"),
        )),
        "new_sellers" => Simple(Part("sellers", any, Count)),

        // Traffic
        "dau" if module => Simple(Part("module_activity", any, Distinct("user_id"))),
        "dau" | "mau" => Simple(Part("platform_activity", any, Distinct("user_id"))),
        "active_days_per_user" => Ratio(
            Part("platform_activity", any, Count),
            Part("platform_activity", any, Distinct("user_id")),
        ),
        "visits" => Simple(Part("traffic_daily", any, Sum(|day| day.number("visits")))),
        "pages_per_visit" => Ratio(
            Part("traffic_daily", any, Sum(|day| day.number("product_views"))),
            Part("traffic_daily", any, Sum(|day| day.number("visits"))),
        ),
        "bounce_rate" => Ratio(
            Part("traffic_daily", any, Sum(|day| day.number("bounces"))),
            Part("traffic_daily", any, Sum(|day| day.number("visits"))),
        ),
        "cart_rate" => Ratio(
            Part("traffic_daily", any, Sum(|day| day.number("cart_adds"))),
            Part("traffic_daily", any, Sum(|day| day.number("visits"))),
        ),
        "conversion_rate" => Derived(vec!["orders", "visits"], first_over_second),

        // Advertising
        "ads_rev" => Simple(Part("ads_daily", any, Sum(|ad| ad.number("revenue_usd")))),
        "take_rate" => Derived(vec!["ads_rev", "gmv"], first_over_second),
        "ad_impressions" => Simple(Part("ads_daily", any, Sum(|ad| ad.number("impressions")))),
        "ctr" => Ratio(
            Part("ads_daily", any, Sum(|ad| ad.number("clicks"))),
            Part("ads_daily", any, Sum(|ad| ad.number("impressions"))),
        ),
        "cpc" => Ratio(
            Part("ads_daily", any, Sum(|ad| ad.number("revenue_usd"))),
            Part("ads_daily", any, Sum(|ad| ad.number("clicks"))),
        ),
        "ecpm" => Derived(vec!["ads_rev", "ad_impressions"], |values| {
            Some(divide(values[0], values[1])? * 1000.0)
        }),
        "shared_cost_credits" => Simple(Part(
            "scs_adjustments",
            any,
            Sum(|credit| credit.number("adjustment_usd")),
        )),

        // Subscriptions
        "mrr" => Ratio(
            Part(
                "subscription_months",
                any,
                Sum(|month| month.number("closing_mrr_usd")),
            ),
            Part("subscription_months", any, Distinct("month")),
        ),
        "closing_mrr" => Last(Part(
            "subscription_months",
            any,
            Sum(|month| month.number("closing_mrr_usd")),
        )),
        "arr" => Derived(vec!["mrr"], |values| Some(values[0]? * 12.0)),
        "active_subscriptions" => Simple(Part(
            "subscription_months",
            closing,
            Distinct("subscription_id"),
        )),
        "arpa" => Ratio(
            Part(
                "subscription_months",
                any,
                Sum(|month| month.number("closing_mrr_usd")),
            ),
            Part("subscription_months", closing, Count),
        ),
        "churn_rate" => Ratio(
            Part(
                "subscription_months",
                |month| month.number("churned_mrr_usd") > Some(0.0) && opening(month),
                Count,
            ),
            Part("subscription_months", opening, Count),
        ),
        "nrr" => Ratio(
            Part(
                "subscription_months",
                opening,
                Sum(|month| {
                    Some(
                        month.number("opening_mrr_usd")? + month.number("expansion_mrr_usd")?
                            - month.number("contraction_mrr_usd")?
                            - month.number("churned_mrr_usd")?,
                    )
                }),
            ),
            Part(
                "subscription_months",
                any,
                Sum(|month| month.number("opening_mrr_usd")),
            ),
        ),
        "new_mrr" => Simple(Part(
            "subscription_months",
            any,
            Sum(|month| month.number("new_mrr_usd")),
        )),
        "ltv" => Derived(vec!["arpa", "churn_rate"], first_over_second),
        "new_subscriptions" => Simple(Part("subscriptions", any, Count)),

        // Sales
        "closed_won_pct" => Ratio(
            Part(
                "initiatives_fct",
                |row| row.is("phase", "CLOSED_WON"),
                Count,
            ),
            Part(
                "initiatives_fct",
                |row| row.is("initiative_type", "CLI") && row.is("phase", "CLOSED"),
                Count,
            ),
        ),
        "cli_count" => Simple(Part(
            "initiatives_fct",
            |row| row.is("initiative_type", "CLI"),
            Distinct("initiative_id"),
        )),
        "workload_per_am" => Ratio(
            Part("initiatives_fct", any, Distinct("initiative_id")),
            Part("initiatives_fct", any, Distinct("owner_id")),
        ),
        "won_value" => Simple(Part(
            "initiatives_fct",
            |row| row.is("phase", "CLOSED_WON"),
            Sum(|row| row.number("value_usd")),
        )),
        "avg_deal_size" => Simple(Part(
            "initiatives_fct",
            |row| row.is("phase", "CLOSED_WON"),
            Average(|row| row.number("value_usd")),
        )),
        "median_days_to_close" => Simple(Part(
            "initiatives_fct",
            |row| row.is("phase", "CLOSED"),
            Percentile(0.5, |row| row.number("days_open")),
        )),

        // Marketing
        "touches" => Simple(Part("touchpoints", any, Count)),
        "reached_customers" => Simple(Part("touchpoints", any, Distinct("user_id"))),
        "marketing_spend" => Simple(Part(
            "touchpoints",
            any,
            Sum(|contact| contact.number("cost_usd")),
        )),
        "attributed_orders" => Simple(Part(
            "touchpoints",
            |contact| contact.has("order_id"),
            Sum(|contact| contact.number("weight")),
        )),
        "attributed_gmv" => Simple(Part(
            "touchpoints",
            any,
            Sum(|contact| contact.number("attributed_gmv_usd")),
        )),
        "cost_per_order" => Derived(
            vec!["marketing_spend", "attributed_orders"],
            first_over_second,
        ),
        "roas" => Derived(vec!["attributed_gmv", "marketing_spend"], first_over_second),
        "contact_conversion" => Converted("touches", "orders", 7),
        name => panic!("the metric {name} has not been written by hand yet"),
    }
}
