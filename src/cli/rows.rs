//! Runs what was compiled and prints its rows as they arrive, writes them to a file, or draws them.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Outcome, notes};
use crate::compile::Compiled;
use crate::model::counted;
use crate::session::chart::{ChartForm, ChartKind};
use crate::session::files::{Ending, FileTarget, Printer, Writing};
use crate::session::{Failure, RunEvent, RunOptions, RunSummary, Session, SessionError};

/// What to run, and where.
pub struct Run<'a> {
    pub session: &'a Session,
    pub compiled: Arc<Compiled>,
    /// The connection it was compiled for.
    pub connection: &'a str,
    pub options: RunOptions,
}

impl Run<'_> {
    /// Runs it and prints what arrives.
    pub async fn print(
        self,
        cancel: CancellationToken,
        printer: &mut dyn Printer,
        out: &mut dyn Write,
    ) -> Outcome {
        let (sender, events) = mpsc::channel(8);
        let compiled = self.compiled.clone();
        let print = async {
            // Owned here, so that an error below drops it, which cancels the run.
            let mut events = events;
            let mut totals = None;
            let mut begun = false;
            while let Some(event) = events.recv().await {
                match event {
                    RunEvent::Started(started) => notes::about_query(&started),
                    RunEvent::Batch(batch) => {
                        // Not before the first batch, so that a query that fails prints nothing.
                        if !begun {
                            printer.start(out, &compiled)?;
                            begun = true;
                        }
                        printer.batch(out, &compiled, &batch)?;
                    }
                    RunEvent::Totals(row) => totals = Some(row),
                }
            }
            Ok::<_, io::Error>(totals)
        };
        let run = self.session.run_compiled(
            self.compiled.clone(),
            self.connection,
            self.options,
            cancel,
            sender,
        );
        let (summary, printed) = tokio::join!(run, print);
        let totals = printed?;
        let run = summary?;
        let ending = Ending {
            run,
            totals,
            provenance: None,
        };
        printer.finish(out, &compiled, &ending)?;
        out.flush()?;
        self.announce(&run);
        Ok(())
    }

    /// Runs it and writes a file.
    pub async fn write(self, cancel: CancellationToken, to: &FileTarget) -> Outcome {
        let tell = |news| {
            if let Writing::Started(started) = news {
                notes::about_query(&started);
            }
        };
        let (compiled, options) = (self.compiled.clone(), self.options);
        let written = self
            .session
            .write_run(to, compiled, self.connection, options, cancel, tell)
            .await?;
        self.announce(&written.run);
        let rows = counted(written.run.rows, "row");
        let beside = written.beside.map_or_else(String::new, |beside| {
            format!("; {} says where they come from", beside.display())
        });
        notes::note(&format!("{rows} in {}{beside}", written.path.display()));
        Ok(())
    }

    /// Runs it and draws it to a file.
    pub async fn draw(
        self,
        cancel: CancellationToken,
        path: &Path,
        form: ChartForm,
        kind: Option<ChartKind>,
    ) -> Outcome {
        let (compiled, options) = (self.compiled.clone(), self.options);
        let chart = self
            .session
            .chart(compiled, self.connection, kind, options, cancel);
        let (chart, answer) = chart.await?;
        chart.write(form, path).map_err(|why| {
            let message = format!("cannot write the chart: {why}");
            SessionError::new(Failure::Query, "file", message)
        })?;
        answer.notes.iter().for_each(|text| notes::note(text));
        self.about_history();
        let drawn = format!("{} · {} in {}", chart.title, chart.kind, path.display());
        notes::note(&drawn);
        chart.notes.iter().for_each(|text| notes::note(text));
        Ok(())
    }

    /// A cut result is never silent.
    fn announce(&self, run: &RunSummary) {
        if run.truncated {
            notes::note(&format!(
                "cut after {} rows: there are more; --row-cap N raises the limit",
                run.rows
            ));
        }
        self.about_history();
    }

    fn about_history(&self) {
        if let Some(problem) = self.session.history_problem() {
            notes::note(&format!("the query is not in the history: {problem}"));
        }
    }
}
