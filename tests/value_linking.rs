//! Words of a question and the values they mean: as they stand, with typos, by country names, by aliases; never silently
//! one of several.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/demo.rs"]
mod demo;
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use metrex::ask::{How, Linker, ValueMap};
use metrex::compile::Reachability;
use metrex::index::{ValueIndex, plan, reindex};
use metrex::model::alike::{fold, is_typo};
use metrex::model::world::{self, NameKind};
use metrex::model::{Registry, ValueLookup};
use metrex::registry::{Config, Project, ProjectFile, ProjectFiles, load};
use metrex::warehouse::{Dialect, Warehouse};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const METRICS: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    dimensions:
      market: {value_aliases: {BR: [the south], ID: [Indo]}}
      city: {}
      currency: {}
      direction: {}
      status: {}
      note: {pii: true}
      order_id: {type: number}
    joins:
      buyer: {to: users, on: user_id}
  users:
    table: users
    key: user_id
    dimensions:
      segment: {}
      market: {}
      country: {}
  visits:
    table: visits
    dimensions:
      market: {}
      stage: {column: status}
metrics:
  orders: {base_table: orders, agg: count}
  users: {base_table: users, agg: count}
  visits: {base_table: visits, agg: count}
  conversion: {expr: orders / visits}
";

const DATA: &str = "
CREATE TABLE users (user_id integer, segment text, market text, country text);
INSERT INTO users VALUES (1, 'Enterprise', 'ID', 'Viet Nam'), (2, 'Enterprise plus', 'SG', 'Brazil'), (3, 'Mid-market', 'VN', 'Brazil');
CREATE TABLE orders (order_id integer, user_id integer, market text, city text, currency text, direction text,
    status text, note text);
INSERT INTO orders VALUES
    (1, 1, 'ID', 'São Paulo', 'IDR', 'IN', 'active', 'secret word'),
    (2, 2, 'BR', '東京', 'BRL', 'OUT', 'paused', 'another'),
    (3, 2, 'TH', 'Côte d’Azur', 'THB', 'IN', 'Active', NULL),
    (4, 2, 'TH', 'san_jose', 'USD', 'IN', 'closed', NULL),
    (5, 2, 'KR', 'Austin', 'SGD', 'IN', 'closed', NULL),
    (6, 2, 'KR', 'Boston', 'SGD', 'IN', 'closed', NULL);
CREATE TABLE visits (market text, status text);
INSERT INTO visits VALUES ('BR', 'active'), ('MX', 'bounced'), ('TH', 'bounced');
";

struct Setup {
    registry: Registry,
    reach: Reachability,
    map: ValueMap,
    index: Arc<ValueIndex>,
    file: PathBuf,
    _folder: TempDir,
}

impl Setup {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With more rows.
    async fn with(sql: &str) -> Self {
        let file = ProjectFile {
            path: "metrics/shop.yaml".to_owned(),
            text: METRICS.to_owned(),
        };
        let files = ProjectFiles {
            metrics: vec![file],
            ..ProjectFiles::default()
        };
        let loaded = load(&files, &Config::default(), None);
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        let warehouse = rusqlite::Connection::open(&database).unwrap();
        warehouse.execute_batch(DATA).unwrap();
        warehouse.execute_batch(sql).unwrap();
        Self::over(loaded.registry, &database, folder).await
    }

    async fn demo() -> Self {
        let project = Project::demo().unwrap();
        let registry = load(&project.files(), &project.config, None).registry;
        Self::over(registry, &demo::file(), tempfile::tempdir().unwrap()).await
    }

    async fn over(registry: Registry, database: &Path, folder: TempDir) -> Self {
        let file = folder.path().join("value_index.db");
        let index = Arc::new(ValueIndex::open(&file).unwrap());
        let warehouse = Warehouse::open(&support::sqlite(database), "UTC").unwrap();
        let (cancel, columns) = (CancellationToken::new(), plan(&registry));
        reindex(&warehouse, &index, columns, false, |_| {}, &cancel)
            .await
            .unwrap();
        Self {
            reach: Reachability::new(&registry),
            map: ValueMap::new(&registry),
            registry,
            index,
            file,
            _folder: folder,
        }
    }

