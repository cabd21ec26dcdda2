//! What a warehouse holds, as far as suggestions need it: its tables, and the values of columns that have few.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::super::cell::raw_text;
use super::super::run::all_rows;
use super::super::{Session, SessionError};
use crate::compile::Statement;
use crate::govern::suggest::{Ground, Idea, Values, likely};
use crate::model::{ColumnType, Registry};
use crate::warehouse::{TableInfo, Warehouse};

/// Tables whose values are looked up.
const TABLES: usize = 5;
/// A column with more values is not worth a list.
const VALUES: usize = 61;
/// Rows that values are looked for in.
const ROWS: usize = 200_000;
/// How long a look at the warehouse is good for.
const FRESH: Duration = Duration::from_secs(600);

/// What was seen, by connection.
#[derive(Default)]
pub(in crate::session) struct Surveys(Mutex<HashMap<String, Arc<Survey>>>);

/// What was seen of one warehouse.
pub(super) struct Survey {
    pub(super) tables: Vec<TableInfo>,
    /// Why its tables are not known.
    pub(super) trouble: Option<String>,
    values: Mutex<(Values, HashSet<String>)>,
    at: Instant,
}

impl Survey {
    /// The values that are known by now.
    pub(super) fn values(&self) -> Values {
        let known = self.values.lock();
        known.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn is_known(&self, table: &str) -> bool {
        let known = self.values.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.1.contains(table)
    }

    fn learn(&self, table: String, values: Vec<(String, Vec<String>)>) {
        let known = self.values.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.1.insert(table.clone());
        known.0.insert(table, values);
    }
}

impl Surveys {
    /// Forgets everything: the warehouse has other tables now.
    pub(in crate::session) fn forget(&self) {
        let surveys = self.0.lock();
        surveys.unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Session {
    /// The tables of the warehouse in use, and the values of those that an idea may be about.
    pub(super) async fn survey(
        &self,
        idea: &Idea,
        cancel: &CancellationToken,
    ) -> Result<Arc<Survey>, SessionError> {
        let survey = self.tables_seen(cancel).await?;
        let session = self.clone();
        let (wanted, seen) = (idea.clone(), Arc::clone(&survey));
        let looked = tokio::task::spawn_blocking(move || session.look_up(&wanted, &seen));
        let unknown = looked.await.map_err(|_| SessionError::interrupted())?;
        if let Ok(warehouse) = self.warehouse(&self.connection()) {
            for (table, mut values) in unknown {
                values.extend(sample(&warehouse, &table, cancel).await);
                if cancel.is_cancelled() {
                    return Err(SessionError::interrupted());
                }
                survey.learn(table.name, values);
            }
        }
        Ok(survey)
    }

    async fn tables_seen(&self, cancel: &CancellationToken) -> Result<Arc<Survey>, SessionError> {
        let connection = self.connection();
        let surveys = || {
            let surveys = self.surveys().0.lock();
            surveys.unwrap_or_else(PoisonError::into_inner)
        };
        let known = surveys().get(&connection).cloned();
        if let Some(known) = known.filter(|known| known.at.elapsed() < FRESH) {
            return Ok(known);
        }
        let listed = match self.warehouse(&connection) {
            Ok(warehouse) => cancel
                .run_until_cancelled(warehouse.tables())
                .await
                .ok_or_else(SessionError::interrupted)?
                .map_err(|error| error.message),
            Err(error) => Err(error.message),
        };
        let (tables, trouble) = match listed {
            Ok(tables) => (tables, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        let survey = Arc::new(Survey {
            tables,
            trouble,
            values: Mutex::default(),
            at: Instant::now(),
        });
        // A warehouse that could not be asked is asked again.
        if survey.trouble.is_none() {
            surveys().insert(connection, Arc::clone(&survey));
        }
        Ok(survey)
    }

    /// Learns from the value index what it knows; returns the tables of which only the warehouse can tell more, each with
    /// the columns that are to be asked for and what is known of the others.
    fn look_up(&self, idea: &Idea, survey: &Survey) -> Vec<(TableInfo, Known)> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let used = self.usage();
        let values = survey.values();
        let ground = Ground {
            registry,
            tables: &survey.tables,
            values: &values,
            used: &used,
            history: &[],
            today: self.today(),
        };
        let mut likely = likely(idea, &ground, TABLES);
        // Rules may name values of what they lead to.
        let datasets = registry.datasets.values();
        let named = datasets.filter(|one| likely.contains(&one.index_table().into_owned()));
        let joins = named.flat_map(|dataset| dataset.joins.values());
        let joined = joins.filter_map(|join| registry.datasets.get(&join.to));
        let joined: Vec<String> = joined.map(|one| one.index_table().into_owned()).collect();
        likely.extend(joined);
        let is_likely = |table: &&TableInfo| likely.contains(&table.name);
        let bare = survey.tables.iter().filter(is_likely);
        let bare = bare.filter(|table| !is_dataset(registry, &table.name));
        // Also datasets that call a dimension like a column of these: they may hold something else under that name.
        let columns: HashSet<&str> = bare
            .flat_map(|table| table.columns.iter().map(|column| column.name.as_str()))
            .collect();
        let index = self.index(&self.connection());
        let mut indexed: Values = Values::new();
        for dataset in registry.datasets.values() {
            let table = dataset.index_table().into_owned();
            let mut dimensions = dataset.dimensions.values();
            let is_wanted = likely.contains(&table)
                || dimensions.any(|one| columns.contains(one.name.as_str()));
            let Some(index) = index
                .as_ref()
                .filter(|_| is_wanted && !survey.is_known(&table))
            else {
                continue;
            };
            let dimensions = dataset.dimensions.values().filter(|one| !one.pii);
            let known = dimensions.filter_map(|one| {
                let column = one.column.clone()?;
                let values = index.values(&table, &column, "", VALUES).ok()?;
                let values: Vec<String> = values.into_iter().map(|(value, _)| value).collect();
                (!values.is_empty()).then_some((column, values))
            });
            let known: Known = known.collect();
            indexed.entry(table).or_default().extend(known);
        }
        let mut unknown = Vec::new();
        for table in survey.tables.iter().filter(is_likely) {
            if survey.is_known(&table.name) {
                continue;
            }
            let known = indexed.remove(&table.name).unwrap_or_default();
            let mut asked = table.clone();
            asked.columns.retain(|column| {
                column.ty == Some(ColumnType::Text)
                    && !known.iter().any(|(name, _)| *name == column.name)
                    && !is_personal(registry, &table.name, &column.name)
            });
            unknown.push((asked, known));
        }
        for (table, known) in indexed {
            survey.learn(table, known);
        }
        unknown
    }
}

/// Values by column.
type Known = Vec<(String, Vec<String>)>;

/// Whether the definitions say that a column holds personal data.
fn is_personal(registry: &Registry, table: &str, column: &str) -> bool {
    let datasets = registry.datasets.values();
    let mut own = datasets.filter(|dataset| dataset.index_table().eq_ignore_ascii_case(table));
    own.any(|dataset| {
        let mut dimensions = dataset.dimensions.values();
        dimensions.any(|one| one.pii && one.index_column() == column)
    })
}

fn is_dataset(registry: &Registry, table: &str) -> bool {
    let mut datasets = registry.datasets.values();
    datasets.any(|dataset| dataset.index_table().eq_ignore_ascii_case(table))
}

/// The values of the columns of a table, looked for in its first rows; a column that fails has none that are known.
async fn sample(
    warehouse: &Warehouse,
    table: &TableInfo,
    cancel: &CancellationToken,
) -> Vec<(String, Vec<String>)> {
    let dialect = warehouse.dialect();
    let mut all = Vec::new();
    for column in &table.columns {
        let name = dialect.name(&column.name);
        let sql = format!(
            "SELECT DISTINCT {name} FROM (SELECT {name} FROM {} LIMIT {ROWS}) AS seen \
             WHERE {name} IS NOT NULL ORDER BY 1 LIMIT {VALUES}",
            dialect.table(&table.name)
        );
        let statement = Statement {
            sql,
            lines: Vec::new(),
            columns: Vec::new(),
        };
        let Ok((rows, _)) = all_rows(warehouse, &statement, None, cancel).await else {
            continue;
        };
        let mut values = Vec::new();
        for batch in &rows {
            if let Some(found) = batch.columns().first() {
                values
                    .extend((0..batch.num_rows()).filter_map(|row| raw_text(found.as_ref(), row)));
            }
        }
        all.push((column.name.clone(), values));
    }
    all
}
