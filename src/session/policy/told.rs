//! How the policy does, in words: Markdown for `metrex policy`, and the learning curve as text.

use std::fmt::Write as _;

use super::report::{FEWEST, Mean, PolicyReport, WINDOW};
use crate::learn::policy::curve::Place;
use crate::learn::policy::{RIPE, SURE};
use crate::model::thousands;
use crate::session::plot::Charset;

/// Columns and lines of the curve in Markdown.
const SIZE: (usize, usize) = (76, 10);

impl PolicyReport {
    /// What decides, in a sentence.
    pub fn decides(&self) -> String {
        let chance = match self.explores {
            true => "one query in twenty by chance",
            false => "nothing by chance",
        };
        format!("Algorithm: {}, {chance}", self.algorithm)
    }

    /// What a reader must know before the numbers, where there is something.
    pub fn caution(&self) -> Option<String> {
        let mut cautions = Vec::new();
        if self.unread > 0 {
            let count = thousands(self.unread);
            cautions.push(format!(
                "Queries whose row in the log is damaged, and which are not learned from: {count}."
            ));
        }
        if self.queries == 0 {
            let text = "Nothing was decided yet: queries that run are recorded, and `metrex policy train` learns from them.";
            cautions.push(text.to_owned());
        } else if self.algorithm != "rule" && !self.is_ripe {
            cautions.push(format!(
                "Everything is answered as usual until there are {RIPE} experiences in whole batches of 32; there are {}.",
                self.queries
            ));
        }
        let is_idle = self.is_ripe && !self.is_trained;
        if self.queries > 0 && self.algorithm != "rule" && is_idle {
            let text = "Everything is answered as usual until `metrex policy train` or the nightly `metrex learn` has run: what \
                        follows is what they would learn.";
            cautions.push(text.to_owned());
        }
        (!cautions.is_empty()).then(|| cautions.join(" "))
    }

    /// What the curve shows; why there is none, where there is none.
    pub fn curve_title(&self) -> String {
        match self.curve.is_empty() {
            false => format!(
                "Mean reward of the last {WINDOW} queries, and where it truly lies with a probability of 0.95"
            ),
            true => format!("The learning curve begins with {FEWEST} queries."),
        }
    }

    /// What the list of better ways shows.
    pub fn best_title(&self) -> String {
        format!(
            "Where another way is most likely to be better than the usual one; above {SURE} the policy takes it"
        )
    }

    /// The A/B test in a paragraph.
    pub fn trial(&self) -> String {
        let told = |mean: Option<Mean>| match mean {
            Some(mean) => format!(
                "{:.2} a query, effective sample size {:.0}",
                mean.reward, mean.effective
            ),
            None => "none".to_owned(),
        };
        format!(
            "Where the policy would leave the rule, part of the queries keep to it. By the rule: {}; by the policy: {}. Verdict: {}.",
            told(self.by_rule),
            told(self.by_policy),
            self.verdict
        )
    }

    /// All of it, in Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!("{}\n\n", self.decides());
        if let Some(caution) = self.caution() {
            let _ = writeln!(out, "{caution}");
            if self.queries == 0 {
                return out;
            }
            out.push('\n');
        }
        out.push_str("| | queries | reward | succeeded | milliseconds |\n|---|---|---|---|---|\n");
        for stretch in &self.stretches {
            let _ = writeln!(
                out,
                "| {} | {} | {:.2} | {:.1} % | {:.0} |",
                stretch.name,
                stretch.queries,
                stretch.reward,
                100.0 * stretch.succeeded,
                stretch.ms
            );
        }
        let _ = writeln!(out, "\n{}", self.curve_title());
        if !self.curve.is_empty() {
            let drawn = self.curve_text(SIZE.0, SIZE.1, Charset::Unicode);
            let _ = writeln!(out, "\n```text\n{}\n```", drawn.join("\n"));
        }
        out.push_str("\n| decision | taken |\n|---|---|\n");
        for taken in &self.decisions {
            let ways = taken.ways.iter();
            let ways = ways.map(|(way, share)| format!("{way} {:.1} %", 100.0 * share));
            let ways: Vec<String> = ways.collect();
            let _ = writeln!(out, "| {} | {} |", taken.decision, ways.join(", "));
        }
        if !self.best.is_empty() {
            let _ = writeln!(
                out,
                "\n{}\n\n| probability | way | query |\n|---|---|---|",
                self.best_title()
            );
        }
        for better in &self.best {
            let _ = writeln!(
                out,
                "| {:.2} | {} | `{}` |",
                better.probability,
                better.way,
                better.line.replace('|', "\\|")
            );
        }
        let _ = writeln!(out, "\n{}", self.trial());
        out
    }

    /// The learning curve in so many columns and lines, the axes among them; nothing where there is none.
    pub fn curve_text(&self, columns: usize, lines: usize, charset: Charset) -> Vec<String> {
        drawn(&self.curve, columns, lines, charset)
    }
}

