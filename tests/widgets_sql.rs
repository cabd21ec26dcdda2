//! The SQL preview: colours, marks of change, scrolling.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::tui::Theme;
use metrex::tui::widgets::sql_view::SqlView;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

const SQL: &str = "-- gmv by market
SELECT o.market, SUM(o.amount) AS gmv
FROM orders AS o
WHERE o.status <> 'CANCELLED' /* paid
  or shipped */ AND o.day >= DATE '2025-11-01'
GROUP BY 1
LIMIT 100";

fn theme() -> Theme {
    let color = |color| Style::new().fg(color);
    Theme {
        keyword: color(Color::Blue),
        string: color(Color::Green),
        number: color(Color::Yellow),
        comment: color(Color::DarkGray),
        ..Theme::plain()
    }
}

fn drawn(view: &SqlView, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = theme();
    terminal
        .draw(|frame| view.draw(frame.area(), frame.buffer_mut(), &theme, false))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn shown(view: &SqlView, width: u16, height: u16) -> String {
    let buf = drawn(view, width, height);
    let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..height)
        .map(|y| line(y).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// All text drawn in a colour, words of different places separated by a blank.
fn colored(view: &SqlView, color: Color) -> String {
    let buf = drawn(view, 60, 20);
    let mut text = String::new();
    for y in 0..20 {
        for x in 0..60 {
            text.push_str(if buf[(x, y)].fg == color {
                buf[(x, y)].symbol()
            } else {
                " "
            });
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn view(sql: &str) -> SqlView {
    let mut view = SqlView::default();
    view.set_sql(sql);
    view
}

#[test]
fn keywords_literals_and_comments_have_their_colours() {
    let view = view(SQL);
    assert_eq!(
        colored(&view, Color::Blue),
        "SELECT AS FROM AS WHERE AND GROUP BY LIMIT"
    );
    assert_eq!(colored(&view, Color::Green), "'CANCELLED' '2025-11-01'");
    assert_eq!(colored(&view, Color::Yellow), "1 100");
    assert_eq!(
        colored(&view, Color::DarkGray),
        "-- gmv by market /* paid or shipped */"
    );
}

#[test]
fn half_a_statement_keeps_the_colours_up_to_its_error() {
    let view = view("SELECT 1 FROM t\nWHERE name = 'half");
    assert_eq!(colored(&view, Color::Blue), "SELECT FROM WHERE");
    assert!(shown(&view, 40, 2).ends_with("WHERE name = 'half"));
}

#[test]
fn changed_lines_are_marked_until_the_next_change() {
    let mut view = view("SELECT a\nFROM t\nGROUP BY 1");
    assert!(
        !shown(&view, 30, 3).contains('▎'),
        "the first text is not a change"
    );
    view.set_sql("SELECT a\nFROM t\nWHERE a > 1\nGROUP BY 1");
    assert_eq!(
        shown(&view, 30, 4),
        " SELECT a\n FROM t\n▎WHERE a > 1\n GROUP BY 1"
    );
    view.set_sql("SELECT a\nFROM t\nWHERE a > 1\nGROUP BY 1");
    assert!(
        shown(&view, 30, 4).contains('▎'),
        "the same text again is no change"
    );
    view.set_sql("SELECT b\nFROM t\nGROUP BY 1\nLIMIT 5");
    assert_eq!(
        shown(&view, 30, 4),
        "▎SELECT b\n FROM t\n GROUP BY 1\n▎LIMIT 5"
    );
}

#[test]
fn lines_can_be_scrolled_and_clicked() {
    let mut view = view(SQL);
    view.set_height(3);
    view.select_line(6);
    view.scroll_sideways(2);
    assert_eq!(
        shown(&view, 20, 3),
        " or shipped */ AND …\n OUP BY 1\n MIT 100"
    );
    assert_eq!(view.line_at(3, 4, Rect::new(0, 3, 20, 3)), Some(5));
    assert_eq!(view.line_at(3, 9, Rect::new(0, 3, 20, 3)), None);
    view.page(-9);
    assert_eq!(view.selected_line(), 0);
}

#[test]
fn literals_cannot_harm_the_terminal() {
    let view = view("SELECT '\u{1b}[2J'\tAS x");
    assert_eq!(shown(&view, 40, 1), " SELECT '\\u{1b}[2J'    AS x");
    assert_eq!(
        view.sql(),
        "SELECT '\u{1b}[2J'\tAS x",
        "the text itself is kept"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_shown_whole_at_any_size(
        texts in proptest::collection::vec("(\\PC|SELECT|--|/\\*|'|\"|\n|\t|\\$\\$|日){0,40}", 1..4),
        left in 0_isize..10,
        (width, height) in (0_u16..40, 0_u16..8),
    ) {
        let mut view = SqlView::default();
        for text in &texts {
            view.set_sql(text);
            prop_assert_eq!(view.lines(), text.lines().count());
            view.scroll_sideways(left);
            view.move_by(left);
            let area = Rect::new(0, 0, width, height);
            view.draw(area, &mut Buffer::empty(area), &Theme::plain(), true);
        }
    }
}
