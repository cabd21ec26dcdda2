//! `metrex review`: what waits for a judgement, what there is to know about it, and the judgement.

use std::io::{self, Read as _, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use serde_json::{Value, json};

use super::notes::{counted, note};
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::session::cell::sanitize;
use crate::session::{
    Change, CheckOutcome, CommitWish, Figure, Judgement, Judging, Published, PullRequest, Review,
    ReviewStage, Reviewed, Session, SessionError, Sides,
};
use crate::tui::widgets::sql_view::diff;

/// Values of the dimension that are printed.
const PARTS: usize = 12;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("judgement").requires("name")))]
pub struct ReviewArgs {
    /// The metric, or what else is proposed [default: a list of what waits]
    name: Option<String>,
    /// List everything, also what is certified, deprecated or rejected
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// Say that it is right
    #[arg(long, group = "judgement")]
    approve: bool,
    /// Say that it is not; needs --why
    #[arg(long, group = "judgement")]
    reject: bool,
    /// Put a draft or a proposal into use
    #[arg(long, group = "judgement")]
    publish: bool,
    /// Vouch for it as it is
    #[arg(long, group = "judgement")]
    certify: bool,
    /// Say that it is to be used no more
    #[arg(long, group = "judgement")]
    deprecate: bool,
    /// Propose the definition in a file instead (- is stdin): the YAML of the metric's keys
    #[arg(long, group = "judgement", value_name = "FILE")]
    modify: Option<PathBuf>,
    /// The metric to use instead of a deprecated one
    #[arg(long, requires = "deprecate", value_name = "METRIC")]
    successor: Option<String>,
    /// Why
    #[arg(long, requires = "judgement", value_name = "TEXT")]
    why: Option<String>,
    /// Who judges [default: user.name and user.email of git, else $USER]
    #[arg(long, requires = "judgement", value_name = "WHO")]
    by: Option<String>,
    /// Commit what is written, with this message
    #[arg(long, requires = "judgement", value_name = "MESSAGE", num_args = 0..=1, default_missing_value = "")]
    commit: Option<String>,
    /// Commit on this new branch
    #[arg(long, requires = "judgement", value_name = "NAME")]
    branch: Option<String>,
    /// Open a pull request with gh or glab, or print what it would say; on a branch of its own
    #[arg(long, requires = "judgement")]
    pull_request: bool,
    /// The dimension to compare the numbers by [default: one with few values]
    #[arg(long, value_name = "DIMENSION")]
    numbers_by: Option<String>,
    /// Do not ask the warehouse: no numbers and no checks
    #[arg(long, conflicts_with = "judgement")]
    offline: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t, conflicts_with = "judgement")]
    format: ReviewFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ReviewFormat {
    /// For people
    #[default]
    Text,
    /// One JSON value
    Json,
}

pub fn run(global: &Global, args: &ReviewArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let Some(name) = &args.name else {
        return list(&session, args);
    };
    match args.judgement()? {
        Some(judgement) => judge(&session, args, name, judgement),
        None => show(&session, args, name),
    }
}

impl ReviewArgs {
    fn judgement(&self) -> Result<Option<Judgement>, SessionError> {
        let said = [
            (self.approve, Judgement::Approve),
            (self.reject, Judgement::Reject),
            (self.publish, Judgement::Publish),
            (self.certify, Judgement::Certify),
        ];
        let one = said.into_iter().find(|(is_said, _)| *is_said);
        Ok(match (one, &self.modify) {
            (Some((_, judgement)), _) => Some(judgement),
            (None, Some(file)) => Some(Judgement::Modify {
                definition: read(file)?,
            }),
            (None, None) => self.deprecate.then(|| Judgement::Deprecate {
                successor: self.successor.clone(),
            }),
        })
    }

    /// What git is to do; nothing where nobody asked.
    fn wish(&self, name: &str, judgement: &Judgement) -> Option<CommitWish> {
        let verb = match judgement {
            Judgement::Approve => "Approve",
            Judgement::Reject => "Reject",
            Judgement::Publish => "Publish",
            Judgement::Certify => "Certify",
            Judgement::Deprecate { .. } => "Deprecate",
            Judgement::Modify { .. } => "Propose",
        };
        if self.commit.is_none() && self.branch.is_none() && !self.pull_request {
            return None;
        }
        let said = self.commit.clone().filter(|message| !message.is_empty());
        let message = said.unwrap_or_else(|| match self.why.as_deref() {
            Some(why) => format!("{verb} {name}: {why}"),
            None => format!("{verb} {name}"),
        });
        let own = || format!("metrex/{}-{name}", verb.to_lowercase().replace(' ', "-"));
        let branch = self.branch.clone();
        Some(CommitWish {
            message,
            branch: branch.or_else(|| self.pull_request.then(own)),
        })
    }
}

