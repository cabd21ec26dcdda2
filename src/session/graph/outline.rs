//! The graph in words: neighbourhoods, pairs, paths and what would be affected, as lines of a tree.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::affected::can_change;
use super::{
    Affected, AffectedMetric, AffectedView, GraphOverview, JoinWay, JoinWays, Neighbourhood,
};
use crate::model::{MetricQuery, thousands};
use crate::session::{About, Outline, Session, SessionError};
use crate::usage::graph::{Group, Near, NodeKind, Pair, Thing, Together, Trend, Used, Way};

/// The text of a thing, what is said of it, and where its line leads.
type Row = (String, String, Option<About>);

/// Things that are listed of each kind.
const LISTED: usize = 12;

impl Session {
    /// A thing with everything around it, and what would be affected if it changed, as lines of a tree.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_outline(&self, thing: &Thing) -> Result<Outline, SessionError> {
        let near = self.graph_around(thing, LISTED)?;
        let mut outline = self.neighbourhood(&near);
        if can_change(thing.kind) {
            // The people and the queries are mostly those above.
            let affected = self.graph_affected(thing, 0)?;
            let people = match affected.people.len() {
                1 => "1 person".to_owned(),
                people => format!("{people} people"),
            };
            let asked = self.said(&affected.used);
            outline.lines.push(Outline {
                text: format!("affected if it changes  {people} · {asked}"),
                of: None,
                lines: self.standing_on_it(&affected),
            });
        }
        Ok(outline)
    }

    fn neighbourhood(&self, near: &Neighbourhood) -> Outline {
        let said = self.said(&near.used);
        let about = match &near.trend {
            Some(trend) if !trend.blocks().is_empty() => format!("{said} · {}", trend_words(trend)),
            _ => said,
        };
        let values = near.near.iter().find(|group| group.way == Way::Value);
        let mut lines: Vec<Outline> = Vec::new();
        for group in &near.near {
            match (group.way, values) {
                (Way::Value, _) if near.near.iter().any(|other| other.way == Way::FilteredBy) => {}
                (Way::FilteredBy, Some(values)) => lines.push(self.group(group, Some(values))),
                _ => lines.push(self.group(group, None)),
            }
        }
        if !near.never_by.is_empty() {
            lines.push(heading("never by", &near.never_by.join(", ")));
        }
        Outline {
            text: format!(
                "{}  {} · {about}",
                shown(&near.thing, &near.label),
                near.thing.kind.said()
            ),
            of: Some(About::Used(near.thing.clone())),
            lines,
        }
    }

    /// A group with its things; values stand below what they are values of.
    fn group(&self, group: &Group, values: Option<&Group>) -> Outline {
        let mut lines = self.nears(&group.near);
        if let Some(values) = values {
            for (line, near) in lines.iter_mut().zip(&group.near) {
                let start = format!("{}=", near.thing.key);
                let own = values
                    .near
                    .iter()
                    .filter(|value| value.thing.key.starts_with(&start));
                line.lines = self.nears(&own.cloned().collect::<Vec<_>>());
            }
        }
        more(&mut lines, group.total, group.near.len());
        Outline {
            text: title(group.way).to_owned(),
            of: None,
            lines,
        }
    }

    fn nears(&self, nears: &[Near]) -> Vec<Outline> {
        aligned(nears.iter().map(|near| self.near(near)).collect())
    }

    /// A query leads to itself where it can be asked again, which SQL of elsewhere cannot.
    fn near(&self, near: &Near) -> Row {
        let text = shown(&near.thing, &near.label);
        let of = match near.thing.kind {
            NodeKind::Query => {
                let query: Option<MetricQuery> = near.label.parse().ok();
                let catalog = self.catalog();
                let knows = |metric: &String| catalog.registry.metric(metric).is_some();
                let query = query.filter(|query| query.metrics.iter().all(knows));
                query.map(|_| About::Query(near.label.clone()))
            }
            _ => Some(About::Used(near.thing.clone())),
        };
        (text, self.said(&near.used), of)
    }

    /// Pairs of things that were used together, as lines.
    pub fn together_outline(&self, thing: &Thing, together: &Together) -> Outline {
        let pairs = |title: &str, pairs: &[Pair]| {
            let row = |pair: &Pair| {
                let share = percent(pair.used.runs, together.runs);
                let lift = match pair.lift {
                    Some(lift) => format!("{lift:.1} × as often as by chance"),
                    None => "too few to compare with chance".to_owned(),
                };
                let about = format!(
                    "{} · {share} of its queries · {lift}",
                    queries(pair.used.runs)
                );
                (
                    pair.thing.key.clone(),
                    about,
                    Some(About::Used(pair.thing.clone())),
                )
            };
            let lines = aligned(pairs.iter().map(row).collect());
            let title = if lines.is_empty() {
                format!("no {title}")
            } else {
                title.to_owned()
            };
            Outline {
                text: title,
                of: None,
                lines,
            }
        };
        Outline {
            text: format!(
                "{}  {} · {} of {}",
                thing.key,
                thing.kind.said(),
                queries(together.runs),
                thousands(together.of)
            ),
            of: Some(About::Used(thing.clone())),
            lines: vec![
                pairs("metrics in the same query", &together.metrics),
                pairs("dimensions in the same query", &together.dimensions),
            ],
        }
    }

    /// What would be affected, as lines.
    pub fn affected_outline(&self, affected: &Affected) -> Outline {
        let people = affected.people.iter().take(LISTED);
        let people = people.map(|near| self.near(near)).collect();
        let asked = affected
            .queries
            .iter()
            .map(|near| self.near(near))
            .collect();
        let mut lines = self.standing_on_it(affected);
        lines.push(part(
            "people",
            "nobody asked",
            people,
            affected.people.len(),
        ));
        lines.push(part("queries", "no query", asked, affected.shapes));
        Outline {
            text: format!(
                "affected if {} changes  {}",
                affected.thing.key,
                self.said(&affected.used)
            ),
            of: Some(About::Used(affected.thing.clone())),
            lines,
        }
    }

    /// What the definitions make from it.
    fn standing_on_it(&self, affected: &Affected) -> Vec<Outline> {
        let metric = |metric: &AffectedMetric| {
            let far = match metric.steps {
                1 => String::new(),
                steps => format!(" · {steps} steps away"),
            };
            let about = format!("{}{far}", self.said(&metric.used));
            let of = used_thing(NodeKind::Metric, &metric.name);
            (metric.name.clone(), about, Some(of))
        };
        let view = |view: &AffectedView| {
            let about = format!("{} · {}", view.line, self.said(&view.used));
            (
                view.name.clone(),
                about,
                Some(About::Query(view.line.clone())),
            )
        };
        let metrics: Vec<Row> = affected.metrics.iter().map(metric).collect();
        let views: Vec<Row> = affected.views.iter().map(view).collect();
        let (all, saved) = (metrics.len(), views.len());
        let mut lines = vec![
            part("metrics", "no other metric", metrics, all),
            part("saved queries", "no saved query", views, saved),
        ];
        let alerts = affected.alerts.iter().map(|alert| {
            let owner = alert.owner.as_ref();
            let owner = owner.map_or(String::new(), |owner| format!(" · tells {owner}"));
            let of = About::Query(alert.line.clone());
            (
                alert.name.clone(),
                format!("{}{owner}", alert.line),
                Some(of),
            )
        });
        let alerts: Vec<Row> = alerts.collect();
        if !alerts.is_empty() {
            let all = alerts.len();
            lines.push(part("alerts", "", alerts, all));
        }
        if !affected.downstream.is_empty() {
            let names = affected.downstream.join(", ");
            lines.push(heading("made from it elsewhere", &names));
        }
        lines
    }

    /// Join paths, as lines.
    pub fn ways_outline(&self, ways: &JoinWays) -> Outline {
        let line = |way: &JoinWay| {
            let joins = match way.joins {
                1 => "1 join".to_owned(),
                joins => format!("{joins} joins"),
            };
            let multiplies = if way.multiplies_rows {
                " · multiplies rows"
            } else {
                ""
            };
            let used = match &way.used {
                Some(measured) => self.said(&measured.used),
                None => "never used".to_owned(),
            };
            Outline {
                text: format!("{}  {joins}{multiplies} · {used}", way.tables.join(" → ")),
                of: None,
                lines: way
                    .on
                    .iter()
                    .map(|pair| Outline {
                        text: pair.clone(),
                        of: Some(used_thing(NodeKind::JoinPath, pair)),
                        lines: Vec::new(),
                    })
                    .collect(),
            }
        };
        let titled = |title: &str, lines: Vec<Outline>| Outline {
            text: title.to_owned(),
            of: None,
            lines,
        };
        let mut lines: Vec<Outline> = Vec::new();
        let is_both = ways.fastest == Some(ways.shortest);
        let shortest = if is_both {
            "shortest and fastest"
        } else {
            "shortest"
        };
        lines.extend(ways.shortest().map(|way| titled(shortest, vec![line(way)])));
        match ways.fastest() {
            Some(way) if !is_both => lines.push(titled("fastest", vec![line(way)])),
            Some(_) => {}
            None => lines.push(titled(
                "fastest: not known, as no query ever went any of them",
                Vec::new(),
            )),
        }
        let others = ways.ways.iter().enumerate();
        let others = others.filter(|(at, _)| *at != ways.shortest && Some(*at) != ways.fastest);
        let others: Vec<Outline> = others.map(|(_, way)| line(way)).collect();
        if !others.is_empty() {
            let (total, mut shown) = (others.len(), others);
            shown.truncate(LISTED);
            let listed = shown.len();
            more(&mut shown, total, listed);
            lines.push(titled("others", shown));
        }
        let undeclared = ways.undeclared.iter().map(|(pair, used)| {
            (
                pair.clone(),
                self.said(used),
                Some(used_thing(NodeKind::JoinPath, pair)),
            )
        });
        let undeclared = aligned(undeclared.collect());
        if !undeclared.is_empty() {
            lines.push(titled(
                "joined otherwise, as no definition declares",
                undeclared,
            ));
        }
        Outline {
            text: format!("{} → {}", ways.from, ways.to),
            of: None,
            lines,
        }
    }

    /// What is used most, as lines.
    pub fn overview_outline(&self, overview: &GraphOverview) -> Vec<Outline> {
        if overview.size.queries == 0 {
            return vec![heading(
                "nothing was asked yet",
                "every query that is run is counted here",
            )];
        }
        let kinds = overview.size.nodes.iter();
        let kinds =
            kinds.map(|(kind, count)| format!("{} {}", thousands(*count), plural(*kind, *count)));
        let mut lines = vec![heading(
            &queries(overview.size.queries),
            &kinds.collect::<Vec<_>>().join(" · "),
        )];
        let used = overview.metrics.iter().take(LISTED).map(|metric| {
            let about = self.trend_said(&metric.trend);
            (
                metric.name.clone(),
                about,
                Some(used_thing(NodeKind::Metric, &metric.name)),
            )
        });
        let mut used = aligned(used.collect());
        let listed = used.len();
        more(&mut used, overview.metrics.len(), listed);
        lines.push(Outline {
            text: if used.is_empty() {
                "no metric in the last 30 days"
            } else {
                "metrics of the last 30 days"
            }
            .to_owned(),
            of: None,
            lines: used,
        });
        for (title, names) in [
            ("not in the last 30 days", &overview.idle),
            ("never asked for", &overview.never),
        ] {
            if !names.is_empty() {
                lines.push(heading(title, &names.join(", ")));
            }
        }
        lines
    }

    /// `318 queries · 98 % answered · 41 ms · yesterday`.
    fn said(&self, used: &Used) -> String {
        let Some(success) = used.success() else {
            return "never used".to_owned();
        };
        let mut said = vec![queries(used.runs)];
        if success < 1.0 {
            said.push(format!("{} answered", percent(used.answered, used.runs)));
        }
        said.extend(used.mean_ms().map(milliseconds));
        said.extend(used.last.map(|last| self.days_ago(last)));
        said.join(" · ")
    }

    /// `247 queries in 30 days, up 18 %, last used yesterday`, as far as there is something to say.
    pub fn trend_said(&self, trend: &Trend) -> String {
        let Some(last) = trend.last else {
            return "never used".to_owned();
        };
        let words = trend_words(trend);
        let last = format!("last used {}", self.days_ago(last));
        if words.is_empty() {
            last
        } else {
            format!("{words}, {last}")
        }
    }

    /// `today`, `yesterday`, `9 days ago`, and the day where that is longer ago than two months.
    fn days_ago(&self, at: Timestamp) -> String {
        let zone = &self.catalog().registry.calendar.timezone;
        let at = at
            .in_tz(zone)
            .unwrap_or_else(|_| at.to_zoned(TimeZone::UTC))
            .date();
        let days = self.today().since(at).map_or(0, |span| span.get_days());
        match days {
            ..=0 => "today".to_owned(),
            1 => "yesterday".to_owned(),
            2..=60 => format!("{days} days ago"),
            _ => at.to_string(),
        }
    }
}

