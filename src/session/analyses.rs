//! Analyses: which there are, why one cannot be run here, and the tables that show one.

use arrow_array::{Array, ArrayRef};
use tokio_util::sync::CancellationToken;

use super::cell::{cell_text, raw_json};
use super::shapley::{self, Share};
use super::{Answer, Failure, RunOptions, Session, SessionError};
use crate::compile::{OutputColumn, Role};
use crate::model::{Analysis, AnalysisKind, AnalysisView, MetricQuery, TimeRange};
use crate::registry::nearest;

/// An analysis of the project.
#[derive(Debug, Clone)]
pub struct AnalysisCard {
    /// The analysis.
    pub analysis: Analysis,
    /// Where it is declared, as `file:line`.
    pub defined_at: String,
    /// Why it cannot be run on this connection.
    pub refused: Option<String>,
}

/// A table that shows an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// What it shows.
    pub title: String,
    /// The query behind it, with the defaults that applied.
    pub query: String,
    /// The columns.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<SheetCell>>,
    /// Whether its numbers are read against each other, as a heat map.
    pub is_map: bool,
    /// The rows of the query as JSON, one object each.
    pub records: Vec<serde_json::Map<String, serde_json::Value>>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A cell of a [`Sheet`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SheetCell {
    /// The text; empty where there is no row.
    pub text: String,
    /// Where a number lies between the smallest and the largest of a map, from 0 to 1.
    pub shade: Option<f64>,
    /// Whether it is a number.
    pub is_number: bool,
}

/// What each channel is worth by all coalitions of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Coalitions {
    /// The channels with their shares, by name.
    pub channels: Vec<(String, Share)>,
    /// How the shares were found, in one sentence.
    pub how: String,
    /// What the SQL of the analysis gives each channel, in the same order.
    pub by_sql: Vec<f64>,
}

impl Session {
    /// The analyses of the project, in the order of the files.
    pub fn analyses(&self) -> Vec<AnalysisCard> {
        let catalog = self.catalog();
        let all = catalog.registry.analyses.values();
        all.map(|analysis| AnalysisCard {
            analysis: analysis.clone(),
            defined_at: catalog.registry.at(analysis.place),
            refused: analysis.views.first().and_then(|view| {
                let query = view.query.parse::<MetricQuery>().ok()?;
                self.compile(&query).err().map(|error| error.to_string())
            }),
        })
        .collect()
    }

