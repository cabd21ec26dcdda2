//! Where a project is found, how `metrex.yaml` is read, and the compiled cache.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use metrex::model::{
    AdbcSettings, AutoRun, ConnectionKind, Dialect, LlmSettings, Prices, ProviderKind, Recording,
    Weekday,
};
use metrex::registry::{Config, Project, ProjectError, load, without_secrets};
use tempfile::TempDir;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const METRICS: &str = "
datasets: {orders: {table: orders, dimensions: {market: {}, month: {}}}}
metrics: {orders: {base_table: orders, agg: count, grain: [market], window: last 7 days, last_updated: 2025-01-01}}
views: {v: orders by market where market in (ID, TH) vs previous year top 3}
";

fn project(metrics: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "metrics/orders.yaml", metrics);
    dir
}

#[test]
fn a_folder_with_metrics_is_a_project() {
    let dir = project(METRICS);
    write(dir.path(), "metrics/deep/down.yml", "# nothing");
    write(dir.path(), "metrics/.hidden.yaml", ": : :");
    write(dir.path(), "metrics/notes.txt", "not read");
    write(dir.path(), "snippets/a.sql", "select 1");
    let project = Project::find(Some(dir.path())).unwrap();
    assert_eq!(
        project.root.as_deref(),
        Some(dir.path().canonicalize().unwrap().as_path())
    );
    let files = project.files();
    let paths: Vec<_> = files
        .metrics
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(paths, ["metrics/deep/down.yml", "metrics/orders.yaml"]);
    assert_eq!(files.snippets[0].name(), "a.sql");
    assert!(files.problems.is_empty());
}

#[test]
fn a_configuration_file_leads_to_its_project() {
    let dir = project(METRICS);
    write(dir.path(), "metrex.yaml", "theme: dusk");
    let project = Project::find(Some(&dir.path().join("metrex.yaml"))).unwrap();
    assert_eq!(project.config.theme.as_deref(), Some("dusk"));
}

#[test]
fn no_project_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = Project::find(Some(dir.path())).unwrap_err();
    assert!(matches!(error, ProjectError::NotAProject(_)), "{error}");
    assert!(error.to_string().contains("metrex init"), "{error}");
    let error = Project::find(Some(&dir.path().join("nowhere"))).unwrap_err();
    assert!(matches!(error, ProjectError::NotFound(_)), "{error}");
}

#[test]
fn own_templates_replace_the_built_in_ones_of_the_same_name() {
    let built_in = Project::demo().unwrap().files().templates;
    let first = built_in.first().unwrap().path.clone();
    let dir = project(METRICS);
    write(dir.path(), &first, "mine");
    write(dir.path(), "templates/other.sql.j2", "more");
    let templates = Project::find(Some(dir.path())).unwrap().files().templates;
    assert_eq!(templates.len(), built_in.len() + 1);
    assert_eq!(
        templates
            .iter()
            .find(|file| file.path == first)
            .unwrap()
            .text,
        "mine"
    );
}

