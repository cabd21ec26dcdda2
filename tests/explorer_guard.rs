//! Never a wrong number, never a run that nobody was asked about, never a text that is lost.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/duckdb.rs"]
mod duckdb;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/explorer.rs"]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::date;
use metrex::session::cell::raw_json;
use metrex::session::{Answer, OpenOptions, RunOptions, Session};
use metrex::tui::popup::Popup;
use metrex::tui::widgets::grid::Grid;
use metrex::tui::{Effect, Message, Notice};
use pty::{Pty, command};
use support::Explorer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn said(explorer: &Explorer) -> String {
    match &explorer.state.notice {
        Some(Notice::Info(text) | Notice::Error(text)) => text.clone(),
        None => String::new(),
    }
}

/// The rows of a query.
fn result(line: &str) -> Explorer {
    let mut explorer = Explorer::new(120, 30);
    explorer.keys(&format!("<F2><Ctrl+U>{line}<Enter>"));
    assert!(
        explorer.state.result.grid.is_some(),
        "{}",
        explorer.screen()
    );
    explorer
}

const FACTS: &str = "
datasets:
  facts:
    table: facts
    key: id
    time: day
    dimensions: {kind: {}, region: {}, day: {type: time}}
metrics:
  facts: {label: Facts, base_table: facts, agg: count}
  amount: {label: Amount, base_table: facts, agg: sum, expr: id}
";

const ROWS: &str = "CREATE TABLE facts AS SELECT i AS id, 'k' || (i % 3) AS kind, 'r' || (i % 2) AS region, \
    DATE '2026-11-01' + CAST(i % 18 AS INTEGER) AS day FROM generate_series(1, 30000) AS s(i)";

/// An explorer on a connection that asks above few rows, with the rows of a query after a yes.
fn careful(line: &str) -> Option<Explorer> {
    let library = duckdb::library()?;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts.duckdb");
    duckdb::execute(&path, ROWS);
    let project = folder.path().join("shop");
    std::fs::create_dir_all(project.join("metrics")).unwrap();
    let (path, library) = (path.display(), library.display());
    std::fs::write(
        project.join("metrex.yaml"),
        format!(
            "connections:\n  prod: {{type: duckdb, path: {path}, library: {library}, ask_above_rows: 100, row_cap: 4}}\n"
        ),
    )
    .unwrap();
    std::fs::write(project.join("metrics/facts.yaml"), FACTS.trim_start()).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(project),
        today: Some(date(2026, 11, 20)),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap();
    let mut explorer = Explorer::over(session, folder, 100, 30);
    explorer.keys(&format!("<F2><Ctrl+U>{line}<Enter>"));
    assert!(
        explorer.state.result.grid.is_none(),
        "nothing has run:\n{}",
        explorer.screen()
    );
    asked(&mut explorer, "y");
    assert!(explorer.state.result.grid.is_some());
    Some(explorer)
}

/// What looks expensive is asked about; the answer is given.
fn asked(explorer: &mut Explorer, answer: &str) {
    assert_shows!(explorer, "than the 100 that prod asks above. Run it?");
    explorer.keys(answer);
    assert!(
        !explorer.screen().contains("Run it?"),
        "{}",
        explorer.screen()
    );
}

#[test]
fn a_run_is_asked_about_with_its_total() {
    let Some(mut explorer) = careful("facts by kind with total") else {
        return;
    };
    assert_shows!(explorer, "Total", "30,000");
    // What is kept costs nothing.
    explorer.keys("<F5>");
    assert_shows!(explorer, "from the cache");
    explorer.act("refresh");
    asked(&mut explorer, "n");
    assert_shows!(explorer, "F5 runs");
}