    fn linker(&self) -> Linker<'_> {
        Linker {
            registry: &self.registry,
            reach: &self.reach,
            map: &self.map,
            values: self.index.as_ref(),
        }
    }

    /// What words name; what they may be a typo of, where they name nothing.
    fn link(&self, words: &str, metrics: &[String]) -> Vec<metrex::ask::Link> {
        let links = self.linker().named(words, metrics);
        match links.is_empty() {
            true => self.linker().similar(words, metrics),
            false => links,
        }
    }

    /// `dimension = value how`, for queries over metrics.
    fn links(&self, words: &str, metrics: &[&str]) -> Vec<String> {
        let metrics: Vec<String> = metrics.iter().map(|name| (*name).to_owned()).collect();
        let links = self.link(words, &metrics);
        let how = |how| match how {
            How::Exact => "exact",
            How::Alias => "alias",
            How::Code => "code",
            How::Similar(_) => "similar",
            How::Perhaps(_) => "perhaps",
        };
        let text = |link: &metrex::ask::Link| {
            format!("{} = {} {}", link.dimension, link.value, how(link.how))
        };
        links.iter().map(text).collect()
    }

    /// The texts of hits in any column.
    fn exact(&self, text: &str) -> Vec<String> {
        let hits = self.index.exact(text).into_iter();
        hits.map(|hit| format!("{}.{}={}", hit.table, hit.column, hit.value))
            .collect()
    }
}

#[tokio::test]
async fn a_value_is_found_whatever_its_case_accents_and_spaces() {
    let setup = Setup::new().await;
    for typed in [
        "São Paulo",
        "sao paulo",
        "SAO  PAULO",
        "são_paulo",
        "Sao-Paulo",
        "ｓａｏ ｐａｕｌｏ",
    ] {
        assert_eq!(setup.exact(typed), ["orders.city=São Paulo"], "{typed}");
    }
    assert_eq!(setup.exact("san jose"), ["orders.city=san_jose"]);
    assert_eq!(setup.exact("cote d'azur"), ["orders.city=Côte d’Azur"]);
    assert_eq!(setup.exact("東京"), ["orders.city=東京"]);
    assert_eq!(setup.exact("mid market"), ["users.segment=Mid-market"]);
    assert!(setup.exact("").is_empty());
    assert!(setup.exact(" - ").is_empty());
    assert!(setup.exact("sao paul").is_empty());
}

#[tokio::test]
async fn a_value_is_linked_to_the_dimension_as_the_query_writes_it() {
    let setup = Setup::new().await;
    assert_eq!(setup.links("th", &["orders"]), ["market = TH exact"]);
    // The nearest dimension of the name that has the value.
    assert_eq!(setup.links("ID", &["orders"]), ["market = ID exact"]);
    assert_eq!(setup.links("sg", &["orders"]), ["buyer.market = SG exact"]);
    assert_eq!(
        setup.links("enterprise", &["orders"]),
        ["segment = Enterprise exact"]
    );
    // Not reachable from visits.
    assert!(setup.links("enterprise", &["visits"]).is_empty());
    assert_eq!(
        setup.links("enterprise", &[]),
        ["segment = Enterprise exact"]
    );
    // Both metrics of a query must reach it; equal names are one dimension.
    assert_eq!(setup.links("br", &["conversion"]), ["market = BR exact"]);
    let link = &setup.link("br", &["conversion".to_owned()])[0];
    assert_eq!(link.count, 2);
    assert!(setup.links("boston", &["orders", "visits"]).is_empty());
}