#[test]
fn files_that_are_not_text_are_reported() {
    let dir = project(METRICS);
    fs::write(dir.path().join("metrics/b.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    let project = Project::find(Some(dir.path())).unwrap();
    let loaded = load(&project.files(), &project.config, None);
    let shown: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown[0],
        "metrics/b.yaml: error: the file is not UTF-8 text"
    );
    assert!(loaded.registry.metric("orders").is_some());
}

fn config(text: &str) -> Config {
    Config::read(text, Path::new("/project")).unwrap()
}

fn refused(text: &str) -> Vec<String> {
    let problems = Config::read(text, Path::new("/project")).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_key_of_the_configuration() {
    let config = config(
        "
connections:
  local: {type: sqlite, path: data/local.db, row_cap: 5000}
  demo: {type: demo}
  prod:
    type: postgres
    url: postgres://${CARGO_PKG_NAME}@db:5433/mart?sslmode=verify-full
    password_command: gcloud auth print-access-token
    ssl_root_cert: certs/root.pem
    statement_timeout: 60s
default_connection: prod
calendar: {week_start: sunday, fiscal_year_start: April, timezone: Asia/Manila}
state_dir: /var/lib/metrex
cache_ttl: 1h 30m
theme: paper
",
    );
    let local = &config.connections["local"];
    assert_eq!(
        local.kind,
        ConnectionKind::Sqlite {
            path: "/project/data/local.db".into()
        }
    );
    assert_eq!(local.row_cap, 5_000);
    let ConnectionKind::Postgres(prod) = &config.connections["prod"].kind else {
        panic!()
    };
    assert_eq!(
        prod.url.as_deref(),
        Some("postgres://metrex@db:5433/mart?sslmode=verify-full")
    );
    assert_eq!(
        prod.password_command.as_deref(),
        Some("gcloud auth print-access-token")
    );
    assert_eq!(
        prod.ssl_root_cert.as_deref(),
        Some(Path::new("/project/certs/root.pem"))
    );
    assert_eq!(prod.statement_timeout, Some(Duration::from_secs(60)));
    assert_eq!(config.default_connection.as_deref(), Some("prod"));
    assert_eq!(config.calendar.week_start, Weekday::Sunday);
    assert_eq!(config.calendar.fiscal_year_start, 4);
    assert_eq!(
        config.state_dir.as_deref(),
        Some(Path::new("/var/lib/metrex"))
    );
    assert_eq!(config.cache_ttl, Duration::from_secs(90 * 60));
}

#[test]
fn connections_through_a_driver_library() {
    let config = config(
        "
connections:
  lake: {type: duckdb, path: data/lake, library: lib/libduckdb.so}
  cloud:
    type: adbc
    driver: drivers/libflight.so
    entrypoint: Begin
    dialect: postgres
    options: {uri: 'grpc://${CARGO_PKG_NAME}@db:1', password: '${CARGO_PKG_NAME}'}
  named: {type: adbc, driver: snowflake, dialect: duckdb}
",
    );
    assert_eq!(
        config.connections["lake"].kind,
        ConnectionKind::Duckdb {
            path: "/project/data/lake".into(),
            library: Some("/project/lib/libduckdb.so".into()),
        }
    );
    let option = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        config.connections["cloud"].kind,
        ConnectionKind::Adbc(AdbcSettings {
            driver: "/project/drivers/libflight.so".to_owned(),
            entrypoint: Some("Begin".to_owned()),
            dialect: Dialect::Postgres,
            options: vec![
                option("uri", "grpc://metrex@db:1"),
                option("password", "metrex"),
            ],
        })
    );
    let ConnectionKind::Adbc(named) = &config.connections["named"].kind else {
        panic!()
    };
    assert_eq!(named.driver, "snowflake");
    for (entry, problem) in [
        ("{type: duckdb}", "1:18: error: connection 'c' needs a path"),
        (
            "{type: adbc, driver: x}",
            "1:18: error: connection 'c' needs a dialect: the SQL that the engine speaks",
        ),
        (
            "{type: adbc, driver: x, dialect: duckdbb}",
            "1:54: error: 'duckdbb' is not one of",
        ),
        (
            "{type: sqlite, path: x, library: y}",
            "1:54: error: 'library' does not belong to a connection of this type",
        ),
        (
            "{type: adbc, driver: x, dialect: duckdb, options: {auth_token: abc}}",
            "1:84: error: a secret must not stand in a file — write ${NAME}, which is taken from the environment",
        ),
    ] {
        let problems = refused(&format!("connections:    {{c: {entry}}}"));
        let problem = format!("metrex.yaml:{problem}");
        assert!(
            problems[0].starts_with(&problem),
            "{problems:?} is not {problem}"
        );
        assert!(!problems[0].contains("abc"));
    }
}

#[test]
fn the_demo_connection_gets_its_database_later() {
    let mut config = Project::demo().unwrap().config;
    assert!(config.uses_demo() && config.connections.is_empty());
    config.add_demo(Path::new("/state/demo.db"));
    let kind = &config.connections["demo"].kind;
    assert_eq!(
        *kind,
        ConnectionKind::Sqlite {
            path: "/state/demo.db".into()
        }
    );
}

#[test]
fn mistakes_in_the_configuration_are_all_listed() {
    assert_eq!(
        refused(
            "conections: {}\ncache_ttl: soon\ndefault_connection: prd\nconnections:\n  prod: {type: postgers}\n  a: {type: sqlite, url: x}\n  b: {path: x}\n"
        ),
        [
            "metrex.yaml:1:1: error: unknown key 'conections' — did you mean 'connections'?",
            "metrex.yaml:2:12: error: 'soon' is not a length of time — write it like 30s, 10m or 1h",
            "metrex.yaml:3:21: error: there is no connection 'prd' — did you mean 'prod'?",
            "metrex.yaml:5:16: error: 'postgers' is not one of demo, sqlite, postgres, duckdb, adbc — did you mean 'postgres'?",
            "metrex.yaml:6:3: error: connection 'a' needs a path",
            "metrex.yaml:6:26: error: 'url' does not belong to a connection of this type",
            "metrex.yaml:7:3: error: connection 'b' needs a type: sqlite, postgres, duckdb, adbc or demo",
        ]
    );
}

#[test]
fn no_part_of_a_password_is_shown() {
    for (url, shown) in [
        (
            "postgres://me:s3cret@db:5433/mart",
            "postgres://me@db:5433/mart",
        ),
        ("postgres://db/mart?password=s3cret", "postgres://db/mart"),
        ("postgres://me:p?s3cret@db/mart", "postgres://…"),
        ("postgres://me:p/s3cret@db/mart", "postgres://…"),
        ("postgres://me:p@s3cret@db/mart", "postgres://…"),
        ("postgres://db/mart?password=p@s3cret", "postgres://…"),
        (
            r"password = 'x \' host=s3cret' host = db user=me sslmode=require",
            "host=db user=me",
        ),
        (r"password=x\ user=s3cret dbname=mart", "dbname=mart"),
    ] {
        assert_eq!(without_secrets(url), shown, "{url}");
    }
}

#[test]
fn a_variable_in_a_pair_stays_one_value() {
    // The description holds spaces, which would begin further pairs.
    let config = config(
        "connections: {p: {type: postgres, url: 'host=db password=${CARGO_PKG_DESCRIPTION} user=me'}}",
    );
    let ConnectionKind::Postgres(settings) = &config.connections["p"].kind else {
        panic!()
    };
    let url = settings.url.as_deref().unwrap();
    let driver: tokio_postgres::Config = url.parse().unwrap();
    assert_eq!(
        driver.get_password(),
        Some(env!("CARGO_PKG_DESCRIPTION").as_bytes())
    );
    assert_eq!(driver.get_user(), Some("me"));
}

#[test]
fn a_password_in_a_file_is_refused_and_not_repeated() {
    for url in [
        "postgres://me:s3cret@db/mart",
        "postgres://db/mart?user=me&password=s3cret",
        "'host=db user=me password=s3cret'",
        "'host=db password = ''s3cret'''",
        "'postgres://me:s3?cret@db/mart'",
        "'postgres://me:s3cret/@db/mart'",
        "'postgres://me:${A}s3cret${B}@db/mart'",
        "'postgres://me:${A}@db/mart?application_name=m&password=s3cret'",
        "'postgres://db/mart?pass%77ord=s3cret'",
        "'user=password_x password=s3cret'",
        "'password=${A} host=db password=s3cret'",
    ] {
        let problems = refused(&format!(
            "connections: {{p: {{type: postgres, url: {url}}}}}"
        ));
        assert_eq!(problems.len(), 1, "{url}");
        assert!(
            problems[0].starts_with("metrex.yaml:1:40: error: a password must not stand in a file"),
            "{}",
            problems[0]
        );
        assert!(
            problems[0].contains(".pgpass") && !problems[0].contains("s3cret"),
            "{}",
            problems[0]
        );
    }
    let from_environment = config(
        "connections: {p: {type: postgres, url: 'postgres://me:${CARGO_PKG_DESCRIPTION}@db/m'}}",
    );
    let ConnectionKind::Postgres(settings) = &from_environment.connections["p"].kind else {
        panic!()
    };
    assert!(
        settings
            .url
            .as_ref()
            .unwrap()
            .starts_with("postgres://me:A%20terminal%20")
    );
}

#[test]
fn the_model_that_may_be_asked() {
    let text = "
llm:
  provider: openai
  model: gpt-5-mini
  base_url: http://gpu-box:8000/v1
  api_key_env: GATEWAY_KEY
  timeout: 30s
  max_tokens: 2000
  context_tokens: 8000
  daily_tokens: 200_000
  daily_cost: 1.5
  price_in: 0.25
  price_out: 2
  record: exchanges.jsonl
ask: {auto_run: never}
";
    let own = config(text);
    assert_eq!(own.auto_run, AutoRun::Never);
    let settings = LlmSettings {
        provider: ProviderKind::OpenAi,
        model: "gpt-5-mini".to_owned(),
        base_url: Some("http://gpu-box:8000/v1".to_owned()),
        api_key_env: Some("GATEWAY_KEY".to_owned()),
        api_key_command: None,
        timeout: Duration::from_secs(30),
        max_tokens: 2000,
        context_tokens: 8000,
        daily_tokens: Some(200_000),
        daily_cost: Some(1.5),
        prices: Some(Prices {
            input: 0.25,
            output: 2.0,
        }),
        recording: Recording::Record("/project/exchanges.jsonl".into()),
    };
    assert_eq!(own.llm, Some(settings));
    let short = config("llm: {provider: anthropic, model: claude-haiku-4-5}");
    let llm = short.llm.unwrap();
    assert_eq!(llm.provider, ProviderKind::Anthropic);
    assert_eq!(
        (llm.timeout, llm.max_tokens, llm.context_tokens),
        (Duration::from_secs(60), 4096, 6000)
    );
    assert_eq!((llm.daily_tokens, llm.recording), (None, Recording::Off));
    assert_eq!(config("theme: paper").llm, None);
    for (text, message) in [
        ("llm: {provider: openai}", "needs a provider and a model"),
        (
            "llm: {provider: chatgpt, model: x}",
            "'chatgpt' is not one of",
        ),
        (
            "llm: {provider: openai, model: x, modle: y}",
            "unknown key 'modle'",
        ),
        (
            "llm: {provider: openai, model: x, daily_cost: 2}",
            "needs price_in and price_out",
        ),
        (
            "llm: {provider: openai, model: x, price_in: 2}",
            "belong together",
        ),
        (
            "llm: {provider: openai, model: x, price_in: -1, price_out: 2}",
            "less than nothing",
        ),
        (
            "llm: {provider: openai, model: x, context_tokens: 100}",
            "too little",
        ),
        (
            "llm: {provider: openai, model: x, base_url: gpu-box:8000}",
            "is no address",
        ),
        (
            "llm: {provider: openai, model: x, record: a, replay: b}",
            "one of them",
        ),
        ("ask: {auto_run: always}", "not one of simple, never"),
    ] {
        let problems = refused(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].contains(message), "{problems:?}");
    }
}

