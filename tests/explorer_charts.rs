//! Charts of a result: which kind suits it, what cannot be drawn and why, how one walks through it, what is saved.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::process::Command;

use metrex::session::chart::{Across, Chart, ChartForm, ChartKind};
use metrex::tui::widgets::chart::Glyphs;
use metrex::tui::{Depth, Effect, Lookup, Message, answer};
use support::Explorer;

fn charted(line: &str, keys: &str) -> Explorer {
    let mut explorer = Explorer::themed(80, 24, Depth::None);
    explorer.keys(&format!("<F2>{line}<Enter>")).keys(keys);
    explorer
}

fn chart(explorer: &Explorer) -> &Chart {
    match explorer.state.result.chart.drawn.as_ref().unwrap() {
        Ok(chart) => chart,
        Err(reason) => panic!("no chart: {reason}"),
    }
}

fn kind(line: &str) -> ChartKind {
    chart(&charted(line, "c")).kind
}

#[test]
fn the_shape_of_the_result_chooses_the_kind() {
    assert_eq!(kind("gmv by month"), ChartKind::Line);
    assert_eq!(kind("gmv by month, market"), ChartKind::Line);
    assert_eq!(kind("gmv by month, market, channel"), ChartKind::Multiples);
    assert_eq!(kind("gmv by market"), ChartKind::Bars);
    assert_eq!(kind("gmv by market, channel"), ChartKind::Stacked);
    assert_eq!(
        kind("aov by market, channel"),
        ChartKind::Bars,
        "averages do not add up"
    );
    assert_eq!(kind("gmv, orders by amount"), ChartKind::Scatter);
    assert_eq!(kind("gmv by amount"), ChartKind::Histogram);
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let mut explorer = charted("gmv by none", "cc");
    assert_shows!(explorer, "no chart: the result is not grouped");
    let mut explorer = charted("aov by month, market", "ccK");
    assert_shows!(explorer, "its groups do not add up");
    explorer.keys("stacked<Enter>");
    assert_eq!(
        explorer.state.result.chart.kind, None,
        "it cannot be chosen"
    );
    let mut explorer = charted("gmv by market", "K");
    assert_shows!(
        explorer,
        "needs a time grouping",
        "needs a second metric",
        "needs a second grouping"
    );
}

#[test]
fn one_key_goes_from_beside_to_instead_to_none() {
    let mut explorer = charted("gmv by market", "");
    assert_shows!(explorer, "rows 1–4");
    explorer.keys("c");
    assert_shows!(explorer, "rows 1–4", "Gross merchandise value (USD) · bars");
    explorer.keys("c");
    assert!(!explorer.screen().contains("rows 1–4"));
    explorer.keys("c");
    assert!(!explorer.screen().contains("(USD) · bars"));
}

#[test]
fn the_chart_stays_for_the_next_query_and_takes_the_kind_that_suits_it() {
    let mut explorer = charted("gmv by month", "cKline<Enter>");
    assert_eq!(chart(&explorer).kind, ChartKind::Line);
    explorer.keys("<F2><Ctrl+U>gmv by market<Enter>");
    assert_eq!(chart(&explorer).kind, ChartKind::Bars);
    assert!(chart(&explorer).notes[0].starts_with("no line: needs a time grouping"));
}

#[test]
fn the_arrows_go_from_mark_to_mark_and_select_the_cells_they_show() {
    let mut explorer = charted("gmv by month, market where market in (ID, TH)", "cc");
    explorer.keys("<Right>");
    let first = explorer.state.result.grid.as_ref().unwrap().selected();
    explorer.keys("<Right>");
    let second = explorer.state.result.grid.as_ref().unwrap().selected();
    assert_ne!(first, second);
    assert_shows!(explorer, "2026-05 · ");
    explorer.keys("<End>");
    assert_shows!(explorer, "2026-11 · ");
    let before = explorer.state.result.grid.as_ref().unwrap().selected();
    explorer.keys("<Up>");
    let above = explorer.state.result.grid.as_ref().unwrap().selected();
    explorer.keys("<Down><Down>");
    let below = explorer.state.result.grid.as_ref().unwrap().selected();
    assert!(
        before != above || before != below,
        "the other line is above or below"
    );
}

