//! Keys of the explorer: two after each other, and those that the configurations change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use metrex::tui::state::Focus;
use metrex::tui::{Depth, Message};
use ratatui::layout::Size;
use support::Explorer;

/// On a small screen, with `keys:` of the project and of the user.
fn with_keys(project: &str, user: &str) -> Explorer {
    let keys = |keys: &str| match keys {
        "" => String::new(),
        keys => format!("keys: {keys}\n"),
    };
    Explorer::configured(80, 24, Depth::None, &keys(project), &keys(user))
}

fn problems(explorer: &Explorer) -> Vec<String> {
    let problems = explorer.state.problems.iter();
    problems.map(ToString::to_string).collect()
}

#[test]
fn the_first_of_two_keys_opens_a_box_of_what_may_follow() {
    let mut explorer = with_keys("{group: b g, filter: b f, query.clear: b X}", "");
    assert_eq!(problems(&explorer), Vec::<String>::new());
    explorer.keys("<Esc>b");
    let screen = explorer.screen();
    assert_shows!(explorer, "b …", "Esc closes");
    assert_shows!(explorer, "g  Group by a dimension or a time grain");
    assert_shows!(
        explorer,
        "f  Filter by values of a dimension (choose a metric or a grouping first)"
    );
    assert!(screen.contains("F1 help"), "the footer stays: {screen}");
    explorer.keys("g");
    assert_shows!(explorer, "Distinct values of");
}

#[test]
fn the_box_closes_and_other_keys_do_nothing() {
    let mut explorer = with_keys("{group: b g}", "");
    let before = explorer.keys("<Esc>").screen();
    explorer.keys("b<Esc>");
    assert_eq!(explorer.screen(), before);
    explorer.keys("bq");
    assert!(!explorer.ended);
    assert_shows!(explorer, "b q means nothing here");
    explorer.keys("b<F1>");
    assert_shows!(explorer, "Help");
    explorer.keys("<Esc>b<Ctrl+C>");
    assert_shows!(explorer, "Ctrl+C again quits");
    // A key between the two is no second Ctrl+C in a row.
    explorer.keys("b<Ctrl+C>");
    assert!(!explorer.ended);
    explorer.keys("<Ctrl+C>");
    assert!(explorer.ended);
}

#[test]
fn the_ways_in_the_box_can_be_clicked() {
    let mut explorer = with_keys("{theme: b t}", "");
    explorer.keys("<Esc>b").click("Switch the theme");
    assert_shows!(explorer, "Themes", "light");
}

#[test]
fn a_key_that_is_let_go_is_not_pressed_once_more() {
    let mut explorer = Explorer::new(80, 24);
    for kind in [KeyEventKind::Press, KeyEventKind::Release] {
        let key = KeyEvent::new_with_kind(KeyCode::Char('g'), KeyModifiers::NONE, kind);
        explorer.tell(Message::Key(key));
    }
    assert_eq!(explorer.search().text(), "g");
}

#[test]
fn while_text_is_typed_the_first_of_two_keys_is_text() {
    let mut explorer = with_keys("{group: b g}", "");
    explorer.keys("b");
    assert_eq!(explorer.search().text(), "b");
}

#[test]
fn the_configurations_change_keys_and_the_users_goes_before_the_projects() {
    let mut explorer = with_keys(
        "{time: Alt+t, run: [F7, Ctrl+G], query.clear: none}",
        "{time: b}",
    );
    assert_eq!(problems(&explorer), Vec::<String>::new());
    explorer.keys("gmv<Enter>Xb");
    assert_eq!(explorer.line(), "gmv", "X is no key any more");
    assert_shows!(explorer, "Time range");
    explorer.keys("<Esc>t<F5>");
    assert_eq!(explorer.state.focus, Focus::Query, "F5 is no key any more");
    assert_shows!(explorer, "F5 means nothing here");
    explorer.keys("<Left>");
    assert_shows!(explorer, "F7 runs", "b time");
    explorer.keys("<Ctrl+G>");
    assert_eq!(explorer.state.focus, Focus::Result);
    explorer.keys("<Ctrl+P>clear");
    assert_shows!(explorer, "Clear the query");
}

