//! The explorer without a terminal: a small project, keys as text, effects carried out at once, the screen as text.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::civil::date;
use metrex::model::{ColumnType, ConnectionKind};
use metrex::registry::UserConfig;
use metrex::session::{Asked, OpenOptions, ReindexOptions, RunOptions, Session};
use metrex::tui::look;
use metrex::tui::{
    AskNews, Depth, Effect, FileNews, HitMap, Keys, LineInput, Message, Palette, RunNews, State,
    Theme, answer, picture, preferences, setting, update, view,
};
use metrex::warehouse::{Cell, ColumnSpec, Loader, TableSpec};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};
use ratatui::style::{Modifier, Style};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CONFIG: &str = "
connections:
  shop: {type: sqlite, path: shop.db}
  archive: {type: sqlite, path: archive.db}
";

pub const METRICS: &str = "
datasets:
  orders:
    label: Orders
    description: One row per order.
    table: orders
    key: order_id
    time: created_at
    dimensions:
      market: {label: Market, aliases: [country]}
      channel: {label: Channel}
      amount: {type: number, label: Amount}
      email: {label: Email, pii: true}
      created_at: {type: time, label: Order time}
    joins:
      buyer: {to: users, on: buyer_id}
  users:
    label: Users
    description: One row per buyer.
    table: users
    key: user_id
    dimensions:
      segment: {label: Segment}
  visits:
    label: Visits
    description: One row per visit.
    table: visits
    time: visited_at
    dimensions:
      device: {label: Device}
      visited_at: {type: time, label: Visit time}

