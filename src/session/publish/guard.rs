//! What stands in the way of writing definitions: another text than the one that was read, work that is not committed,
//! and whatever would stop working.

use super::{NotPublished, Publication};
use crate::compile::ErrorCode;
use crate::govern::fingerprint;
use crate::model::{Metric, MetricKind, MetricQuery, MetricTest, Place, Registry, Status};
use crate::registry::edit::{self, hash};
use crate::registry::{Diagnostic, Severity};
use crate::session::git::Repository;
use crate::session::{Session, Verdict};
use tokio_util::sync::CancellationToken;

/// Folders that definitions are in.
const FOLDERS: [&str; 3] = ["metrics", "snippets", "proposals"];

/// What a publication would mean.
pub(in crate::session) struct Meant {
    /// The session with it in force.
    pub(super) session: Session,
    /// The metrics that mean something else in it.
    pub(super) changed: Vec<String>,
    /// The metrics whose tests have to pass.
    pub(super) tested: Vec<String>,
}

impl Session {
    /// Refuses where a file is not what the change was made from.
    pub(super) fn compared(&self, publication: &Publication) -> Result<(), NotPublished> {
        for file in &publication.files {
            if !is_place(&file.path) {
                let message = format!("{} is no place for definitions", file.path);
                return Err(NotPublished::new("path", message).hint("write below metrics/"));
            }
            let now = self.file_text(&file.path)?;
            if now.as_deref().map(hash) != file.base {
                let what = match (&now, &file.base) {
                    (None, _) => "is gone",
                    (_, None) => "is there already",
                    _ => "has changed",
                };
                let message = format!("{} {what} since this was begun", file.path);
                let hint = "nothing was written; look at it again and publish then";
                return Err(NotPublished::new("changed_meanwhile", message).hint(hint));
            }
        }
        Ok(())
    }

    /// Refuses where git knows of changes in these files that were not published from here: they would be mixed up.
    pub(super) fn tidy(&self, publication: &Publication) -> Result<(), NotPublished> {
        let wish = publication.commit.as_ref();
        let repository = match self.project().root.as_deref().map(Repository::find) {
            Some(Some(repository)) => repository,
            _ if wish.is_some() => {
                let message = "there is no git repository to commit to";
                return Err(NotPublished::new("git", message).hint("publish without a commit"));
            }
            _ => return Ok(()),
        };
        let paths = publication.files.iter().map(|file| file.path.as_str());
        let ours = self.published_before();
        for (path, is_new) in repository.dirty(paths)? {
            let now = self.file_text(&path)?.as_deref().map(hash);
            // What was published from here and not committed is nobody's half-done work; a file that git does not know
            // is in nobody's way until it is committed.
            let is_ours = ours
                .get(&path)
                .is_some_and(|known| Some(known) == now.as_ref());
            if is_ours || (is_new && wish.is_none()) {
                continue;
            }
            let message = format!("{path} has changes that are not committed");
            let hint = "commit them or put them aside (git stash), then publish";
            return Err(NotPublished::new("dirty_tree", message).hint(hint));
        }
        if let Some(branch) = wish.and_then(|wish| wish.branch.as_deref()) {
            repository.check_branch(branch)?;
        }
        Ok(())
    }