fn read(file: &Path) -> Result<String, SessionError> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|error| SessionError::usage("file", format!("{}: {error}", file.display())))
}

fn judge(session: &Session, args: &ReviewArgs, name: &str, judgement: Judgement) -> Outcome {
    let commit = args.wish(name, &judgement);
    // What it says is told as it was before it was judged; what is proposed is only there afterwards.
    let review = match judgement {
        Judgement::Modify { .. } => None,
        _ => Some(session.review(name)?),
    };
    let judging = Judging {
        name: name.to_owned(),
        judgement,
        seen: None,
        by: args.by.clone(),
        why: args.why.clone().unwrap_or_default(),
        commit,
    };
    let published = block_on(async |cancel| {
        prepare(session, cancel.clone()).await?;
        Ok(session.pass_judgement(&judging, cancel).await?)
    })?;
    told(&judging, &published);
    let Some(commit) = published.commit.as_ref().filter(|_| args.pull_request) else {
        return Ok(());
    };
    let title = judging.commit.map(|wish| wish.message).unwrap_or_default();
    let review = match review {
        Some(review) => review,
        None => session.review(name)?,
    };
    match session.pull_request(commit, &title, &review.markdown()) {
        PullRequest::Opened(address) => print(|out| writeln!(out, "{address}")),
        PullRequest::Ready {
            why,
            branch,
            title,
            text,
        } => {
            note(&format!(
                "no pull request was opened: {why}; branch {branch} is ready"
            ));
            print(|out| write!(out, "{}\n\n{}", sanitize(&title), text))
        }
    }
}

fn told(judging: &Judging, published: &Published) {
    let files = published.files.join(", ");
    note(&format!("{}; wrote {files}", judging.done()));
    if let Some(commit) = &published.commit {
        note(&format!("committed {} on {}", commit.id, commit.branch));
    }
}

fn list(session: &Session, args: &ReviewArgs) -> Outcome {
    let (found, broken) = session.reviews(true);
    let is_listed = |one: &&Reviewed| args.all || one.stage.is_waiting();
    let listed: Vec<&Reviewed> = found.iter().filter(is_listed).collect();
    match args.format {
        ReviewFormat::Json => {
            let rows: Vec<Value> = listed.iter().map(|one| reviewed_json(one)).collect();
            json_out(&json!({ "reviews": rows, "broken": broken }))?;
        }
        ReviewFormat::Text => {
            let style = Style::of(&stdout());
            let width = listed.iter().map(|one| one.name.chars().count()).max();
            let width = width.unwrap_or(0);
            print(|out| {
                let mut stage = None;
                for one in &listed {
                    if stage != Some(one.stage) {
                        writeln!(out, "{}", style.bold(one.stage.words()))?;
                        stage = Some(one.stage);
                    }
                    let who = [
                        one.by.clone(),
                        one.on.map(|day| day.to_string()).unwrap_or_default(),
                    ];
                    let who: Vec<_> = who.into_iter().filter(|text| !text.is_empty()).collect();
                    let name = sanitize(&one.name);
                    let who = style.dim(sanitize(&who.join(", ")));
                    writeln!(out, "  {name:width$}  {}  {who}", sanitize(&one.title))?;
                }
                Ok(())
            })?;
        }
    }
    for problem in &broken {
        note(problem);
    }
    if args.format == ReviewFormat::Text && !args.all {
        let published = found
            .iter()
            .filter(|one| one.stage == ReviewStage::Published);
        let published = published.count();
        if listed.is_empty() {
            note("nothing waits for a judgement");
        }
        if published > 0 {
            let metrics = counted(published, "published metric");
            note(&format!("{metrics} not certified, see --all"));
        }
    }
    Ok(())
}

fn show(session: &Session, args: &ReviewArgs, name: &str) -> Outcome {
    let review = session.review(name)?;
    let mut wanted = review.numbers.clone();
    wanted.dimension.clone_from(&args.numbers_by);
    let (numbers, checks) = match args.offline {
        true => (None, Vec::new()),
        false => block_on(async |cancel| {
            prepare(session, cancel.clone()).await?;
            let weighed = session.weigh(wanted, cancel).await?;
            Ok((Some(weighed.change), weighed.checks))
        })?,
    };
    match args.format {
        ReviewFormat::Json => json_out(&review_json(&review, numbers.as_ref(), &checks)),
        ReviewFormat::Text => {
            let style = Style::of(&stdout());
            print(|out| {
                write_review(out, &review, style)?;
                if let Some(numbers) = &numbers {
                    write_numbers(out, numbers, style)?;
                }
                write_checks(out, &checks, style)?;
                write_history(out, &review, style)
            })
        }
    }
}