/// A mean with its band: `•` on `░`.
fn drawn(places: &[Place], columns: usize, lines: usize, charset: Charset) -> Vec<String> {
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        return Vec::new();
    };
    let [mean_sign, band_sign, upright, corner, level] = match charset {
        Charset::Unicode => ['•', '░', '│', '└', '─'],
        Charset::Ascii => ['*', ':', '|', '+', '-'],
    };
    let edge = |pick: fn(f64, f64) -> f64, of: fn(&Place) -> f64, start: f64| {
        places.iter().map(of).fold(start, pick)
    };
    let low = edge(f64::min, |place| place.low, f64::INFINITY);
    let high = edge(f64::max, |place| place.high, f64::NEG_INFINITY);
    // A level curve stands in the middle.
    let (low, high) = match high - low < 1e-9 {
        true => (low - 1.0, high + 1.0),
        false => (low, high),
    };
    let rows = lines.saturating_sub(2).max(3);
    let label = |row: usize| {
        let value = high - (high - low) * row as f64 / (rows - 1) as f64;
        format!("{value:.1}")
    };
    let widest = (0..rows).map(|row| label(row).len()).max().unwrap_or(0);
    let room = columns.saturating_sub(widest + 2).max(10);
    let row_of = |value: f64| ((high - value) / (high - low) * (rows - 1) as f64).round() as usize;
    let mut field = vec![vec![' '; room]; rows];
    let span = (last.queries - first.queries) as f64;
    let mut at = 0;
    for column in 0..room {
        let queries =
            first.queries as f64 + span * column as f64 / room.saturating_sub(1).max(1) as f64;
        while places
            .get(at + 1)
            .is_some_and(|place| place.queries as f64 <= queries)
        {
            at += 1;
        }
        let Some(from) = places.get(at) else { continue };
        let to = places.get(at + 1).unwrap_or(from);
        let gap = (to.queries - from.queries) as f64;
        let share = if gap > 0.0 {
            (queries - from.queries as f64) / gap
        } else {
            0.0
        };
        let between = |one: f64, other: f64| one + (other - one) * share;
        let top = row_of(between(from.high, to.high));
        let bottom = row_of(between(from.low, to.low));
        let middle = row_of(between(from.mean, to.mean));
        for (row, cells) in field.iter_mut().enumerate() {
            if let Some(cell) = cells.get_mut(column) {
                *cell = match row {
                    row if row == middle => mean_sign,
                    row if (top..=bottom).contains(&row) => band_sign,
                    _ => ' ',
                };
            }
        }
    }
    let mut text: Vec<String> = field
        .into_iter()
        .enumerate()
        .map(|(row, cells)| {
            // Numbers at the ends and in the middle.
            let is_told = row == 0 || row == rows - 1 || row == rows / 2;
            let label = if is_told { label(row) } else { String::new() };
            let cells: String = cells.into_iter().collect();
            format!("{label:>widest$} {upright}{}", cells.trim_end())
        })
        .collect();
    let level: String = std::iter::repeat_n(level, room).collect();
    text.push(format!("{:>widest$} {corner}{level}", ""));
    let (from, to) = (
        first.queries.to_string(),
        format!("{} queries", last.queries),
    );
    let gap = room.saturating_sub(from.len() + to.len()).max(1);
    text.push(format!("{:>widest$}  {from}{}{to}", "", " ".repeat(gap)));
    text
}
