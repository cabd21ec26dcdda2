//! Finding values of any column by what somebody typed: the same text, a likely typo of it, or words of it.
//!
//! A typo leaves the beginning of a text or its end as they were, or else its middle. Cut into one piece more than there
//! may be edits, one piece is unchanged: the first is looked up among the texts in order, the last among the texts
//! read from their end, the middle by its trigrams. What has one of them is compared letter by letter.

use std::collections::HashSet;

use super::ValueIndex;
use super::texts::mirrored;
use crate::model::ValueHit;
use crate::model::alike::{edits, is_near, is_typo, similarity};
use crate::store::{Connection, SqlError, StoreError, params};

/// Most texts that are looked at for one piece; only pieces that are in very many texts reach it.
const CANDIDATES: usize = 5_000;

/// Most texts that are looked at for having the typed words.
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
            if edits(folded) > 0 {
                typos(connection, folded, &mut texts)?;
            }
            if !texts.iter().any(|text| is_typo(folded, text)) {
                with_words(connection, folded, &mut texts)?;
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
    let letters: Vec<char> = folded.chars().collect();
    let pieces = edits(folded) + 1;
    let piece = |at: usize| {
        let border = |at: usize| at * letters.len() / pieces;
        let letters = letters.get(border(at)..border(at + 1));
        letters.unwrap_or_default().iter().collect::<String>()
    };
    let mut add = |found: Vec<String>| {
        texts.extend(found.into_iter().filter(|text| is_near(folded, text)));
    };
    let length = letters.len();
    add(starting(connection, Read::Forward, &piece(0), length)?);
    add(starting(
        connection,
        Read::Backward,
        &mirrored(&piece(pieces - 1)),
        length,
    )?);
    if pieces == 2 {
        // Two letters in the wrong order break both pieces where they stand at the border.
        let (mut swapped, at) = (letters.clone(), length / 2);
        swapped.swap(at - 1, at);
        let swapped: String = swapped.into_iter().collect();
        add(starting(connection, Read::Forward, &swapped, length)?);
    } else if !texts.iter().any(|text| is_typo(folded, text)) {
        // Only two typos leave just the middle, which may be in very many texts.
        let found = having(connection, &piece(1), CANDIDATES)?;
        texts.extend(found.into_iter().filter(|text| is_near(folded, text)));
    }
    Ok(())
}

/// Adds the texts that have what was typed as whole words.
fn with_words(
    connection: &Connection,
    folded: &str,
    texts: &mut HashSet<String>,
) -> Result<(), SqlError> {
    let words = format!(" {folded} ");
    if folded.chars().count() >= 3 {
        let found = having(connection, &words, WITH_WORDS)?;
        let has_words = |text: &String| format!(" {text} ").contains(&words);
        texts.extend(found.into_iter().filter(has_words));
    }
    Ok(())
}

/// From which end a text is read.
#[derive(Clone, Copy, PartialEq)]
enum Read {
    Forward,
    Backward,
}

/// Texts of about this length that start so.
fn starting(
    connection: &Connection,
    read: Read,
    start: &str,
    length: usize,
) -> Result<Vec<String>, SqlError> {
    let column = match read {
        Read::Forward => "folded",
        Read::Backward => "mirrored",
    };
    let sql = format!(
        "SELECT {column} FROM (SELECT {column} FROM value_texts WHERE {column} >= ? AND {column} < ? LIMIT ?) \
         WHERE length({column}) BETWEEN ? AND ?"
    );
    let (least, most) = (length.saturating_sub(3), length + 3);
    let end = format!("{start}\u{10ffff}");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(params![start, end, CANDIDATES, least, most], |row| {
        row.get::<_, String>(0)
    })?;
    found
        .map(|text| match read {
            Read::Forward => text,
            Read::Backward => text.map(|text| mirrored(&text)),
        })
        .collect()
}

/// Up to `limit` texts that have every trigram of a piece.
fn having(connection: &Connection, piece: &str, limit: usize) -> Result<Vec<String>, SqlError> {
    let letters: Vec<char> = piece.chars().collect();
    let trigrams: Vec<String> = letters
        .windows(3)
        .map(|letters| letters.iter().collect::<String>())
        .map(|trigram| format!("\"{}\"", trigram.replace('"', "\"\"")))
        .collect();
    if trigrams.is_empty() {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(
            "SELECT folded FROM (SELECT rowid FROM value_trigrams WHERE value_trigrams MATCH ? LIMIT ?) AS found \
             JOIN value_texts ON value_texts.id = found.rowid",
        )?
        .query_map(params![trigrams.join(" AND "), limit], |row| row.get(0))?
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