/// What there is to say of the weeks of a trend: `247 queries in 30 days, up 18 % ▁▂▃▅▆█`.
fn trend_words(trend: &Trend) -> String {
    if trend.month == 0 && trend.before == 0 {
        return String::new();
    }
    let direction = trend.direction();
    let comma = if direction.is_empty() { "" } else { ", " };
    format!("{} in 30 days{comma}{direction}", queries(trend.month))
}

fn queries(runs: u64) -> String {
    match runs {
        1 => "1 query".to_owned(),
        runs => format!("{} queries", thousands(runs)),
    }
}

/// A share in whole percent; what is not all is never 100.
fn percent(part: u64, of: u64) -> String {
    let share = (part * 100).checked_div(of).unwrap_or(0);
    match (share, part) {
        (0, 1..) => "under 1 %".to_owned(),
        _ => format!("{share} %"),
    }
}

fn milliseconds(ms: f64) -> String {
    match ms {
        ..10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.0} s", ms / 1_000.0),
    }
}

fn used_thing(kind: NodeKind, name: &str) -> About {
    About::Used(Thing::new(kind, name))
}

/// The text of a thing in a list.
fn shown(thing: &Thing, label: &str) -> String {
    match thing.kind {
        // A line or a statement on one line, with single spaces: two would end the name in the tree.
        NodeKind::Query => label.split_whitespace().collect::<Vec<_>>().join(" "),
        NodeKind::Value => label.to_owned(),
        _ => thing.key.clone(),
    }
}

