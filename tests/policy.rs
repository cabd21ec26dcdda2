//! What metrex can learn about how queries are best answered: figures, the simulator, and what a log tells of a policy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use metrex::learn::policy::curve::{Course, Player, courses};
use metrex::model::{Algorithm, NoveltyPays, OptimisationPays};
use metrex::registry::{Config, delivered_policy};
use metrex::session::Simulation;

/// What `metrex policy simulate` makes of fewer queries: the curves begin as in the documented run, the estimates are the same.
static BEGIN: LazyLock<Simulation> =
    LazyLock::new(|| Simulation::of(&delivered_policy().reward, 5, 1000));

fn config(text: &str) -> Config {
    Config::read(text, Path::new(".")).unwrap()
}

#[test]
fn a_project_that_says_nothing_has_the_delivered_figures() {
    let policy = config("").policy;
    assert_eq!(policy, delivered_policy());
    assert_eq!(
        (policy.algorithm, policy.explore),
        (Algorithm::Bandit, true)
    );
    let table = policy.reward;
    let times = (table.under_1s, table.under_5s, table.over_60s);
    let rows = (table.some_rows, table.no_rows, table.many_rows);
    assert_eq!((table.success, table.failure), (10.0, -5.0));
    assert_eq!((times, rows), ((5.0, 2.0, -3.0), (2.0, -1.0, -2.0)));
    assert_eq!((table.optimisation, table.novelty), (3.0, 5.0));
    assert_eq!(table.optimisation_pays, OptimisationPays::Faster);
    assert_eq!(table.novelty_pays, NoveltyPays::Confirmed);
}

#[test]
fn a_project_can_say_what_an_answer_is_worth() {
    let text = "policy:\n  algorithm: ppo\n  explore: false\n  reward: {success: 20, over_60s: -9.5, novelty_pays: always}\n";
    let policy = config(text).policy;
    assert_eq!(
        (policy.reward.success, policy.reward.over_60s),
        (20.0, -9.5)
    );
    assert_eq!(policy.reward.novelty_pays, NoveltyPays::Always);
    assert_eq!(policy.reward.failure, -5.0);
    assert_eq!((policy.algorithm, policy.explore), (Algorithm::Ppo, false));
}

#[test]
fn a_word_that_is_no_algorithm_is_refused_with_those_that_are() {
    let text = "policy: {algorithm: sarsa}\n";
    let problems = Config::read(text, Path::new(".")).unwrap_err();
    let said = problems[0].to_string();
    assert!(
        said.contains("metrex.yaml:1") && said.contains("bandit"),
        "{said}"
    );
}

fn of(courses: &[Course], player: Player) -> &Course {
    courses
        .iter()
        .find(|course| course.player == player)
        .unwrap()
}

#[test]
fn in_the_simulator_the_bandit_beats_the_rule_and_nobody_the_oracle() {
    let courses = courses(&delivered_policy().reward, 3, 3000);
    let last = |player: Player| of(&courses, player).places.last().unwrap().mean;
    assert!(last(Player::Bandit) > last(Player::Rule));
    assert!(last(Player::Careful) > last(Player::Rule));
    assert!(last(Player::Ppo) > last(Player::Uniform));
    for player in Player::ALL {
        assert!(last(player) <= last(Player::Oracle), "{}", player.name());
    }
}

#[test]
fn held_to_the_rule_where_it_is_not_sure_it_never_does_much_worse() {
    for courses in [&BEGIN.own, &BEGIN.original] {
        let places = of(courses, Player::Careful).places.iter();
        let places = places.zip(&of(courses, Player::Rule).places);
        for (careful, rule) in places.filter(|(careful, _)| careful.queries >= 250) {
            assert!(careful.mean > rule.mean - 0.5, "{careful:?} {rule:?}");
        }
    }
}

/// 2,000 queries: on average over seeds the estimates are within 5 % of the truth.
#[test]
fn what_a_log_tells_of_a_policy_is_the_known_truth() {
    assert_eq!(BEGIN.judged.len(), 6);
    let mut said = 0;
    for judged in &BEGIN.judged {
        for told in [judged.snips, judged.doubly_robust, judged.replay] {
            if told.seeds >= 3 {
                said += 1;
                assert!(told.bias.abs() < 0.05, "{judged:?}");
            }
        }
    }
    // Replay needs what was left to chance, of which a log with few trials has too little for some.
    assert!(said >= 12, "{:?}", BEGIN.judged);
}

#[test]
fn chance_is_found_worse_than_the_rule_and_the_rule_never_better_than_itself() {
    let mut found = 0;
    for judged in &BEGIN.judged {
        let [better, worse, _] = judged.verdicts;
        match judged.player {
            Player::Rule => assert_eq!((better, worse), (0, 0)),
            Player::Uniform => {
                assert_eq!(better, 0, "{judged:?}");
                found += worse;
            }
            _ => {}
        }
    }
    assert!(found > 0);
}

/// The cells of the rows of all tables.
fn cells(text: &str) -> Vec<Vec<&str>> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("after 100"));
    rows.map(|row| row.split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn the_documented_tables_are_what_the_command_gives() {
    let documented = include_str!("../docs/learning.md");
    let begin = documented.find("Mean reward of the last 250 queries, over 5 worlds of 4000");
    let documented = cells(&documented[begin.unwrap()..]);
    let markdown = BEGIN.markdown();
    let now = cells(&markdown);
    assert_eq!(documented.len(), now.len());
    for (documented, now) in documented.iter().zip(&now) {
        // Name and the numbers after 100, 300 and 1,000 queries; of estimates all.
        let same = match now.len() {
            10 => 10,
            _ => 5,
        };
        assert_eq!(
            documented[..same],
            now[..same],
            "run `metrex policy simulate` again"
        );
    }
}

#[test]
fn the_command_prints_the_tables_and_draws_the_curves() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let path = folder.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
        command.args([
            "policy",
            "simulate",
            "--seeds",
            "1",
            "--queries",
            "100",
            "--chart",
        ]);
        command.arg(&path).env("METREX_STATE_DIR", folder.path());
        let output = command.output().unwrap();
        (output, std::fs::read(path).ok())
    };
    let (output, svg) = run("curves.svg");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("over 1 worlds of 100 queries") && said.contains("hand rule"),
        "{said}"
    );
    let svg = String::from_utf8(svg.unwrap()).unwrap();
    assert_eq!(svg.matches("<polyline").count(), Player::ALL.len());
    assert!(run("curves.png").1.unwrap().starts_with(b"\x89PNG"));
    let (refused, none) = run("curves.txt");
    assert_eq!((refused.status.code(), none), (Some(2), None));
}
