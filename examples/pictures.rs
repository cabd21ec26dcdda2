//! Draws the pictures of the documents: plays keys to the explorer over the demo, and writes each screen as SVG and PNG.
//!
//! ```sh
//! cargo run --example pictures -- assets            # all of them
//! cargo run --example pictures -- assets chart      # those whose name has the word in it
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../tests/support/explorer.rs"]
mod explorer;

use std::error::Error;
use std::path::Path;

use explorer::Explorer;
use metrex::session::{OpenOptions, ReindexOptions, Session, Workspace, png};
use metrex::tui::{Palette, Theme};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Name, columns and rows, theme, keys.
type Picture = (&'static str, (u16, u16), &'static str, &'static str);

#[rustfmt::skip]
const PICTURES: &[Picture] = &[
    ("explorer", (120, 36), "dark", "<F2><Ctrl+U>gmv by market last 30 days vs previous period total<Enter>"),
    ("search", (80, 24), "dark", "<F3>take"),
    ("compatible", (100, 26), "dark", "<F2><Ctrl+U>gmv by payment_method last 3 months<Enter><F3>rev"),
    ("values", (80, 24), "dark", "<F2><Ctrl+U>gmv by month last 6 months<Enter>fmarket<Enter>i"),
    ("sql", (100, 30), "dark", "<F2><Ctrl+U>aov by month last 6 months<Enter>fchannel<Enter>ads<Enter>4<Down><Down>"),
    ("explain", (100, 30), "dark", "<F2><Ctrl+U>aov by market last month<Enter><Right>E"),
    ("rows-behind", (100, 26), "dark", "<F2><Ctrl+U>gmv by market, month last 3 months<Enter>r"),
    ("asked", (100, 26), "dark", "<F4>gmv by chanel in Brasil last month "),
    ("compare", (100, 26), "dark", "<F2><Ctrl+U>gmv by market last 6 months vs previous year<Enter><Right>D<z m><z l>"),
    ("subtotals", (100, 26), "dark", "<F2><Ctrl+U>gmv, aov, buyers by market, month where market in (BR, ID, TH) qtd total<Enter><z t>"),
    ("author", (120, 36), "dark", "<F3><Ctrl+U>gmv<Enter>A<Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><End><Left>, \"channel <> 'ads'\"<F5>"),
    ("which-key", (80, 24), "dark", "<F2><Ctrl+U>gmv by market last month<Enter>z"),
    ("side-by-side", (108, 26), "light", "<F2><Ctrl+U>gmv by market last month<Enter><w d><F2><Ctrl+U>gmv by channel last month<Enter><w s>"),
    ("commands", (80, 24), "mono", "<F2><Ctrl+U>gmv by market last month<Enter><Ctrl+P>"),
    ("define", (120, 44), "dark", "<Tab>+Contracted MRR<Tab><Tab>Subscriptions<Tab>Subscription Finance<Tab>What running contracts are worth per month, as recurring revenue.<Tab>Exclude trial subscriptions<Enter>Only count active and past_due<Enter>Convert annual contracts to monthly equivalent<F5>"),
    ("lineage", (80, 24), "dark", "<F2><Ctrl+U>mrr by month last 6 months<Enter>L"),
    ("retention", (120, 30), "dark", "<Tab>Itriangle<Enter>"),
    ("chart-line", (100, 30), "dark", "<F2><Ctrl+U>gmv by week last 26 weeks vs previous period<Enter>cc<Right><End>"),
    ("chart-lines", (120, 36), "dark", "<F2><Ctrl+U>gmv by market, month where market in (BR, ID, TH, VN) last 12 months<Enter>c"),
    ("chart-stacked", (100, 30), "light", "<F2><Ctrl+U>gmv by month, channel last 12 months<Enter>ccKstacked<Enter>"),
    ("chart-multiples", (120, 36), "dark", "<F2><Ctrl+U>gmv by market, week last 26 weeks<Enter>cc<Right>"),
    // What is written into the demo stays there: this one is the last.
    ("review", (120, 40), "dark", "<Tab>+<Ctrl+N>Contracted MRR<Tab><Tab>Subscriptions<Tab>Subscription Finance<Tab>What running contracts are worth per month, as recurring revenue.<Tab>Exclude trial subscriptions<Enter>Only count active and past_due<Enter>Convert annual contracts to monthly equivalent<F5><F7><Esc><F3>contracted<Enter>J<F5>"),
];

/// Pixels of a PNG for each of the drawing.
const SCALE: f32 = 2.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let word = arguments.next().unwrap_or_default();
    let folder = std::path::absolute(folder)?;
    let state = TempDir::new()?;
    // Where there is no project, the demo is what is explored.
    std::env::set_current_dir(state.path())?;
    let session = demo(state.path())?;
    for (name, (width, height), theme, keys) in PICTURES {
        if !name.contains(&word) {
            continue;
        }
        // Each picture starts with nothing open.
        session.keep_workspace(&Workspace::default());
        let mut explorer = Explorer::over(session.clone(), TempDir::new()?, *width, *height);
        explorer.state.theme = Theme::load(theme, &[], metrex::tui::Depth::True)?;
        explorer.state.theme_name = (*theme).to_owned();
        let palette = match *theme {
            "light" => Palette::LIGHT,
            _ => Palette::DARK,
        };
        let svg = explorer.keys(keys).picture(&palette);
        let path = folder.join(name);
        std::fs::write(path.with_extension("svg"), &svg)?;
        std::fs::write(path.with_extension("png"), png(&svg, SCALE)?)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The demo as it is on 20 November 2026, made anew.
fn demo(state: &Path) -> Result<Session, Box<dyn Error>> {
    let session = Session::open(OpenOptions {
        today: Some("2026-11-20".parse()?),
        state_dir: Some(state.to_owned()),
        ..OpenOptions::default()
    })?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(session.prepare(|_| {}))?;
    let options = ReindexOptions::default();
    runtime.block_on(session.reindex(&options, |_| {}, CancellationToken::new()))?;
    Ok(session)
}
