//! What `metrex doctor` says of rollups: which are there, how fresh, and which are no longer what their definition says.

use jiff::civil::Date;

use crate::compile::{RollupState, RollupTable};
use crate::session::{Check, CheckStatus, Session};
use crate::warehouse::TableInfo;

impl Session {
    /// Each rollup on a connection; `tables` are those that the warehouse has, where it could be asked.
    pub(in crate::session) async fn check_rollups(
        &self,
        connection: &str,
        tables: Option<&[TableInfo]>,
    ) -> Vec<Check> {
        let version = self.version();
        let registry = &version.catalog.registry;
        if registry.rollups.is_empty() {
            return Vec::new();
        }
        self.learn_rollups_of(connection.to_owned()).await;
        let options = self.laying_out(self.dialect_of(connection));
        let (reach, templates) = (&version.catalog.reach, &version.templates);
        let each = registry.rollups.values().map(|rollup| {
            let title = format!("rollup {} {connection}", rollup.name);
            let table = match RollupTable::new(registry, reach, templates, rollup, &options) {
                Ok(table) => table,
                Err(error) => return Check::new(title, CheckStatus::Error, error.message),
            };
            let is_gone = |state: &RollupState| {
                let all = tables.filter(|_| !table.embedded);
                all.is_some_and(|tables| tables.iter().all(|info| !is_called(info, state)))
            };
            match &self.rollup_state(connection, &table) {
                None => warning(title, "not made: queries read the rows", &table.name, ""),
                Some(state) if is_gone(state) => {
                    let detail = format!("the table {} is not there any more", state.table);
                    warning(title, &detail, &table.name, " --full")
                }
                Some(state) => self.check_freshness(title, &table, state),
            }
        });
        each.collect()
    }

    fn check_freshness(&self, title: String, table: &RollupTable, state: &RollupState) -> Check {
        if state.definition != table.definition || state.table != table.table {
            let detail = format!(
                "its definition has changed since {}, so it is not read",
                state.refreshed_at.strftime("%F %H:%M UTC")
            );
            return warning(title, &detail, &table.name, "");
        }
        let place = match table.embedded {
            true => "the embedded file",
            false => &state.table,
        };
        let fresh = format!(
            "{} rows in {place}, complete before {}",
            state.rows, state.until
        );
        match days_between(state.until, self.today()) {
            0 => Check::new(title, CheckStatus::Ok, fresh),
            days => {
                let plural = if days == 1 { "" } else { "s" };
                let detail =
                    format!("{fresh}, {days} day{plural} ago: later days are read from the rows");
                warning(title, &detail, &table.name, "")
            }
        }
    }
}

fn warning(title: String, detail: &str, rollup: &str, option: &str) -> Check {
    Check::new(title, CheckStatus::Warning, detail)
        .hint(format!("metrex materialize {rollup}{option}"))
}

/// A name without a schema may stand in any schema of the search path.
fn is_called(info: &TableInfo, state: &RollupState) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    last(&info.name) == last(&state.table)
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days()).max(0)
}