#[test]
fn a_click_goes_to_the_nearest_mark() {
    let mut explorer = charted("gmv by market", "cc");
    explorer.click("VN");
    assert_shows!(explorer, "VN · gmv: $");
    let mut explorer = charted("gmv by month where market = ID", "cc");
    explorer.click("2026-09");
    assert_shows!(explorer, "2026-09 · gmv: $");
}

#[test]
fn the_column_under_the_cursor_is_drawn() {
    let mut explorer = charted("gmv, orders by market", "c");
    assert_eq!(chart(&explorer).column.name, "gmv");
    explorer.keys("<Right><Right>");
    assert_eq!(chart(&explorer).column.name, "orders");
    explorer.keys("<Left><Left>");
    assert_eq!(
        chart(&explorer).column.name,
        "gmv",
        "a grouping has no numbers to draw"
    );
}

#[test]
fn bars_follow_the_order_of_the_rows() {
    let places = |explorer: &Explorer| match &chart(explorer).across {
        Across::Places(places) => places.clone(),
        other => panic!("{other:?}"),
    };
    let mut explorer = charted("gmv by market", "c");
    assert_eq!(places(&explorer), ["ID", "SG", "TH", "VN"]);
    explorer.keys("ss");
    assert_eq!(places(&explorer), ["ID", "SG", "TH", "VN"]);
    explorer.keys("<Right>s");
    let sorted = places(&explorer);
    assert_eq!(sorted.len(), 4);
    let values: Vec<f64> = chart(&explorer)
        .marks()
        .map(|(_, _, mark)| mark.value)
        .collect();
    assert!(
        values.is_sorted_by(|one, other| one >= other),
        "{sorted:?} {values:?}"
    );
}

#[test]
fn parts_of_bars_add_up_and_the_smallest_are_one() {
    let explorer = charted("gmv by channel, amount", "cKstacked<Enter>");
    let drawn = chart(&explorer);
    assert_eq!(drawn.panels[0].series.len(), 6);
    assert!(drawn.panels[0].series[5].name.ends_with(" others"));
    let parts: f64 = drawn.marks().map(|(_, _, mark)| mark.value).sum();
    let whole: f64 = chart(&charted("gmv by channel", "c"))
        .marks()
        .map(|(_, _, mark)| mark.value)
        .sum();
    assert!((parts - whole).abs() < 1e-6, "{parts} {whole}");
}

#[test]
fn a_comparison_is_drawn_too() {
    let mut explorer = charted("gmv by month last 3 months vs previous period", "cc");
    assert!(chart(&explorer).panels[0].series[1].is_prior);
    assert_shows!(explorer, "compared");
}

#[test]
fn a_period_without_rows_breaks_the_line() {
    let explorer = charted("gmv by day where market = ID", "c");
    assert!(
        chart(&explorer)
            .marks()
            .skip(1)
            .all(|(_, _, mark)| mark.after_gap)
    );
}

#[test]
fn rows_without_a_number_are_counted() {
    let mut explorer = charted("aov by day, market where amount > 1000 last 60 days", "cc");
    assert_shows!(explorer, "a "); // drawn at all
    let drawn = chart(&explorer);
    assert!(
        drawn
            .notes
            .iter()
            .all(|note| note.contains("left out") || note.contains("lines are drawn"))
    );
}