#[test]
fn subtotals_totals_and_trends_are_asked_about() {
    let Some(mut explorer) = careful("facts by region, kind where kind in (k0, k1)") else {
        return;
    };
    explorer.keys("<z t>");
    assert!(
        !explorer
            .state
            .result
            .grid
            .as_ref()
            .unwrap()
            .wants_subtotals()
    );
    asked(&mut explorer, "n");
    assert!(
        !explorer
            .state
            .result
            .grid
            .as_ref()
            .unwrap()
            .wants_subtotals()
    );
    explorer.keys("<z t>");
    asked(&mut explorer, "y");
    assert!(
        explorer
            .state
            .result
            .grid
            .as_ref()
            .unwrap()
            .wants_subtotals()
    );
    explorer.keys("<z t><z l>");
    asked(&mut explorer, "y");
    assert!(said(&explorer).contains("whole"), "{}", said(&explorer));
    explorer.keys("<z l><Right><z p>");
    assert!(explorer.state.result.grid.as_ref().unwrap().is_pivoted());
    explorer.keys("<z t>");
    asked(&mut explorer, "y");
    assert!(
        said(&explorer).contains("not added up"),
        "{}",
        said(&explorer)
    );
}

#[test]
fn looks_behind_a_number_are_asked_about() {
    let Some(mut explorer) = careful("facts by region, kind where kind in (k0, k1)") else {
        return;
    };
    explorer.keys("r");
    asked(&mut explorer, "y");
    assert_shows!(explorer, "Rows behind facts", "the number itself");
    explorer.keys("<Esc>r");
    // Its rows are kept; another number's are not.
    explorer.keys("<Esc><Down>r");
    asked(&mut explorer, "n");
    assert_shows!(explorer, "more than the 100 that prod");
    explorer.keys("<Esc>E");
    asked(&mut explorer, "y");
    assert_shows!(explorer, "Computed from", "facts = ");
}

#[test]
fn numbers_of_a_draft_are_asked_about() {
    let Some(mut explorer) = careful("amount by region") else {
        return;
    };
    explorer.keys("A<Ctrl+End>  # a remark<F5>");
    asked(&mut explorer, "n");
    assert_shows!(explorer, "more than the 100 that prod asks above.");
}

#[test]
fn all_rows_for_a_file_are_asked_about() {
    let Some(mut explorer) = careful("facts by day last 10 days") else {
        return;
    };
    let file = explorer.folder.path().join("all.csv");
    explorer.keys(&format!("W<Ctrl+U>{}<Tab><Enter>", file.display()));
    asked(&mut explorer, "n");
    assert!(!file.exists());
    explorer.keys("<Enter>");
    asked(&mut explorer, "y");
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.lines().count(), 11, "{text}");
}

#[test]
fn news_reach_the_tab_that_asked() {
    let mut explorer = result("gmv by market, channel last 6 months");
    explorer.hold = true;
    explorer.keys("<z t>r<Ctrl+PageDown><w d>");
    let asked = explorer.held.len();
    assert!(asked > 1);
    explorer.keys("<Esc><Esc>");
    explorer.act("tab.duplicate");
    let here = explorer.state.tabs.at();
    assert_eq!(here, 1);
    explorer.hold = false;
    explorer.release();
    assert!(explorer.state.popups.is_empty());
    assert!(!said(&explorer).contains("subtotal"), "{}", said(&explorer));
}

#[test]
fn rows_behind_a_number_wait_in_their_tab() {
    let mut explorer = result("gmv by market last 6 months");
    explorer.act("tab.duplicate");
    explorer.hold = true;
    explorer.keys("r<Ctrl+PageDown>");
    let first = explorer.state.tabs.at();
    explorer.keys("<Down>r");
    let looks = explorer
        .held
        .iter()
        .filter(|effect| matches!(effect, Effect::Look { .. }));
    assert_eq!(looks.count(), 2);
    assert!(
        !explorer
            .held
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(_))),
        "neither ends the other"
    );
    explorer.hold = false;
    explorer.release();
    assert_shows!(explorer, "Rows behind gmv · market", "the number itself");
    let here = explorer.screen();
    explorer.keys("<Ctrl+PageDown>");
    assert_ne!(explorer.state.tabs.at(), first);
    assert_shows!(explorer, "Rows behind gmv · market", "the number itself");
    assert_ne!(explorer.screen(), here);
    explorer.keys("<Esc>");
    assert_eq!(
        explorer.state.looks.len(),
        1,
        "the other window is still there"
    );
}

