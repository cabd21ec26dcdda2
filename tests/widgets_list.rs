//! Searched lists: what is found, in which order, and how one moves and marks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::tui::Theme;
use metrex::tui::widgets::fuzzy_list::{FuzzyList, Item, Mark};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn dimensions() -> FuzzyList {
    FuzzyList::new(vec![
        Item::new("day", "day").group("Time"),
        Item::new("month", "month").group("Time"),
        Item::new("channel", "channel").disabled("orders do not reach marketing touchpoints"),
        Item::new("market", "market")
            .detail("Market of the buyer")
            .right("12")
            .group("orders"),
        Item::new("buyer.segment", "buyer.segment")
            .detail("Segment")
            .right("4")
            .group("buyer"),
        Item::new("seller", "séller")
            .detail("Who sold the goods")
            .right("48,211")
            .group("buyer"),
    ])
}

fn drawn(list: &FuzzyList, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::plain();
    terminal
        .draw(|frame| list.draw(frame.area(), frame.buffer_mut(), &theme, true))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn shown(list: &FuzzyList, width: u16, height: u16) -> String {
    let buf = drawn(list, width, height);
    let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..height)
        .map(|y| line(y).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn key(list: &FuzzyList) -> &str {
    list.selected().map_or("", |item| &item.key)
}

#[test]
fn everything_stands_under_its_heading_until_one_types() {
    let mut list = dimensions();
    insta::assert_snapshot!("headings", shown(&list, 60, 10));
    list.set_query("se");
    insta::assert_snapshot!("search", shown(&list, 60, 10));
}

#[test]
fn the_best_match_is_selected_and_impossible_items_come_last() {
    let mut list = dimensions();
    list.set_query("mar");
    assert_eq!(key(&list), "market");
    list.set_query("ch");
    assert_eq!(key(&list), "channel");
    assert!(list.selected().unwrap().disabled.is_some());
    list.set_query("e");
    list.to_last();
    assert_eq!(key(&list), "channel");
    list.set_query("nothing like it");
    assert_eq!((list.selected(), list.shown()), (None, 0));
    list.set_query("");
    assert_eq!((key(&list), list.shown()), ("day", 6));
}

#[test]
fn words_may_be_spread_over_label_and_detail() {
    let mut list = dimensions();
    list.set_query("market buyer");
    assert_eq!((key(&list), list.shown()), ("market", 1));
    list.set_query("goods");
    assert_eq!(key(&list), "seller");
}

#[test]
fn accents_need_not_be_typed_and_the_right_letters_are_marked() {
    let mut list = dimensions();
    list.set_query("sell");
    assert_eq!(key(&list), "seller");
    let buf = drawn(&list, 40, 3);
    let marked: String = (0..40)
        .filter(|&x| {
            buf[(x, 0)]
                .modifier
                .contains(Theme::plain().match_.add_modifier)
        })
        .map(|x| buf[(x, 0)].symbol())
        .collect();
    assert_eq!(marked, "séll");
}

#[test]
fn headings_are_stepped_over_and_the_first_one_comes_back() {
    let mut list = dimensions();
    list.set_height(3);
    assert_eq!(key(&list), "day");
    list.move_by(2);
    assert_eq!(key(&list), "market");
    list.move_by(-1);
    assert_eq!(key(&list), "month");
    list.to_last();
    assert_eq!(key(&list), "channel");
    list.page(-10);
    assert_eq!(key(&list), "day");
    assert!(shown(&list, 30, 3).starts_with("Time\n"));
}

#[test]
fn marks_and_the_selection_outlive_new_items() {
    let mut list = dimensions();
    list.select("market");
    list.toggle(Mark::Include);
    list.select("channel");
    list.toggle(Mark::Exclude);
    list.select("seller");
    list.toggle(Mark::Exclude);
    let marks = [("market", Mark::Include), ("seller", Mark::Exclude)];
    assert_eq!(
        list.marks().collect::<Vec<_>>(),
        marks,
        "what is impossible takes no mark"
    );
    insta::assert_snapshot!("marks", shown(&list, 60, 10));
    list.set_items(vec![
        Item::new("other", "other"),
        Item::new("seller", "seller"),
    ]);
    assert_eq!(key(&list), "seller");
    assert_eq!(list.marks().collect::<Vec<_>>(), marks);
    list.toggle(Mark::Exclude);
    assert_eq!(list.marks().collect::<Vec<_>>(), [marks[0]]);
}

#[test]
fn a_click_finds_the_item() {
    let list = dimensions();
    let area = Rect::new(5, 5, 30, 10);
    assert_eq!(list.key_at(7, 5, area), None, "a heading");
    assert_eq!(list.key_at(7, 6, area), Some("day"));
    assert_eq!(list.key_at(4, 6, area), None);
    assert_eq!(list.key_at(7, 14, area), Some("channel"));
}

#[test]
fn labels_from_data_cannot_harm_the_terminal() {
    let list = FuzzyList::new(vec![Item::new("\u{1b}[2J", "\u{1b}[2J")]);
    assert_eq!(list.items()[0].key, "\u{1b}[2J", "the value itself is kept");
    assert_eq!(shown(&list, 20, 1), "  \\u{1b}[2J");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics_at_any_size(
        labels in proptest::collection::vec(any::<String>(), 0..30),
        query in "[a-z日é!^$' ]{0,5}",
        moves in proptest::collection::vec(-40_isize..40, 0..6),
        (width, height) in (0_u16..30, 0_u16..8),
    ) {
        let item = |label: &String| Item::new(label.clone(), label).detail(label).right(label).group(label);
        let mut list = FuzzyList::new(labels.iter().map(item).collect());
        let area = Rect::new(0, 0, width, height);
        list.set_height(height);
        list.set_query(&query);
        for by in moves {
            list.move_by(by);
            list.page(by);
            let mut buf = Buffer::empty(area);
            list.draw(area, &mut buf, &Theme::plain(), true);
            prop_assert_eq!(list.selected().is_some(), list.shown() > 0);
            if list.shown() > 0 && !area.is_empty() {
                prop_assert!((0..height).any(|y| list.key_at(0, y, area) == Some(key(&list))));
            }
        }
    }
}