#[test]
fn plain_ascii_draws_with_ascii() {
    for keys in [
        "cc",
        "ccKbars<Enter>",
        "ccKstacked<Enter>",
        "ccKmultiples<Enter>",
        "ccKhistogram<Enter>",
    ] {
        let mut explorer = charted("gmv by month, market", keys);
        explorer.state.setting.glyphs = Glyphs::Ascii;
        let screen = explorer.screen();
        // The frame of the pane and the line of the position are not the chart's.
        let inside = screen
            .lines()
            .skip(8)
            .take(12)
            .map(|line| line.trim_matches('│'));
        for line in inside {
            let strange: String = line
                .chars()
                .filter(|c| !c.is_ascii() && !"·…╰─╯–".contains(*c))
                .collect();
            assert_eq!(strange, "", "{keys}\n{screen}");
        }
    }
}

#[test]
fn the_environment_says_what_charts_are_drawn_with() {
    let detect = |set: &'static [(&'static str, &'static str)]| {
        Glyphs::detect(|name| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(detect(&[]), Glyphs::Braille);
    assert_eq!(detect(&[("LANG", "de_DE.UTF-8")]), Glyphs::Braille);
    assert_eq!(detect(&[("LANG", "C")]), Glyphs::Ascii);
    assert_eq!(
        detect(&[("LANG", "C"), ("LC_ALL", "C.utf8")]),
        Glyphs::Braille
    );
    assert_eq!(
        detect(&[("LANG", "C.UTF-8"), ("TERM", "linux")]),
        Glyphs::Block
    );
}

#[test]
fn the_same_chart_is_saved_as_svg_and_png_and_no_file_is_overwritten() {
    let mut explorer = charted("gmv by month, market", "cc");
    explorer.hold = true;
    explorer.keys("<Ctrl+P>save the chart as svg<Enter>");
    let Some(Effect::Lookup {
        generation,
        lookup: Lookup::SaveChart { chart, form, .. },
        ..
    }) = explorer.held.pop_back()
    else {
        panic!("nothing is saved");
    };
    let folder = explorer.folder.path().to_owned();
    let lookup = Lookup::SaveChart {
        chart: chart.clone(),
        form,
        folder: folder.clone(),
    };
    let answer = answer(&explorer.session, lookup);
    explorer.tell(Message::Answer { generation, answer });
    let name = "gross-merchandise-value-by-created-at-month-market.svg";
    let names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_shows!(explorer, "written: gross-merchandise-value-by-");
    let svg = names
        .iter()
        .filter_map(|name| name.to_str())
        .find(|name| name.ends_with(".svg"))
        .unwrap_or(name);
    let text = std::fs::read_to_string(folder.join(svg)).unwrap();
    assert!(
        text.starts_with("<svg ") && text.contains("Gross merchandise value by "),
        "{text}"
    );
    for market in ["ID", "TH", "VN", "SG"] {
        assert!(
            text.contains(&format!(">{market}</text>")),
            "{market} is in the legend"
        );
    }
    let again = chart.save(ChartForm::Svg, &folder).unwrap();
    assert!(again.ends_with("-2.svg"), "{again}");
    let png = chart.save(ChartForm::Png, &folder).unwrap();
    assert!(
        std::fs::read(folder.join(png))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
}

#[test]
fn every_kind_can_be_drawn_as_svg() {
    let lines = [
        "gmv by month, market",
        "gmv by market",
        "gmv by market, channel",
        "gmv by amount",
        "gmv, orders by amount",
        "gmv by month, market, channel",
        "gmv by month last 3 months vs previous period",
    ];
    for line in lines {
        let explorer = charted(line, "c");
        let svg = chart(&explorer).svg();
        metrex::session::png(&svg, 1.0).unwrap_or_else(|error| panic!("{line}: {error}\n{svg}"));
        assert!(
            !svg.contains("NaN") && !svg.contains("inf"),
            "{line}: {svg}"
        );
    }
}

#[test]
fn no_size_of_the_screen_is_too_much() {
    for keys in [
        "c",
        "cc",
        "ccKbars<Enter>",
        "ccKstacked<Enter>",
        "ccKmultiples<Enter>",
        "ccKhistogram<Enter>",
    ] {
        let mut explorer = charted("gmv by month, market", keys);
        for (width, height) in [(60, 15), (61, 16), (300, 100), (80, 15), (60, 60)] {
            for glyphs in Glyphs::ALL {
                explorer.state.setting.glyphs = glyphs;
                explorer.tell(Message::Resize((width, height).into()));
                explorer.keys("<Right><Down><PageDown><End>").screen();
            }
        }
    }
}

/// What `metrex query` says to these arguments, over the explorer's project.
fn query(explorer: &Explorer, arguments: &[&str]) -> (bool, String) {
    let folder = explorer.folder.path();
    let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(folder)
        .args(["query", "--today", "2026-11-20", "--project"])
        .arg(folder.join("shop"))
        .arg("--state-dir")
        .arg(folder.join("state"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), said)
}

#[test]
fn the_command_line_draws_the_same_picture() {
    for (line, kind) in [
        ("gmv by month, market", None),
        ("gmv by market, channel total", None),
        ("gmv, orders by amount", Some("histogram")),
    ] {
        let keys = kind.map_or("c".to_owned(), |kind| format!("cK{kind}<Enter>"));
        let explorer = charted(line, &keys);
        let mut arguments = vec![line, "--chart", "drawn.svg"];
        arguments.extend(kind.iter().flat_map(|kind| ["--kind", kind]));
        let (drawn, said) = query(&explorer, &arguments);
        assert!(drawn, "{said}");
        assert!(said.contains(&chart(&explorer).title), "{said}");
        let file = explorer.folder.path().join("drawn.svg");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, chart(&explorer).svg(), "{line}");
    }
    let explorer = charted("gmv by market", "");
    let (drawn, said) = query(&explorer, &["gmv by market", "--chart", "drawn.png"]);
    assert!(drawn, "{said}");
    let file = std::fs::read(explorer.folder.path().join("drawn.png")).unwrap();
    assert!(file.starts_with(b"\x89PNG"));
}

#[test]
fn the_command_line_refuses_what_the_explorer_does_not_draw() {
    let explorer = charted("gmv by market", "");
    for (arguments, why) in [
        (
            vec!["gmv by market", "--kind", "line"],
            "no line: needs a time grouping",
        ),
        (vec!["gmv by none"], "the result is not grouped"),
        (
            vec!["gmv by market", "--row-cap", "2"],
            "only a part of the rows is here",
        ),
    ] {
        let more = ["--chart", "drawn.svg"];
        let (drawn, said) = query(&explorer, &[arguments.as_slice(), &more].concat());
        assert!(!drawn && said.contains(why), "{arguments:?}: {said}");
        assert!(!explorer.folder.path().join("drawn.svg").exists());
    }
    let (drawn, said) = query(&explorer, &["gmv by market", "--chart", "drawn.gif"]);
    assert!(!drawn && said.contains("endings are .svg, .png"), "{said}");
}

#[test]
fn a_chart_is_said_in_words_and_numbers() {
    let explorer = charted("gmv by month, market where market in (ID, TH)", "c");
    let about = chart(&explorer).about().join("\n");
    assert!(about.contains("· line"), "{about}");
    assert!(about.contains("TH: 9 points, "), "{about}");
    assert!(about.contains("most $"), "{about}");
    let numbers = chart(&explorer).numbers();
    assert_eq!(numbers.len(), 9, "{numbers:?}");
    assert!(numbers[0].starts_with("2026-03: "), "{numbers:?}");
    let (th, id) = (numbers[0].find("TH $"), numbers[0].find("ID $"));
    assert!(th.is_some() && id.is_some(), "{numbers:?}");
    let explorer = charted("gmv by month, market", "cKmultiples<Enter>");
    let numbers = chart(&explorer).numbers();
    assert_eq!(numbers.len(), 4 + 4 * 9, "a heading for each: {numbers:?}");
}
