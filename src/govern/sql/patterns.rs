//! Patterns that a project requires or forbids in the text of its models.

use regex::{Regex, RegexBuilder};

use super::Model;
use super::finding::{Finding, Rule};
use super::known::{Known, is_like};
use crate::registry::{Governance, PatternRule};

/// What the text lacks, and what it must not have.
pub(super) fn check(model: &Model<'_>, known: &Known<'_>, governance: &Governance) -> Vec<Finding> {
    let about = |rules: &'_ [PatternRule]| {
        let rules = rules.iter().filter(|rule| {
            let mut models = rule.models.iter();
            rule.models.is_empty() || models.any(|model| is_like(&known.model, model))
        });
        rules
            .filter_map(|rule| Some((rule.clone(), compiled(&rule.pattern)?)))
            .collect::<Vec<_>>()
    };
    let mut findings = Vec::new();
    for (rule, regex) in about(&governance.require) {
        if !regex.is_match(model.text) {
            let message = said(&rule, "this must be there");
            findings.push(leveled(Finding::whole(Rule::Required, message), &rule));
        }
    }
    for (rule, regex) in about(&governance.forbid) {
        for found in regex.find_iter(model.text) {
            let before = model.text.get(..found.start()).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let at = (number(line), number(column));
            let message = said(&rule, "this must not be there");
            let finding = Finding::error(Rule::Forbidden, at, found.as_str(), message);
            findings.push(leveled(finding, &rule));
        }
    }
    findings
}

fn compiled(pattern: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(true).multi_line(true).build().ok()
}

fn said(rule: &PatternRule, otherwise: &str) -> String {
    match rule.message.as_str() {
        "" => format!("{otherwise}: {}", rule.pattern),
        message => message.to_owned(),
    }
}

fn leveled(finding: Finding, rule: &PatternRule) -> Finding {
    Finding {
        severity: rule.severity,
        ..finding
    }
}
