//! Results as JUnit XML, the form that build servers read.

use std::time::Duration;

use crate::session::plot::escaped;

/// One result.
pub struct Case {
    /// What is looked at; cases of one suite follow each other.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// Where it is declared: file and line.
    pub at: String,
    /// The query behind it.
    pub query: String,
    /// How long it took.
    pub elapsed: Duration,
    /// How it ended.
    pub end: End,
}

/// How a case ended, with the reasons.
pub enum End {
    Passed,
    Failed(String),
    Error(String),
    Skipped(String),
}

/// One suite for each subject, in order.
pub fn report(cases: &[Case]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites name=\"metrex\" {}>\n", counts(cases)));
    for suite in cases.chunk_by(|one, next| one.suite == next.suite) {
        let name = suite.first().map_or("", |first| first.suite.as_str());
        let (name, counts) = (escaped(name), counts(suite));
        out.push_str(&format!("  <testsuite name=\"{name}\" {counts}>\n"));
        for case in suite {
            out.push_str(&element(case));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(cases: &[Case]) -> String {
    let of = |is: fn(&End) -> bool| cases.iter().filter(|one| is(&one.end)).count();
    let time: f64 = cases.iter().map(|one| one.elapsed.as_secs_f64()).sum();
    let skipped = match of(|end| matches!(end, End::Skipped(_))) {
        0 => String::new(),
        skipped => format!(" skipped=\"{skipped}\""),
    };
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\"{skipped} time=\"{time:.3}\"",
        cases.len(),
        of(|end| matches!(end, End::Failed(_))),
        of(|end| matches!(end, End::Error(_))),
    )
}

fn element(case: &Case) -> String {
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" time=\"{:.3}\"",
        escaped(&case.suite),
        escaped(&case.name),
        escaped(&case.at),
        case.elapsed.as_secs_f64()
    );
    let (word, why) = match &case.end {
        End::Passed => return format!("{head}/>\n"),
        End::Failed(why) => ("failure", why),
        End::Error(why) => ("error", why),
        End::Skipped(why) => ("skipped", why),
    };
    let about = escaped(&format!("{} ({})", case.query, case.at));
    let why = escaped(why);
    format!("{head}>\n      <{word} message=\"{why}\">{about}</{word}>\n    </testcase>\n")
}
