//! The closed list of words that the grammar itself knows. A word that changes what is asked must never be among the noise.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::{CompareOp, DatePart, Direction, Grain};

/// What a word of the grammar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// Says nothing: "please", "the", "show me".
    Noise,
    /// "our", "the current": a number is wanted, not a definition.
    Our,
    /// Leads in a value or a time: "in", "for", "from".
    Lead,
    /// "with", "where", "having".
    With,
    /// "and", "&", "plus".
    And,
    /// "or"
    Or,
    /// "by", "per", "for each"
    By,
    /// "market wise"
    Wise,
    /// "top", "highest"; "bottom", "worst"
    Rank(Direction),
    /// "sorted by", "ranked by"
    Sorted,
    /// "highest first" after the word of the rank; "descending", "ascending"
    First,
    /// Order without a limit: "descending".
    Order(Direction),
    /// "which", "what"
    Which,
    /// "how"
    How,
    /// "is", "are", "was"
    Is,
    /// "excluding", "without", "not"
    Not,
    /// "only", "just"
    Only,
    /// "all", "any"
    All,
    /// "vs", "compared to"
    Versus,
    /// "compare", "comparison"
    Compare,
    /// "growth", "change in"
    Growth,
    /// "trend", "over time"
    Trend,
    /// "changed", "developed": a trend after "how has"
    Developed,
    /// "daily", "week by week"
    Every(Grain),
    /// "day", "weeks"
    Unit(Grain),
    /// "weekday", "hour of the day"
    Part(DatePart),
    /// "share of", "running total", "moving average"
    Figure(Figure),
    /// "and others", "the rest" beside a ranking
    Others,
    /// "over", "at least"
    Than(CompareOp),
    /// "or more", "or less" after a number
    OrThan(CompareOp),
    /// "between"
    Between,
    /// "list"
    List,
    /// "metrics", "kpis"
    Metrics,
    /// "are there", "available", "exist"
    Exist,
    /// "define", "explain", "mean"
    Define,
    /// "calculated", "measured" after "how is"
    Calculated,
    /// "about", "related to"
    About,
    /// "what about", "how about"
    WhatAbout,
    /// "same"
    Same,
    /// "also", "add", "too"
    Also,
    /// "instead", "rather"
    Instead,
    /// "now", "then", "but"
    Now,
    /// "remove", "drop", "clear"
    Remove,
    /// "filter", "condition" after a word that removes
    Filter,
    /// "comparison" is [`Keyword::Compare`]; "grouping", "breakdown"
    Grouping,
    /// "limit"
    Limit,
}

/// A figure over the rows of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Share,
    Running,
    Moving,
}

use Direction::{Ascending, Descending};
use Keyword::*;

/// Longest entry of the vocabulary, in words.
pub(super) const LONGEST: usize = 5;