#[test]
fn a_question_of_another_tab_is_asked_there() {
    let Some(mut explorer) = careful("facts by kind") else {
        return;
    };
    explorer.hold = true;
    explorer.act("refresh");
    explorer.act("tab.new");
    explorer.hold = false;
    explorer.release();
    assert!(explorer.state.popups.is_empty());
    assert_shows!(explorer, "?facts by kind");
    explorer.keys("<Ctrl+PageUp>");
    asked(&mut explorer, "y");
    assert_shows!(explorer, "10,000");
}

#[test]
fn a_letter_that_was_meant_for_a_text_is_no_yes() {
    let Some(mut explorer) = careful("facts by kind") else {
        return;
    };
    explorer.hold = true;
    explorer.act("refresh");
    explorer.keys("<F2>");
    explorer.hold = false;
    explorer.release();
    explorer.keys("y");
    assert!(explorer.state.popups.is_empty());
    assert!(explorer.state.prompt.typing && explorer.state.prompt.input.text().ends_with('y'));
    assert!(!explorer.state.result.is_running());
}

#[test]
fn lookups_of_two_tabs_do_not_take_each_others_place() {
    let mut explorer = result("gmv by market last 6 months");
    explorer.hold = true;
    let mut tabs = Vec::new();
    for _ in 0..2 {
        explorer.keys("s");
        tabs.extend(explorer.held.iter().filter_map(|effect| match effect {
            Effect::Lookup { tab, .. } => Some(*tab),
            _ => None,
        }));
        explorer.held.clear();
        explorer.act("tab.duplicate");
    }
    assert_ne!(tabs.first(), tabs.last());
}

/// The answer to a query line.
fn answer(explorer: &Explorer, line: &str) -> Answer {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let query = line.parse().unwrap();
    let run = explorer
        .session
        .answer(&query, RunOptions::default(), CancellationToken::new());
    runtime.block_on(run).unwrap()
}

/// The numbers of a column of an answer.
fn numbers(answer: &Answer, name: &str) -> Vec<f64> {
    let at = answer.columns.iter().position(|column| column.name == name);
    let at = at.unwrap();
    let cells = answer.batches.iter().flat_map(|batch| {
        let array = batch.column(at).clone();
        (0..batch.num_rows()).map(move |row| raw_json(array.as_ref(), row).as_f64().unwrap())
    });
    cells.collect()
}