#[test]
fn a_key_in_a_file_is_refused_and_not_repeated() {
    for text in [
        "llm: {provider: openai, model: x, api_key: s3cret}",
        "llm: {provider: openai, model: x, token: s3cret}",
        "llm: {provider: openai, model: x, base_url: 'https://me:s3cret@host/v1'}",
        "llm: {provider: gemini, model: x, base_url: 'https://host/v1?key=s3cret'}",
        "connections: {p: {type: postgres, password: s3cret}}",
    ] {
        let problems = refused(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(!problems[0].contains("s3cret"), "{problems:?}");
        assert!(problems[0].contains("must not"), "{problems:?}");
    }
}

#[test]
fn a_missing_environment_variable_makes_only_that_connection_unavailable() {
    let config =
        config("connections: {a: {type: postgres, url: '${METREX_NOT_SET}'}, b: {type: postgres}}");
    assert_eq!(
        config.unavailable["a"],
        "the environment variable METREX_NOT_SET is not set"
    );
    assert_eq!(config.connections.keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn the_cache_answers_as_if_the_files_were_read() {
    let cache = tempfile::tempdir().unwrap();
    for metrics in [
        METRICS,
        "metrics: {a: {base_table: nowhere, agg: count}}\ndatasets: {d: {table: d, dimensions: {year: {}}}}",
    ] {
        let dir = project(metrics);
        let project = Project::find(Some(dir.path())).unwrap();
        let files = project.files();
        let plain = load(&files, &project.config, None);
        let first = load(&files, &project.config, Some(cache.path()));
        let second = load(&files, &project.config, Some(cache.path()));
        assert_eq!(
            (plain.from_cache, first.from_cache, second.from_cache),
            (false, false, true)
        );
        assert!(!plain.diagnostics.is_empty());
        for other in [first, second] {
            assert_eq!(
                (&other.registry, &other.diagnostics),
                (&plain.registry, &plain.diagnostics)
            );
        }
    }
    assert_eq!(
        fs::read_dir(cache.path()).unwrap().count(),
        1,
        "old caches are removed"
    );
}

#[test]
fn the_cache_notices_every_change_and_survives_damage() {
    let cache = tempfile::tempdir().unwrap();
    let dir = project(METRICS);
    let load = || {
        let project = Project::find(Some(dir.path())).unwrap();
        load(&project.files(), &project.config, Some(cache.path()))
    };
    load();
    write(
        dir.path(),
        "metrics/orders.yaml",
        &METRICS.replace("last 7 days", "last 8 days"),
    );
    assert!(!load().from_cache);
    write(dir.path(), "snippets/new.sql", "select 2");
    assert!(!load().from_cache);
    write(dir.path(), "metrex.yaml", "calendar: {week_start: sunday}");
    assert_eq!(load().registry.calendar.week_start, Weekday::Sunday);
    assert!(load().from_cache);
    for entry in fs::read_dir(cache.path()).unwrap() {
        fs::write(entry.unwrap().path(), [1, 2, 3]).unwrap();
    }
    let loaded = load();
    assert!(!loaded.from_cache && loaded.registry.metric("orders").is_some());
}

#[test]
fn a_cache_that_cannot_be_written_is_only_slower() {
    let dir = project(METRICS);
    let project = Project::find(Some(dir.path())).unwrap();
    let not_a_folder = dir.path().join("metrics/orders.yaml");
    let loaded = load(&project.files(), &project.config, Some(&not_a_folder));
    assert!(loaded.registry.metric("orders").is_some());
}

#[test]
fn the_demo_project_has_no_problem() {
    let project = Project::demo().unwrap();
    let loaded = load(&project.files(), &project.config, None);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