#[tokio::test]
async fn one_word_in_several_places_is_several_links() {
    let setup = Setup::new().await;
    assert_eq!(
        setup.links("closed", &["orders"]),
        ["status = closed exact"]
    );
    assert_eq!(
        setup.links("active", &[]),
        ["stage = active exact", "status = active exact"]
    );
    // Two values that differ only in case: the one that was typed, else both.
    assert_eq!(
        setup.links("Active", &["orders"]),
        ["status = Active exact"]
    );
    assert_eq!(
        setup.links("ACTIVE", &["orders"]),
        ["status = Active exact", "status = active exact"]
    );
}

#[tokio::test]
async fn countries_go_by_their_names_and_their_people() {
    let setup = Setup::new().await;
    for (words, value) in [
        ("Brazil", "BR"),
        ("brasil", "BR"),
        ("Brazilians", "BR"),
        ("thailand", "TH"),
        ("Thais", "TH"),
        ("South Korea", "KR"),
        ("Indonesian", "ID"),
    ] {
        let links = setup.links(words, &["visits", "orders"]);
        let links = if links.is_empty() {
            setup.links(words, &["orders"])
        } else {
            links
        };
        assert!(
            links.contains(&format!("market = {value} code")),
            "{words}: {links:?}"
        );
    }
    // However the data writes it.
    assert_eq!(
        setup.links("vietnam", &["users"]),
        ["country = Viet Nam code", "market = VN code"]
    );
    assert_eq!(setup.links("vietnamese", &["orders"]).len(), 2);
    // `IN` beside `OUT` is not India.
    assert!(setup.links("India", &["orders"]).is_empty());
    assert_eq!(setup.links("in", &["orders"]), ["direction = IN exact"]);
    // A country that the data does not have.
    assert!(setup.links("Germany", &["orders"]).is_empty());
}

#[tokio::test]
async fn currencies_go_by_their_names_and_signs() {
    let setup = Setup::new().await;
    assert_eq!(setup.links("rupiah", &["orders"]), ["currency = IDR code"]);
    assert_eq!(
        setup.links("US dollars", &["orders"]),
        ["currency = USD code"]
    );
    assert_eq!(
        setup.links("Thai baht", &["orders"]),
        ["currency = THB code"]
    );
    assert_eq!(setup.links("R$", &["orders"]), ["currency = BRL code"]);
    assert!(setup.links("€", &["orders"]).is_empty());
    // Which dollar?
    assert_eq!(
        setup.links("dollars", &["orders"]),
        ["currency = SGD code", "currency = USD code"]
    );
}

#[test]
fn names_of_countries_are_those_people_use() {
    let codes = |words: &str| {
        let names = world::codes(words).into_iter();
        names.map(|name| name.code).collect::<Vec<_>>()
    };
    for (words, code) in [
        ("UK", "GB"),
        ("great britain", "GB"),
        ("U.S.", "US"),
        ("usa", "US"),
        ("Viet Nam", "VN"),
        ("việt nam", "VN"),
        ("Türkiye", "TR"),
        ("turkey", "TR"),
        ("ไทย", "TH"),
        ("日本", "JP"),
        ("Ivory Coast", "CI"),
        ("cote d’ivoire", "CI"),
        ("Filipinas", "PH"),
        ("the Netherlands", "NL"),
        ("Dutch", "NL"),
        ("BRA", "BR"),
        ("€", "EUR"),
        ("yuan", "CNY"),
    ] {
        assert_eq!(codes(words), [code], "{words}");
    }
    assert_eq!(codes("Congo"), ["CD", "CG"]);
    assert!(codes("dollar").len() > 1);
    // Codes are English words too: only in capitals.
    for word in ["in", "it", "no", "all", "top", "real", "won", "try", "us"] {
        assert!(codes(word).is_empty(), "{word}");
    }
    assert_eq!(codes("IT"), ["IT"]);
    let name = world::codes("Brazilian")[0];
    assert!(name.is_demonym && name.kind == NameKind::Country && name.name == "Brazil");
    assert!(!world::codes("Brasil")[0].is_demonym);
}