    /// An analysis by name.
    ///
    /// # Errors
    /// There is none of that name; the hint names the nearest.
    pub fn analysis(&self, name: &str) -> Result<Analysis, SessionError> {
        let catalog = self.catalog();
        let analyses = &catalog.registry.analyses;
        if let Some(found) = analyses
            .values()
            .find(|analysis| analysis.name.eq_ignore_ascii_case(name))
        {
            return Ok(found.clone());
        }
        let error = SessionError::usage("unknown_analysis", format!("unknown analysis '{name}'"));
        let known: Vec<&str> = analyses.keys().map(String::as_str).collect();
        Err(error.with_hint(match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None if known.is_empty() => "the project declares none (analyses:)".to_owned(),
            None => format!("there are {}", known.join(", ")),
        }))
    }

    /// Runs one of the queries that show an analysis.
    ///
    /// # Errors
    /// The query is refused, or the warehouse fails.
    pub async fn sheet(
        &self,
        analysis: &Analysis,
        view: &AnalysisView,
        time: Option<TimeRange>,
        cancel: CancellationToken,
    ) -> Result<Sheet, SessionError> {
        let mut query: MetricQuery = view.query.parse()?;
        query.time = time.or(query.time);
        let answer = self.answer(&query, RunOptions::default(), cancel).await?;
        let mut sheet = laid_out(view, &answer);
        // Every number is one of this analysis.
        let own = format!("{}: ", analysis.label);
        for title in &mut sheet.header {
            if let Some(short) = title.strip_prefix(&own) {
                *title = short.to_owned();
            }
        }
        Ok(sheet)
    }

    /// The shares of an attribution by Shapley, from the worth of each set of channels: over all coalitions up to
    /// [`shapley::EXACT`] channels, from random orders above.
    ///
    /// # Errors
    /// It is no attribution, the query is refused, or the warehouse fails.
    pub async fn coalitions(
        &self,
        analysis: &Analysis,
        time: Option<TimeRange>,
        cancel: CancellationToken,
    ) -> Result<Coalitions, SessionError> {
        if analysis.kind != AnalysisKind::Attribution {
            let message = format!("'{}' is no attribution", analysis.name);
            return Err(SessionError::usage("unknown_analysis", message));
        }
        let name = &analysis.name;
        let ask = |line: String| -> Result<MetricQuery, SessionError> {
            let mut query: MetricQuery = line.parse()?;
            query.time = time.or(query.time);
            Ok(query)
        };
        let sets = ask(format!("{name} by channel_set where method = shapley"))?;
        let sets = self
            .answer(&sets, RunOptions::default(), cancel.clone())
            .await?;
        let channels = ask(format!("{name} by channel where method = shapley"))?;
        let channels = self
            .answer(&channels, RunOptions::default(), cancel)
            .await?;
        if sets.truncated || channels.truncated {
            let message = "there are more sets of channels than the row cap lets through";
            return Err(SessionError::new(Failure::Query, "truncated", message));
        }
        let known = pairs(&channels);
        let named = || known.iter().filter_map(|(channel, _)| channel.as_ref());
        if let Some(joined) = named().find(|channel| channel.contains(SEPARATOR)) {
            let message = format!(
                "the channel '{joined}' cannot be told from several channels, which are written with '{SEPARATOR}' between them"
            );
            return Err(
                SessionError::new(Failure::Query, "invalid_clause", message).with_hint(format!(
                    "{name} by channel where method = shapley has the same values, from the SQL"
                )),
            );
        }
        let game = shapley::Game::new(pairs(&sets).into_iter().filter_map(|(set, worth)| {
            let set = set?;
            Some((set.split(SEPARATOR).map(str::to_owned).collect(), worth))
        }));
        let Some(game) = game else {
            let message = format!("there are more than {} channels", shapley::MOST);
            return Err(SessionError::new(Failure::Query, "invalid_clause", message)
                .with_hint(format!("{name} by channel where method = shapley has exact values for any number of them")));
        };
        let by_sql = |player: &String| {
            let mut all = known.iter();
            let found = all.find(|(channel, _)| channel.as_ref() == Some(player));
            found.map_or(0.0, |(_, worth)| *worth)
        };
        let (shares, how) = game.shares();
        Ok(Coalitions {
            by_sql: game.players().iter().map(by_sql).collect(),
            channels: game.players().iter().cloned().zip(shares).collect(),
            how,
        })
    }
}

/// What stands between the channels of a set.
const SEPARATOR: &str = " + ";

/// The group and the number of each row of a query by one dimension.
fn pairs(answer: &Answer) -> Vec<(Option<String>, f64)> {
    let mut all = Vec::new();
    for batch in &answer.batches {
        let (Some(group), Some(number)) = (batch.columns().first(), batch.columns().last()) else {
            continue;
        };
        for row in 0..batch.num_rows() {
            let number = raw_json(number.as_ref(), row).as_f64();
            all.push((
                super::cell::raw_text(group.as_ref(), row),
                number.unwrap_or(0.0),
            ));
        }
    }
    all
}

fn number(array: &ArrayRef, row: usize) -> Option<f64> {
    (!array.is_null(row)).then(|| raw_json(array.as_ref(), row).as_f64())?
}

