//! Results of tests as JUnit XML, the form that build servers read.

use crate::session::plot::escaped;
use crate::session::{TestResult, Verdict};

/// One suite for each metric, in order.
pub fn report(results: &[TestResult]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&TestResult> = results.iter().collect();
    out.push_str(&format!("<testsuites name=\"metrex\" {}>\n", counts(&all)));
    for suite in all.chunk_by(|one, next| one.metric == next.metric) {
        let name = suite.first().map_or("", |first| first.metric.as_str());
        let (name, counts) = (escaped(name), counts(suite));
        out.push_str(&format!("  <testsuite name=\"{name}\" {counts}>\n"));
        for result in suite {
            out.push_str(&case(result));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(results: &[&TestResult]) -> String {
    let of = |is: fn(&Verdict) -> bool| results.iter().filter(|one| is(&one.verdict)).count();
    let time: f64 = results.iter().map(|one| one.elapsed.as_secs_f64()).sum();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{time:.3}\"",
        results.len(),
        of(|verdict| matches!(verdict, Verdict::Failed(_))),
        of(|verdict| matches!(verdict, Verdict::Error(_))),
    )
}

fn case(result: &TestResult) -> String {
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" time=\"{:.3}\"",
        escaped(&result.metric),
        escaped(&result.title),
        escaped(&result.at),
        result.elapsed.as_secs_f64()
    );
    let word = match result.verdict {
        Verdict::Passed => return format!("{head}/>\n"),
        Verdict::Failed(_) => "failure",
        Verdict::Error(_) => "error",
    };
    let reasons = escaped(&result.reasons().join("; "));
    let about = escaped(&format!("{} ({})", result.query, result.at));
    format!("{head}>\n      <{word} message=\"{reasons}\">{about}</{word}>\n    </testcase>\n")
}
