//! The registry that `metrex init` writes: it loads without a complaint, reads well, and its numbers are right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use metrex::init::from_csv;
use metrex::model::{Registry, Status};
use metrex::registry::{Project, load};
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, rows, texts};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A bicycle hire: riders, stations, rentals with their extras, repairs.
static BICYCLES: LazyLock<TempDir> = LazyLock::new(|| {
    let make = || {
        let folder = TempDir::new().unwrap();
        from_csv(
            Path::new("tests/fixtures/init"),
            &folder.path().join("hire"),
            &mut |_| {},
            &CancellationToken::new(),
        )
        .unwrap();
        folder
    };
    // It blocks, which an asynchronous test may not.
    std::thread::spawn(make).join().unwrap()
});

fn file(name: &str) -> String {
    fs::read_to_string(BICYCLES.path().join("hire").join(name)).unwrap()
}

/// The registry of a project, which must load without any complaint.
fn registry(root: &Path) -> Registry {
    let project = Project::find(Some(root)).unwrap();
    let loaded = load(&project.files(), &project.config, None);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    loaded.registry
}

fn bicycles() -> (Engine, Warehouse) {
    let root = BICYCLES.path().join("hire");
    let connection = support::sqlite(&root.join("warehouse.db"));
    (
        Engine::new(registry(&root)),
        Warehouse::open(&connection, "UTC").unwrap(),
    )
}

/// A registry made from these files.
fn made_from(files: &[(&str, &str)]) -> (TempDir, Registry) {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    from_csv(
        folder.path(),
        folder.path(),
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    let registry = registry(folder.path());
    (folder, registry)
}

#[test]
fn the_files_read_as_if_a_person_had_written_them() {
    insta::assert_snapshot!("metrex.yaml", file("metrex.yaml"));
    insta::assert_snapshot!("rentals.yaml", file("metrics/rentals.yaml"));
    insta::assert_snapshot!("rental_extras.yaml", file("metrics/rental_extras.yaml"));
    insta::assert_snapshot!("riders.yaml", file("metrics/riders.yaml"));
}

#[test]
fn every_metric_is_a_draft_with_words_for_people() {
    let (engine, _) = bicycles();
    assert!(engine.registry.metrics.len() > 20);
    for metric in engine.registry.metrics.values() {
        assert_eq!(metric.status, Status::Draft, "{}", metric.name);
        assert!(metric.description.len() > 10, "{}", metric.name);
    }
}

/// Questions, and the same in plain SQL.
const ANSWERS: &[(&str, &str)] = &[
    ("rentals", "SELECT count(*) FROM rentals"),
    ("revenue", "SELECT sum(rental_total) FROM rentals"),
    (
        "average_rental_value",
        "SELECT sum(rental_total) / count(*) FROM rentals",
    ),
    (
        "revenue by month",
        "SELECT substr(started_at, 1, 7) || '-01', sum(rental_total) FROM rentals GROUP BY 1 ORDER BY 1",
    ),
    (
        "revenue, rentals by start_station.district",
        "SELECT s.district, sum(r.rental_total), count(*) FROM rentals r JOIN stations s ON s.station_id = \
         r.start_station_id GROUP BY 1 ORDER BY 1",
    ),
    (
        "rentals by end_station.station",
        "SELECT s.name, count(*) FROM rentals r LEFT JOIN stations s ON s.station_id = r.end_station_id GROUP BY 1 \
         ORDER BY 1 NULLS LAST",
    ),
    (
        "new_riders by plan",
        "SELECT u.plan, count(*) FROM rentals r JOIN riders u USING (rider_id) WHERE r.rider_rental_number = 1 \
         GROUP BY 1 ORDER BY 1",
    ),
    (
        "electric_rental_share",
        "SELECT 1.0 * sum(is_electric) / count(is_electric) FROM rentals",
    ),
    (
        "electric_rental_revenue_share",
        "SELECT sum(CASE WHEN is_electric THEN rental_total END) / sum(CASE WHEN is_electric IS NOT NULL THEN \
         rental_total END) FROM rentals",
    ),
    (
        "rental_extra_revenue by extra_kind",
        "SELECT e.extra_kind, sum(x.quantity * x.unit_price) FROM rental_extras x JOIN extras e USING (extra_code) \
         GROUP BY 1 ORDER BY 1",
    ),
    (
        "rental_extra_revenue by plan",
        "SELECT u.plan, sum(x.quantity * x.unit_price) FROM rental_extras x JOIN rentals r USING (rental_id) JOIN \
         riders u USING (rider_id) GROUP BY 1 ORDER BY 1",
    ),
    (
        "riders_with_rentals",
        "SELECT count(DISTINCT rider_id) FROM rentals",
    ),
    ("average_rental_minutes", "SELECT avg(minutes) FROM rentals"),
    (
        "repair_cost by station",
        "SELECT s.name, sum(p.cost) FROM repairs p JOIN stations s USING (station_id) GROUP BY 1 ORDER BY 1",
    ),
];

#[tokio::test]
async fn numbers_equal_plain_sql() {
    let (engine, warehouse) = bicycles();
    for (line, sql) in ANSWERS {
        let compiled = engine
            .compile(line)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let request = Request {
            sql: (*sql).to_owned(),
            ..Request::default()
        };
        let (expected, _) = support::collect(&warehouse, request).await.unwrap();
        assert_eq!(
            rows(&warehouse, &compiled.main).await,
            texts(&expected),
            "{line}\n{}",
            compiled.main.sql
        );
    }
}

#[tokio::test]
async fn every_metric_runs_with_every_dimension_it_is_offered() {
    let (engine, warehouse) = bicycles();
    let names: Vec<String> = engine.registry.metrics.keys().cloned().collect();
    for name in names {
        let choices = engine
            .reach
            .choices(&engine.registry, std::slice::from_ref(&name));
        for choice in choices.iter().filter(|choice| choice.reachable.is_ok()) {
            let line = format!("{name} by {}", choice.name);
            let compiled = engine
                .compile(&line)
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(!rows(&warehouse, &compiled.main).await.is_empty(), "{line}");
        }
    }
}

#[test]
fn what_would_multiply_rows_cannot_be_asked() {
    let (engine, _) = bicycles();
    for line in [
        "rentals by extra_kind",
        "revenue by repair_id",
        "repairs by plan",
        "rental_extra_revenue by repaired_at.month",
    ] {
        assert!(engine.compile(line).is_err(), "{line}");
    }
    let refusal = engine
        .compile("rentals by extra_kind")
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("multiply"), "{refusal}");
    let yaml = file("metrics/rental_extras.yaml");
    let comment =
        "# Not joined: repairs: many rows per extra_code, joining would multiply rental extras.";
    assert!(yaml.contains(comment), "{yaml}");
}