fn plural(kind: NodeKind, count: u64) -> String {
    match (kind, count) {
        (_, 1) => kind.said().to_owned(),
        (NodeKind::Query, _) => "shapes of queries".to_owned(),
        (NodeKind::Person, _) => "people".to_owned(),
        (NodeKind::View, _) => "saved queries".to_owned(),
        (kind, _) => format!("{}s", kind.said()),
    }
}

fn heading(title: &str, about: &str) -> Outline {
    Outline {
        text: format!("{title}  {about}"),
        of: None,
        lines: Vec::new(),
    }
}

/// A heading with the things below it, or the words for that there are none.
fn part(title: &str, nothing: &str, rows: Vec<Row>, total: usize) -> Outline {
    let listed = rows.len();
    let mut lines = aligned(rows);
    more(&mut lines, total, listed);
    Outline {
        text: if lines.is_empty() { nothing } else { title }.to_owned(),
        of: None,
        lines,
    }
}

/// Says how many more there are than are listed.
fn more(lines: &mut Vec<Outline>, total: usize, listed: usize) {
    if total > listed {
        lines.push(Outline {
            text: format!("… and {} more", total - listed),
            of: None,
            lines: Vec::new(),
        });
    }
}

/// Names with what is said of them one below the other.
fn aligned(rows: Vec<Row>) -> Vec<Outline> {
    const WIDEST: usize = 36;
    let width = |name: &str| name.chars().count().min(WIDEST);
    let widest = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0);
    let line = |(name, about, of): Row| {
        let gap = " ".repeat(widest - width(&name) + 2);
        Outline {
            text: format!("{name}{gap}{about}"),
            of,
            lines: Vec::new(),
        }
    };
    rows.into_iter().map(line).collect()
}

fn title(way: Way) -> &'static str {
    match way {
        Way::AskedWith => "asked together with",
        Way::GroupedBy => "grouped by",
        Way::FilteredBy => "filtered by",
        Way::Value => "values",
        Way::MadeOf => "made of",
        Way::PartOf => "part of",
        Way::ComputedFrom => "computed from",
        Way::Computes => "metrics computed from it",
        Way::Table => "tables",
        Way::Column => "columns",
        Way::Join => "joined on",
        Way::AnsweredFrom => "answered from",
        Way::Person => "people",
        Way::Query => "queries",
        Way::Next => "asked next",
        Way::Before => "asked before",
        Way::CorrectedBy => "asked instead",
        Way::Corrects => "asked in place of",
    }
}