#[test]
fn what_is_wrong_with_keys_is_said_with_its_place_and_nothing_breaks() {
    let mut explorer = with_keys(
        "\n  groop: b\n  time: Ctrl+Foo\n  filter: {a: b}\n  order: v\n  views: v\n  run: x\n  quit: Esc\n  copy: [Ctrl+S, y]",
        "\n  line: [F2]\n  line: F9",
    );
    let problems = problems(&explorer).join("\n");
    for (place, text) in [
        (6, "there is no action 'groop' — did you mean 'group'?"),
        (7, "'Ctrl+Foo' is no key"),
        (8, "'filter' needs a key, or a list of keys"),
        (9, "'order' takes v from 'compare'"),
        (10, "v is the key of 'order' (metrex.yaml:9)"),
        (11, "'x' is typed into the text where 'run' applies"),
        (12, "Esc closes and steps back, and nothing else"),
        (13, "Ctrl+S stops the output of many terminals"),
    ] {
        let place = format!("metrex.yaml:{place}:");
        assert!(
            problems
                .lines()
                .any(|line| line.starts_with(&place) && line.contains(text)),
            "{place} {text} is not among\n{problems}"
        );
    }
    assert!(
        problems.contains("config.yaml:3:3: warning: 'line' stands twice, first at line 2"),
        "{problems}"
    );
    explorer.keys("<Esc>P");
    assert_shows!(explorer, "there is no action 'groop'");
    // What was given no usable key keeps its own.
    explorer.keys("<Esc>/gmv<Enter>t");
    assert_shows!(explorer, "Time range");
}

#[test]
fn a_key_that_hides_the_only_one_of_another_action_is_reported() {
    // In the result, s sorts; in all panes, g groups. F5 is not the only key that runs.
    let explorer = with_keys("\n  sort: g\n  filter: F5\n  json.fold_all: j", "");
    let said = problems(&explorer);
    assert_eq!(said.len(), 1, "{said:?}");
    let text = "metrex.yaml:6:3: warning: 'sort' hides g, the only key of 'group' (Result)";
    assert!(said[0].starts_with(text), "{}", said[0]);
    let explorer = with_keys("{sort: g, group: [g, b]}", "");
    assert_eq!(problems(&explorer), Vec::<String>::new());
}

#[test]
fn the_key_that_leads_to_the_search_is_not_typed_into_it() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("/");
    assert!(explorer.search().is_empty());
    explorer.keys("a/b");
    assert_eq!(explorer.search().text(), "a/b");
    explorer.keys("<Ctrl+U>gmv<Enter><F5>//G/");
    assert_eq!(explorer.state.result.find.text(), "G/");
}

#[test]
fn the_help_is_searched_and_what_it_lists_is_done() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter><F1>");
    // What applies here comes first.
    assert_shows!(explorer, "Help", "Change this part of the query");
    explorer.keys("suspend");
    assert_shows!(
        explorer,
        "Suspend to the shell",
        "Ctrl+Z",
        "under keys: in the configuration is suspend"
    );
    explorer.keys("<Ctrl+U>F10");
    assert_shows!(explorer, "Menu");
    explorer.keys("<Ctrl+U>time range<Enter>");
    assert_shows!(explorer, "Time range", "last 7 days");
    explorer.keys("<Esc><F1>widen the col");
    assert_shows!(explorer, "(there is no result yet; F5");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "! there is no result yet");
    explorer.keys("<F1>exclude the value<Enter>");
    assert_shows!(explorer, "a key of another place: Values of a dimension");
    explorer.keys("<F1><F1>");
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn the_palette_shows_keys_and_reasons_and_what_was_used_last_comes_first() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Ctrl+P>");
    assert_shows!(explorer, "Query", "F5  Ctrl+R", "F4  a");
    explorer.keys("versus");
    assert_shows!(explorer, "choose a metric first");
    explorer.keys("<Esc><Ctrl+P>switch the theme<Enter><Esc><Ctrl+P>");
    let screen = explorer.screen();
    let at = |text: &str| screen.find(text).unwrap_or(usize::MAX);
    assert!(at("Used last") < at("Switch the theme"), "{screen}");
    assert!(at("Switch the theme") < at("Run the query"), "{screen}");
    assert_eq!(screen.matches("Switch the theme").count(), 1);
}