/// The numbers of a column on the screen.
fn column(grid: &Grid, name: &str) -> Vec<f64> {
    let table = grid.table();
    let mut names = table.columns().iter();
    let at = names.position(|column| column.name == name);
    let at = at.unwrap_or_else(|| panic!("no column {name}"));
    (0..table.rows())
        .map(|row| {
            let (array, row) = table.cell(row, at).unwrap();
            raw_json(array, row).as_f64().unwrap()
        })
        .collect()
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

#[test]
fn totals_of_a_pivoted_result_are_computed_and_not_added_up() {
    let mut explorer = result("gmv, aov by market, channel last 6 months");
    explorer.keys("<Right><z p>");
    assert!(
        said(&explorer).contains("z t adds totals"),
        "{}",
        said(&explorer)
    );
    let before = explorer
        .state
        .result
        .grid
        .as_ref()
        .unwrap()
        .shown_columns()
        .len();
    explorer.keys("<z t>");
    let rows = answer(&explorer, "gmv, aov by market last 6 months");
    let columns = answer(&explorer, "gmv, aov by channel last 6 months");
    let all = answer(&explorer, "gmv, aov by none last 6 months");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    for metric in ["gmv", "aov"] {
        let found = column(grid, &format!("{metric} total"));
        assert_eq!(sorted(found), sorted(numbers(&rows, metric)));
    }
    // The row below is as people read it, without blanks.
    explorer.tell(Message::Resize(ratatui::layout::Size::new(250, 30)));
    let screen = explorer.screen();
    let total = screen
        .lines()
        .rev()
        .find(|line| line.contains("Total"))
        .unwrap();
    let money = |x: f64, decimals: usize| {
        let text = format!("{x:.decimals$}");
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let whole = metrex::model::thousands(whole.parse().unwrap());
        if rest.is_empty() {
            format!("${whole}")
        } else {
            format!("${whole}.{rest}")
        }
    };
    for answer in [&columns, &all] {
        for (metric, decimals) in [("gmv", 0), ("aov", 2)] {
            for number in numbers(answer, metric) {
                let number = money(number, decimals);
                assert!(
                    total.contains(&number),
                    "{number} is not in: {total}\n{screen}"
                );
            }
        }
    }
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.shown_columns().len(), before + 2);
    let names: Vec<_> = grid
        .shown_columns()
        .iter()
        .map(|&at| grid.table().columns()[at].name.clone())
        .collect();
    let at = |name: &str| names.iter().position(|known| known == name).unwrap();
    assert!(
        at("gmv total") < at("aov total") - 1,
        "each behind its own columns: {names:?}"
    );
    // A total has no row behind it.
    explorer.keys("<z t>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.shown_columns().len(), before);
    assert!(
        !explorer.screen().contains("Total"),
        "{}",
        explorer.screen()
    );
}

#[test]
fn totals_that_would_mislead_are_refused_with_the_reason() {
    for (line, why) in [
        (
            "gmv by market, channel last 6 months top 3",
            "the limit leaves rows out",
        ),
        (
            "gmv by market, channel where gmv > 100 last 6 months",
            "no totals",
        ),
    ] {
        let mut explorer = result(line);
        explorer.keys("<z p><z t>");
        assert!(said(&explorer).contains(why), "{line}: {}", said(&explorer));
    }
    let mut explorer = result("gmv by market, channel last 6 months");
    explorer.keys("&ID<Enter><z p><z t>");
    assert!(
        said(&explorer).contains("a filter hides rows"),
        "{}",
        said(&explorer)
    );
}

#[test]
fn a_total_row_is_not_shown_below_filtered_rows() {
    let mut explorer = result("gmv by market with total last 6 months");
    assert_shows!(explorer, "Total");
    explorer.keys("&ID<Enter>");
    assert!(
        !explorer.screen().contains("│Total"),
        "{}",
        explorer.screen()
    );
    explorer.keys("<Esc>");
    assert_shows!(explorer, "Total");
}

#[test]
fn subtotals_of_a_result_with_every_period_have_no_periods() {
    let mut explorer = result("gmv by market, month last 6 months every period");
    explorer.keys("<z t>");
    assert!(
        explorer
            .state
            .result
            .grid
            .as_ref()
            .unwrap()
            .wants_subtotals(),
        "{}",
        said(&explorer)
    );
}

#[test]
fn a_query_with_a_total_is_pivoted_with_totals_and_runs_again_pivoted() {
    let mut explorer = result("gmv by market, channel with total last 6 months");
    explorer.keys("<Right><z p>");
    assert!(
        said(&explorer).contains("not added up"),
        "{}",
        said(&explorer)
    );
    explorer.keys("<Ctrl+R>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert!(grid.is_pivoted());
    assert!(
        said(&explorer).contains("not added up"),
        "{}",
        said(&explorer)
    );
}

#[test]
fn what_is_shown_of_a_tab_is_shown_at_the_next_start() {
    let mut explorer = result("gmv, aov by market, channel last 6 months");
    explorer.keys("<Right><Right><Right><z h><Left><z m><Left>");
    explorer.act("chart");
    explorer.keys("<w n><F2>visits by device last 3 months<Enter><z p>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert!(grid.is_pivoted());
    explorer.end();
    let mut explorer = explorer.start_again(120, 30);
    explorer.keys("<F5>");
    assert!(
        explorer.state.result.grid.as_ref().unwrap().is_pivoted(),
        "{}",
        explorer.screen()
    );
    explorer.keys("<Ctrl+PageUp><F5>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.hidden(), 1);
    assert_eq!(
        explorer.state.result.chart.shown,
        metrex::tui::charting::Shown::Beside
    );
}

#[test]
fn a_group_that_has_no_room_to_be_frozen_stays_in_sight() {
    let mut explorer = result("gmv, aov by market, channel last 6 months");
    explorer.keys("<Right>>>>>>>>>>>>><Left>");
    explorer.tell(Message::Resize(ratatui::layout::Size::new(62, 24)));
    assert_shows!(explorer, "market", "channel", "gmv");
}

#[test]
fn subtotals_that_come_after_a_pivot_are_its_totals() {
    let mut explorer = result("gmv by market, channel last 6 months");
    explorer.hold = true;
    explorer.keys("<z p><z t>");
    // The rows are pivoted first.
    explorer.hold = false;
    explorer.release();
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert!(grid.is_pivoted() && !grid.wants_subtotals() && !grid.table().has_subtotals());
    assert!(
        said(&explorer).contains("not added up"),
        "{}",
        said(&explorer)
    );
    assert_eq!(column(grid, "total").len(), 3 + 1);
}

#[test]
fn a_copy_of_a_tab_waits_for_nothing_that_the_tab_waits_for() {
    let mut explorer = result("gmv by market, channel last 6 months");
    explorer.act("chart");
    explorer.hold = true;
    explorer.keys("<z t><Down>&ID<Enter>");
    explorer.act("tab.duplicate");
    explorer.hold = false;
    explorer.release();
    assert!(explorer.state.result.beside.is_none());
    assert_eq!(explorer.state.result.filter.text(), "");
    assert!(explorer.state.result.chart.drawn.is_some());
}

#[test]
fn a_run_that_fails_keeps_the_pivot_for_the_next_one() {
    let mut explorer = result("gmv by market, channel last 6 months");
    explorer.keys("<Right><z p>");
    let database = explorer.folder.path().join("shop/shop.db");
    let away = database.with_extension("away");
    std::fs::rename(&database, &away).unwrap();
    explorer.act("refresh");
    assert_shows!(explorer, "there is no database file");
    explorer.act("refresh");
    std::fs::rename(&away, &database).unwrap();
    explorer.act("refresh");
    assert!(explorer.state.result.grid.as_ref().unwrap().is_pivoted());
}

// What is typed.

fn file(explorer: &Explorer) -> String {
    let path = explorer.folder.path().join("shop/metrics/shop.yaml");
    std::fs::read_to_string(path).unwrap()
}

fn typed(explorer: &Explorer) -> Option<String> {
    explorer.state.popups.iter().find_map(|popup| match popup {
        Popup::Author(author) => Some(author.text()),
        _ => None,
    })
}

#[test]
fn what_was_typed_is_offered_when_the_file_is_opened_again() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>A# mine");
    let text = typed(&explorer).unwrap();
    let mut explorer = explorer.start_again(80, 24);
    explorer.keys("gmv<Enter>A");
    assert_shows!(explorer, "A draft of metrics/shop.yaml from ", "n drops it");
    explorer.keys("<Esc>");
    assert!(
        explorer.state.popups.is_empty(),
        "nothing can be typed over it"
    );
    explorer.keys("Ay");
    assert_eq!(typed(&explorer).unwrap(), text);
    assert_shows!(explorer, "# mine", "not saved");
    assert!(!file(&explorer).contains("# mine"));
    explorer.keys("<F7>");
    assert!(file(&explorer).contains("# mine"));
    explorer.keys("<Esc><Esc>A");
    assert!(
        !explorer.screen().contains("A draft of"),
        "{}",
        explorer.screen()
    );
}

#[test]
fn a_draft_that_is_dropped_is_gone() {
    for drop in ["<Esc><Esc>y", "<Esc><Esc>nn<Ctrl+C><Ctrl+C>"] {
        let mut explorer = Explorer::new(80, 24);
        explorer.keys("gmv<Enter>A# mine");
        explorer.keys(drop);
        let was_dropped = drop.ends_with('y');
        let mut explorer = explorer.start_again(80, 24);
        explorer.keys("gmv<Enter>A");
        assert_eq!(explorer.screen().contains("A draft of"), !was_dropped);
        explorer.keys(if was_dropped { "" } else { "n" });
        assert_eq!(typed(&explorer).unwrap(), file(&explorer));
        let mut explorer = explorer.start_again(80, 24);
        explorer.keys("gmv<Enter>A");
        assert!(!explorer.screen().contains("A draft of"));
    }
}

#[test]
fn a_draft_of_a_file_that_changed_is_not_saved_over_it_without_a_yes() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>A# mine");
    let path = explorer.folder.path().join("shop/metrics/shop.yaml");
    let other = file(&explorer).replace("Orders placed.", "Orders that were placed.");
    std::fs::write(&path, &other).unwrap();
    let mut explorer = explorer.start_again(80, 24);
    explorer.keys("gmv<Enter>A");
    assert_shows!(explorer, "The file has changed");
    explorer.keys("y<F7>");
    assert_shows!(explorer, "Write over it?");
    assert_eq!(file(&explorer), other);
}

#[test]
fn a_run_leaves_the_text_that_is_typed_where_it_is() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>A# mine");
    explorer.state.run_when_ready = true;
    explorer.tell(Message::Prepared(Ok(())));
    assert!(typed(&explorer).unwrap().contains("# mine"));
}

/// The program on the shop's project, in the folder of an earlier run.
fn program(folder: TempDir) -> Pty {
    let project = folder.path().join("shop");
    let state = folder.path().join("state");
    let program = Path::new(env!("CARGO_BIN_EXE_metrex"));
    let command = command(program, &project, &state, &[]);
    Pty::run(24, 80, command, folder)
}

fn drafts(state: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(state).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(drafts(&path));
        } else if state.ends_with("unsaved") {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_was_typed_outlives_the_program() {
    let folder = TempDir::new().unwrap();
    support::project(&folder.path().join("shop"));
    let mut folder = Some(folder);
    for (signal, wait) in [("-TERM", 0), ("-HUP", 0), ("-KILL", 1500)] {
        let mut pty = program(folder.take().unwrap());
        pty.shows("Commerce");
        pty.send("gmv");
        pty.shows("Cancelled orders do not count");
        pty.send("\rA");
        pty.shows("metrics/shop.yaml");
        pty.send(&format!("# kept{signal}"));
        pty.shows(&format!("# kept{signal}"));
        std::thread::sleep(Duration::from_millis(wait));
        pty.signal(signal);
        pty.ends();
        let kept = std::mem::replace(&mut pty.folder, TempDir::new().unwrap());
        let [draft] = drafts(&kept.path().join("state")).try_into().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&draft), 0o600);
        assert_eq!(mode(draft.parent().unwrap()), 0o700);
        let mut pty = program(kept);
        pty.shows("Commerce");
        pty.send("gmv");
        pty.shows("Cancelled orders do not count");
        pty.send("\rA");
        pty.shows("y yes");
        pty.send("y");
        pty.shows(&format!("# kept{signal}"));
        // Dropped on purpose.
        pty.send("\x1b");
        std::thread::sleep(Duration::from_millis(300));
        pty.send("q");
        pty.shows("y yes");
        pty.send("y");
        pty.shows("Result");
        pty.send("\x03\x03");
        pty.ends();
        let kept = std::mem::replace(&mut pty.folder, TempDir::new().unwrap());
        assert!(drafts(&kept.path().join("state")).is_empty());
        folder = Some(kept);
    }
}
