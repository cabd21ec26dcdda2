//! The life of a definition: what was done with it, by whom and why; and the rules of review.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was done with a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Written down, to be used by nobody yet.
    Drafted,
    /// Put into use, or changed in use.
    Published,
    /// Found right by somebody who looked at it.
    Approved,
    /// Found wrong by somebody who looked at it.
    Rejected,
    /// Vouched for.
    Certified,
    /// Put on the way out.
    Deprecated,
}

impl Step {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Published => "published",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Certified => "certified",
            Self::Deprecated => "deprecated",
        }
    }
}

/// One step in the life of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeEvent {
    /// What was done.
    pub step: Step,
    /// Who did it.
    pub by: String,
    /// The day.
    pub on: Option<Date>,
    /// Why; may be empty.
    pub why: String,
    /// The short hash of the meaning that the definition had.
    pub of: Option<String>,
}

/// What must pass before a metric is certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewCheck {
    /// The metric's own tests.
    Tests,
    /// It compiles and runs on the connection.
    Live,
    /// The rules of `governance:`.
    Governance,
}

impl ReviewCheck {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Live => "live",
            Self::Governance => "governance",
        }
    }
}

/// Who may vouch for a metric, and what it takes: `review:` of `metrex.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRules {
    /// Who may certify and deprecate; anybody where none is named.
    pub certifiers: Vec<String>,
    /// How many others must have approved the meaning that is certified or the proposal that is published.
    pub approvals: u32,
    /// What must pass.
    pub checks: Vec<ReviewCheck>,
}

impl Default for ReviewRules {
    fn default() -> Self {
        Self {
            certifiers: Vec::new(),
            approvals: 0,
            checks: vec![ReviewCheck::Tests],
        }
    }
}

impl ReviewRules {
    /// Whether somebody, as `Name <address>`, may certify. A rule may give the name, the address or both.
    pub fn may_certify(&self, who: &str) -> bool {
        let is_meant = |rule: &String| is_same_person(rule, who);
        self.certifiers.is_empty() || self.certifiers.iter().any(is_meant)
    }
}

/// Whether two ways to name somebody (`Ana Bell <ana@example.com>`, the name, the address) may mean the same person.
pub fn is_same_person(one: &str, other: &str) -> bool {
    fn parts(who: &str) -> (String, Option<String>) {
        let who = who.trim().to_lowercase();
        match who.split_once('<') {
            Some((name, address)) => {
                let address = address.trim_end_matches('>').trim().to_owned();
                (name.trim().to_owned(), Some(address))
            }
            None if who.contains('@') => (String::new(), Some(who)),
            None => (who, None),
        }
    }
    let ((name, address), (other_name, other_address)) = (parts(one), parts(other));
    match (address, other_address) {
        (Some(address), Some(other)) => address == other,
        _ => name == other_name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_name_or_address() {
        let ana = "Ana Bell <Ana@example.com>";
        assert!(is_same_person("ana@example.com", ana));
        assert!(is_same_person("Ana Bell", ana));
        assert!(is_same_person("Ana B. <ana@example.com>", ana));
        assert!(!is_same_person("Ana Bell <ana@other.com>", ana));
        assert!(!is_same_person("bo@example.com", ana));
        assert!(!is_same_person("Bo", ana));
    }
}
