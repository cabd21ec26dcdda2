//! `metrex init --csv`: what is read from CSV files, and what is refused with its place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use metrex::init::{Created, InitError, Progress, Stage, from_csv};
use metrex::model::ColumnType;
use metrex::warehouse::{Request, Warehouse, WarehouseErrorKind};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A folder with CSV files, and a place for a project.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("csv")).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join("csv").join(name), content).unwrap();
        }
        Self { folder }
    }

    fn csv(&self) -> PathBuf {
        self.folder.path().join("csv")
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn init(&self) -> Result<Created, InitError> {
        from_csv(
            &self.csv(),
            &self.target(),
            &mut |_| {},
            &CancellationToken::new(),
        )
    }

    /// The message of the refusal; nothing may be left behind.
    fn refusal(&self) -> String {
        let error = self.init().unwrap_err();
        let left: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["csv"], "something was left behind");
        match &error {
            InitError::Csv {
                hint: Some(hint), ..
            } => format!("{error} ({hint})"),
            other => other.to_string(),
        }
    }

    fn warehouse(&self) -> Warehouse {
        let connection = support::sqlite(&self.target().join("warehouse.db"));
        Warehouse::open(&connection, "UTC").unwrap()
    }

    /// Names and types of the columns of a table.
    fn types(&self, table: &str) -> Vec<(String, ColumnType)> {
        let tables = block_on(self.warehouse().tables()).unwrap();
        let table = tables.into_iter().find(|info| info.name == table).unwrap();
        table
            .columns
            .into_iter()
            .map(|column| (column.name, column.ty.unwrap()))
            .collect()
    }

    /// The rows that a statement gives, `-` for NULL.
    fn rows(&self, sql: &str) -> Vec<String> {
        let request = Request {
            sql: sql.to_owned(),
            ..Request::default()
        };
        let (batches, _) = block_on(support::collect(&self.warehouse(), request)).unwrap();
        support::shop::texts(&batches)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn named(types: &[(&str, ColumnType)]) -> Vec<(String, ColumnType)> {
    types
        .iter()
        .map(|(name, ty)| ((*name).to_owned(), *ty))
        .collect()
}

#[test]
fn types_are_those_that_fit_every_value() {
    let mut late = String::from("a,b,c\n");
    for row in 0..5_000 {
        late.push_str(&format!("{row},{row},{row}\n"));
    }
    late.push_str("5000,0.5,n/x\n");
    let place = Place::with(&[
        ("late.csv", late.as_bytes()),
        (
            "kinds.csv",
            b"whole,number,yes,day,at,text\n\
              1,1,true,2025-01-31,2025-01-31 08:30,a\n\
              -20,2.5,FALSE,2024-02-29,2025-01-31T08:30:15,1\n\
              0,1e3,true,2025-12-01,2025-02-01,2025-01-31\n",
        ),
    ]);
    place.init().unwrap();
    use ColumnType::{Boolean, Date, Integer, Number, Text, Timestamp};
    assert_eq!(
        place.types("late"),
        named(&[("a", Integer), ("b", Number), ("c", Text)])
    );
    assert_eq!(
        place.types("kinds"),
        named(&[
            ("whole", Integer),
            ("number", Number),
            ("yes", Boolean),
            ("day", Date),
            ("at", Timestamp),
            ("text", Text)
        ])
    );
    assert_eq!(
        place.rows("SELECT number, yes, day, at, text FROM kinds ORDER BY whole"),
        [
            "2.5 | false | 2024-02-29 | 2025-01-31T08:30:15 | 1",
            "1000 | true | 2025-12-01 | 2025-02-01T00:00:00 | 2025-01-31",
            "1 | true | 2025-01-31 | 2025-01-31T08:30:00 | a",
        ]
    );
}

#[test]
fn codes_stay_texts_and_flags_are_told_by_their_name() {
    let place = Place::with(&[(
        "things.csv",
        b"thing,zip,phone,account,is_new,rank,day\n\
          a,00120,+4930123,12345678901234567890,1,1,20250131\n\
          b,20350,+4940123,12345678901234567891,0,0,20250201\n",
    )]);
    place.init().unwrap();
    use ColumnType::{Boolean, Integer, Text};
    assert_eq!(
        place.types("things"),
        named(&[
            ("thing", Text),
            ("zip", Text),
            ("phone", Text),
            ("account", Text),
            ("is_new", Boolean),
            ("rank", Integer),
            ("day", Integer)
        ])
    );
    assert_eq!(
        place.rows("SELECT zip, account FROM things WHERE is_new"),
        ["00120 | 12345678901234567890"]
    );
}

#[test]
fn impossible_dates_are_texts_and_offsets_become_utc() {
    let place = Place::with(&[(
        "events.csv",
        b"event,day,at,mixed\n\
          a,2025-02-29,2025-03-01T00:30:00+02:00,2025-01-01 10:00\n\
          b,2025-02-28,2025-03-01T12:00:00Z,2025-01-01T10:00:00Z\n",
    )]);
    place.init().unwrap();
    use ColumnType::{Text, Timestamp};
    assert_eq!(
        place.types("events"),
        named(&[
            ("event", Text),
            ("day", Text),
            ("at", Timestamp),
            ("mixed", Text)
        ])
    );
    assert_eq!(
        place.rows("SELECT at FROM events"),
        ["2025-02-28T22:30:00", "2025-03-01T12:00:00"]
    );
}

#[test]
fn empty_values_are_null_and_words_for_nothing_only_among_numbers() {
    let place = Place::with(&[(
        "people.csv",
        b"person,age,born,surname\n1,N/A,NULL,Null\n2,,1990-05-05,\"\"\n3,41,,NA\n",
    )]);
    let created = place.init().unwrap();
    assert_eq!(
        place.rows("SELECT age, born, surname FROM people"),
        ["- | - | Null", "- | 1990-05-05 | -", "41 | - | NA"]
    );
    let notes = created.notes.join("\n");
    assert!(
        notes.contains("people.csv: 1 value of age such as N/A or NULL, read as empty."),
        "{notes}"
    );
}

#[test]
fn marks_separators_names_and_quotes_are_understood() {
    let place = Place::with(&[
        (
            "Marked Things.csv",
            "\u{feff}Thing ID;Größe;unitPrice;\n1;\"a;b\";1.5;x\n2;\"say \"\"hi\"\"\nthere\";2;\n"
                .as_bytes(),
        ),
        ("tabs.tsv", b"a\tb\r\n1\tx, y\r\n2\tz\r\n"),
    ]);
    place.init().unwrap();
    use ColumnType::{Integer, Number, Text};
    assert_eq!(
        place.types("marked_things"),
        named(&[
            ("thing_id", Integer),
            ("größe", Text),
            ("unit_price", Number),
            ("column_4", Text)
        ])
    );
    assert_eq!(
        place.rows("SELECT größe, unit_price, column_4 FROM marked_things"),
        ["a;b | 1.5 | x", "say \"hi\"\nthere | 2 | -"]
    );
    assert_eq!(place.rows("SELECT b FROM tabs"), ["x, y", "z"]);
}

#[test]
fn what_looks_like_a_date_or_an_amount_is_pointed_out() {
    let place = Place::with(&[(
        "sales.csv",
        b"sale,on,total\n1,31/01/2025,\"$1,200.50\"\n2,01/02/2025,$3.00\n",
    )]);
    let notes = place.init().unwrap().notes.join("\n");
    assert!(
        notes.contains("on was kept as text. '31/01/2025' looks like a date"),
        "{notes}"
    );
    assert!(
        notes.contains("total was kept as text. '$1,200.50' looks like a number"),
        "{notes}"
    );
}

#[test]
fn a_row_of_another_length_is_refused_with_its_line() {
    let place = Place::with(&[("a.csv", b"x,y\n1,2\n\"two\nlines\",4\n5,6,7\n")]);
    assert_eq!(
        place.refusal(),
        "a.csv:5: this row has 3 values, the header has 2 (put values that contain the separator in double quotes)"
    );
    let place = Place::with(&[("a.csv", b"x,y\n1,2\n3\n")]);
    assert!(
        place
            .refusal()
            .starts_with("a.csv:3: this row has 1 value, the header has 2")
    );
}

#[test]
fn other_encodings_are_refused_with_the_place_and_the_remedy() {
    let place = Place::with(&[("a.csv", b"x,city\n1,Rome\n2,K\xf6ln\n")]);
    assert_eq!(
        place.refusal(),
        "a.csv:3: 'K\u{fffd}ln' in city is not UTF-8 (convert the file: iconv -f latin1 -t utf-8 a.csv)"
    );
    let place = Place::with(&[("b.csv", b"\xff\xfex\0,\0y\0\n\0")]);
    assert!(place.refusal().starts_with("b.csv:1: the file is UTF-16"));
}

#[test]
fn columns_and_files_with_the_same_name_are_refused() {
    let place = Place::with(&[("a.csv", b"id,name,id\n1,x,2\n")]);
    assert!(
        place
            .refusal()
            .starts_with("a.csv:1: the header has 'id' twice, in columns 1 and 3")
    );
    let place = Place::with(&[("a.csv", b"Order ID,order_id\n1,2\n")]);
    assert!(place.refusal().starts_with(
        "a.csv:1: the columns 'Order ID' and 'order_id' would both be called order_id"
    ));
    let place = Place::with(&[("a.csv", b"x\n1\n"), ("a.tsv", b"x\n1\n")]);
    assert!(
        place
            .refusal()
            .contains("would become the table 'a', as a.csv does")
    );
}

#[test]
fn files_without_rows_are_left_out_and_mentioned() {
    let place = Place::with(&[
        ("a.csv", b"x\n1\n"),
        ("empty.csv", b""),
        ("header.csv", b"x,y\n"),
    ]);
    let created = place.init().unwrap();
    assert_eq!((created.tables, created.rows), (1, 1));
    assert_eq!(
        created.notes,
        [
            "empty.csv is empty and was left out.",
            "header.csv has a header but no rows and was left out."
        ]
    );
    let place = Place::with(&[("empty.csv", b""), ("readme.txt", b"x")]);
    assert!(
        place
            .refusal()
            .starts_with("there is no .csv or .tsv file with rows in")
    );
}

#[test]
fn an_existing_project_is_left_alone() {
    let place = Place::with(&[("a.csv", b"x\n1\n")]);
    fs::create_dir_all(place.target().join("metrics")).unwrap();
    fs::write(place.target().join("metrex.yaml"), "mine").unwrap();
    let message = place.init().unwrap_err().to_string();
    assert!(
        message.ends_with("project already holds metrex.yaml, metrics: nothing was changed"),
        "{message}"
    );
    assert_eq!(
        fs::read_to_string(place.target().join("metrex.yaml")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(place.target()).unwrap().count(), 2);
}

#[test]
fn a_folder_with_other_files_becomes_a_project() {
    let place = Place::with(&[("a.csv", b"x\n1\n")]);
    from_csv(
        &place.csv(),
        &place.csv(),
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    let mut names: Vec<_> = fs::read_dir(place.csv())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a.csv", "metrex.yaml", "metrics", "warehouse.db"]);
}

#[test]
fn progress_runs_to_the_end_of_every_stage() {
    let place = Place::with(&[("a.csv", b"x\n1\n"), ("b.csv", b"y\n1\n2\n")]);
    let mut seen: Vec<Progress> = Vec::new();
    from_csv(
        &place.csv(),
        &place.target(),
        &mut |progress| seen.push(progress),
        &CancellationToken::new(),
    )
    .unwrap();
    for (stage, subject) in [
        (Stage::Reading, "a.csv"),
        (Stage::Reading, "b.csv"),
        (Stage::Loading, "a.csv"),
        (Stage::Loading, "b.csv"),
    ] {
        let last = seen
            .iter()
            .rfind(|progress| progress.stage == stage && progress.subject == subject);
        assert!(last.is_some_and(|progress| progress.done == progress.total && progress.total > 0));
    }
    let last = seen.last().unwrap();
    assert_eq!(
        (last.stage, last.done, last.total),
        (Stage::Examining, 2, 2)
    );
}

#[test]
fn a_missing_folder_is_named() {
    let message = from_csv(
        Path::new("/nowhere/at/all"),
        Path::new("/tmp/never-made"),
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap_err()
    .to_string();
    assert!(message.starts_with("/nowhere/at/all: "), "{message}");
    assert!(!Path::new("/tmp/never-made").exists());
}

#[test]
fn cancelling_stops_it_and_leaves_nothing() {
    let place = Place::with(&[("a.csv", b"x\n1\n"), ("b.csv", b"y\n1\n")]);
    for stage in [Stage::Reading, Stage::Loading, Stage::Examining] {
        let cancel = CancellationToken::new();
        let mut stop = |progress: Progress| {
            if progress.stage == stage {
                cancel.cancel();
            }
        };
        let error = from_csv(&place.csv(), &place.target(), &mut stop, &cancel).unwrap_err();
        let cancelled = matches!(&error, InitError::Interrupted)
            || matches!(&error, InitError::Warehouse(error) if error.kind == WarehouseErrorKind::Cancelled);
        assert!(cancelled, "{error}");
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1);
    }
}