#[tokio::test]
async fn aliases_of_values_come_from_the_registry() {
    let setup = Setup::new().await;
    assert_eq!(setup.links("the south", &["orders"]), ["market = BR alias"]);
    // They hold for every dimension of the name.
    assert_eq!(setup.links("The South", &["visits"]), ["market = BR alias"]);
    // A value that the data does not have is not offered.
    assert!(setup.links("indo", &["visits"]).is_empty());
    assert_eq!(setup.links("Indo", &["orders"]), ["market = ID alias"]);
}

#[tokio::test]
async fn a_query_with_a_name_for_a_value_is_told_the_value() {
    let setup = Setup::new().await;
    let engine = support::shop::Engine::new(setup.registry.clone());
    let hint = |line: &str| {
        let compiled = engine.compile_with(line, Dialect::Sqlite, setup.index.as_ref());
        compiled.unwrap_err().hint.unwrap()
    };
    let brazil = hint("orders where market = Brazil");
    assert!(
        brazil.starts_with("did you mean 'BR' (Brazil)?"),
        "{brazil}"
    );
    let south = hint("orders where market = 'The South'");
    assert!(south.starts_with("did you mean 'BR'?"), "{south}");
}

#[tokio::test]
async fn a_typo_is_linked_where_nothing_else_is_as_near() {
    let setup = Setup::new().await;
    assert_eq!(
        setup.links("pausd", &["orders"]),
        ["status = paused similar"]
    );
    assert_eq!(setup.links("Bostn", &["orders"]), ["city = Boston similar"]);
    assert_eq!(
        setup.links("sao pualo", &["orders"]),
        ["city = São Paulo similar"]
    );
    // A typo of a name whose code the data has.
    let link = setup.link("Thialand", &["orders".to_owned()]).remove(0);
    assert_eq!(
        (link.value.as_str(), link.matched.as_str()),
        ("TH", "thailand")
    );
    assert!(matches!(link.how, How::Similar(similarity) if similarity < 1.0));
    // Too short, or too far.
    assert!(setup.links("THH", &["orders"]).is_empty());
    assert!(setup.links("wales", &["orders"]).is_empty());
    assert!(setup.links("bst", &["orders"]).is_empty());
}

#[tokio::test]
async fn what_may_be_one_of_several_is_asked() {
    // "boston" is as near to both.
    let setup =
        Setup::with("INSERT INTO orders (city) VALUES ('Boxton'), ('Houston'), ('Hosston')").await;
    let links = setup.links("Botton", &["orders"]);
    assert_eq!(links, ["city = Boston perhaps", "city = Boxton perhaps"]);
    // Words of a value are never the value, but worth asking about.
    assert_eq!(
        setup.links("plus", &["orders"]),
        ["segment = Enterprise plus perhaps"]
    );
    assert_eq!(
        setup.links("mid", &["orders"]),
        ["segment = Mid-market perhaps"]
    );
}

#[tokio::test]
async fn a_number_with_another_digit_is_another_number() {
    let setup =
        Setup::with("INSERT INTO orders (city) VALUES ('customer 10017'), ('-5'), ('2025-11')")
            .await;
    assert_eq!(
        setup.links("custmer 10017", &["orders"]),
        ["city = customer 10017 similar"]
    );
    assert!(setup.links("customer 10018", &["orders"]).is_empty());
    assert!(setup.links("1001", &["orders"]).is_empty());
    assert!(setup.exact("-5").contains(&"orders.city=-5".to_owned()));
    assert!(!setup.exact("5").contains(&"orders.city=-5".to_owned()));
}

#[tokio::test]
async fn personal_data_and_wide_columns_are_never_claimed() {
    let setup = Setup::with(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10200)
         INSERT INTO orders (order_id) SELECT i FROM n",
    )
    .await;
    assert!(setup.exact("secret word").is_empty());
    assert!(setup.index.similar("secret wrod", 5).is_empty());
    assert!(setup.exact("150").is_empty());
}