    /// What the publication would mean; refuses where something that worked would stop working.
    pub(in crate::session) fn meant(
        &self,
        publication: &Publication,
    ) -> Result<Meant, NotPublished> {
        let texts = publication.files.iter();
        let texts: Vec<_> = texts
            .map(|file| (file.path.as_str(), file.text.as_deref()))
            .collect();
        // What is on disk now counts, and not what was read last.
        let now: Vec<_> = publication
            .files
            .iter()
            .map(|file| Ok((file.path.as_str(), self.file_text(&file.path)?)))
            .collect::<Result<_, NotPublished>>()?;
        let now: Vec<_> = now
            .iter()
            .map(|(path, text)| (*path, text.as_deref()))
            .collect();
        let before = self.as_if(&now);
        let after = self.as_if(&texts);
        let is_written = |name: &str, section: &str| {
            let body = |texts: &[(&str, Option<&str>)]| {
                let mut texts = texts.iter().filter_map(|(_, text)| *text);
                texts.find_map(|text| edit::body(text, section, name))
            };
            body(&now) != body(&texts)
        };
        let (old, new) = (before.catalog(), after.catalog());
        let news = new_errors(&old.diagnostics, &new.diagnostics);
        let told = |problem: &Diagnostic| problem.to_string();
        if let Some(taken) = news
            .iter()
            .find(|one| matches!(one.code, "duplicate_name" | "alias_clash"))
        {
            return Err(NotPublished::new("name_taken", told(taken)));
        }
        check_names(&old.registry, &new.registry)?;
        let (metrics, views) = (&old.registry.metrics, &old.registry.views);
        let gone = metrics.values().filter(|metric| {
            !new.registry.metrics.contains_key(&metric.name) && !is_written(&metric.name, "metrics")
        });
        let gone = gone.map(|metric| (&metric.name, metric.place));
        let gone_views = views.values().filter(|view| {
            !new.registry.views.contains_key(&view.name) && !is_written(&view.name, "views")
        });
        let gone_views = gone_views.map(|view| (&view.name, view.place));
        if let Some((name, place)) = gone.chain(gone_views).next() {
            let reason = news.iter().map(|one| told(one));
            let reason: Vec<String> = reason.collect();
            let at = old.registry.at(place);
            let message = format!("'{name}' ({at}) would stop working");
            let refusal = NotPublished::new("broken_dependant", message);
            return Err(match reason.is_empty() {
                true => refusal,
                false => refusal.hint(reason.join("\n")),
            });
        }
        if let Some(first) = news.first() {
            let others = news.len() - 1;
            let refusal = NotPublished::new("new_error", told(first));
            return Err(match others {
                0 => refusal,
                others => refusal.hint(format!("and {others} more")),
            });
        }
        let changed = changed_metrics(&old.registry, &new.registry);
        for name in &changed {
            let query = MetricQuery {
                metrics: vec![name.clone()],
                ..MetricQuery::default()
            };
            let is_by_hand = new.registry.metrics.get(name).is_none_or(is_complex);
            let worked = !metrics.contains_key(name) || before.compile(&query).is_ok();
            let Some(error) = after
                .compile(&query)
                .err()
                .filter(|_| worked && !is_by_hand)
            else {
                continue;
            };
            let code = match is_written(name, "metrics") {
                true => "new_error",
                false => "broken_dependant",
            };
            let message = format!("'{name}' would have no SQL: {}", error.message);
            return Err(NotPublished {
                code,
                message,
                hint: error.hint,
            });
        }
        for view in new.registry.views.values() {
            let old = views.get(&view.name).map(|old| before.compile(&old.query));
            let worked = old.is_none_or(|compiled| compiled.is_ok());
            if let Some(error) = after.compile(&view.query).err().filter(|_| worked)
                && error.code != ErrorCode::UnknownValue
            {
                let name = &view.name;
                let at = new.registry.at(view.place);
                let message = format!(
                    "the saved query '{name}' ({at}) would have no answer: {}",
                    error.message
                );
                return Err(NotPublished {
                    code: "broken_dependant",
                    message,
                    hint: error.hint,
                });
            }
        }
        let has_other_tests = |metric: &&Metric| {
            let old = metrics.get(&metric.name);
            // A draft may be saved whatever its numbers are; it is tested as it leaves that state.
            let is_due =
                |old: &Metric| !is_tested_alike(old, metric) || old.status == Status::Draft;
            old.is_some_and(is_due) && !changed.contains(&metric.name)
        };
        let is_draft = |name: &String| {
            let metric = new.registry.metrics.get(name);
            metric.is_some_and(|metric| metric.status == Status::Draft)
        };
        let other_tests = new.registry.metrics.values().filter(has_other_tests);
        let other_tests = other_tests.map(|metric| metric.name.clone());
        let tested = changed.iter().cloned().chain(other_tests);
        let tested = tested.filter(|name| !is_draft(name)).collect();
        Ok(Meant {
            session: after,
            changed,
            tested,
        })
    }

