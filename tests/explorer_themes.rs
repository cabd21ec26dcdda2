//! Themes: which one is taken, how many colours it uses, and what is wrong in one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::tui::{Depth, Theme};
use ratatui::style::{Color, Modifier};

fn env(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        set.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

#[test]
fn the_environment_says_how_many_colours_there_are() {
    assert_eq!(Depth::detect(env(&[])), Depth::Sixteen);
    assert_eq!(
        Depth::detect(env(&[("COLORTERM", "truecolor")])),
        Depth::True
    );
    assert_eq!(Depth::detect(env(&[("COLORTERM", "24bit")])), Depth::True);
    assert_eq!(
        Depth::detect(env(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")])),
        Depth::None
    );
    assert_eq!(Depth::detect(env(&[("NO_COLOR", "")])), Depth::Sixteen);
}

#[test]
fn a_light_background_takes_the_light_theme() {
    assert_eq!(Theme::default_name(env(&[("COLORFGBG", "0;15")])), "light");
    assert_eq!(Theme::default_name(env(&[("COLORFGBG", "15;0")])), "dark");
    assert_eq!(Theme::default_name(env(&[])), "dark");
}

#[test]
fn both_themes_read_at_every_depth() {
    for name in ["dark", "light"] {
        for depth in [Depth::None, Depth::Sixteen, Depth::True] {
            let theme = Theme::load(name, &[], depth).unwrap();
            let styles = [
                theme.text,
                theme.accent,
                theme.error,
                theme.selection,
                theme.border_focused,
            ];
            let rgb = styles
                .iter()
                .any(|style| matches!(style.fg, Some(Color::Rgb(..))));
            assert_eq!(rgb, depth == Depth::True, "{name} {depth:?}");
        }
        let plain = Theme::load(name, &[], Depth::None).unwrap();
        assert_eq!(plain.accent.fg, None);
        assert!(
            plain.selection.add_modifier.contains(Modifier::REVERSED),
            "told without a colour"
        );
    }
}

#[test]
fn a_theme_of_the_project_goes_before_the_one_of_that_name() {
    let files = [(
        "themes/dark.yaml".to_owned(),
        "accent: 'italic #112233 on white | green'\n".to_owned(),
    )];
    let theme = Theme::load("dark", &files, Depth::True).unwrap();
    assert_eq!(theme.accent.fg, Some(Color::Rgb(0x11, 0x22, 0x33)));
    assert_eq!(theme.accent.bg, Some(Color::White));
    assert!(theme.accent.add_modifier.contains(Modifier::ITALIC));
    let theme = Theme::load("dark", &files, Depth::Sixteen).unwrap();
    assert_eq!(theme.accent.fg, Some(Color::Green));
    assert_eq!(Theme::names(&files), ["dark", "light"]);
}

#[test]
fn what_is_wrong_in_a_theme_is_named() {
    let message = |text: &str| {
        Theme::parse("mine", text, Depth::True)
            .unwrap_err()
            .to_string()
    };
    assert!(message("acent: red").contains("unknown role 'acent'"));
    assert!(message("accent: bold sparkling").contains("'sparkling' is neither"));
    assert!(message("- red").starts_with("theme mine:"));
    let error = Theme::load("blue", &[], Depth::True)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "no theme 'blue'; themes are dark, light");
}