#[tokio::test]
async fn values_that_are_gone_are_not_found_any_more() {
    let setup = Setup::new().await;
    let texts = || {
        let file = rusqlite::Connection::open(&setup.file).unwrap();
        let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
        (
            count("SELECT count(*) FROM value_texts WHERE folded = 'austin'"),
            count("SELECT count(*) FROM value_trigrams WHERE value_trigrams MATCH '\"ust\"'"),
        )
    };
    assert_eq!(texts(), (1, 1));
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("shop.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch(DATA).unwrap();
    connection
        .execute_batch("DELETE FROM orders WHERE city = 'Austin'")
        .unwrap();
    let warehouse = Warehouse::open(&support::sqlite(&database), "UTC").unwrap();
    let (cancel, columns) = (CancellationToken::new(), plan(&setup.registry));
    reindex(&warehouse, &setup.index, columns, false, |_| {}, &cancel)
        .await
        .unwrap();
    assert_eq!(texts(), (0, 0));
    assert!(setup.exact("austin").is_empty());
    assert!(setup.links("Austn", &["orders"]).is_empty());
    assert_eq!(setup.links("Bostn", &["orders"]), ["city = Boston similar"]);
}

#[tokio::test]
async fn an_index_of_an_earlier_version_is_brought_up_to_date() {
    let setup = Setup::new().await;
    let old = setup.file.with_file_name("old.db");
    let file = rusqlite::Connection::open(&old).unwrap();
    file.execute_batch(
        "CREATE TABLE dimension_values (table_name TEXT, column_name TEXT, value TEXT, count INTEGER,
             updated_at TIMESTAMP, PRIMARY KEY (table_name, column_name, value));
         CREATE TABLE indexed_columns (table_name TEXT, column_name TEXT, state TEXT, distinct_values INTEGER,
             updated_at TIMESTAMP, PRIMARY KEY (table_name, column_name));
         CREATE TABLE checked_keys (table_name TEXT, key_columns TEXT, duplicates INTEGER, updated_at TIMESTAMP,
             PRIMARY KEY (table_name, key_columns));
         CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TIMESTAMP);
         INSERT INTO dimension_values VALUES ('orders', 'city', 'São Paulo', 3, '2026-01-01T00:00:00Z');
         PRAGMA user_version = 1",
    )
    .unwrap();
    drop(file);
    let index = ValueIndex::open(&old).unwrap();
    assert_eq!(index.exact("sao paulo")[0].count, 3);
    assert_eq!(index.similar("sao pualo", 5)[0].value, "São Paulo");
}

#[tokio::test]
async fn an_index_that_cannot_be_read_finds_nothing() {
    let setup = Setup::new().await;
    rusqlite::Connection::open(&setup.file)
        .unwrap()
        .execute_batch("DROP TABLE value_texts; DROP TABLE value_trigrams")
        .unwrap();
    assert!(setup.index.exact("Boston").is_empty());
    assert!(setup.index.similar("Bostn", 5).is_empty());
    assert!(setup.links("Boston", &["orders"]).is_empty());
}

/// A small generator of its own, so that every run has the same typos.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }

    /// One letter exchanged, left out, put in, or swapped with the next; digits stay.
    fn typo(&mut self, text: &str) -> Option<String> {
        let mut letters: Vec<char> = text.chars().collect();
        let is_letter = |at: &usize| letters[*at].is_alphabetic();
        let places: Vec<usize> = (0..letters.len()).filter(is_letter).collect();
        let at = *places.get(self.below(places.len().max(1)))?;
        let new = char::from(b'a' + u8::try_from(self.below(26)).unwrap());
        match self.below(4) {
            0 => letters[at] = new,
            1 => drop(letters.remove(at)),
            2 => letters.insert(at, new),
            _ if at + 1 < letters.len() && letters[at + 1].is_alphabetic() => {
                letters.swap(at, at + 1);
            }
            _ => return None,
        }
        let typed: String = letters.into_iter().collect();
        (fold(&typed) != fold(text)).then_some(typed)
    }
}