metrics:
  gmv:
    label: Gross merchandise value
    category: Commerce
    description: What buyers paid before refunds.
    business_rules: [Cancelled orders do not count]
    owner: Commerce Analytics
    status: certified
    last_updated: 2026-09-14
    aliases: [sales]
    tags: [finance]
    format: {kind: currency, currency: USD, decimals: 0}
    base_table: orders
    agg: sum
    expr: amount
    filters: [\"status <> 'CANCELLED'\"]
  orders:
    label: Orders
    category: Commerce
    description: Orders placed.
    owner: Commerce Analytics
    base_table: orders
    agg: count
  aov:
    label: Average order value
    category: Commerce
    description: What one order is worth.
    owner: Commerce Analytics
    status: draft
    format: {kind: currency, currency: USD, decimals: 2}
    expr: gmv / orders
  visits:
    label: Visits
    category: Traffic
    description: Visits to the site.
    owner: Growth
    base_table: visits
    agg: count
";

const MARKETS: [&str; 4] = ["ID", "TH", "VN", "SG"];
const CHANNELS: [&str; 3] = ["ads", "organic", "email"];

/// Writes the project with its database.
pub fn project(folder: &Path) {
    std::fs::create_dir_all(folder.join("metrics")).unwrap();
    std::fs::write(folder.join("metrex.yaml"), CONFIG).unwrap();
    std::fs::write(folder.join("metrics/shop.yaml"), METRICS.trim_start()).unwrap();
    for name in ["shop.db", "archive.db"] {
        database(folder.join(name));
    }
}

fn table(name: &str, columns: &[(&str, ColumnType)]) -> TableSpec {
    let column = |(name, ty): &(&str, ColumnType)| ColumnSpec {
        name: (*name).to_owned(),
        ty: *ty,
        nullable: true,
    };
    let columns = columns.iter().map(column).collect();
    TableSpec {
        name: name.to_owned(),
        columns,
        primary_key: vec![],
        indexes: vec![],
    }
}

fn database(path: PathBuf) {
    use ColumnType::{Integer, Number, Text, Timestamp};
    let mut loader = Loader::open(&ConnectionKind::Sqlite { path }).unwrap();
    let orders = [
        ("order_id", Integer),
        ("buyer_id", Integer),
        ("market", Text),
        ("channel", Text),
        ("amount", Number),
        ("email", Text),
        ("status", Text),
        ("created_at", Timestamp),
    ];
    loader.create(&table("orders", &orders)).unwrap();
    for id in 0..240_i64 {
        let at = usize::try_from(id).unwrap();
        let day = date(2026, 1, 1).saturating_add(jiff::Span::new().days(id + 80));
        let status = if id % 7 == 0 { "CANCELLED" } else { "DONE" };
        loader
            .append(&[
                Cell::Integer(id),
                Cell::Integer(id % 20),
                Cell::Text(MARKETS[at % 4]),
                if id % 11 == 0 {
                    Cell::Null
                } else {
                    Cell::Text(CHANNELS[at % 3])
                },
                Cell::Number(f64::from(u32::try_from(id).unwrap()) * 10.0 + 25.5),
                Cell::Text("someone@example.com"),
                Cell::Text(status),
                Cell::Timestamp(day.at(10, 0, 0, 0)),
            ])
            .unwrap();
    }
    loader
        .create(&table("users", &[("user_id", Integer), ("segment", Text)]))
        .unwrap();
    for id in 0..20_i64 {
        loader
            .append(&[
                Cell::Integer(id),
                Cell::Text(if id % 2 == 0 { "SMB" } else { "Enterprise" }),
            ])
            .unwrap();
    }
    loader
        .create(&table(
            "visits",
            &[("device", Text), ("visited_at", Timestamp)],
        ))
        .unwrap();
    for id in 0..50_i8 {
        let day = date(2026, 10, 1 + id % 30);
        loader
            .append(&[
                Cell::Text(if id % 2 == 0 { "phone" } else { "desktop" }),
                Cell::Timestamp(day.at(9, 0, 0, 0)),
            ])
            .unwrap();
    }
    loader.finish().unwrap();
}

/// The explorer over the small project.
pub struct Explorer {
    pub state: State,
    pub session: Session,
    pub folder: TempDir,
    pub hits: HitMap,
    /// What was copied.
    pub copied: Vec<String>,
    /// Files that were opened in an editor, with their line.
    pub edited: Vec<(PathBuf, u32)>,
    /// Outcomes of questions, instead of the session's, in order.
    pub replies: VecDeque<Asked>,
    /// Whether it has ended.
    pub ended: bool,
    /// Effects are kept instead of being carried out.
    pub hold: bool,
    pub held: VecDeque<Effect>,
    /// The user's own configuration.
    pub user: UserConfig,
    stop_writing: CancellationToken,
    runtime: tokio::runtime::Runtime,
}

impl Explorer {
    /// Opened on a terminal of this size, on 20 November 2026.
    pub fn new(width: u16, height: u16) -> Self {
        Self::themed(width, height, Depth::None)
    }

    pub fn themed(width: u16, height: u16, depth: Depth) -> Self {
        Self::configured(width, height, depth, "", "")
    }

    /// The same, with more in `metrex.yaml` and with a configuration of the user's own.
    pub fn configured(width: u16, height: u16, depth: Depth, more: &str, user: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("shop");
        project(&root);
        std::fs::write(root.join("metrex.yaml"), format!("{CONFIG}{more}")).unwrap();
        let mut explorer = Self::start(folder, (width, height), depth, user);
        let options = ReindexOptions::default();
        let reindex = explorer
            .session
            .reindex(&options, |_| {}, CancellationToken::new());
        explorer.runtime.block_on(reindex).unwrap();
        explorer.hold = false;
        explorer.release();
        explorer
    }

    /// Ends it as the loop does.
    pub fn end(&mut self) {
        if let Some(workspace) = self.state.workspace() {
            self.session.keep_workspace(&workspace);
        }
    }

    /// Started again on the same project and state.
    pub fn start_again(self, width: u16, height: u16) -> Self {
        let mut explorer = self.start_again_held(width, height);
        explorer.hold = false;
        explorer.release();
        explorer
    }

    /// The same, before anything it asked for is answered.
    pub fn start_again_held(self, width: u16, height: u16) -> Self {
        let Self {
            folder,
            session,
            state,
            ..
        } = self;
        drop((session, state));
        Self::start(folder, (width, height), Depth::None, "")
    }

    /// Opened on the project in a folder; what it asks for first is kept.
    fn start(folder: TempDir, (width, height): (u16, u16), depth: Depth, user: &str) -> Self {
        let session = Session::open(OpenOptions {
            project: Some(folder.path().join("shop")),
            today: Some(date(2026, 11, 20)),
            state_dir: Some(folder.path().join("state")),
            ..OpenOptions::default()
        })
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let size = Size { width, height };
        Self::opened(session, folder, runtime, size, depth, user)
    }

    /// Opened over a session that is ready; true colours.
    pub fn over(session: Session, folder: TempDir, width: u16, height: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let size = Size { width, height };
        let mut explorer = Self::opened(session, folder, runtime, size, Depth::True, "");
        explorer.hold = false;
        explorer.release();
        explorer
    }

    fn opened(
        session: Session,
        folder: TempDir,
        runtime: tokio::runtime::Runtime,
        size: Size,
        depth: Depth,
        user: &str,
    ) -> Self {
        let user = UserConfig::read(user, Path::new("config.yaml"));
        let theme = Theme::load("dark", &[], depth).unwrap();
        let mut setting = setting(&session, &user, depth);
        setting.folder = folder.path().to_owned();
        let (state, effects) = State::new(
            setting,
            session.catalog(),
            session.connection(),
            theme,
            size,
        );
        Self {
            state,
            session,
            folder,
            hits: HitMap::default(),
            copied: Vec::new(),
            edited: Vec::new(),
            replies: VecDeque::new(),
            ended: false,
            hold: true,
            held: effects.into(),
            user,
            stop_writing: CancellationToken::new(),
            runtime,
        }
    }

    /// Presses keys: plain text is typed, `<Enter>`, `<Ctrl+R>`, `<z h>` and so on are keys.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while !rest.is_empty() {
            let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let named = named.and_then(|(name, after)| Some((name.parse::<Keys>().ok()?, after)));
            let (keys, after) = named.unwrap_or_else(|| {
                let c = rest.chars().next().unwrap();
                let chord = c.to_string().parse().unwrap();
                (Keys::one(chord), &rest[c.len_utf8()..])
            });
            for chord in keys.chords() {
                self.tell(Message::Key(KeyEvent::from(chord)));
            }
            rest = after;
        }
        self
    }

    /// Does what an entry of the table does, by its name, as the palette would.
    pub fn act(&mut self, id: &str) -> &mut Self {
        let entry = metrex::tui::actions().iter().find(|entry| entry.id == id);
        let action = entry.unwrap_or_else(|| panic!("no action {id}")).action;
        self.tell(Message::Click(metrex::tui::Target::Action(action)))
    }

    /// Gives it a message and carries out what it asks for.
    pub fn tell(&mut self, message: Message) -> &mut Self {
        let effects = update(&mut self.state, message);
        self.carry_out(effects);
        self
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        self.held.extend(effects);
        if !self.hold {
            self.release();
        }
    }

    /// Carries out the effects that were kept.
    pub fn release(&mut self) {
        while let Some(effect) = self.held.pop_front() {
            for message in self.outcome(effect) {
                let effects = update(&mut self.state, message);
                self.held.extend(effects);
            }
        }
    }

    /// The session that carries out an effect, as the engine chooses it.
    fn session_for(&self, anyway: bool) -> Session {
        match anyway {
            true => self.session.anyway(),
            false => self.session.asking(),
        }
    }

    /// What carrying it out leads to.
    pub fn outcome(&mut self, effect: Effect) -> Vec<Message> {
        match effect {
            Effect::Lookup {
                generation, lookup, ..
            } => {
                vec![Message::Answer {
                    generation,
                    answer: answer(&self.session, lookup),
                }]
            }
            Effect::Run {
                generation,
                query,
                written,
                fresh,
                anyway,
            } => {
                let (events, mut received) = mpsc::channel(1000);
                let options = RunOptions {
                    fresh,
                    row_cap: None,
                };
                let cancel = CancellationToken::new();
                let session = self.session_for(anyway);
                let run = async move {
                    match written {
                        None => session.run(&query, options, cancel, events).await,
                        Some(written) => {
                            let (compiled, connection) = (written.compiled, written.connection);
                            session
                                .run_compiled(compiled, &connection, options, cancel, events)
                                .await
                        }
                    }
                };
                let outcome =
                    self.runtime
                        .block_on(run)
                        .map(|summary| metrex::session::RunSummary {
                            elapsed: Duration::from_millis(12),
                            cached: summary.cached.map(|_| Duration::from_secs(180)),
                            ..summary
                        });
                let mut messages = Vec::new();
                while let Ok(event) = received.try_recv() {
                    messages.push(Message::Run {
                        generation,
                        news: RunNews::Event(event),
                    });
                }
                messages.push(Message::Run {
                    generation,
                    news: RunNews::Ended(outcome),
                });
                messages
            }
            Effect::WriteFile {
                generation,
                job,
                anyway,
            } => {
                let cancel = std::mem::take(&mut self.stop_writing);
                let work = job.carry_out(self.session_for(anyway), cancel, |_| {});
                let news = FileNews::Ended(self.runtime.block_on(work));
                vec![Message::File { generation, news }]
            }
            Effect::Define { generation, job } => {
                let work = job.carry_out(self.session.clone(), CancellationToken::new());
                let news = Box::new(self.runtime.block_on(work));
                vec![Message::Define { generation, news }]
            }
            Effect::StopWriting => {
                self.stop_writing.cancel();
                vec![]
            }
            Effect::Ask {
                generation,
                question,
                options,
                chosen,
            } => {
                self.session.keep_question(&question);
                if let Some((words, meaning)) = chosen {
                    self.session.choose(&question, &words, &meaning);
                }
                let mut stages = Vec::new();
                let cancel = CancellationToken::new();
                let stage = |stage| stages.push(stage);
                let mut asked = match self.replies.pop_front() {
                    Some(asked) => asked,
                    None => {
                        let asked = self.session.ask(&question, &options, cancel, stage);
                        self.runtime.block_on(asked)
                    }
                };
                asked.elapsed = Duration::from_millis(3);
                let stages = stages.into_iter().map(AskNews::Stage);
                let news = stages.chain([AskNews::Ended(Box::new(asked))]);
                news.map(|news| Message::Ask { generation, news }).collect()
            }
            Effect::Measure {
                generation,
                request,
                anyway,
            } => {
                let session = self.session_for(anyway);
                let change = session.change(request, CancellationToken::new());
                let outcome = self.runtime.block_on(change).map(Box::new);
                vec![Message::Measured {
                    generation,
                    outcome,
                }]
            }
            Effect::Weigh {
                generation,
                request,
                anyway,
            } => {
                let session = self.session_for(anyway);
                let weighed = session.weigh(*request, CancellationToken::new());
                let outcome = self.runtime.block_on(weighed).map(Box::new);
                vec![Message::Weighed {
                    generation,
                    outcome,
                }]
            }
            Effect::Judge {
                generation,
                judging,
            } => {
                let session = self.session.clone();
                let judged = session.pass_judgement(&judging, CancellationToken::new());
                let outcome = self.runtime.block_on(judged);
                vec![Message::Judged {
                    generation,
                    outcome,
                }]
            }
            Effect::Look {
                generation,
                look,
                anyway,
            } => {
                let (told, mut news) = mpsc::channel(1000);
                let looking = look::look(
                    self.session_for(anyway),
                    look,
                    CancellationToken::new(),
                    told,
                );
                self.runtime.block_on(looking);
                let mut messages = Vec::new();
                while let Ok(news) = news.try_recv() {
                    messages.push(Message::Look { generation, news });
                }
                messages
            }
            Effect::Beside {
                generation,
                job,
                anyway,
            } => {
                let session = self.session_for(anyway);
                let asked = job.run(&session, CancellationToken::new());
                let outcome = self.runtime.block_on(asked).map(Box::new);
                vec![Message::Beside {
                    generation,
                    outcome,
                }]
            }
            Effect::Reload => {
                self.session.reload();
                let catalog = self.session.catalog();
                let problems = catalog.diagnostics.clone();
                let preferences = Box::new(preferences(&self.session, &self.user));
                vec![Message::Reloaded {
                    catalog,
                    problems,
                    preferences,
                }]
            }
            Effect::Connect(name) => {
                let error = self
                    .session
                    .use_connection(&name)
                    .err()
                    .map(|error| error.to_string());
                vec![Message::Connected {
                    connection: self.session.connection(),
                    error,
                }]
            }
            Effect::Forget(words) => {
                self.session.forget_choice(&words);
                vec![]
            }
            Effect::Copy(text) => {
                self.copied.push(text);
                vec![]
            }
            Effect::CopyByTerminal(text, _) => {
                self.copied.push(text);
                vec![]
            }
            Effect::Edit(file, line) => {
                let file = self.session.file_to_edit(&file).unwrap();
                self.edited.push((file, line));
                vec![]
            }
            Effect::Quit => {
                self.ended = true;
                vec![]
            }
            Effect::Feedback { line, thumb, words } => {
                let said = self.session.feedback(
                    &metrex::session::Answered::Line(line),
                    thumb,
                    words.as_deref(),
                );
                said.unwrap();
                vec![]
            }
            Effect::Reused(line) => {
                self.session.note_reuse(&line);
                vec![]
            }
            Effect::ForgetLine(line) => {
                self.session.forget_line(&line);
                vec![]
            }
            Effect::SaveView { view, replace } => {
                let session = self.session.clone();
                let cancel = CancellationToken::new();
                let saving = session.save_view(&view, replace, cancel);
                let outcome = self.runtime.block_on(saving);
                let name = view.name;
                let mut messages = self.outcome(Effect::Reload);
                messages.push(Message::ViewSaved { name, outcome });
                messages
            }
            Effect::Pin(pin) => {
                let session = self.session.clone();
                let cancel = CancellationToken::new();
                let pinned = self.runtime.block_on(session.pin(&pin, &cancel));
                let said = match pinned {
                    Ok(at) => metrex::tui::Notice::Info(format!("pinned as a test at {at}")),
                    Err(refusal) => metrex::tui::Notice::Error(refusal.message),
                };
                let mut messages = self.outcome(Effect::Reload);
                messages.push(Message::Notice(said));
                messages
            }
            Effect::DeleteView(name) => {
                let session = self.session.clone();
                let deleting = session.delete_view(&name, CancellationToken::new());
                self.runtime.block_on(deleting).unwrap();
                self.outcome(Effect::Reload)
            }
            Effect::Keep(workspace) => {
                self.session.keep_workspace(&workspace);
                vec![]
            }
            Effect::KeepDraft { path, saved, text } => {
                self.session.keep_unsaved(&path, &saved, &text).unwrap();
                vec![]
            }
            Effect::DropDraft(path) => {
                self.session.drop_unsaved(&path);
                vec![]
            }
            Effect::Cancel(_)
            | Effect::Mouse(_)
            | Effect::Suspend
            | Effect::AskBackground
            | Effect::Redraw => vec![],
        }
    }

    fn draw(&mut self) -> Terminal<TestBackend> {
        let Size { width, height } = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut hits = HitMap::default();
        terminal
            .draw(|frame| hits = view(&self.state, frame))
            .unwrap();
        self.hits = hits;
        terminal
    }

    /// The screen as it is drawn, and where its cursor is.
    pub fn frame(&mut self) -> (Buffer, Option<Position>) {
        let terminal = self.draw();
        let backend = terminal.backend();
        let cursor = backend.cursor_visible().then(|| backend.cursor_position());
        (backend.buffer().clone(), cursor)
    }

    /// The screen as SVG.
    pub fn picture(&mut self, palette: &Palette) -> String {
        picture(self.draw().backend().buffer(), palette)
    }

    /// What the screen shows, line by line.
    pub fn screen(&mut self) -> String {
        let terminal = self.draw();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0_usize;
            for x in 0..buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                }
                skip -= 1;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The runs of equal style on each line of the screen.
    pub fn styles(&mut self) -> String {
        let terminal = self.draw();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut runs: Vec<(Style, u16, String)> = Vec::new();
            for x in 0..buffer.area.width {
                let cell = &buffer[(x, y)];
                match runs.last_mut() {
                    Some((style, _, run)) if *style == cell.style() => run.push_str(cell.symbol()),
                    _ => runs.push((cell.style(), x, cell.symbol().to_owned())),
                }
            }
            let told = runs
                .iter()
                .filter(|(_, _, run)| !run.trim().is_empty())
                .map(|(style, x, run)| {
                    format!("{y:>2},{x:<3} {:<24} {}\n", words(*style), run.trim())
                });
            text.extend(told);
        }
        text
    }

    /// The query line.
    pub fn line(&self) -> String {
        self.state.query.to_string()
    }

    /// What is typed in the catalog's search box.
    pub fn search(&self) -> &LineInput {
        &self.state.finder.input
    }

    /// The bytes of the prompt's text that are marked as not understood.
    pub fn marked(&self) -> String {
        let marks = self.state.prompt.marks();
        let marks: Vec<_> = marks.iter().map(|range| format!("{range:?}")).collect();
        marks.join(" ")
    }

    /// The first place on the screen where a text stands.
    pub fn place_of(&mut self, text: &str) -> (u16, u16) {
        let screen = self.screen();
        for (y, line) in screen.lines().enumerate() {
            if let Some(at) = line.find(text) {
                let x = unicode_width::UnicodeWidthStr::width(&line[..at]);
                return (u16::try_from(x).unwrap(), u16::try_from(y).unwrap());
            }
        }
        panic!("'{text}' is not on the screen:\n{screen}");
    }

    /// Clicks on the first place where a text stands.
    pub fn click(&mut self, text: &str) -> &mut Self {
        let (x, y) = self.place_of(text);
        let target = self.hits.at(x, y).unwrap();
        self.tell(Message::Click(target))
    }
}

fn words(style: Style) -> String {
    let color = |color: ratatui::style::Color| color.to_string().to_lowercase();
    let mut words = Vec::new();
    words.extend(
        style
            .fg
            .filter(|fg| *fg != ratatui::style::Color::Reset)
            .map(color),
    );
    words.extend(
        style
            .bg
            .filter(|bg| *bg != ratatui::style::Color::Reset)
            .map(|bg| format!("on {}", color(bg))),
    );
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if style.add_modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

/// Fails with the screen where a text is not on it.
#[macro_export]
macro_rules! assert_shows {
    ($explorer:expr, $($text:expr),+ $(,)?) => {{
        let screen = $explorer.screen();
        $(assert!(screen.contains($text), "'{}' is not on the screen:\n{screen}", $text);)+
    }};
}
