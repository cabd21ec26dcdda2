//! Corpora of SQL with what the guard should find in each, and the demo's definitions and values to hold them against.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::HashMap;
use std::sync::OnceLock;

use metrex::model::{ColumnState, MetricKind, Registry, ValueLookup};
use metrex::registry::{Project, load};
use metrex::validate::{Report, Rules, Severity, required_filters, validate};
use metrex::warehouse::Dialect;

/// One piece of SQL of a corpus.
pub struct Case {
    pub title: String,
    pub line: usize,
    pub dialects: Vec<Dialect>,
    /// The complex metric whose snippet it was made from.
    pub metric: Option<String>,
    pub sql: String,
    /// Blocking findings, as `code token`.
    pub blocks: Vec<String>,
    /// Notes that must be among the findings.
    pub notes: Vec<String>,
}

/// Reads a corpus: `=== title [| sqlite] [| postgres] [| metric NAME]`, the SQL, `---`, the findings.
///
/// In the SQL, `\u{…}` stands for a character, and `{10000 x (}` for ten thousand brackets.
pub fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_sql = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix("=== ") {
            let mut parts = header.split('|').map(str::trim);
            let title = parts.next().unwrap().to_owned();
            let mut case = Case {
                title,
                line: index + 1,
                dialects: Vec::new(),
                metric: None,
                sql: String::new(),
                blocks: Vec::new(),
                notes: Vec::new(),
            };
            for part in parts {
                match part {
                    "sqlite" => case.dialects.push(Dialect::Sqlite),
                    "postgres" => case.dialects.push(Dialect::Postgres),
                    other => case.metric = Some(other.strip_prefix("metric ").unwrap().to_owned()),
                }
            }
            if case.dialects.is_empty() {
                case.dialects = vec![Dialect::Sqlite, Dialect::Postgres];
            }
            cases.push(case);
            in_sql = true;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            continue;
        };
        if line == "---" {
            in_sql = false;
        } else if in_sql {
            case.sql.push_str(&unescaped(line));
            case.sql.push('\n');
        } else if let Some(note) = line.strip_prefix("note ") {
            case.notes.push(note.trim().to_owned());
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            case.blocks.push(line.trim().to_owned());
        }
    }
    for case in &mut cases {
        case.blocks.sort();
    }
    cases
}

fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['\\', '{']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((code, tail)) = rest
            .strip_prefix("\\u{")
            .and_then(|rest| rest.split_once('}'))
        {
            out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
            rest = tail;
        } else if let Some((times, tail)) =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            && let Some((times, what)) = times.split_once(" x ")
        {
            out.push_str(&what.repeat(times.parse().unwrap()));
            rest = tail;
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out + rest
}

/// The definitions of the demo.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let project = Project::demo().unwrap();
        let loaded = load(&project.files(), &project.config, None);
        assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
        loaded.registry
    })
}

/// Values of the demo, by hand.
pub struct Values(HashMap<(String, String), Vec<&'static str>>);

impl Values {
    pub fn demo() -> Self {
        const MARKETS: [&str; 9] = ["ID", "BR", "VN", "TH", "PH", "MY", "TW", "MX", "XX"];
        let mut known = HashMap::new();
        for dataset in registry().datasets.values() {
            for dimension in dataset.dimensions.values() {
                let values: &[&'static str] = match dimension.name.as_str() {
                    "market" => &MARKETS,
                    "channel" | "acquisition_channel" => {
                        &["organic", "ads", "affiliate", "referral", "email"]
                    }
                    "platform" => &["android", "ios", "web"],
                    "status" => &["PAID", "COMPLETED", "CANCELLED", "RETURNED"],
                    "seller_tier" => &["Mall", "Preferred", "Marketplace"],
                    "segment" => &["new", "active", "loyal"],
                    "ad_channel" => &["search", "discovery", "display", "affiliate"],
                    "module" => &["feed", "live", "games", "search", "wallet"],
                    "plan" => &["Basic", "Plus", "Pro"],
                    _ => continue,
                };
                let key = (
                    dataset.index_table().into_owned(),
                    dimension.index_column().into_owned(),
                );
                known.insert(key, values.to_vec());
            }
        }
        Self(known)
    }

    fn of(&self, table: &str, column: &str) -> Option<&Vec<&'static str>> {
        self.0.get(&(table.to_owned(), column.to_owned()))
    }
}

impl ValueLookup for Values {
    fn state(&self, table: &str, column: &str) -> ColumnState {
        match (self.of(table, column), column) {
            (Some(values), _) => ColumnState::Indexed {
                distinct: values.len() as u64,
            },
            (None, "campaign") => ColumnState::Wide { distinct: 40_000 },
            _ => ColumnState::Missing,
        }
    }

    fn contains(&self, table: &str, column: &str, value: &str) -> bool {
        self.of(table, column)
            .is_some_and(|values| values.contains(&value))
    }

    fn nearest(&self, table: &str, column: &str, value: &str, limit: usize) -> Vec<String> {
        let mut values = self.of(table, column).cloned().unwrap_or_default();
        let wanted = value.to_lowercase();
        values.sort_by_key(|value| value.to_lowercase() != wanted);
        values.iter().take(limit).map(ToString::to_string).collect()
    }
}

/// Most rows that SQL of a corpus may return.
pub const CAP: u64 = 500;

/// What the guard finds in a piece of SQL over the demo.
pub fn check(sql: &str, dialect: Dialect, metric: Option<&str>) -> Report {
    let values = Values::demo();
    let registry = registry();
    let mut rules = Rules::new(registry, dialect, &values, CAP);
    let Some(metric) = metric else {
        return validate(sql, &rules);
    };
    let MetricKind::Complex {
        snippet, tables, ..
    } = &registry.metrics[metric].kind
    else {
        panic!("{metric} has no snippet");
    };
    let snippet = &registry.snippets[snippet].text;
    let required = required_filters(snippet, registry, dialect);
    rules.tables = Some(tables);
    rules.snippet = Some(snippet);
    rules.required = &required;
    validate(sql, &rules)
}

/// Findings of one severity as a corpus writes them.
pub fn written(report: &Report, severity: Severity) -> Vec<String> {
    let mut written: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity == severity)
        .map(|finding| {
            format!("{} {}", finding.code, finding.token)
                .trim()
                .to_owned()
        })
        .collect();
    written.sort();
    written
}

/// Holds every case against the guard, and says all that is not as expected.
pub fn hold(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        for dialect in &case.dialects {
            let report = check(&case.sql, *dialect, case.metric.as_deref());
            let blocks = written(&report, Severity::Block);
            let notes = written(&report, Severity::Note);
            let missing: Vec<_> = case
                .notes
                .iter()
                .filter(|note| !notes.contains(note))
                .collect();
            if blocks != case.blocks || !missing.is_empty() || report.blocks() == blocks.is_empty()
            {
                wrong.push(format!(
                    "line {} ({}): {}\n  expected {:?}, notes {:?}\n  found    {:?}, notes {:?}\n{}",
                    case.line,
                    dialect.word(),
                    case.title,
                    case.blocks,
                    case.notes,
                    blocks,
                    notes,
                    report
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
