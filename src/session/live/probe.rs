//! One thing to ask the warehouse, and what its answer says about a definition.

use arrow_array::RecordBatch;

use super::LiveReport;
use crate::compile::{Compiled, Statement};
use crate::model::{MetricQuery, Place, Registry};
use crate::registry::Severity;
use crate::session::cell::raw_text;
use crate::session::{Catalog, Session, SessionError};

/// The cells of a row as texts; NULL is none.
pub(in crate::session) type Row = Vec<Option<String>>;

/// What the rows of the statements of a probe say.
pub(in crate::session) type Judge = Box<dyn Fn(&[Vec<Row>]) -> Option<Finding> + Send + Sync>;

/// Something that is wrong.
pub(in crate::session) struct Finding {
    pub(in crate::session) severity: Severity,
    pub(in crate::session) code: &'static str,
    pub(in crate::session) message: String,
    pub(in crate::session) hint: Option<String>,
}

/// One thing to look at.
pub(in crate::session) struct Probe {
    /// What it is, for people.
    pub(in crate::session) what: String,
    /// The definition it is about.
    pub(in crate::session) place: Place,
    pub(in crate::session) ask: Ask,
}

/// How to look at it.
pub(in crate::session) enum Ask {
    /// The engine plans the statement; nothing is run.
    Plan(String),
    /// The statements are run, and their rows judged.
    Rows(Vec<Statement>, Judge),
}

/// Collects probes.
pub(in crate::session) struct Probes<'a> {
    pub(in crate::session) session: &'a Session,
    pub(in crate::session) catalog: &'a Catalog,
    probes: Vec<Probe>,
    report: LiveReport,
}

impl<'a> Probes<'a> {
    pub(super) fn new(session: &'a Session, catalog: &'a Catalog) -> Self {
        Self {
            session,
            catalog,
            probes: Vec::new(),
            report: LiveReport::default(),
        }
    }

    pub(super) fn done(self) -> (Vec<Probe>, LiveReport) {
        (self.probes, self.report)
    }

    /// The definitions that are checked.
    pub(in crate::session) fn registry(&self) -> &'a Registry {
        &self.catalog.registry
    }

    /// Has the engine plan a statement.
    pub(in crate::session) fn plan(&mut self, what: String, place: Place, sql: String) {
        let ask = Ask::Plan(sql);
        self.probes.push(Probe { what, place, ask });
    }

    /// Runs statements and judges their rows.
    pub(in crate::session) fn run(
        &mut self,
        what: String,
        place: Place,
        statements: Vec<Statement>,
        judge: impl Fn(&[Vec<Row>]) -> Option<Finding> + Send + Sync + 'static,
    ) {
        let ask = Ask::Rows(statements, Box::new(judge));
        self.probes.push(Probe { what, place, ask });
    }

    /// Compiles a query over definitions that stand beside those of the project.
    pub(in crate::session) fn compile(
        &self,
        catalog: &Catalog,
        query: &MetricQuery,
    ) -> Result<Compiled, SessionError> {
        self.session.compile_in(catalog, query)
    }

    /// Something is wrong before the warehouse is asked.
    pub(in crate::session) fn found(&mut self, place: Place, finding: Finding) {
        self.report.checked += 1;
        let finding = finding.at(self.catalog, place);
        self.report.findings.push(finding);
    }

    /// Something cannot be looked at.
    pub(in crate::session) fn skip(&mut self, what: String, why: String) {
        self.report.skipped.push((what, why));
    }
}

/// The rows of a batch.
pub(super) fn rows(batch: &RecordBatch) -> Vec<Row> {
    let row = |at| {
        let columns = batch.columns().iter();
        columns
            .map(|column| raw_text(column.as_ref(), at))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}