#[test]
fn the_menus_hold_every_command_and_say_what_cannot_be_done() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F10>");
    assert_shows!(
        explorer,
        " Query  Time  Result  Columns  View  Project  Explorer",
        "Group by a dimension or a time grain"
    );
    explorer.keys("ff<Down><Up>");
    assert_shows!(explorer, "choose a metric or a grouping first");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "! choose a metric or a grouping first");
    explorer.keys("<Left>q");
    assert_shows!(explorer, "Suspend to the shell");
    explorer.keys("<Enter>");
    assert!(explorer.ended);
}

#[test]
fn the_menus_take_the_mouse() {
    let mut explorer = Explorer::new(80, 24);
    explorer
        .click("metrex")
        .click("View")
        .click("Switch the theme");
    assert_shows!(explorer, "Themes");
    explorer.keys("<Esc><F10>");
    explorer.screen();
    let beside = explorer.hits.at(78, 20).unwrap();
    explorer.tell(Message::Click(beside));
    assert!(explorer.state.popups.is_empty(), "a click beside closes");
}

#[test]
fn every_menu_fits_a_small_screen() {
    for keys in [
        "<F10>",
        "<F10><Right>",
        "<F10><Right><Right>",
        "<F10><Left>",
        "<F10><Left><Left>",
    ] {
        let mut explorer = Explorer::new(60, 15);
        explorer.keys(keys).keys("<End><Up><Up><Down>");
        let screen = explorer.screen();
        assert!(
            screen.lines().all(|line| line.chars().count() <= 60),
            "{screen}"
        );
    }
}

#[test]
fn a_time_range_is_taken_from_the_calendar() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>tfrom<Enter>");
    assert_shows!(
        explorer,
        "First day",
        "today 2026-11-20",
        "November 2026",
        "2026-11-20 to …"
    );
    explorer.keys("<PageUp><Home><Enter>");
    assert_shows!(
        explorer,
        "Last day",
        "October 2026",
        "2026-10-01 to 2026-10-01 · 1 day "
    );
    explorer.keys("<Down><Right><Right>");
    assert_shows!(explorer, "2026-10-01 to 2026-10-10 · 10 days");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv 2026-10-01..2026-10-10");
}

#[test]
fn days_and_months_are_typed_into_the_calendar() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter><Ctrl+P>from a calendar<Enter>2026-0<Enter>");
    assert_shows!(explorer, "'2026-0' is no day");
    explorer.keys("3<Enter><Enter>");
    assert_eq!(explorer.line(), "gmv 2026-03-01..2026-03-31");
    explorer.keys("<Ctrl+P>from a calendar<Enter>2026-05-05<Enter><Backspace>");
    assert_shows!(explorer, "First day");
    explorer.keys("2026-05-07<Enter>2026-05-06<Enter>");
    assert_eq!(explorer.line(), "gmv 2026-05-06..2026-05-07");
}

#[test]
fn days_of_the_calendar_are_clicked() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter><Ctrl+P>from a calendar<Enter>");
    explorer
        .click(" 10 ")
        .click(" 10 ")
        .click(" 12 ")
        .click(" 12 ");
    assert_eq!(explorer.line(), "gmv 2026-11-10..2026-11-12");
}

#[test]
fn the_border_between_panes_is_dragged() {
    let mut explorer = Explorer::new(80, 24);
    let (x, y) = explorer.place_of("╮╭");
    let y = y + 3;
    let target = explorer.hits.at(x, y).unwrap();
    explorer.tell(Message::Click(target));
    explorer.tell(Message::Drag(50, y));
    explorer.tell(Message::Release);
    explorer.tell(Message::Drag(30, y));
    assert_eq!(explorer.place_of("╮╭").0, 49);
    // Neither pane goes away.
    explorer.tell(Message::Click(target));
    explorer.tell(Message::Drag(0, y));
    assert_eq!(explorer.place_of("╮╭").0, 19);
    explorer.keys("<Esc><w =>");
    assert_eq!(explorer.place_of("╮╭").0, x);
    explorer.keys("<w +><w +>2<w +>");
    assert_eq!(explorer.place_of("╮╭").0, x + 4);
    explorer.keys("5<w +>");
    assert_shows!(explorer, "this pane has the screen for itself");
}

