//! How a metric is spread, in the explorer: histogram, box and outliers, another dimension, and from an outlier to its rows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::popup::Popup;
use metrex::tui::spread::SpreadWindow;
use support::Explorer;

/// The window on a query.
fn opened(width: u16, height: u16, line: &str) -> Explorer {
    let mut explorer = Explorer::new(width, height);
    explorer.keys(&format!("<F2>{line}<Enter>S"));
    explorer
}

fn window(explorer: &Explorer) -> &SpreadWindow {
    match explorer.state.popups.last() {
        Some(Popup::Spread(window)) => window,
        _ => panic!("the window is not open"),
    }
}

/// What the metric can be spread across.
fn across(explorer: &Explorer) -> Vec<String> {
    let across = window(explorer).across.iter();
    across.map(ToString::to_string).collect()
}

/// One order that is far larger than all others.
fn with_a_large_order(explorer: &Explorer) {
    let database = rusqlite::Connection::open(explorer.folder.path().join("shop/shop.db")).unwrap();
    let sql = "INSERT INTO orders SELECT 999, buyer_id, market, channel, 100000, email, 'DONE', created_at
               FROM orders WHERE order_id = 101";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
}

#[test]
fn it_fits_on_small_and_large_screens() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = Explorer::new(width, height);
        with_a_large_order(&explorer);
        explorer.keys("<F2>gmv by market, day since 2026-06<Enter>S");
        insta::assert_snapshot!(format!("spread_{width}x{height}"), explorer.screen());
    }
}

#[test]
fn keys_go_round_the_dimensions_the_metric_reaches_and_escape_closes() {
    let mut explorer = opened(80, 24, "gmv by market");
    assert_shows!(
        explorer,
        "across market · 1 of ",
        "4 numbers are too few for outliers"
    );
    let all = across(&explorer);
    assert!(all.contains(&"segment".to_owned()), "{all:?}");
    // Times are spread over their grains.
    assert!(!all.contains(&"created_at".to_owned()), "{all:?}");
    explorer.keys("<Tab>");
    assert_eq!(window(&explorer).dimension(), all[1]);
    explorer.keys("<Left><Left>");
    assert_eq!(window(&explorer).dimension(), all[all.len() - 1]);
    explorer.keys("<Right>");
    assert_eq!(window(&explorer).dimension(), "market");
    explorer.keys("<Esc>");
    assert!(explorer.state.popups.is_empty());
    assert_eq!(explorer.line(), "gmv by market");
}

#[test]
fn what_is_grouped_by_time_alone_is_spread_over_its_periods() {
    let mut explorer = opened(80, 24, "gmv by day 2026-10");
    assert_eq!(window(&explorer).dimension(), "day");
    assert_shows!(
        explorer,
        "across day · 1 of ",
        "value, 2026-10-01 to 2026-10-31"
    );
    explorer.keys("<Tab>");
    assert_shows!(explorer, " per day, 2026-10-01 to 2026-10-31");
}

#[test]
fn enter_restricts_the_query_to_the_outlier() {
    for (line, restricted) in [
        ("gmv by amount", "gmv by amount where amount = 100000"),
        (
            "gmv by market, day since 2026-06",
            "gmv by market, day where market = TH 2026-07-01",
        ),
        // The order goes where it was about the metric that is left out.
        (
            "gmv, orders by market, day since 2026-06 order by orders desc",
            "gmv by market, day where market = TH 2026-07-01",
        ),
        (
            "gmv, orders by market, day since 2026-06 vs previous year order by gmv desc, orders_change",
            "gmv by market, day where market = TH 2026-07-01 vs previous year order by gmv desc",
        ),
    ] {
        let mut explorer = Explorer::new(80, 24);
        with_a_large_order(&explorer);
        explorer.keys(&format!("<F2>{line}<Enter>S"));
        let outlier = window(&explorer).outlier().unwrap().clone();
        assert!(outlier.value >= 100_000.0, "{outlier:?}");
        explorer.keys("<Enter>");
        assert!(explorer.state.popups.is_empty());
        assert_eq!(explorer.line(), restricted);
    }
}

#[test]
fn without_an_outlier_there_is_nothing_to_take() {
    let mut explorer = opened(80, 24, "orders by amount");
    assert_shows!(explorer, "no outliers");
    explorer.keys("<Down><Enter>");
    assert_shows!(explorer, "no outlier is selected");
    assert_eq!(explorer.line(), "orders by amount");
}

#[test]
fn a_metric_that_is_only_selected_is_spread_too() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F3>orders<Esc>");
    explorer.act("spread");
    assert_eq!(window(&explorer).query.to_string(), "orders");
    assert!(window(&explorer).spread.is_some());
}

#[test]
fn nothing_waits_for_it_and_closing_it_ends_it() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>gmv by market<Enter>");
    explorer.hold = true;
    explorer.keys("S");
    assert_shows!(explorer, "running", "Esc closes");
    explorer.keys("<Tab><Esc>");
    assert!(explorer.state.popups.is_empty());
    assert!(explorer.state.looks.is_empty());
}

#[test]
fn the_details_name_the_alerts_of_the_metric() {
    let mut explorer = Explorer::new(200, 50);
    let alerts = explorer.folder.path().join("shop/metrics/alerts.yaml");
    let alert = "alerts:\n  low: {query: gmv yesterday, when: < 10, severity: critical}\n";
    std::fs::write(alerts, alert).unwrap();
    explorer.session.reload();
    explorer
        .keys("<F3>orders")
        .keys("<Esc><Esc>")
        .keys("<F3>gmv");
    assert_shows!(explorer, "low: gmv yesterday < 10", "not checked here");
}

#[test]
fn values_of_personal_data_are_never_listed() {
    let mut explorer = opened(80, 24, "gmv by email");
    assert_shows!(explorer, "'email' is personal data");
    let screen = explorer.screen();
    assert!(!screen.contains('@'), "{screen}");
    assert!(window(&explorer).spread.is_none());
    // It is not offered where the query does not name it.
    let explorer = opened(80, 24, "gmv by market");
    assert!(!across(&explorer).contains(&"email".to_owned()));
}