fn heading(out: &mut dyn Write, style: Style, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style.bold(sanitize(text)))
}

fn write_review(out: &mut dyn Write, review: &Review, style: Style) -> io::Result<()> {
    let name = style.bold(sanitize(&review.name));
    let stage = match review.stage {
        ReviewStage::Certified => style.good(review.stage.words()),
        ReviewStage::Deprecated | ReviewStage::Rejected => style.error(review.stage.words()),
        stage => style.warning(stage.words()),
    };
    writeln!(out, "{name}  {stage}  {}", sanitize(&review.title))?;
    let on = review.on.map(|day| day.to_string());
    let from = review.from.and_then(|from| from.words());
    let from = from.map(str::to_owned);
    let who = [Some(review.by.clone()), on, from].into_iter().flatten();
    let who: Vec<String> = who.filter(|text| !text.is_empty()).collect();
    let who = who.join(", ");
    for (word, text) in [
        ("by", who.as_str()),
        ("why", &review.why),
        ("means", &review.formula),
        ("meaning", &review.meaning),
        ("file", &review.file),
    ] {
        if !text.is_empty() {
            writeln!(out, "{} {}", style.dim(format!("{word:9}")), sanitize(text))?;
        }
    }
    if let Some(approved) = review.approved() {
        writeln!(out, "{} {}", style.dim("approved "), sanitize(&approved))?;
    }
    if let Some(trouble) = &review.trouble {
        heading(out, style, "It cannot be published")?;
        writeln!(out, "  {}", style.error(sanitize(trouble)))?;
    }
    if review.is_change() {
        heading(out, style, "What changes in meaning")?;
        if review.differences.is_empty() {
            writeln!(out, "  nothing")?;
        }
        for difference in &review.differences {
            writeln!(out, "  {}", sanitize(&difference.text))?;
        }
    }
    let Sides { before, after } = &review.definition;
    heading(out, style, "Definition")?;
    let texts = (
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    );
    write_diff(out, texts, style)?;
    heading(out, style, "SQL")?;
    match &review.sql {
        Sides {
            after: Err(reason), ..
        } => {
            writeln!(
                out,
                "  {}",
                style.error(sanitize(&format!("none: {reason}")))
            )?;
        }
        Sides {
            before,
            after: Ok(after),
        } => {
            write_diff(out, (before.as_deref().unwrap_or_default(), after), style)?;
        }
    }
    let made = match review.dependants.is_empty() {
        true => "nothing".to_owned(),
        false => review.dependants.join(", "),
    };
    heading(out, style, "Made of it")?;
    writeln!(out, "  {}", sanitize(&made))
}

/// The lines of both texts, with a sign where only one has them; without signs where both are the same.
fn write_diff(out: &mut dyn Write, (before, after): (&str, &str), style: Style) -> io::Result<()> {
    for (sign, line) in diff(before, after) {
        let line = sanitize(line);
        match (sign, before == after) {
            (_, true) => writeln!(out, "  {line}")?,
            ('+', _) => writeln!(out, "{}", style.good(format!("+ {line}")))?,
            ('-', _) => writeln!(out, "{}", style.error(format!("- {line}")))?,
            _ => writeln!(out, "  {line}")?,
        }
    }
    Ok(())
}

fn write_numbers(out: &mut dyn Write, change: &Change, style: Style) -> io::Result<()> {
    let by = change.dimension.as_ref().map(|by| format!(" by {by}"));
    heading(out, style, &format!("Numbers{}", by.unwrap_or_default()))?;
    for figure in &change.figures {
        write_figure(out, figure)?;
    }
    for (metric, reason) in &change.broken {
        let text = format!("  {metric} is broken by it: {reason}");
        writeln!(out, "{}", style.error(sanitize(&text)))?;
    }
    if !change.further.is_empty() {
        let text = format!("  changed too, not computed: {}", change.further.join(", "));
        writeln!(out, "{}", sanitize(&text))?;
    }
    Ok(())
}

