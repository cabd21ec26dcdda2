//! Which way a query is answered: decided once for a query line of a session, so that the SQL that is shown is the SQL that runs.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use jiff::civil::Weekday;
use xxhash_rust::xxh3::xxh3_64;

use crate::compile::{CompileError, Compiled, Passes, Reason, ReasonKind};
use crate::learn::policy::{
    Arms, Careful, Choice, Context, Decision, Head, Mask, Memory, Rng, State, TRIALS,
};
use crate::model::{Grain, GroupBy, MetricQuery};
use crate::session::Session;

/// Query lines whose decisions are remembered.
const MOST: usize = 1024;

/// Arms of the optimisation: reading a rollup; adding up by day first, all sums from one scan.
const CACHE_OR_ROLLUP: u8 = 3;
const INCREMENTAL: u8 = 2;

/// The other arms, with how the rows are read: each sum from a scan of its own rows; the same, without adding up by day first.
const OTHERS: [(u8, Passes<'static>); 2] = [
    (
        0,
        Passes {
            merge_scans: false,
            rollups: None,
            by_day_first: true,
        },
    ),
    (4, Passes::NONE),
];

/// When a query is asked, in which time zone, and by whom.
type Asked<'a> = (Timestamp, &'a str, &'a str);

/// What was decided in a session.
#[derive(Debug, Default)]
pub(in crate::session) struct Decided {
    /// What was learned until the first query of the session.
    memory: OnceLock<Option<Memory>>,
    lines: Mutex<VecDeque<Line>>,
}

/// What was decided about a query line.
#[derive(Debug, Clone)]
struct Line {
    connection: String,
    line: String,
    /// The SQL it has anyway.
    usual: String,
    /// The SQL that was decided for.
    sql: String,
    decision: Decision,
}

impl Session {
    /// What was compiled, or the same rows read in another way.
    pub(in crate::session) fn decided(
        &self,
        usual: Compiled,
        connection: &str,
        compile: impl Fn(Passes<'static>) -> Result<Compiled, CompileError>,
    ) -> Compiled {
        let Some(memory) = self.memory() else {
            return usual;
        };
        // Rows that came late may be missing in a rollup, so reading rows instead could change the answer.
        if usual.plan.is_none() || !usual.rollups().is_empty() {
            return usual;
        }
        let line = usual.query.to_string();
        let known = {
            let lines = self.decided_before().lines.lock();
            let lines = lines.unwrap_or_else(PoisonError::into_inner);
            let mut known = lines.iter();
            known
                .find(|one| {
                    one.connection == connection && one.line == line && one.usual == usual.main.sql
                })
                .map(|one| one.decision.choice.arms.of(Head::Optimisation))
        };
        if let Some(arm) = known {
            let other = OTHERS.iter().find(|(other, _)| *other == arm);
            let other = other.and_then(|(_, passes)| compile(*passes).ok());
            return other.map_or(usual, said);
        }
        let mut others: Vec<(u8, Compiled)> = Vec::new();
        for (arm, passes) in OTHERS {
            let Ok(other) = compile(passes) else {
                continue;
            };
            let is_same = |one: &Compiled| one.main == other.main && one.totals == other.totals;
            if !is_same(&usual) && !others.iter().any(|(_, one)| is_same(one)) {
                others.push((arm, other));
            }
        }
        let arms: Vec<u8> = others.iter().map(|(arm, _)| *arm).collect();
        let in_words = self.tracking().was_asked(&line);
        let catalog = self.catalog();
        let zone = catalog.registry.calendar.timezone.as_str();
        let asked = (self.now(), zone, self.user());
        let context = context(&usual, &arms, in_words, Some(memory), asked);
        let careful = Careful {
            learner: &memory.learner,
            // Where the rule was found to be better, nothing leaves it, also not by chance.
            trials: match self.project().config.policy.explore && memory.share > 0.0 {
                true => TRIALS,
                false => 0.0,
            },
            share: memory.share,
        };
        let mut rng = Rng::of(self.session_id(), xxh3_64(line.as_bytes()), 0);
        let decision = careful.decide(&context, pattern(&usual.query), &mut rng);
        let arm = decision.choice.arms.of(Head::Optimisation);
        let usual_sql = usual.main.sql.clone();
        let chosen = others.into_iter().find(|(other, _)| *other == arm);
        let chosen = chosen.map_or(usual, |(_, other)| said(other));
        let lines = self.decided_before().lines.lock();
        let mut lines = lines.unwrap_or_else(PoisonError::into_inner);
        lines.truncate(MOST - 1);
        lines.push_front(Line {
            connection: connection.to_owned(),
            line,
            usual: usual_sql,
            sql: chosen.main.sql.clone(),
            decision,
        });
        chosen
    }

    /// What was learned, where there is enough of it for anything but the rule to decide.
    fn memory(&self) -> Option<&Memory> {
        let memory = self.decided_before().memory.get_or_init(|| {
            let settings = self.project().config.policy;
            let has_log = self.project().config.usage.track && self.state().usage().exists();
            let lesson = has_log.then(|| self.usage_store().ok()?.lesson().ok()?)??;
            let memory = Memory::restored(&lesson, settings.algorithm)?;
            memory.learner.is_ripe().then_some(memory)
        });
        memory.as_ref()
    }
}

impl Decided {
    /// What was decided about a query that ran, as JSON; where nothing was to be decided, what it was answered by anyway.
    pub(in crate::session) fn decision(
        &self,
        compiled: &Compiled,
        connection: &str,
        in_words: bool,
        asked: Asked<'_>,
    ) -> Option<String> {
        compiled.plan.as_ref()?;
        let line = compiled.query.to_string();
        let known = {
            let lines = self.lines.lock();
            let lines = lines.unwrap_or_else(PoisonError::into_inner);
            let mut lines = lines.iter();
            lines
                .find(|one| {
                    one.connection == connection && one.line == line && one.sql == compiled.main.sql
                })
                .map(|one| one.decision.clone())
        };
        let decision = known.unwrap_or_else(|| {
            let memory = self.memory.get().and_then(Option::as_ref);
            let context = context(compiled, &[], in_words, memory, asked);
            Decision {
                context,
                choice: Choice::only(context.rule),
                deviates: false,
                own: 1.0,
                learned_from: 0,
                pattern: pattern(&compiled.query),
            }
        });
        serde_json::to_string(&decision).ok()
    }
}

/// What is known of a query before it runs, and the ways there are to answer it.
fn context(
    usual: &Compiled,
    others: &[u8],
    in_words: bool,
    memory: Option<&Memory>,
    (at, zone, user): Asked<'_>,
) -> Context {
    let query = &usual.query;
    let past = memory.and_then(|memory| memory.patterns.get(&pattern(query)));
    let joins = usual.reasons.iter();
    let joins = joins
        .filter(|reason| reason.kind == ReasonKind::Join)
        .count();
    let groups = query.group_by.as_deref().unwrap_or_default();
    let grain = groups.iter().filter_map(|group| match group {
        GroupBy::Grain { grain, .. } => Some(*grain),
        _ => None,
    });
    let now = at.in_tz(zone).ok();
    let state = State {
        metrics: query.metrics.len(),
        group_by: groups.len(),
        filters: query
            .filters
            .iter()
            .map(|filter| filter.fields().len())
            .sum(),
        tables: joins + 1,
        joins,
        grain_days: grain.map(days).reduce(f64::min),
        days: usual.range.days().map_or(3650.0, f64::from),
        compares: query.compare.is_some(),
        in_words,
        pattern_uses: past.map_or(0, |past| past.uses),
        pattern_success: past.map(|past| past.succeeded as f64 / past.uses.max(1) as f64),
        pattern_ms: past.and_then(|past| past.median()),
        skill_match: 1.0,
        hour: now.as_ref().map_or(0, |now| now.hour().unsigned_abs()),
        is_weekend: now
            .is_some_and(|now| matches!(now.weekday(), Weekday::Saturday | Weekday::Sunday)),
        user_queries: memory.map_or(0, |memory| {
            memory.users.get(user).copied().unwrap_or_default()
        }),
    };
    let optimisation = match usual.rollups().is_empty() {
        true => INCREMENTAL,
        false => CACHE_OR_ROLLUP,
    };
    // best_matching, canonical, …, ephemeral
    let rule = Arms([0, 2, optimisation, 3]);
    let mask = others.iter().fold(Mask::only(rule), |mask, arm| {
        mask.with(Head::Optimisation, *arm, true)
    });
    Context {
        features: state.features(),
        mask,
        rule,
    }
}

/// Says that it is not the usual SQL.
fn said(mut compiled: Compiled) -> Compiled {
    compiled.reasons.push(Reason {
        kind: ReasonKind::Source,
        text: "rows are read otherwise than usual, which gives the same: `metrex policy` says why"
            .to_owned(),
        place: None,
    });
    compiled
}

/// What queries have in common that differ in values and times only.
fn pattern(query: &MetricQuery) -> u64 {
    let mut fields: Vec<&str> = query
        .filters
        .iter()
        .flat_map(|filter| filter.fields())
        .collect();
    fields.sort_unstable();
    fields.dedup();
    let groups = query.group_by.iter().flatten().chain(&query.range_of);
    let groups: Vec<String> = groups.map(ToString::to_string).collect();
    let compares = query.compare.is_some();
    let text = format!("{:?} {groups:?} {fields:?} {compares}", query.metrics);
    xxh3_64(text.as_bytes())
}

/// How many days a period has, about.
fn days(grain: Grain) -> f64 {
    match grain {
        Grain::Second | Grain::Minute | Grain::Hour | Grain::Day => 1.0,
        Grain::Week => 7.0,
        Grain::Month => 30.0,
        Grain::Quarter => 91.0,
        Grain::Year => 365.0,
    }
}
