//! Finding values of any column by what somebody typed: the same text, a likely typo of it, or words of it.
//!
//! An edit changes one place of a text. Cut into one piece more than there may be edits, a typo has at least one piece
//! unchanged, and all trigrams of that piece; what has them is compared letter by letter.

use std::collections::HashSet;

use super::ValueIndex;
use crate::model::ValueHit;
use crate::model::alike::{edits, similarity};
use crate::store::{Connection, SqlError, StoreError, params};

/// Texts that are less similar than this are not offered, unless they have the words that were typed.
const NEAR: f64 = 0.6;

/// Most texts that are compared for one piece; only pieces that are in very many texts reach it.
const CANDIDATES: usize = 2_000;

/// Most texts that have the typed words.
const WITH_WORDS: usize = 200;

impl ValueIndex {
    /// Every value whose folded text is `folded`, most frequent first.
    pub(super) fn same(&self, folded: &str) -> Result<Vec<ValueHit>, StoreError> {
        if folded.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|connection| values(connection, folded, 1.0))
    }

    /// The values of the `limit` texts that `folded` is most likely a typo of or stands in as whole words.
    pub(super) fn alike(&self, folded: &str, limit: usize) -> Result<Vec<ValueHit>, StoreError> {
        self.read(|connection| {
            let mut texts = HashSet::new();
            let with_words = format!(" {folded} ");
            if folded.chars().count() >= 3 {
                let found = texts_with(connection, &trigrams(&with_words), WITH_WORDS)?;
                texts.extend(
                    found
                        .into_iter()
                        .filter(|text| format!(" {text} ").contains(&with_words)),
                );
            }
            if edits(folded) > 0 {
                typos(connection, folded, &mut texts)?;
            }
            let mut ranked: Vec<(f64, String)> = texts
                .into_iter()
                .map(|text| (similarity(folded, &text), text))
                .collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            let mut hits = Vec::new();
            for (similarity, text) in ranked.into_iter().take(limit) {
                hits.extend(values(connection, &text, similarity)?);
            }
            Ok(hits)
        })
    }
}

/// Adds the texts that are near enough to be meant.
fn typos(
    connection: &Connection,
    folded: &str,
    texts: &mut HashSet<String>,
) -> Result<(), SqlError> {
    let padded: Vec<char> = format!(" {folded} ").chars().collect();
    let length = padded.len() - 2;
    let pieces = edits(folded) + 1;
    let border = |piece: usize| piece * padded.len() / pieces;
    // A number with another digit is another number.
    let all: String = padded.iter().collect();
    let mut numbers = trigrams(&all);
    numbers.retain(|gram| gram.chars().all(|c| c.is_ascii_digit()));
    for piece in 0..pieces {
        let chars = padded
            .get(border(piece)..border(piece + 1))
            .unwrap_or_default();
        let mut grams = trigrams(&chars.iter().collect::<String>());
        grams.extend(numbers.iter().cloned());
        let found = texts_with(connection, &grams, CANDIDATES)?;
        texts.extend(found.into_iter().filter(|text| {
            text.chars().count().abs_diff(length) <= length / 2 && similarity(folded, text) >= NEAR
        }));
    }
    // Two letters in the wrong order break both pieces where they stand at the border of two.
    if pieces == 2 {
        let mut swapped = padded;
        let at = swapped.len() / 2;
        swapped.swap(at - 1, at);
        let swapped: String = swapped.into_iter().collect();
        let known = connection
            .prepare_cached("SELECT 1 FROM value_texts WHERE folded = ?")?
            .exists([swapped.trim()])?;
        if known {
            texts.insert(swapped.trim().to_owned());
        }
    }
    Ok(())
}

/// Every three letters in a row.
fn trigrams(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(3).map(|gram| gram.iter().collect()).collect()
}

/// Up to `limit` texts that have all these trigrams.
fn texts_with(
    connection: &Connection,
    trigrams: &[String],
    limit: usize,
) -> Result<Vec<String>, SqlError> {
    let all: Vec<String> = trigrams
        .iter()
        .map(|gram| format!("\"{}\"", gram.replace('"', "\"\"")))
        .collect();
    connection
        .prepare_cached(
            "SELECT folded FROM (SELECT rowid FROM value_trigrams WHERE value_trigrams MATCH ? LIMIT ?) AS found \
             JOIN value_texts ON value_texts.id = found.rowid",
        )?
        .query_map(params![all.join(" AND "), limit], |row| row.get(0))?
        .collect()
}

/// The values with a folded text, most frequent first.
fn values(
    connection: &Connection,
    folded: &str,
    similarity: f64,
) -> Result<Vec<ValueHit>, SqlError> {
    connection
        .prepare_cached(
            "SELECT table_name, column_name, value, count FROM value_texts \
             JOIN dimension_values ON text_id = value_texts.id \
             WHERE folded = ? ORDER BY count DESC, table_name, column_name, value",
        )?
        .query_map([folded], |row| {
            Ok(ValueHit {
                table: row.get(0)?,
                column: row.get(1)?,
                value: row.get(2)?,
                count: row.get(3)?,
                similarity,
            })
        })?
        .collect()
}