const ENTRIES: &[(Keyword, &str)] = &[
    (
        Noise,
        "please|pls|kindly|hey|hi|thanks|thank|thank you|thx|ok|okay|so|well|a|an|the|these|those|that|it|its|of|there|here",
    ),
    (
        Noise,
        "show|show me|show us|give us|tell us|let us|get us|for me|give|give me|tell|tell me|display|see|get|get me|find|find me|fetch|pull|pull up|check|let|lets|want|want to|would|would like|like to|need|need to|know|want to know|want to see|like to see|like to know|id like|look at|looking at|look|can|could|can you|could you|i|we|you|do|does|did|have|has|had|been|be|being|to see|to know|can i see|plot|chart|graph|draw|visualize|visualise|graph of|chart of|run|return|print|let me see|let me know|wonder|wondering|curious",
    ),
    (
        Noise,
        "how many|how much|total|totals|in total|both|either|total number of|number of|the number of|count of|amount of|total amount of|figure|figures|numbers|numbers for|stats|report|level of|levels of|much|many|overview of",
    ),
    (
        Noise,
        "make|made|making|bring|brings|bringing|brought|brought in|bring in|brings in|come in|came in|place|placed|happen|happened|happening|perform|performed|performing|performs|doing|going|generate|generated|generates|generating|receive|received|get|got|gets|getting|record|recorded|seen|saw|went|look like|looks like|looked like|looked|turn out|stand|stands|stood|come|comes|came|coming|drive|drives|drove|driving|deliver|delivers|delivered|produce|produces|produced|contribute|contributes|contributed|achieve|achieved|reported|run at|we got|did we earn|do we earn|did we get|did we make|have we had|did we have",
    ),
    (Our, "our|current|my"),
    (
        Lead,
        "in|for|from|on|at|via|paid by|paid with|paid via|paid using|placed via|placed on|placed through|bought via|through|within|during|using|into|among|inside|coming from|out of|when|per the|while|looking only at|filtered to|filtered by|filtered for|filtered on|limited to|restricted to|throughout",
    ),
    (With, "with|where|having|that have|that had|whose"),
    (And, "and|&|together with|as well as|along with|alongside"),
    (Or, "or"),
    (
        By,
        "by|per|for each|for every|in each|in every|each|every|split by|split out by|split per|split across|splitted by|broken down by|broken out by|broken by|breakdown by|break down by|down by|grouped by|group by|across|across all|across the|across all the|sliced by|slice by|segmented by|distributed by|distribution by|distributed across|distributed over|at each|within each|of each|from each|of every|according to|separately for each|separated by|aggregated by|by each|by every|per each|differ by|differs by|differ across|vary by|varies by|vary across|for each of the",
    ),
    (Wise, "wise"),
    (
        Rank(Descending),
        "top|best|highest|biggest|largest|most|greatest|leading|strongest|top performing|best performing|highest performing",
    ),
    (
        Rank(Ascending),
        "bottom|worst|lowest|smallest|least|fewest|weakest|bottom performing|worst performing|lowest performing",
    ),
    (
        Sorted,
        "rank|rank the|rank our|rank all|sorted by|sort by|ordered by|ranked by|rank by|ranked on|ranked|ranking of|in order of|sorted|ranked according to|ranking by|by descending",
    ),
    (First, "first"),
    (
        Order(Direction::Descending),
        "descending|desc|in descending order|from highest to lowest|from high to low|high to low",
    ),
    (
        Order(Direction::Ascending),
        "ascending|asc|in ascending order|from lowest to highest|from low to high|low to high",
    ),
    (Which, "which|what|which of the|which of our"),
    (How, "how|hows"),
    (
        Is,
        "is|are|was|were|equal|equals|equal to|=|==|whats|what is|what are|what was|what were",
    ),
    (
        Not,
        "not|no|non|excluding|exclude|excludes|excluded|excl|ex|except|except for|excepting|without|other than|apart from|aside from|but not|not in|not from|not for|not including|besides|ignoring|ignore|leaving out|leave out|outside|outside of|not on|!=|<>|≠|isnt|arent|wasnt|werent|dont|doesnt|didnt|don t|dont include|dont count|never|neither|everything but|everywhere but|everything except|everywhere except|everywhere except for|everywhere outside|all but|everyone but|any but|do not include|not counting|rather than",
    ),
    (
        Only,
        "only|just|solely|exclusively|nothing but|only for|only in|just for|just in|only from|just from",
    ),
    (
        All,
        "all|all the|all of the|all our|any|entire|whole|everything",
    ),
    (
        Versus,
        "vs|versus|v|against|compared to|compared with|compare to|compare with|compared against|relative to|in comparison to|in comparison with|as opposed to|vis a vis|compares to|compares with|as against",
    ),
    (
        Compare,
        "compare|comparison|comparison of|comparing|compared|contrast|difference between|the comparison",
    ),
    (
        Growth,
        "growth|growth of|growth in|growth rate of|growth rate|grow|grew|change in|change of|change|changes in|increase|increase in|increase of|decrease|decrease in|decline|decline in|drop in|rise in|fall in|delta|difference in|difference|variation in|uplift|uplift in|development vs|percent change in|percentage change in|percent change|percentage change|percentage growth|percent growth|percentage increase|percentage decrease",
    ),
    (
        Trend,
        "trend|trends|trend of|trend in|trend for|trends of|trendline|over time|time series|timeseries|timeline|evolution|evolution of|evolution in|development|development of|development in|progression|progression of|progress of|trending|trended|as a trend|as trend|as a time series|course of|history of|historical trend|through time|over the time",
    ),
    (
        Developed,
        "changed|changing|developed|developing|evolved|evolve|evolving|develop|moved|grown|growing|progressed|varied|trend over time|trended over time|gone",
    ),
    (Every(Grain::Hour), "hourly|hour by hour|hour on hour"),
    (
        Every(Grain::Day),
        "daily|day by day|day to day|on a daily basis|by the day|daywise",
    ),
    (
        Every(Grain::Week),
        "weekly|week by week|week to week|on a weekly basis|by the week",
    ),
    (
        Every(Grain::Month),
        "monthly|month by month|month to month|on a monthly basis|by the month",
    ),
    (
        Every(Grain::Quarter),
        "quarterly|quarter by quarter|on a quarterly basis|by the quarter",
    ),
    (
        Every(Grain::Year),
        "yearly|annual|annually|year by year|on a yearly basis|on an annual basis|by the year",
    ),
    (Unit(Grain::Hour), "hour|hours"),
    (Unit(Grain::Day), "day|days|date|dates"),
    (Unit(Grain::Week), "week|weeks"),
    (Unit(Grain::Month), "month|months"),
    (Unit(Grain::Quarter), "quarter|quarters"),
    (Unit(Grain::Year), "year|years"),
    (
        Part(DatePart::Weekday),
        "weekday|weekdays|day of week|day of the week|days of the week",
    ),
    (
        Part(DatePart::HourOfDay),
        "hour of day|hour of the day|hours of the day|time of day|time of the day",
    ),
    (
        Part(DatePart::DayOfMonth),
        "day of month|day of the month|days of the month",
    ),
    (Part(DatePart::WeekOfYear), "week of year|week of the year"),
    (
        Part(DatePart::MonthOfYear),
        "month of year|month of the year|calendar month",
    ),
    (
        Part(DatePart::QuarterOfYear),
        "quarter of year|quarter of the year",
    ),
    (
        Figure(Figure::Share),
        "share|shares|share of|shares of|percentage share of|share of total|share of the total|as a share|as a share of total|percentage|percentage of|percent of|percentage of total|percent of total|as a percentage of total|in percent of total|proportion|proportion of|% of|% of total|% share|% share of",
    ),
    (
        Figure(Figure::Running),
        "running|running total|as a running total|running total of|running sum|running sum of|cumulative|cumulatively|cumulated|cumulative total|cumulative total of|cumulative sum|cumulative sum of|accumulated|added up",
    ),
    (
        Figure(Figure::Moving),
        "moving|moving average|moving average of|moving mean|moving mean of|rolling average|rolling average of|rolling mean|rolling mean of",
    ),
    (
        Others,
        "others|the others|and others|and the others|with others|with the others|rest|the rest|and the rest|with the rest|all others|and all others",
    ),
    (
        Than(CompareOp::Gt),
        "over|above|more than|greater than|higher than|larger than|bigger than|exceeding|exceeds|exceed|exceeded|beyond|in excess of|>|is over|is above",
    ),
    (
        Than(CompareOp::Ge),
        "at least|no less than|not less than|minimum|minimum of|a minimum of|no fewer than|not under|not below|greater than or equal to|more than or equal to|larger than or equal to|higher than or equal to|isnt under|isnt below|isnt less than|>=|≥",
    ),
    (
        Than(CompareOp::Lt),
        "under|below|less than|fewer than|lower than|smaller than|<",
    ),
    (
        Than(CompareOp::Le),
        "at most|no more than|not more than|maximum of|a maximum of|up to|not over|not above|less than or equal to|fewer than or equal to|smaller than or equal to|lower than or equal to|isnt over|isnt above|isnt more than|<=|≤",
    ),
    (
        OrThan(CompareOp::Ge),
        "or more|and more|or higher|or above|or over|and above|and up|or greater|plus more",
    ),
    (
        OrThan(CompareOp::Le),
        "or less|or fewer|or lower|or below|or under|and below",
    ),
    (Between, "between"),
    (
        List,
        "list|list of|enumerate|list all|list the|list all the",
    ),
    (
        Metrics,
        "metric|metrics|kpi|kpis|measures|measure|indicators",
    ),
    (
        Exist,
        "are there|is there|there are|available|exist|exists|existing|can i use|can i ask|can we use|possible|valid|known|do we have|do you have|have we|do you know|we have|do we track|can you answer|can i query|can i choose|are defined|is available|are available in|do we operate in|do we know|are known|have data|tracked|do you offer|are we in",
    ),
    (
        Define,
        "define|definition|definition of|the definition of|explain|explanation of|meaning|meaning of|the meaning of|mean|means|meant|describe|description of|description|stand for|stands for|what does|what do|explain what|tell me about|meant by|mean by",
    ),
    (
        Calculated,
        "calculated|computed|defined|measured|worked out|determined|derived|calculate|compute|define it|formula for|formula|counted",
    ),
    (
        About,
        "about|related to|relating to|regarding|concerning|on the topic of|around",
    ),
    (
        WhatAbout,
        "what about|how about|what of|and what about|and how about|and for|and in|and from|what about for|how about for|what about in|how about in",
    ),
    (
        Same,
        "same|the same|same thing|same for|the same for|same but|same question|same again|do the same|again",
    ),
    (Also, "also|add|too|as well|additionally|in addition"),
    (
        Instead,
        "instead|rather|instead of that|switch to|change to|change it to|make it|replace with|swap for|turn it into",
    ),
    (Now, "now|then|but|and now|but now|ok now|actually"),
    (
        Remove,
        "remove|drop|clear|delete|get rid of|take away|undo|reset|lift|take out|skip",
    ),
    (
        Filter,
        "filter|filters|condition|conditions|restriction|filtering",
    ),
    (
        Grouping,
        "grouping|groupings|breakdown|breakdown of|a breakdown of|split|split of|groups|break down|distribution|distribution of",
    ),
    (Limit, "limit|ranking|cap"),
];