#[test]
fn people_are_personal_data_and_things_are_not() {
    let (engine, _) = bicycles();
    let pii = |dataset: &str, dimension: &str| {
        engine.registry.datasets[dataset].dimensions[dimension].pii
    };
    assert!(pii("riders", "full_name") && pii("riders", "email"));
    assert!(!pii("riders", "plan") && !pii("stations", "station_name"));
}

#[test]
fn a_join_that_the_data_does_not_bear_out_is_refused_with_the_reason() {
    let (folder, registry) = made_from(&[
        ("teams.csv", "team_id,team_name\n1,Red\n2,Blue\n"),
        (
            "games.csv",
            "game_id,team_id,points\n1,1,3\n2,2,1\n3,7,2\n4,8,2\n",
        ),
    ]);
    assert!(registry.datasets["games"].joins.is_empty());
    let yaml = fs::read_to_string(folder.path().join("metrics/games.yaml")).unwrap();
    assert!(
        yaml.contains("# Not joined: teams: 2 of 4 values of team_id are not found there."),
        "{yaml}"
    );
}

#[test]
fn keys_are_found_also_when_they_have_two_columns_or_none() {
    let (_folder, registry) = made_from(&[
        ("products.csv", "id,name\n1,Tea\n2,Milk\n"),
        (
            "prices.csv",
            "product_id,country,price\n1,DE,2.5\n1,FR,3\n2,DE,1\n2,FR,1\n",
        ),
        ("readings.csv", "sensor,value\na,1\na,1\nb,2\n"),
    ]);
    let datasets = &registry.datasets;
    assert_eq!(datasets["products"].key, ["id"]);
    assert_eq!(datasets["readings"].key, Vec::<String>::new());
    // The product's own id is called otherwise in the table that refers to it.
    let join = &datasets["prices"].joins["product"];
    assert_eq!(
        (join.to.as_str(), join.on.as_slice()),
        (
            "products",
            &[("product_id".to_owned(), "id".to_owned())][..]
        )
    );
    assert!(datasets["products"].dimensions.contains_key("product_name"));
}

#[test]
fn the_same_word_in_two_tables_gets_two_names() {
    let (_folder, registry) = made_from(&[
        ("orders.csv", "order_id,status,amount\n1,open,5\n2,paid,6\n"),
        (
            "tickets.csv",
            "ticket_id,status,amount\n1,new,1\n2,done,2\n",
        ),
    ]);
    assert!(
        registry.datasets["orders"]
            .dimensions
            .contains_key("order_status")
    );
    assert!(
        registry.datasets["tickets"]
            .dimensions
            .contains_key("ticket_status")
    );
}

#[test]
fn revenue_is_only_what_is_clearly_sold() {
    let sold = |files: &[(&str, &str)]| {
        let (_folder, registry) = made_from(files);
        registry.metrics.contains_key("revenue")
    };
    let rows = "1,2025-01-01,5.5,1.5\n2,2025-01-02,6.5,2.5\n";
    assert!(sold(&[(
        "orders.csv",
        &format!("order_id,ordered_at,order_total,tax\n{rows}")
    )]));
    assert!(!sold(&[(
        "orders.csv",
        &format!("order_id,ordered_at,amount_net,amount_gross\n{rows}")
    )]));
    assert!(!sold(&[(
        "expenses.csv",
        &format!("expense_id,booked_at,amount,tax\n{rows}")
    )]));
}

#[test]
fn amounts_in_several_currencies_come_with_a_warning() {
    let (_folder, registry) = made_from(&[(
        "invoices.csv",
        "invoice_id,issued_at,amount,currency\n1,2025-01-01,10.5,EUR\n2,2025-01-02,20.5,USD\n",
    )]);
    let rules = registry.metrics["revenue"].business_rules.join(" ");
    assert!(
        rules.contains("several currencies: filter or group by currency"),
        "{rules}"
    );
}

#[test]
fn the_default_time_is_when_it_happened() {
    let time = |header: &str| {
        let rows =
            format!("{header}\n1,2025-01-01,2025-01-02,2025-01-03\n2,2025-02-01,,2025-02-03\n");
        let (_folder, registry) = made_from(&[("orders.csv", &rows)]);
        registry.datasets["orders"].time.clone().unwrap()
    };
    assert_eq!(
        time("order_id,ordered_at,shipped_at,created_at"),
        "ordered_at"
    );
    assert_eq!(
        time("order_id,updated_at,shipped_at,created_at"),
        "created_at"
    );
    assert_eq!(time("order_id,due_on,shipped_at,date"), "date");
    assert_eq!(
        time("order_id,last_seen_at,deleted_at,modified_at"),
        "last_seen_at"
    );
}
