//! Themes: which one is taken, how many colours it uses, and what is wrong in one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::{Depth, Message, Theme};
use ratatui::style::{Color, Modifier};
use support::Explorer;

fn env(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        set.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

const ALL: [&str; 7] = [
    "colour-blind",
    "colour-blind-light",
    "dark",
    "high-contrast",
    "light",
    "mono",
    "sixteen",
];

#[test]
fn the_environment_says_how_many_colours_there_are() {
    let depth = |set| Depth::detect(env(set));
    assert_eq!(depth(&[]), Depth::Sixteen);
    assert_eq!(depth(&[("TERM", "xterm")]), Depth::Sixteen);
    assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
    assert_eq!(depth(&[("TERM", "tmux-256color")]), Depth::Indexed);
    assert_eq!(depth(&[("TERM", "xterm-kitty")]), Depth::True, "over SSH");
    assert_eq!(
        depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
        Depth::True
    );
    assert_eq!(depth(&[("COLORTERM", "24bit")]), Depth::True);
    assert_eq!(
        depth(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]),
        Depth::None
    );
    assert_eq!(
        depth(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]),
        Depth::None
    );
    assert_eq!(depth(&[("NO_COLOR", "")]), Depth::Sixteen);
}

#[test]
fn a_light_background_takes_the_light_theme() {
    assert_eq!(Theme::is_light(env(&[("COLORFGBG", "0;15")])), Some(true));
    assert_eq!(
        Theme::is_light(env(&[("COLORFGBG", "15;default;0")])),
        Some(false)
    );
    assert_eq!(Theme::is_light(env(&[])), None);
    assert_eq!(Theme::for_background(true), "light");
    assert_eq!(Theme::for_background(false), "dark");
}

#[test]
fn every_theme_reads_at_every_depth() {
    assert_eq!(Theme::names(&[]), ALL);
    for name in ALL {
        assert!(
            !Theme::about(name, &[]).is_empty(),
            "{name} says what it is for"
        );
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            let theme = Theme::load(name, &[], depth).unwrap();
            let styles = [
                theme.accent,
                theme.error,
                theme.selection,
                theme.border_focused,
            ];
            let colours = || {
                styles
                    .iter()
                    .flat_map(|style| [style.fg, style.bg])
                    .flatten()
            };
            let rgb = colours().any(|colour| matches!(colour, Color::Rgb(..)));
            let indexed = colours().any(|colour| matches!(colour, Color::Indexed(_)));
            let has_own = name != "mono" && name != "sixteen";
            assert_eq!(rgb, has_own && depth == Depth::True, "{name} {depth:?}");
            assert_eq!(
                indexed,
                has_own && depth == Depth::Indexed,
                "{name} {depth:?}"
            );
            for (role, style) in [
                ("accent", theme.accent),
                ("error", theme.error),
                ("production", theme.production),
            ] {
                let told = style.add_modifier.contains(Modifier::BOLD);
                assert!(
                    told,
                    "{name} {depth:?}: {role} is told without a colour too"
                );
            }
        }
        let plain = Theme::load(name, &[], Depth::None).unwrap();
        assert_eq!(plain.accent.fg, None);
        assert!(plain.selection.add_modifier.contains(Modifier::REVERSED));
    }
    for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
        let mono = Theme::load("mono", &[], depth).unwrap();
        assert_eq!(
            (mono.error.fg, mono.keyword.fg, mono.production.bg),
            (None, None, Some(Color::Reset))
        );
    }
}

#[test]
fn the_nearest_of_256_colours_is_taken() {
    let nearest = |hex: &str| {
        let theme = Theme::parse("mine", &format!("accent: '{hex}'"), Depth::Indexed).unwrap();
        theme.accent.fg.unwrap()
    };
    assert_eq!(nearest("#000000"), Color::Indexed(16));
    assert_eq!(nearest("#ffffff"), Color::Indexed(231));
    assert_eq!(nearest("#5fd7ff"), Color::Indexed(81));
    assert_eq!(nearest("#8b93a1"), Color::Indexed(246));
    assert_eq!(nearest("#767676"), Color::Indexed(243));
    assert_eq!(nearest("red"), Color::Red, "the terminal's own stays");
}

