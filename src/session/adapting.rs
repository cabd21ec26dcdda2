//! The complex path: a model adapts a known-good snippet, the guard and the warehouse check what it wrote, once more
//! where they refuse it.

use std::sync::Arc;

use super::Failure;
use super::ask::{AskOutcome, PathTaken, Proposal, RejectedSql, Stage};
use super::asking::{ATTEMPTS, Asking, Vain, cancelled};
use crate::ask::model::{Adapting, Draft, harmless, is_named};
use crate::ask::{Reading, Refusal, RefusalCode};
use crate::compile::{CompileError, Compiled, Reason, ReasonKind, Statement};
use crate::model::{Metric, MetricKind, MetricQuery, Registry, Snippet, TimeRange};
use crate::validate::Report;
use crate::warehouse::{TableInfo, Warehouse, WarehouseErrorKind};

/// Most values of a dimension that a prompt names.
const VALUES: usize = 20;
/// Longest message of a warehouse that goes into a prompt, in characters.
const ENGINE_MESSAGE: usize = 300;

/// A request that is beyond a snippet, and what would be right.
struct Beyond {
    message: String,
    hint: String,
}

/// SQL that passed every check.
struct Passed {
    sql: String,
    model: String,
    notes: Vec<String>,
}

impl Asking<'_> {
    /// Answers a query over a complex metric, which has no compiled form.
    pub(super) async fn adapt(&mut self, reading: Reading, error: CompileError) -> AskOutcome {
        let Some(settings) = self.model() else {
            let hint = "a language model could adapt its snippet to this question: configure one under llm: in \
                        metrex.yaml, and ask again";
            let own = error.hint.clone();
            let hint = own.map_or_else(|| hint.to_owned(), |own| format!("{own}; {hint}"));
            return self.not_answerable(error.hint(hint), reading);
        };
        let version = self.session.version();
        let registry = &version.catalog.registry;
        let asked = reading.query();
        let (metric, snippet, tables) = match complex(registry, &asked) {
            Ok(found) => found,
            Err(beyond) => return beyond.refusal(reading),
        };
        let query = with_defaults(asked, metric);
        let time = query.time.unwrap_or(TimeRange::AllTime);
        let range = time.resolve(self.session.today(), registry.calendar.week_start);
        let connection = self.session.connection();
        let dialect = self.session.dialect_of(&connection);
        let schema = match self.schema(registry, &connection, tables).await {
            Ok(schema) => schema,
            Err(trouble) => return self.in_vain(trouble, reading),
        };
        let values = self.values_of(&query);
        let adapting = Adapting {
            prompts: &version.prompts,
            question: self.question,
            query: &query,
            metric,
            snippet,
            tables: &schema,
            values: &values,
            range,
            dialect,
            context_tokens: settings.context_tokens,
            max_tokens: settings.max_tokens,
        };
        let unknown = adapting.unknown_names(registry);
        if !unknown.is_empty() {
            return Beyond {
                message: format!("{} has no {}", metric.name, unknown.join(", ")),
                hint: format!("its tables are {}", tables.join(", ")),
            }
            .refusal(reading);
        }
        let passed = match self.session.open_provider(settings) {
            Err(error) => Err(Vain::Trouble(error.to_string())),
            Ok(provider) => self.write(provider.as_ref(), &adapting, &connection).await,
        };
        match passed {
            Ok(passed) => self.proposal(reading, query, snippet, connection, range, passed),
            Err(Vain::Cancelled) => cancelled(),
            Err(vain @ Vain::Rejected(_)) => Beyond {
                message: vain.to_string(),
                hint: format!(
                    "nothing was run; ask for less of {0}, or adapt its snippet by hand: metrex show {0} prints it",
                    metric.name
                ),
            }
            .refusal(reading),
            Err(vain) => self.in_vain(vain.to_string(), reading),
        }
    }

    /// The tables a snippet may use, as they are in the warehouse, without personal data.
    async fn schema(
        &mut self,
        registry: &Registry,
        connection: &str,
        tables: &[String],
    ) -> Result<Vec<TableInfo>, String> {
        let warehouse = self
            .session
            .warehouse(connection)
            .map_err(|error| error.message)?;
        let found = warehouse.tables().await.map_err(|error| error.message)?;
        let is_personal = |table: &str, column: &str| {
            let datasets = registry.datasets.values();
            let mut own = datasets.filter(|dataset| is_named(&dataset.index_table(), table));
            own.any(|dataset| {
                dataset
                    .dimensions
                    .values()
                    .any(|dimension| dimension.pii && dimension.index_column() == column)
            })
        };
        let wanted = found
            .into_iter()
            .filter(|found| tables.iter().any(|table| is_named(&found.name, table)));
        let without = |mut table: TableInfo| {
            let name = table.name.clone();
            table
                .columns
                .retain(|column| !is_personal(&name, &column.name));
            table
        };
        Ok(wanted.map(without).collect())
    }

    /// Values of the dimensions that the query names, the most frequent ones.
    fn values_of(&self, query: &MetricQuery) -> Vec<(String, Vec<String>)> {
        let groups = query.group_by.iter().flatten().map(ToString::to_string);
        let fields = query.filters.iter().flat_map(|filter| filter.fields());
        let mut names: Vec<String> = groups.chain(fields.map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        let values = |name: String| {
            let list = self.session.values(&[], &name, "", VALUES);
            let values: Vec<String> = list.values.into_iter().map(|(value, _)| value).collect();
            (name, values)
        };
        names
            .into_iter()
            .map(values)
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    /// Lets the model write, and write again where its SQL does not pass.
    async fn write(
        &mut self,
        provider: &dyn crate::llm::Provider,
        adapting: &Adapting<'_>,
        connection: &str,
    ) -> Result<Passed, Vain> {
        let session = self.session;
        let warehouse = session
            .warehouse(connection)
            .map_err(|error| Vain::Trouble(error.message))?;
        let mut refused: Option<Draft> = None;
        for _ in 0..ATTEMPTS {
            self.at(Stage::Writing);
            let request = adapting.request(refused.as_ref()).map_err(Vain::Trouble)?;
            let reply = self.complete(provider, &request, Stage::Writing).await?;
            self.at(Stage::Validating);
            let sql = match adapting.read(&reply.text) {
                Ok(sql) => sql,
                Err(problem) => {
                    refused = Some(Draft::unreadable(problem));
                    continue;
                }
            };
            let metric = Some(adapting.metric.name.as_str());
            let checked = session.validate_sql(&sql, metric, &self.cancel).await;
            let checked = checked.map_err(|error| match error.failure {
                Failure::Interrupted => Vain::Cancelled,
                _ => Vain::Trouble(error.message),
            })?;
            let report = adapting.complete(checked);
            let report = self.held_to_columns(&warehouse, adapting, report).await?;
            match &report.sql {
                Some(checked) => {
                    let mut notes: Vec<String> =
                        report.notes().map(|note| note.message.clone()).collect();
                    if let Some(first) = refused.iter().flat_map(|draft| &draft.findings).next() {
                        notes.insert(
                            0,
                            format!("the first SQL of the model did not pass: {first}"),
                        );
                    }
                    return Ok(Passed {
                        sql: checked.clone(),
                        model: reply.model,
                        notes,
                    });
                }
                None => {
                    refused = Some(Draft {
                        sql,
                        findings: report.blocking().cloned().collect(),
                    });
                }
            }
        }
        let draft = refused.unwrap_or_default();
        let why: Vec<String> = draft.findings.iter().map(ToString::to_string).collect();
        self.found.rejected = Some(RejectedSql {
            sql: draft.sql,
            findings: draft.findings,
        });
        Err(Vain::Rejected(why.join("; ")))
    }

    /// Lets the warehouse say which columns the SQL has, without rows, and compares them with those asked for.
    async fn held_to_columns(
        &mut self,
        warehouse: &Warehouse,
        adapting: &Adapting<'_>,
        report: Report,
    ) -> Result<Report, Vain> {
        let Some(sql) = report.sql.clone() else {
            return Ok(report);
        };
        match warehouse.columns_of(&sql, &self.cancel).await {
            Ok(columns) => Ok(adapting.answers(report, &columns)),
            Err(error) => match error.kind {
                WarehouseErrorKind::Cancelled => Err(Vain::Cancelled),
                WarehouseErrorKind::Connection | WarehouseErrorKind::Auth => {
                    Err(Vain::Trouble(error.message))
                }
                _ => Ok(report.refused_by_engine(harmless(&error.message, ENGINE_MESSAGE), None)),
            },
        }
    }

    fn proposal(
        &self,
        mut reading: Reading,
        query: MetricQuery,
        snippet: &Snippet,
        connection: String,
        range: crate::model::DateRange,
        passed: Passed,
    ) -> AskOutcome {
        let author = format!(
            "SQL adapted from the snippet {} by {}, a language model: read it before it runs",
            snippet.name,
            harmless(&passed.model, ENGINE_MESSAGE)
        );
        reading.notes.push(author.clone());
        reading.notes.extend(passed.notes.iter().cloned());
        let note = |text: String| Reason {
            kind: ReasonKind::Note,
            text,
            place: None,
        };
        let mut reasons: Vec<Reason> = [author].into_iter().chain(passed.notes).map(note).collect();
        if let Some(time) = query.time {
            reasons.push(Reason {
                kind: ReasonKind::Time,
                text: format!("{time}: {range}"),
                place: None,
            });
        }
        let lines = passed.sql.split('\n').map(|_| Vec::new()).collect();
        let compiled = Compiled {
            query: query.clone(),
            main: Statement {
                sql: passed.sql,
                lines,
                columns: Vec::new(),
            },
            totals: Err("a model wrote the SQL, and nobody the one of a total".to_owned()),
            reasons,
            range,
            prior: None,
            plan: None,
            embedded: false,
        };
        AskOutcome::Answer(Box::new(Proposal {
            query,
            compiled: Arc::new(compiled),
            connection,
            path: PathTaken::Model,
            auto_run: false,
            reading,
        }))
    }

    fn in_vain(&mut self, trouble: String, reading: Reading) -> AskOutcome {
        let message = format!("the snippet could not be adapted to the question: {trouble}");
        self.found.trouble = Some(trouble);
        Beyond {
            message,
            hint: "metrex doctor checks the model and the warehouse".to_owned(),
        }
        .refusal(reading)
    }
}

impl Beyond {
    fn refusal(self, reading: Reading) -> AskOutcome {
        AskOutcome::Refused(Box::new(Refusal {
            code: RefusalCode::NotAnswerable,
            message: self.message,
            hint: Some(self.hint),
            words: Vec::new(),
            understood: reading.chips,
        }))
    }
}

/// The one complex metric of a query with its snippet and the tables it may use.
fn complex<'r>(
    registry: &'r Registry,
    query: &MetricQuery,
) -> Result<(&'r Metric, &'r Snippet, &'r [String]), Beyond> {
    let beyond = |message: &str, hint: &str| Beyond {
        message: message.to_owned(),
        hint: hint.to_owned(),
    };
    let [name] = query.metrics.as_slice() else {
        return Err(beyond(
            "a complex metric is asked for alone",
            "ask for each metric by itself",
        ));
    };
    let found = registry.metric(name).and_then(|metric| match &metric.kind {
        MetricKind::Complex {
            snippet, tables, ..
        } => Some((metric, registry.snippets.get(snippet)?, tables.as_slice())),
        _ => None,
    });
    let found = found.ok_or_else(|| beyond("its snippet is not there", "metrex check says why"))?;
    if query.compare.is_some() {
        return Err(beyond(
            "a complex metric cannot be compared with another time",
            "ask for each time by itself",
        ));
    }
    Ok(found)
}

/// The query with the metric's defaults filled in; without any, one number over all time.
fn with_defaults(mut query: MetricQuery, metric: &Metric) -> MetricQuery {
    query.metrics = vec![metric.name.clone()];
    query.group_by.get_or_insert_with(|| metric.grain.clone());
    let window = metric.window.unwrap_or(TimeRange::AllTime);
    query.time.get_or_insert(window);
    query
}
