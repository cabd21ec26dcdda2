//! What is wrong with the definitions: what the registry found, and saved queries and alerts that cannot be answered.

use super::Session;
use crate::compile::ErrorCode;
use crate::registry::{Diagnostic, Severity};

impl Session {
    /// Every problem of the project. Values of saved queries are not looked at: what is not in the data today may be
    /// tomorrow.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let catalog = self.catalog();
        let mut found = catalog.diagnostics.clone();
        found.extend_from_slice(&self.project().config.warnings);
        for view in catalog.registry.views.values() {
            let Err(error) = self.compile(&view.query) else {
                continue;
            };
            if error.code == ErrorCode::UnknownValue {
                continue;
            }
            found.push(Diagnostic {
                severity: Severity::Error,
                file: catalog.registry.file(view.place).to_owned(),
                line: view.place.line,
                column: view.place.column,
                code: "view",
                message: format!("the view '{}' has no answer: {}", view.name, error.message),
                found: view.query.to_string(),
                hint: error.hint,
            });
        }
        let alerts = catalog.registry.alerts.values();
        found.extend(alerts.filter_map(|alert| self.alert_problem(alert)));
        found
    }
}
