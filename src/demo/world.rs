//! The marketplace's world: its markets, its calendar, and how many orders a day brings where.

use jiff::civil::{Date, Weekday, date};

/// The day the marketplace opened; days are counted from here.
const FOUNDED: Date = date(2022, 1, 1);

/// The last day that the demo can be made for; no clock that is right shows a later one.
pub const HORIZON: Date = date(2099, 12, 31);

/// How many days back the marketplace remembers its customers and subscriptions.
pub(super) const MEMORY: u64 = 6 * 365;

/// Orders a day brings in all markets, before growth and seasons.
const DAILY_ORDERS: f64 = 158.0;

/// What an average order is worth where prices are at level 1, in dollars; ads revenue follows from it.
pub(super) const AVERAGE_BASKET: f64 = 46.0;

/// A market and what makes it different.
pub(super) struct Market {
    /// Two-letter code.
    pub code: &'static str,
    /// Position in [`MARKETS`].
    pub index: u64,
    /// Share of all orders before growth.
    pub weight: f64,
    /// How fast it grows; 1 is a mature market.
    pub pace: f64,
    /// Prices, against the catalogue.
    pub prices: f64,
    /// Share of orders paid in cash on delivery.
    pub cash: f64,
    /// Share of orders that come through ads.
    pub ads: f64,
    /// Share of Android among the platforms.
    pub android: f64,
    /// Share of orders shipped from another market.
    pub cross_border: f64,
    /// Ads revenue per dollar of order value.
    pub take_rate: f64,
    /// Orders per visit, against the average market.
    pub conversion: f64,
    /// Whether it keeps Latin America's week and campaigns.
    pub latin: bool,
}

#[rustfmt::skip]
pub(super) static MARKETS: [Market; 12] = [
    Market { code: "ID", index: 0,  weight: 0.218, pace: 1.3, prices: 0.48, cash: 0.38, ads: 0.24, android: 0.74, cross_border: 0.05, take_rate: 0.021, conversion: 1.12, latin: false },
    Market { code: "TH", index: 1,  weight: 0.130, pace: 1.2, prices: 0.58, cash: 0.31, ads: 0.27, android: 0.60, cross_border: 0.07, take_rate: 0.026, conversion: 1.05, latin: false },
    Market { code: "VN", index: 2,  weight: 0.110, pace: 1.6, prices: 0.42, cash: 0.55, ads: 0.21, android: 0.66, cross_border: 0.06, take_rate: 0.018, conversion: 1.18, latin: false },
    Market { code: "PH", index: 3,  weight: 0.100, pace: 1.4, prices: 0.46, cash: 0.49, ads: 0.22, android: 0.71, cross_border: 0.08, take_rate: 0.019, conversion: 0.98, latin: false },
    Market { code: "MY", index: 4,  weight: 0.085, pace: 1.1, prices: 0.66, cash: 0.09, ads: 0.26, android: 0.58, cross_border: 0.13, take_rate: 0.025, conversion: 0.95, latin: false },
    Market { code: "SG", index: 5,  weight: 0.035, pace: 0.9, prices: 1.22, cash: 0.02, ads: 0.29, android: 0.38, cross_border: 0.28, take_rate: 0.027, conversion: 0.84, latin: false },
    Market { code: "TW", index: 6,  weight: 0.100, pace: 0.8, prices: 0.82, cash: 0.12, ads: 0.30, android: 0.45, cross_border: 0.10, take_rate: 0.029, conversion: 1.09, latin: false },
    Market { code: "BR", index: 7,  weight: 0.122, pace: 2.4, prices: 0.74, cash: 0.04, ads: 0.28, android: 0.78, cross_border: 0.09, take_rate: 0.024, conversion: 0.90, latin: true },
    Market { code: "MX", index: 8,  weight: 0.042, pace: 2.1, prices: 0.78, cash: 0.16, ads: 0.25, android: 0.76, cross_border: 0.15, take_rate: 0.020, conversion: 0.82, latin: true },
    Market { code: "CL", index: 9,  weight: 0.020, pace: 1.6, prices: 0.90, cash: 0.03, ads: 0.23, android: 0.70, cross_border: 0.21, take_rate: 0.017, conversion: 0.76, latin: true },
    Market { code: "CO", index: 10, weight: 0.022, pace: 1.8, prices: 0.70, cash: 0.29, ads: 0.19, android: 0.80, cross_border: 0.17, take_rate: 0.015, conversion: 0.71, latin: true },
    Market { code: "AR", index: 11, weight: 0.016, pace: 0.7, prices: 0.64, cash: 0.11, ads: 0.16, android: 0.77, cross_border: 0.04, take_rate: 0.013, conversion: 0.66, latin: true },
];