    /// Refuses where a test of one of these metrics does not pass. What is made of a metric that changes, changes too.
    pub(super) async fn pass_tests(
        &self,
        metrics: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), NotPublished> {
        let catalog = self.catalog();
        let has_tests = |name: &&String| {
            let metric = catalog.registry.metrics.get(*name);
            metric.is_some_and(|metric| !metric.tests.is_empty())
        };
        let tested: Vec<String> = metrics.iter().filter(has_tests).cloned().collect();
        if tested.is_empty() {
            return Ok(());
        }
        let results = self
            .test(&tested, cancel, |_, _| {})
            .await
            .map_err(|error| {
                let message = format!("the tests cannot be run: {error}");
                NotPublished::new("failing_test", message)
            })?;
        let failed: Vec<_> = results.iter().filter(|one| !one.passed()).collect();
        let Some(first) = failed.first() else {
            return Ok(());
        };
        let did = match &first.verdict {
            Verdict::Error(_) => "cannot be run",
            _ => "fails",
        };
        let message = format!(
            "the test '{}' of {} ({}) {did}: {}",
            first.title,
            first.metric,
            first.at,
            first.reasons().join("; ")
        );
        let refusal = NotPublished::new("failing_test", message);
        Err(match failed.len() - 1 {
            0 => refusal,
            more => refusal.hint(format!("and {more} more tests fail")),
        })
    }
}

/// Whether a path of a project is a place for definitions.
pub(super) fn is_place(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    parts.len() > 1
        && parts.first().is_some_and(|first| FOLDERS.contains(first))
        && parts.iter().all(|part| !part.is_empty() && *part != "..")
}

/// Whether the same is expected of two metrics, wherever that stands.
fn is_tested_alike(one: &Metric, other: &Metric) -> bool {
    let expected = |metric: &Metric| {
        let tests = metric.tests.iter();
        let tests = tests.map(|test| MetricTest {
            place: Place::default(),
            ..test.clone()
        });
        tests.collect::<Vec<_>>()
    };
    expected(one) == expected(other)
}

fn is_complex(metric: &Metric) -> bool {
    matches!(metric.kind, MetricKind::Complex { .. })
}

/// Errors that were not there before, wherever in the file they stand.
fn new_errors<'d>(before: &[Diagnostic], after: &'d [Diagnostic]) -> Vec<&'d Diagnostic> {
    let is_error = |one: &&Diagnostic| one.severity == Severity::Error;
    let is_known = |one: &Diagnostic| {
        let mut old = before.iter().filter(is_error);
        old.any(|old| old.file == one.file && old.code == one.code && old.message == one.message)
    };
    let errors = after.iter().filter(is_error);
    errors.filter(|one| !is_known(one)).collect()
}

/// Refuses a new metric, or a new name of one, that a saved query has, and the other way round: one would hide the other.
fn check_names(before: &Registry, after: &Registry) -> Result<(), NotPublished> {
    for view in after.views.values() {
        let Some(metric) = after.metric(&view.name) else {
            continue;
        };
        let was_so = before.metric(&view.name).is_some() && before.views.contains_key(&view.name);
        if !was_so {
            let (here, there) = (after.at(metric.place), after.at(view.place));
            let message = format!(
                "'{}' is the name of a metric ({here}) and of a saved query ({there})",
                view.name
            );
            return Err(NotPublished::new("name_taken", message).hint("one of them needs another"));
        }
    }
    Ok(())
}

/// Metrics that are new, gone or mean something else.
fn changed_metrics(before: &Registry, after: &Registry) -> Vec<String> {
    let is_same = |metric: &&Metric| {
        let old = before.metrics.get(&metric.name);
        old.is_some_and(|old| fingerprint(before, old) == fingerprint(after, metric))
    };
    let news = after.metrics.values().filter(|metric| !is_same(metric));
    let gone = before.metrics.keys();
    let gone = gone
        .filter(|name| !after.metrics.contains_key(*name))
        .cloned();
    news.map(|metric| metric.name.clone()).chain(gone).collect()
}