#[test]
fn borders_keep_their_place_on_a_larger_screen() {
    let mut explorer = Explorer::new(120, 40);
    let (_, y) = explorer.place_of(" Result ");
    let target = explorer.hits.at(60, y).unwrap();
    explorer.tell(Message::Click(target));
    assert_eq!(
        explorer.state.focus,
        Focus::Result,
        "the title still gives the keys"
    );
    explorer.tell(Message::Drag(60, 25));
    assert_eq!(explorer.place_of(" Result ").1, 25);
    let height =
        |explorer: &mut Explorer| explorer.state.size.height - explorer.place_of("╭ Result ").1;
    let before = height(&mut explorer);
    explorer.tell(Message::Resize(Size::new(200, 60)));
    assert!(height(&mut explorer) > before);
}

#[test]
fn a_second_click_does_what_enter_does() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5><Right>");
    explorer.click("TH");
    assert!(explorer.state.popups.is_empty());
    explorer.click("TH");
    assert!(!explorer.state.popups.is_empty());
}

#[test]
fn a_hint_in_the_footer_is_clicked() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>").click("t time");
    assert_shows!(explorer, "Time range");
}

#[test]
fn pasted_values_are_included_and_what_is_unknown_is_said() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>fmarket<Enter>");
    explorer.tell(Message::Paste("th\r\nSG\nXX\n".to_owned()));
    assert_shows!(explorer, "2 pasted values included; there is no 'XX'");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv where market in (SG, TH)");
    explorer.keys("femail<Enter>");
    explorer.tell(Message::Paste("a@x.com\nb@x.com".to_owned()));
    explorer.keys("<Enter>");
    assert_eq!(
        explorer.line(),
        "gmv where market in (SG, TH) and email in ('a@x.com', 'b@x.com')"
    );
}

#[test]
fn every_text_takes_a_paste() {
    let mut explorer = Explorer::new(80, 24);
    explorer.tell(Message::Paste("gm\n".to_owned()));
    assert_eq!(explorer.search().text(), "gm");
    explorer.keys("v<Enter><Ctrl+P>");
    explorer.tell(Message::Paste("time range".to_owned()));
    assert_shows!(explorer, "Time range from a calendar");
    explorer.keys("<Ctrl+U>from a calendar<Enter>");
    explorer.tell(Message::Paste("2026-02\n".to_owned()));
    assert_shows!(explorer, "February 2026");
    explorer.keys("<Esc>");
    explorer.tell(Message::Paste("gmv by market".to_owned()));
    assert!(explorer.state.prompt.typing);
    explorer.keys("<Esc><F5>/");
    explorer.tell(Message::Paste("TH\n".to_owned()));
    assert_eq!(explorer.state.result.find.text(), "TH");
}

#[test]
fn a_text_is_edited_by_the_keys_that_the_help_lists() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>one two three<Ctrl+Left><Ctrl+Left>");
    for (key, left) in [
        ("<Alt+d>", "one  three"),
        ("<Ctrl+W>", " three"),
        ("<Ctrl+Right><Ctrl+U>", "three"),
        ("<End>s<Home><Ctrl+K>", ""),
        ("a b<Ctrl+Left><End>c", "a bc"),
    ] {
        explorer.keys(key);
        let text = explorer.state.prompt.input.text();
        assert_eq!(text.trim_end(), left.trim_end(), "after {key}");
    }
    explorer.keys("<F1>delete the word");
    assert_shows!(explorer, "Delete the word before the cursor", "Ctrl+W");
    for (key, _) in metrex::tui::EDITING {
        assert!(key.parse::<metrex::tui::Keys>().is_ok(), "{key}");
    }
}

#[test]
fn a_long_paste_does_not_keep_anybody_waiting() {
    let mut explorer = Explorer::new(80, 24);
    explorer.hold = true;
    let start = std::time::Instant::now();
    explorer.tell(Message::Paste("gmv ".repeat(25_000)));
    explorer.screen();
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}