impl Market {
    /// Probabilities of the channels that bring orders; what is left is organic.
    pub(super) fn channels(&self) -> [(&'static str, f64); 4] {
        let social = if self.latin { 0.09 } else { 0.13 };
        [
            ("ads", self.ads),
            ("affiliate", 0.12),
            ("social", social),
            ("email", 0.05),
        ]
    }

    /// Probabilities of the platforms; what is left is the web shop.
    pub(super) fn platforms(&self) -> [(&'static str, f64); 2] {
        [("android", self.android), ("ios", 0.88 - self.android)]
    }

    /// Size against the average market, with small markets lifted: people are hired by the square root of the trade.
    pub(super) fn headcount(&self) -> f64 {
        (self.weight * 12.0).sqrt()
    }
}

/// A calendar day, with its number since the marketplace opened.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub date: Date,
    pub number: u64,
}

impl Day {
    /// The given date, or the nearest one at which there is a marketplace.
    pub(super) fn on(date: Date) -> Self {
        let date = date.clamp(FOUNDED, HORIZON);
        let number = u64::try_from((date - FOUNDED).get_days()).unwrap_or_default();
        Self { date, number }
    }

    /// The day with this number.
    pub(super) fn numbered(number: u64) -> Self {
        let days = i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            date: FOUNDED.saturating_add(jiff::Span::new().days(days.min(2_000_000))),
            number,
        }
    }

    /// So many days earlier, but not before the marketplace opened.
    pub(super) fn back(self, days: u64) -> Self {
        Self::numbered(self.number.saturating_sub(days))
    }

    /// Every day from this one to `last`, both included.
    pub(super) fn until(self, last: Self) -> impl Iterator<Item = Self> + Clone {
        (self.number..=last.number).map(Self::numbered)
    }

    /// The day as the digits `yyyymmdd`, the beginning of most keys.
    pub(super) fn digits(self) -> i64 {
        let (year, month, day) = (self.date.year(), self.date.month(), self.date.day());
        i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(day)
    }

    /// How large the marketplace is in this market, against a fully grown one of average pace: an S-curve over the years.
    pub(super) fn growth(self, market: &Market) -> f64 {
        let years = self.number as f64 / 365.0;
        let square = years * years;
        0.2 + market.pace * square / (square + 20.0)
    }

    /// How busy the day is, against an average one: the week, the season and the campaigns.
    pub(super) fn season(self, market: &Market) -> f64 {
        let month = match self.date.month() {
            1 => 0.92,
            2 => 0.88,
            3 => 0.97,
            4 => 0.96,
            6 => 1.02,
            7 => 0.98,
            9 => 1.05,
            10 => 1.06,
            11 => 1.14,
            12 => 1.12,
            _ => 1.0,
        };
        month * self.week(market.latin) * self.campaign(market).1
    }

    fn week(self, latin: bool) -> f64 {
        match (self.date.weekday(), latin) {
            (Weekday::Monday, false) => 0.97,
            (Weekday::Tuesday, false) => 0.95,
            (Weekday::Wednesday, false) => 0.96,
            (Weekday::Thursday, false) => 0.98,
            (Weekday::Friday, false) => 1.03,
            (Weekday::Saturday, false) => 1.07,
            (Weekday::Sunday, false) => 1.04,
            (Weekday::Monday, true) => 1.07,
            (Weekday::Tuesday, true) => 1.05,
            (Weekday::Wednesday, true) => 1.03,
            (Weekday::Thursday, true) => 1.0,
            (Weekday::Friday, true) => 0.97,
            (Weekday::Saturday, true) => 0.91,
            (Weekday::Sunday, true) => 0.97,
        }
    }

    /// The campaign that runs on this day, and how many times the usual orders it brings.
    pub(super) fn campaign(self, market: &Market) -> (&'static str, f64) {
        let black_friday =
            self.date.weekday() == Weekday::Friday && (22..=28).contains(&self.date.day());
        match (self.date.month(), self.date.day()) {
            (11, 11) => ("11.11", if market.latin { 1.7 } else { 3.2 }),
            (12, 12) => ("12.12", if market.latin { 1.4 } else { 2.8 }),
            (9, 9) => ("9.9", 1.9),
            (10, 10) => ("10.10", 1.8),
            (6, 6) => ("Mid-year sale", 1.5),
            (11, 10) | (12, 11) => ("Warm-up", 0.85),
            (11, _) if market.latin && black_friday => ("Black Friday", 2.6),
            (12, 18..=24) => ("Year-end sale", 1.25),
            (12, 25..=31) => ("Year-end sale", 0.9),
            (_, 25..=26) => ("Payday sale", 1.2),
            _ => ("Always on", 1.0),
        }
    }

    /// Orders to expect on this day in this market.
    pub(super) fn demand(self, market: &Market) -> f64 {
        DAILY_ORDERS * market.weight * self.growth(market) * self.season(market)
    }
}
