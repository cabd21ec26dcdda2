//! Advertising: the old and the new ad server, and the Brazilian shared-cost credits.

use jiff::civil::{Date as CivilDate, date};

use super::random::Rng;
use super::table::{number, table, usd};
use super::world::{AVERAGE_BASKET, Day, MARKETS, Market};
use super::{DemoError, Output};
use crate::model::ColumnType::{Date, Integer, Number, Text};
use crate::warehouse::Cell;

/// First day of the new ad server.
const NEW_SERVER: CivilDate = date(2026, 1, 1);

/// The old ad server was switched off after this day; the books use it up to 31 March 2026 only.
const OLD_SERVER_LAST: CivilDate = date(2026, 4, 14);

/// Where ads are shown: ad channel, format, share of the revenue, cents per click, click-through rate.
const PLACEMENTS: [(&str, &str, f64, f64, f64); 7] = [
    ("search", "Sponsored product", 0.34, 9.0, 0.031),
    ("search", "Shop ad", 0.13, 11.0, 0.022),
    ("discovery", "Sponsored product", 0.22, 6.5, 0.018),
    ("discovery", "Video", 0.08, 8.0, 0.012),
    ("display", "Banner", 0.10, 14.0, 0.005),
    ("display", "Video", 0.05, 17.0, 0.008),
    ("affiliate", "Sponsored product", 0.08, 7.0, 0.015),
];

/// What one placement did on one day.
struct Line {
    placement: (&'static str, &'static str),
    market: &'static Market,
    campaign: &'static str,
    impressions: u64,
    clicks: u64,
    /// `None` where the ad server has not reported.
    revenue_cents: Option<i64>,
}

fn lines(day: Day) -> Vec<Line> {
    let mut lines = Vec::new();
    for market in &MARKETS {
        let mut rng = Rng::of("ads", day.number, market.index);
        // Sellers advertise more every year, and bid up before campaigns.
        let years = day.number as f64 / 365.0;
        let rate = market.take_rate * (0.7 + 0.075 * years);
        let sales = day.demand(market) * AVERAGE_BASKET * market.prices;
        for (channel, format, share, click_cents, ctr) in PLACEMENTS {
            let revenue = sales * rate * share * 100.0 * rng.between(0.8, 1.2);
            let clicks = rng.count(revenue / (click_cents * (0.5 + market.prices)));
            let impressions = clicks.max(rng.count(clicks as f64 / ctr));
            let reported = !rng.chance(0.003);
            lines.push(Line {
                placement: (channel, format),
                market,
                campaign: day.campaign(market).0,
                impressions,
                clicks,
                revenue_cents: reported.then_some(revenue as i64),
            });
        }
    }
    lines
}

/// Both ad servers; their columns have different names, as the servers had different makers.
pub(super) fn write_daily(
    days: impl Iterator<Item = Day> + Clone,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "ads_daily_old",
        &[
            ("dt", Date),
            ("campaign", Text),
            ("region", Text),
            ("ad_channel", Text),
            ("ad_format", Text),
            ("impressions", Integer),
            ("clicks", Integer),
            ("spend_usd?", Number),
        ],
        &["dt", "region", "ad_channel", "ad_format"],
    ))?;
    for day in days.clone().filter(|day| day.date <= OLD_SERVER_LAST) {
        // It counted accidental clicks as well.
        write(day, 1.14, out)?;
    }
    out.table(&table(
        "ads_daily_new",
        &[
            ("report_date", Date),
            ("campaign", Text),
            ("grass_region", Text),
            ("ad_channel", Text),
            ("ad_format", Text),
            ("impressions", Integer),
            ("clicks", Integer),
            ("revenue_usd?", Number),
        ],
        &["report_date", "grass_region", "ad_channel", "ad_format"],
    ))?;
    for day in days.filter(|day| day.date >= NEW_SERVER) {
        write(day, 1.0, out)?;
    }
    Ok(())
}

fn write(day: Day, click_factor: f64, out: &mut Output<'_>) -> Result<(), DemoError> {
    for line in lines(day) {
        let clicks = ((line.clicks as f64 * click_factor) as u64).min(line.impressions);
        out.row(&[
            Cell::Date(day.date),
            Cell::Text(line.campaign),
            Cell::Text(line.market.code),
            Cell::Text(line.placement.0),
            Cell::Text(line.placement.1),
            number(line.impressions),
            number(clicks),
            line.revenue_cents.map_or(Cell::Null, usd),
        ])?;
    }
    Ok(())
}

/// Credits to Brazilian sellers: per day and ad channel, a few percent of the revenue.
pub(super) fn write_adjustments(
    days: impl Iterator<Item = Day>,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "scs_adjustments",
        &[
            ("adjusted_on", Date),
            ("grass_region", Text),
            ("ad_channel", Text),
            ("reason", Text),
            ("adjustment_usd", Number),
        ],
        &["adjusted_on", "grass_region", "ad_channel"],
    ))?;
    for day in days {
        let mut rng = Rng::of("adjustments", day.number, 0);
        let lines = lines(day);
        for channel in ["search", "discovery", "display", "affiliate"] {
            let revenue: i64 = lines
                .iter()
                .filter(|line| line.market.code == "BR" && line.placement.0 == channel)
                .filter_map(|line| line.revenue_cents)
                .sum();
            let credit = (revenue as f64 * rng.between(0.04, 0.11)) as i64;
            out.row(&[
                Cell::Date(day.date),
                Cell::Text("BR"),
                Cell::Text(channel),
                Cell::Text(rng.choose(
                    &[("Tax share", 0.6), ("Billing dispute", 0.1)],
                    "Launch credit",
                )),
                usd(-credit),
            ])?;
        }
    }
    Ok(())
}