fn write_figure(out: &mut dyn Write, figure: &Figure) -> io::Result<()> {
    let told = |side: &Result<Option<f64>, String>| match side {
        Ok(value) => figure.number(*value),
        Err(reason) => format!("none ({reason})"),
    };
    let Sides { before, after } = &figure.total;
    let total = match figure.is_alone || before == after {
        true => told(after),
        false => format!("{} → {}", told(before), told(after)),
    };
    writeln!(out, "  {}  {}", sanitize(&figure.metric), sanitize(&total))?;
    for part in figure.parts.iter().take(PARTS) {
        let after = figure.number(part.value.after);
        let percent = part.value.percent();
        let percent = percent.map(|percent| format!("  {percent:+.1} %"));
        let text = match figure.is_alone {
            true => format!("{}  {after}", part.label),
            false => {
                let before = figure.number(part.value.before);
                let percent = percent.unwrap_or_default();
                format!("{}  {before} → {after}{percent}", part.label)
            }
        };
        writeln!(out, "    {}", sanitize(&text))?;
    }
    let more = figure.parts.len().saturating_sub(PARTS);
    if more > 0 {
        writeln!(out, "    and {more} more")?;
    }
    if let Some(note) = &figure.note {
        writeln!(out, "    {}", sanitize(note))?;
    }
    Ok(())
}

fn write_checks(out: &mut dyn Write, checks: &[CheckOutcome], style: Style) -> io::Result<()> {
    if checks.is_empty() {
        return Ok(());
    }
    heading(out, style, "Checks")?;
    for outcome in checks {
        let mark = match outcome.passed() {
            true => style.good("ok    "),
            false => style.error("failed"),
        };
        let word = outcome.check.word();
        writeln!(out, "  {mark}  {word}: {}", sanitize(&outcome.looked_at))?;
        for problem in &outcome.problems {
            writeln!(out, "    {}", sanitize(problem))?;
        }
    }
    Ok(())
}

fn write_history(out: &mut dyn Write, review: &Review, style: Style) -> io::Result<()> {
    if review.history.is_empty() {
        return Ok(());
    }
    heading(out, style, "History")?;
    for event in &review.history {
        let on = event.on.map(|day| day.to_string()).unwrap_or_default();
        let why = match event.why.is_empty() {
            true => String::new(),
            false => format!(": {}", event.why),
        };
        let text = format!("{on:10}  {} by {}{why}", event.step.word(), event.by);
        writeln!(out, "  {}", sanitize(&text))?;
    }
    Ok(())
}

fn json_out(value: &Value) -> Outcome {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

fn reviewed_json(one: &Reviewed) -> Value {
    json!({
        "name": one.name,
        "stage": one.stage.words(),
        "title": one.title,
        "by": one.by,
        "on": one.on,
    })
}

fn review_json(review: &Review, numbers: Option<&Change>, checks: &[CheckOutcome]) -> Value {
    let side = |side: &Result<String, String>| match side {
        Ok(sql) => json!({ "sql": sql }),
        Err(reason) => json!({ "refused": reason }),
    };
    let total = |side: &Result<Option<f64>, String>| match side {
        Ok(value) => json!(value),
        Err(reason) => json!({ "refused": reason }),
    };
    let figures = numbers.map(|change| {
        let figures = change.figures.iter();
        let figures = figures.map(|figure| {
            let parts = figure.parts.iter();
            let parts: Vec<Value> = parts
                .map(|part| json!({"value": part.label, "before": part.value.before, "after": part.value.after}))
                .collect();
            json!({
                "metric": figure.metric,
                "query": figure.line,
                "before": total(&figure.total.before),
                "after": total(&figure.total.after),
                "by": change.dimension,
                "changed": parts,
                "same": figure.same,
            })
        });
        figures.collect::<Vec<_>>()
    });
    let checks = checks.iter().map(|one| {
        json!({
            "check": one.check,
            "passed": one.passed(),
            "looked_at": one.looked_at,
            "problems": one.problems,
        })
    });
    json!({
        "name": review.name,
        "stage": review.stage.words(),
        "title": review.title,
        "by": review.by,
        "on": review.on,
        "why": review.why,
        "from": review.from,
        "formula": review.formula,
        "meaning": review.meaning,
        "file": review.file,
        "differences": review.differences,
        "definition": {"before": review.definition.before, "after": review.definition.after},
        "sql": {"before": side(&review.sql.before), "after": side(&review.sql.after)},
        "dependants": review.dependants,
        "history": review.history,
        "approvals": {"by": review.approvals.0, "needed": review.approvals.1},
        "trouble": review.trouble,
        "numbers": figures,
        "checks": checks.collect::<Vec<_>>(),
    })
}
