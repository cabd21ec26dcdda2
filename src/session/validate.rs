//! SQL that somebody wrote, through the guard and past the engine's own dry run; nothing is run.

use tokio_util::sync::CancellationToken;

use super::{Session, SessionError};
use crate::model::{MetricKind, NoValues, Registry, ValueLookup};
use crate::validate::{Code, Finding, Report, Rules, Severity, required_filters, validate};
use crate::warehouse::{TableInfo, WarehouseErrorKind};

impl Session {
    /// Holds SQL against the definitions and the known values; with a complex metric, also against its snippet.
    /// Touches no warehouse.
    ///
    /// # Errors
    /// There is no such metric, or it has no snippet.
    pub fn check_sql(&self, sql: &str, metric: Option<&str>) -> Result<Report, SessionError> {
        self.check_with(sql, metric, None)
    }

    fn check_with(
        &self,
        sql: &str,
        metric: Option<&str>,
        schema: Option<&[TableInfo]>,
    ) -> Result<Report, SessionError> {
        let version = self.version();
        let registry = &version.catalog.registry;
        let connection = self.connection();
        let dialect = self.dialect_of(&connection);
        let index = self.index(&connection);
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let config = &self.project().config;
        let cap = config
            .connections
            .get(&connection)
            .map_or(u64::MAX, |connection| connection.row_cap);
        // One row more than is shown, so that a cut can be seen.
        let mut rules = Rules::new(registry, dialect, values, cap.saturating_add(1));
        rules.schema = schema;
        let Some(name) = metric else {
            return Ok(validate(sql, &rules));
        };
        let (tables, snippet) = snippet_of(registry, name)?;
        let required = required_filters(snippet, registry, dialect);
        rules.tables = Some(tables);
        rules.snippet = Some(snippet);
        rules.required = &required;
        Ok(validate(sql, &rules))
    }

    /// The same with the columns that the warehouse of the connection in use lists; and what passes is planned there.
    /// Where it cannot be reached, a note says so.
    ///
    /// # Errors
    /// As for [`Session::check_sql`]; or it was cancelled.
    pub async fn validate_sql(
        &self,
        sql: &str,
        metric: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Report, SessionError> {
        let warehouse = self.warehouse(&self.connection());
        let listed = match &warehouse {
            Ok(warehouse) => cancel
                .run_until_cancelled(warehouse.tables())
                .await
                .ok_or_else(SessionError::interrupted)?
                .ok(),
            Err(_) => None,
        };
        let session = self.clone();
        let (text, name) = (sql.to_owned(), metric.map(str::to_owned));
        let check = move || session.check_with(&text, name.as_deref(), listed.as_deref());
        let mut report = tokio::task::spawn_blocking(check)
            .await
            .map_err(|_| SessionError::interrupted())??;
        let Some(checked) = report.sql.clone() else {
            return Ok(report);
        };
        let plan = match warehouse {
            Ok(warehouse) => warehouse.explain(&checked, cancel).await,
            Err(error) => {
                report.findings.push(no_dry_run(&error.message));
                return Ok(report);
            }
        };
        match plan {
            Ok(_) => Ok(report),
            Err(error) => match error.kind {
                WarehouseErrorKind::Cancelled => Err(SessionError::interrupted()),
                WarehouseErrorKind::Settings
                | WarehouseErrorKind::Connection
                | WarehouseErrorKind::Auth => {
                    report.findings.push(no_dry_run(&error.message));
                    Ok(report)
                }
                WarehouseErrorKind::Query
                | WarehouseErrorKind::Data
                | WarehouseErrorKind::Expensive
                | WarehouseErrorKind::Timeout => {
                    Ok(report.refused_by_engine(error.message, error.hint))
                }
            },
        }
    }
}

/// The tables and the snippet of a complex metric.
fn snippet_of<'r>(
    registry: &'r Registry,
    name: &str,
) -> Result<(&'r [String], &'r str), SessionError> {
    let Some(metric) = registry.metric(name) else {
        return Err(SessionError::unknown_metric(registry, name));
    };
    match &metric.kind {
        MetricKind::Complex {
            snippet, tables, ..
        } => {
            let text = registry.snippets.get(snippet);
            Ok((tables, text.map_or("", |snippet| snippet.text.as_str())))
        }
        _ => Err(SessionError::usage(
            "not_complex",
            format!("{} has no snippet to hold SQL against", metric.name),
        )
        .with_hint("leave --metric out, or name a metric with a `snippet:`")),
    }
}

fn no_dry_run(why: &str) -> Finding {
    Finding {
        code: Code::Engine,
        severity: Severity::Note,
        token: String::new(),
        line: 0,
        column: 0,
        message: format!("the warehouse was not asked: {why}"),
        hint: None,
    }
}
