//! What algorithms learn in the simulator: as tables in Markdown, and as a picture.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::learn::policy::curve::{Course, Judged, Player, Told, courses, judged};
use crate::model::RewardTable;
use crate::session::chart::ChartForm;
use crate::session::files::Target;
use crate::session::{Session, png};

/// Queries of the logs that estimates are made from.
const LOGGED: usize = 2000;

/// Numbers of queries after which the tables say how it stands.
const AFTER: [usize; 6] = [100, 300, 1000, 2000, 4000, 8000];

/// Pixels of a PNG for each of the drawing.
const SCALE: f32 = 2.0;

/// Algorithms side by side on the same simulated queries.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Worlds of queries.
    pub seeds: u64,
    /// Queries of each.
    pub queries: usize,
    /// With the project's rewards.
    pub own: Vec<Course>,
    /// With the same figures paid for acting and for what is new by itself.
    pub original: Vec<Course>,
    /// What logs of it tell.
    pub judged: Vec<Judged>,
}

impl Session {
    /// Lets all algorithms answer the same simulated queries, with the project's rewards. Seeds and queries say all: it is the
    /// same each time.
    pub fn simulate_policies(&self, seeds: u64, queries: usize) -> Simulation {
        Simulation::of(&self.project().config.policy.reward, seeds, queries)
    }
}

impl Simulation {
    /// See [`Session::simulate_policies`].
    pub fn of(table: &RewardTable, seeds: u64, queries: usize) -> Self {
        Self {
            seeds,
            queries,
            own: courses(table, seeds, queries),
            original: courses(&table.original(), seeds, queries),
            judged: judged(table, seeds, LOGGED),
        }
    }

    /// Tables, and a sentence for each algorithm that learns.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "Mean reward of the last 250 queries, over {} worlds of {} queries\n\n",
            self.seeds, self.queries
        );
        curves(&mut out, &self.own);
        out.push('\n');
        for player in [Player::Bandit, Player::Careful, Player::Ppo] {
            sentence(&mut out, &self.own, player);
        }
        out.push_str("\nThe same where an optimisation is paid for acting, and novelty always\n\n");
        curves(&mut out, &self.original);
        let _ = write!(
            out,
            "\nWhat a log of {LOGGED} queries tells of a policy: the estimates beside the truth, as means over the worlds with an \
             effective sample size of 50 or more\n\n"
        );
        estimates(&mut out, &self.judged);
        out
    }

    /// Writes the learning curves to a file, in the place of one that is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn draw(&self, form: ChartForm, path: &Path) -> Result<(), String> {
        let svg = self.svg();
        let bytes = match form {
            ChartForm::Svg => svg.into_bytes(),
            ChartForm::Png => png(&svg, SCALE)?,
        };
        let write = || {
            let mut file = Target::create(path)?;
            file.write_all(&bytes)?;
            file.finish()
        };
        let written = write();
        written
            .map(drop)
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn curves(out: &mut String, courses: &[Course]) {
    let last = courses.first().and_then(|course| course.places.last());
    let last = last.map_or(0, |place| place.queries);
    let after: Vec<usize> = AFTER.into_iter().filter(|after| *after <= last).collect();
    let heads = after.iter().map(|after| format!(" after {after} |"));
    let _ = writeln!(
        out,
        "| |{} succeeds | beats the rule |",
        heads.collect::<String>()
    );
    let _ = writeln!(out, "|---|{}---|---|", "---|".repeat(after.len()));
    for course in courses {
        let numbers = after.iter().filter_map(|after| course.after(*after));
        let numbers = numbers.map(|place| format!(" {:.2} |", place.mean));
        let beats = match (course.player, course.beats_rule_after) {
            (Player::Rule, _) => "—".to_owned(),
            (_, None) => "no".to_owned(),
            (_, Some(queries)) => format!("after {queries}"),
        };
        let _ = writeln!(
            out,
            "| {} |{} {:.1} % | {beats} |",
            course.player.name(),
            numbers.collect::<String>(),
            100.0 * course.success
        );
    }
}

/// Whether a player beats the rule, and after how many queries.
fn sentence(out: &mut String, courses: &[Course], player: Player) {
    let of = |player| courses.iter().find(|course| course.player == player);
    let end = |course: &Course| course.places.last().copied();
    let (Some(own), Some(rule)) = (of(player), of(Player::Rule)) else {
        return;
    };
    let (Some(own_end), Some(rule_end)) = (end(own), end(rule)) else {
        return;
    };
    let name = player.name();
    let _ = match own.beats_rule_after {
        Some(queries) => writeln!(
            out,
            "- {name}: beats the hand rule after {queries} queries; at the end by {:.2} a query.",
            own_end.mean - rule_end.mean
        ),
        None => writeln!(
            out,
            "- {name}: does not beat the hand rule within {} queries; at the end it is {:.2} a query behind.",
            own_end.queries,
            rule_end.mean - own_end.mean
        ),
    };
}

fn estimates(out: &mut String, judged: &[Judged]) {
    out.push_str(
        "| log | policy | truth | replay | SNIPS | doubly robust | effective sample size | verdicts: better, worse, undecided, none |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for one in judged {
        let [better, worse, undecided] = one.verdicts;
        let none = one.worlds - better - worse - undecided;
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {} | {} | {} | {:.0} | {better}, {worse}, {undecided}, {none} |",
            one.logging.name(),
            one.player.name(),
            one.truth,
            told(&one.replay),
            told(&one.snips),
            told(&one.doubly_robust),
            one.effective,
        );
    }
}

fn told(told: &Told) -> String {
    match told.seeds {
        0 => "too few".to_owned(),
        seeds => format!(
            "{:.2} ({:+.1} %, {seeds} worlds)",
            told.value,
            100.0 * told.bias
        ),
    }
}
