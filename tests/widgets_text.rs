//! Text on the screen: never wider than its field, never dangerous to the terminal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::tui::widgets::text::{Align, pad, put, sanitize, truncate, width, wrap};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

#[test]
fn a_long_text_is_cut_with_an_ellipsis_that_fits() {
    assert_eq!(truncate("take rate", 9), "take rate");
    assert_eq!(truncate("take rate", 8), "take ra…");
    assert_eq!(truncate("日本語", 5), "日本…");
    assert_eq!(truncate("日本語", 4), "日…");
    assert_eq!(truncate("abc", 1), "…");
    assert_eq!(truncate("abc", 0), "");
}

#[test]
fn padding_counts_cells_not_characters() {
    assert_eq!(pad("日本", 6, Align::Left), "日本  ");
    assert_eq!(pad("é", 3, Align::Right), "  é");
    assert_eq!(pad("e\u{301}", 3, Align::Right), "  e\u{301}");
}

#[test]
fn words_are_kept_whole_where_they_fit() {
    assert_eq!(
        wrap("orders that were paid\nand shipped", 11),
        ["orders that", "were paid", "and shipped"]
    );
    assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    assert!(wrap("anything", 0).is_empty());
}

#[test]
fn what_a_terminal_would_act_upon_is_shown_escaped() {
    assert_eq!(sanitize("\u{1b}]52;c;x\u{7}"), "\\u{1b}]52;c;x\\u{7}");
    assert_eq!(sanitize("two\nlines\tand\r"), "two\\nlines\\tand\\r");
    assert_eq!(sanitize("pay\u{202e}txt.exe"), "pay\\u{202e}txt.exe");
    assert_eq!(
        sanitize("zero\u{200b}width\u{9b}31m"),
        "zero\\u{200b}width\\u{9b}31m"
    );
    assert_eq!(sanitize("👩‍👩‍👧 Ünïcode"), "👩‍👩‍👧 Ünïcode");
}

proptest! {
    #[test]
    fn a_field_keeps_its_edges(text in "\\PC{0,40}", cells in 0_u16..20, right in any::<bool>()) {
        let mut buf = Buffer::filled(Rect::new(0, 0, 40, 1), ratatui::buffer::Cell::new("x"));
        let align = if right { Align::Right } else { Align::Left };
        put(&mut buf, Rect::new(10, 0, cells, 1), &text, Style::new(), align);
        for x in (0..10).chain(10 + cells..40) {
            prop_assert_eq!(buf[(x, 0)].symbol(), "x");
        }
        let shown: usize = {
            let mut x = 10;
            while x < 10 + cells {
                x += u16::try_from(width(buf[(x, 0)].symbol())).unwrap();
            }
            usize::from(x - 10)
        };
        prop_assert_eq!(shown, usize::from(cells));
    }

    #[test]
    fn cut_and_padded_text_has_the_width_asked_for(text in any::<String>(), cells in 0_usize..30) {
        prop_assert!(width(&truncate(&text, cells)) <= cells);
        prop_assert_eq!(width(&pad(&text, cells, Align::Left)), cells);
    }

    #[test]
    fn wrapping_loses_only_spaces(text in "[a-c日é \n]{0,60}", cells in 2_usize..12) {
        let lines = wrap(&text, cells);
        for line in &lines {
            prop_assert!(width(line) <= cells);
        }
        let squeezed = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
    }

    #[test]
    fn nothing_dangerous_survives(text in any::<String>()) {
        let is_dangerous = |c: char| c.is_control() || "\u{202a}\u{202b}\u{202d}\u{202e}".contains(c);
        prop_assert!(!sanitize(&text).contains(is_dangerous));
    }
}