/// Linear light of a colour.
fn light(colour: Color) -> [f64; 3] {
    let Color::Rgb(red, green, blue) = colour else {
        panic!("{colour} has no light of its own")
    };
    [red, green, blue].map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// Contrast as WCAG has it.
fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |colour| {
        let [red, green, blue] = light(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

#[test]
fn text_can_be_read_on_the_background_it_is_made_for() {
    let dark = Color::Rgb(0x1e, 0x1e, 0x1e);
    let white = Color::Rgb(255, 255, 255);
    let black = Color::Rgb(0, 0, 0);
    for (name, background, least) in [
        ("dark", dark, 4.5),
        ("light", white, 4.5),
        ("high-contrast", black, 7.0),
        ("colour-blind", dark, 4.5),
        ("colour-blind-light", white, 4.5),
    ] {
        let theme = Theme::load(name, &[], Depth::True).unwrap();
        for (role, style) in [
            ("accent", theme.accent),
            ("dim", theme.dim),
            ("error", theme.error),
            ("warning", theme.warning),
            ("good", theme.good),
            ("keyword", theme.keyword),
            ("string", theme.string),
            ("number", theme.number),
            ("match", theme.match_),
            ("production", theme.production),
        ] {
            let ratio = contrast(style.fg.unwrap(), style.bg.unwrap_or(background));
            assert!(ratio >= least, "{name}: {role} has {ratio:.1}:1");
        }
    }
}

/// A colour as people without one kind of cone see it (Viénot, Brettel and Mollon 1999), in linear light.
fn seen_without(kind: &str, colour: Color) -> [f64; 3] {
    let [red, green, blue] = light(colour);
    let yellow = match kind {
        "red" => 0.11238 * red + 0.88762 * green,
        _ => 0.29275 * red + 0.70725 * green,
    };
    let blue = match kind {
        "red" => 0.00401 * red - 0.00401 * green + blue,
        _ => -0.02234 * red + 0.02234 * green + blue,
    };
    [yellow, yellow, blue]
}

#[test]
fn good_and_bad_differ_for_the_colour_blind_too() {
    for name in ["colour-blind", "colour-blind-light"] {
        let theme = Theme::load(name, &[], Depth::True).unwrap();
        for kind in ["red", "green"] {
            let see = |style: ratatui::style::Style| seen_without(kind, style.fg.unwrap());
            let (good, bad) = (see(theme.good), see(theme.error));
            // What is left to them is yellow against blue: good has more blue than yellow, bad more yellow than blue.
            assert!(
                good[2] > good[0] && bad[0] > bad[2],
                "{name} without {kind}: {good:?} {bad:?}"
            );
        }
    }
}

#[test]
fn themes_are_tried_on_while_the_list_is_walked() {
    let mut explorer = Explorer::themed(80, 24, Depth::True);
    explorer.keys("<Esc>T");
    assert_eq!(
        explorer.state.theme.name, "dark",
        "the list opens on the one in force"
    );
    assert_shows!(explorer, "For a dark background.");
    explorer.keys("<Down>");
    assert_eq!(explorer.state.theme.name, "high-contrast");
    explorer.keys("light");
    assert_eq!(explorer.state.theme.name, "light");
    explorer.keys("<Esc>");
    assert_eq!(explorer.state.theme.name, "dark", "nothing was chosen");
    explorer.keys("Tlight<Enter>");
    assert_eq!(
        (
            explorer.state.theme.name.as_str(),
            explorer.state.theme_name.as_str()
        ),
        ("light", "light")
    );
    assert_shows!(explorer, "`theme: light` in metrex.yaml keeps it");
    explorer.tell(Message::Background { is_light: false });
    assert_eq!(explorer.state.theme.name, "dark");
}

#[test]
fn a_theme_that_does_not_read_is_not_taken() {
    let mut explorer = Explorer::themed(80, 24, Depth::True);
    explorer.state.setting.preferences.themes =
        vec![("themes/odd.yaml".to_owned(), "accent: sparkling".to_owned())];
    explorer.keys("<Esc>Todd");
    assert_shows!(explorer, "'sparkling' is neither");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "'sparkling' is neither");
    assert_eq!(
        (
            explorer.state.theme.name.as_str(),
            explorer.state.theme_name.as_str()
        ),
        ("dark", "dark")
    );
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
    assert_eq!(Theme::names(&files), ALL);
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
    assert_eq!(
        error,
        format!("no theme 'blue'; themes are {}", ALL.join(", "))
    );
}