/// The share of typos whose value comes first, or level with the first.
fn recall(index: &ValueIndex, values: &[String], tries: u32) -> f64 {
    let mut random = Random(88_172_645_463_325_252);
    let (mut tried, mut found) = (0, 0_u32);
    while tried < tries {
        let value = &values[random.below(values.len())];
        let Some(typed) = random.typo(value) else {
            continue;
        };
        if !is_typo(&fold(&typed), &fold(value)) {
            continue;
        }
        tried += 1;
        let hits = index.similar(&typed, 5);
        let first = hits.first().map_or(0.0, |hit| hit.similarity);
        let is_first =
            |hit: &metrex::model::ValueHit| hit.value == *value && hit.similarity >= first;
        found += u32::from(hits.iter().any(is_first));
    }
    f64::from(found) / f64::from(tries)
}

#[tokio::test]
async fn a_typo_in_a_value_of_the_demo_finds_it() {
    let setup = Setup::demo().await;
    let file = rusqlite::Connection::open(&setup.file).unwrap();
    let values: Vec<String> = file
        .prepare("SELECT DISTINCT value FROM dimension_values")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let values: Vec<String> = values
        .into_iter()
        .filter(|value| value.chars().count() >= 4)
        .collect();
    let recall = recall(&setup.index, &values, 1_000);
    assert!(recall >= 0.98, "{recall}");
}

#[tokio::test]
async fn a_typo_finds_its_value_among_fifty_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("names.db");
    let mut connection = rusqlite::Connection::open(&database).unwrap();
    let columns = ["a", "b", "c", "d", "e"];
    connection
        .execute_batch("CREATE TABLE names (a text, b text, c text, d text, e text)")
        .unwrap();
    const SYLLABLES: [&str; 24] = [
        "ka", "ro", "mi", "bal", "te", "no", "sun", "dar", "li", "ven", "po", "gra", "shi", "mo",
        "lan", "ter", "qua", "zel", "fi", "dor", "han", "gu", "es", "pra",
    ];
    let mut random = Random(7);
    let mut values = Vec::new();
    let transaction = connection.transaction().unwrap();
    for _ in 0..10_000 {
        let row: Vec<String> = columns
            .iter()
            .map(|_| {
                let mut word = || {
                    let syllables = 2 + random.below(3);
                    (0..syllables)
                        .map(|_| SYLLABLES[random.below(24)])
                        .collect::<String>()
                };
                format!("{} {}", word(), word())
            })
            .collect();
        transaction
            .execute(
                "INSERT INTO names VALUES (?, ?, ?, ?, ?)",
                rusqlite::params_from_iter(&row),
            )
            .unwrap();
        values.extend(row);
    }
    transaction.commit().unwrap();
    let text = "datasets:\n  names: {table: names, dimensions: {a: {}, b: {}, c: {}, d: {}, e: {}}}\nmetrics:\n  names: {base_table: names, agg: count}\n";
    let files = ProjectFiles {
        metrics: vec![ProjectFile {
            path: "metrics/names.yaml".to_owned(),
            text: text.to_owned(),
        }],
        ..ProjectFiles::default()
    };
    let registry = load(&files, &Config::default(), None).registry;
    let setup = Setup::over(registry, &database, folder).await;
    let recall = recall(&setup.index, &values, 500);
    assert!(recall >= 0.98, "{recall}");
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in "\\PC{0,24}") {
        prop_assert_eq!(fold(&fold(&text)), fold(&text));
    }

    #[test]
    fn case_and_outer_spaces_do_not_count(text in "[a-zA-Z0-9 ]{0,16}") {
        prop_assert_eq!(fold(&format!("  {} ", text.to_uppercase())), fold(&text));
    }
}