/// The rows of an answer as a table; with the values of one grouping as columns, where the view says so.
fn laid_out(view: &AnalysisView, answer: &Answer) -> Sheet {
    let columns = &answer.columns;
    let across = view.across.as_ref();
    let across = across.and_then(|name| columns.iter().position(|column| column.name == *name));
    let is_value = |column: &OutputColumn| column.role != Role::Group;
    let last = columns.iter().position(is_value);
    let mut sheet = Sheet {
        title: view.title.clone(),
        query: answer.line.clone(),
        header: Vec::new(),
        rows: Vec::new(),
        is_map: false,
        records: Vec::new(),
        notes: answer.notes.clone(),
    };
    let rows = answer
        .batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    // The groups on the left, in order of appearance, and the values that became columns.
    let mut left: Vec<Vec<String>> = Vec::new();
    let mut above: Vec<(Option<f64>, String)> = Vec::new();
    let mut cells: Vec<(usize, usize, SheetCell, Option<f64>)> = Vec::new();
    for (batch, row) in rows {
        let text = |at: usize| match (batch.columns().get(at), columns.get(at)) {
            (Some(array), Some(column)) => cell_text(array.as_ref(), row, column).text,
            _ => String::new(),
        };
        let record = columns.iter().zip(batch.columns());
        let record =
            record.map(|(column, array)| (column.name.clone(), raw_json(array.as_ref(), row)));
        sheet.records.push(record.collect());
        let (Some(at), Some(value)) = (across, last) else {
            let line = columns.iter().enumerate().map(|(at, column)| SheetCell {
                text: text(at),
                shade: None,
                is_number: is_value(column),
            });
            sheet.rows.push(line.collect());
            continue;
        };
        let groups = (0..value).filter(|other| *other != at).map(text);
        let groups: Vec<String> = groups.collect();
        let here = left.iter().position(|known| *known == groups);
        let here = here.unwrap_or_else(|| {
            left.push(groups);
            left.len() - 1
        });
        let top = (
            batch.columns().get(at).and_then(|array| number(array, row)),
            text(at),
        );
        let place = above.iter().position(|known| *known == top);
        let place = place.unwrap_or_else(|| {
            above.push(top);
            above.len() - 1
        });
        let cell = SheetCell {
            text: text(value),
            shade: None,
            is_number: true,
        };
        let amount = batch
            .columns()
            .get(value)
            .and_then(|array| number(array, row));
        cells.push((here, place, cell, amount));
    }
    let label = |column: &OutputColumn| column.label.clone();
    let (Some(at), Some(value)) = (across, last) else {
        sheet.header = columns.iter().map(label).collect();
        return sheet;
    };
    let groups = columns.iter().take(value).enumerate();
    let groups = groups.filter(|(other, _)| *other != at);
    sheet.header = groups.map(|(_, column)| label(column)).collect();
    let mut order: Vec<usize> = (0..above.len()).collect();
    order.sort_by(|one, other| {
        let key = |at: &usize| above.get(*at).and_then(|(number, _)| *number);
        key(one)
            .partial_cmp(&key(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let texts = order.iter().filter_map(|at| above.get(*at));
    sheet.header.extend(texts.map(|(_, text)| text.clone()));
    let width = sheet.header.len() - order.len();
    for groups in &left {
        let names = groups.iter().map(|text| SheetCell {
            text: text.clone(),
            ..SheetCell::default()
        });
        let mut line: Vec<SheetCell> = names.collect();
        line.resize(sheet.header.len(), SheetCell::default());
        sheet.rows.push(line);
    }
    let numbers = || cells.iter().filter_map(|(.., amount)| *amount);
    let least = numbers().fold(f64::INFINITY, f64::min);
    let most = numbers().fold(f64::NEG_INFINITY, f64::max);
    for (row, place, mut cell, amount) in cells {
        cell.shade = amount
            .filter(|_| most > least)
            .map(|amount| (amount - least) / (most - least));
        let column = order.iter().position(|at| *at == place);
        let line = sheet.rows.get_mut(row);
        if let Some(slot) = line.and_then(|line| line.get_mut(width + column?)) {
            *slot = cell;
        }
    }
    sheet.is_map = true;
    sheet
}
