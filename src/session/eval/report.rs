//! What a run over a question set adds up to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::parts::Part;
use super::verdict::Verdict;

/// One question with how it came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The question's id.
    pub id: String,
    /// The words.
    pub question: String,
    /// The query line it followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What it is summed up under.
    pub tags: Vec<String>,
    /// Whether a refusal should have come.
    pub out_of_scope: bool,
    /// How it came out.
    pub verdict: Verdict,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Where a query should have come and one came: the parts that are not as they should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differing: Option<Vec<Part>>,
    /// How long it took to understand the words, without any model.
    pub understood_in: Duration,
}

/// Numbers of questions by how they came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All.
    pub questions: usize,
    /// As it should be; for those out of scope, refused with the word named.
    pub right: usize,
    /// Answered with something else.
    pub wrong: usize,
    /// Refused; for those out of scope, without naming the word.
    pub refused: usize,
    /// Asked back.
    pub asked: usize,
    /// Not judged, as what should come does not compile.
    pub broken: usize,
}

impl Tally {
    fn of<'a>(judged: impl Iterator<Item = &'a Judged>) -> Self {
        let mut tally = Self::default();
        for one in judged {
            tally.questions += 1;
            match one.verdict {
                Verdict::Right => tally.right += 1,
                Verdict::Wrong => tally.wrong += 1,
                Verdict::Refused => tally.refused += 1,
                Verdict::Asked => tally.asked += 1,
                Verdict::Broken => tally.broken += 1,
            }
        }
        tally
    }

    /// Share of the questions that came out as they should, 0 to 1; 1 where there are none.
    pub fn right_share(&self) -> f64 {
        share(self.right, self.questions)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// Every question with how it came out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// In the order of the file.
    pub judged: Vec<Judged>,
}

impl Report {
    /// The questions that should be answered, asked back, listed or explained.
    pub fn in_scope(&self) -> Tally {
        Tally::of(self.judged.iter().filter(|one| !one.out_of_scope))
    }

    /// The questions that should be refused.
    pub fn out_of_scope(&self) -> Tally {
        Tally::of(self.judged.iter().filter(|one| one.out_of_scope))
    }

    /// By tag, in alphabetical order.
    pub fn by_tag(&self) -> BTreeMap<&str, Tally> {
        let tags = self.judged.iter().flat_map(|one| &one.tags);
        tags.map(|tag| {
            let with_tag = self.judged.iter().filter(|one| one.tags.contains(tag));
            (tag.as_str(), Tally::of(with_tag))
        })
        .collect()
    }

    /// Of the answers where a query was expected, the share in which each part is right, 0 to 1.
    pub fn by_part(&self) -> Vec<(Part, f64)> {
        let answers: Vec<&Vec<Part>> = self
            .judged
            .iter()
            .filter_map(|one| one.differing.as_ref())
            .collect();
        let right = |part: Part| {
            let right = answers
                .iter()
                .filter(|differing| !differing.contains(&part));
            share(right.count(), answers.len())
        };
        Part::ALL
            .into_iter()
            .map(|part| (part, right(part)))
            .collect()
    }

    /// The time that understanding takes in this share (0 to 1) of the questions at most.
    pub fn understood_within(&self, share: f64) -> Duration {
        let mut times: Vec<Duration> = self.judged.iter().map(|one| one.understood_in).collect();
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        let at = (last as f64 * share.clamp(0.0, 1.0)).round() as usize;
        times.get(at).copied().unwrap_or_default()
    }

    /// What did not come out as it should.
    pub fn failures(&self) -> impl Iterator<Item = &Judged> {
        self.judged
            .iter()
            .filter(|one| one.verdict != Verdict::Right)
    }
}