/// The vocabulary by folded words with single spaces.
pub(super) static KEYWORDS: LazyLock<HashMap<&'static str, Keyword>> = LazyLock::new(|| {
    ENTRIES
        .iter()
        .flat_map(|(keyword, words)| words.split('|').map(|word| (word, *keyword)))
        .collect()
});

/// Words whose typos are recognised: those that cannot be mistaken for a name of something.
pub(super) static CORRECTED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let grammar = ENTRIES
        .iter()
        .filter(|(keyword, _)| {
            matches!(
                keyword,
                By | Not
                    | Versus
                    | Trend
                    | Every(_)
                    | Unit(_)
                    | Rank(_)
                    | Than(_)
                    | Between
                    | Which
                    | Compare
            )
        })
        .flat_map(|(_, words)| words.split('|'));
    let time = [
        "today",
        "yesterday",
        "last",
        "latest",
        "this",
        "past",
        "previous",
        "current",
        "since",
        "before",
        "after",
        "until",
        "rolling",
        "trailing",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "year",
        "years",
        "growth",
    ];
    grammar
        .filter(|word| word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .chain(time)
        .collect()
});

/// Why words such as "send" are refused.
pub(super) const DOES_NOTHING: &str = "it answers questions and does nothing else";

/// What this engine does not do, by the word that asks for it.
pub(super) fn out_of_scope(folded: &str) -> Option<&'static str> {
    let does_not = |words: &[&str]| words.contains(&folded);
    Some(match folded {
        _ if does_not(&[
            "why", "because", "cause", "causes", "caused", "causing", "reasons", "explains",
            "root", "driver", "drivers",
        ]) =>
        {
            "causes are looked for where a question begins with why, and is about one metric"
        }
        _ if does_not(&[
            "forecast",
            "forecasts",
            "forecasted",
            "predict",
            "predicted",
            "prediction",
            "predictions",
            "projection",
            "projected",
            "project",
            "expect",
            "expected",
            "estimate",
            "estimated",
            "will",
            "future",
            "tomorrow",
            "outlook",
            "extrapolate",
        ]) =>
        {
            "it does not look into the future"
        }
        _ if does_not(&[
            "target",
            "targets",
            "goal",
            "goals",
            "budget",
            "plan",
            "quota",
            "benchmark",
        ]) =>
        {
            "it knows no targets, only what happened"
        }
        _ if does_not(&[
            "delete", "drop", "update", "insert", "alter", "truncate", "create", "write", "set",
            "change", "modify", "remove", "grant", "revoke",
        ]) =>
        {
            "it only reads"
        }
        _ if does_not(&[
            "email",
            "emails",
            "mail",
            "send",
            "export",
            "download",
            "slack",
            "alert",
            "notify",
            "schedule",
            "share",
            "remind",
            "subscribe",
            "call",
        ]) =>
        {
            DOES_NOTHING
        }
        _ if does_not(&[
            "correlation",
            "correlate",
            "correlated",
            "correlates",
            "regression",
            "significant",
            "significance",
            "anomaly",
            "anomalies",
            "outlier",
            "outliers",
            "cluster",
            "causal",
        ]) =>
        {
            "it does no statistics beyond its metrics"
        }
        _ if does_not(&[
            "average",
            "avg",
            "mean",
            "median",
            "max",
            "maximum",
            "min",
            "minimum",
            "cumulative",
            "running",
            "distinct",
            "unique",
            "ratio",
            "percent",
            "percentage",
            "proportion",
            "sum",
            "stddev",
            "variance",
            "percentile",
            "p90",
            "p95",
            "moving",
            "ytd",
            "weighted",
        ]) =>
        {
            "it computes metrics as they are defined, and no other aggregates of them"
        }
        _ if does_not(&[
            "rows", "row", "raw", "table", "tables", "column", "columns", "sql", "records",
            "schema", "database",
        ]) =>
        {
            "it answers with metrics, never with raw rows"
        }
        _ if does_not(&[
            "should",
            "recommend",
            "recommendation",
            "advice",
            "suggest",
            "improve",
            "optimize",
            "optimise",
        ]) =>
        {
            "it gives no advice"
        }
        _ => return None,
    })
}
