//! The tables of `usage.db`, by version; a version that was delivered is never changed.

pub(super) const MIGRATIONS: [&str; 11] = [
    "
CREATE TABLE queries (
    id         INTEGER PRIMARY KEY,
    at         TIMESTAMP NOT NULL,
    line       TEXT NOT NULL,
    connection TEXT NOT NULL,
    ms         INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    error      TEXT
);
CREATE INDEX queries_by_line ON queries (line, at);
CREATE TABLE query_metrics (
    query_id INTEGER NOT NULL REFERENCES queries (id) ON DELETE CASCADE,
    metric   TEXT NOT NULL,
    PRIMARY KEY (query_id, metric)
) WITHOUT ROWID;
CREATE INDEX query_metrics_by_metric ON query_metrics (metric);
",
    "
CREATE TABLE model_calls (
    day        DATE NOT NULL,
    model      TEXT NOT NULL,
    calls      INTEGER NOT NULL,
    tokens_in  INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost       REAL NOT NULL,
    PRIMARY KEY (day, model)
) WITHOUT ROWID;
",
    "
CREATE TABLE choices (
    words   TEXT PRIMARY KEY,
    meaning TEXT NOT NULL,
    at      TIMESTAMP NOT NULL,
    used    INTEGER NOT NULL
) WITHOUT ROWID;
",
    "
CREATE TABLE questions (
    question TEXT PRIMARY KEY,
    at       TIMESTAMP NOT NULL
) WITHOUT ROWID;
",
    "
CREATE TABLE workspace (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    text TEXT NOT NULL
);
",
    // Texts are kept once, and so is what is the same each time a query is run: a million queries stay small.
    "
CREATE TABLE texts (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
CREATE TABLE sittings (
    id         INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL,
    user       INTEGER NOT NULL,
    face       INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    UNIQUE (session, user, face, connection)
);
CREATE TABLE statements (
    id          INTEGER PRIMARY KEY,
    line        INTEGER NOT NULL,
    intent      INTEGER NOT NULL,
    sql         INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    facts       INTEGER NOT NULL,
    plan        INTEGER NOT NULL,
    UNIQUE (line, sql, facts, plan, intent, fingerprint)
);
CREATE TABLE log (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    sitting      INTEGER NOT NULL,
    statement    INTEGER NOT NULL,
    literals     INTEGER,
    question     INTEGER,
    route        INTEGER NOT NULL,
    ms           INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    outcome      INTEGER NOT NULL,
    error        INTEGER,
    error_kind   INTEGER,
    findings     INTEGER,
    retries      INTEGER NOT NULL DEFAULT 0,
    model        INTEGER,
    tokens_in    INTEGER,
    tokens_out   INTEGER,
    cost         REAL,
    choice       TEXT,
    thumb        INTEGER,
    thumb_words  INTEGER,
    thumb_at     INTEGER,
    corrected_by INTEGER,
    reused       INTEGER NOT NULL DEFAULT 0,
    reward       REAL
);
INSERT INTO texts (text)
    SELECT '' UNION SELECT 'somebody' UNION SELECT 'before' UNION SELECT line FROM queries
    UNION SELECT connection FROM queries UNION SELECT error FROM queries WHERE error IS NOT NULL
    UNION SELECT 'before ' || substr(at, 1, 10) FROM queries;
CREATE TEMP TABLE about AS
    SELECT id AS query, CASE WHEN EXISTS (SELECT 1 FROM query_metrics WHERE query_id = queries.id)
        THEN (SELECT json_object('metrics', json_group_array(metric))
              FROM (SELECT metric FROM query_metrics WHERE query_id = queries.id ORDER BY metric))
        ELSE '{}' END AS facts FROM queries;
INSERT OR IGNORE INTO texts (text) SELECT DISTINCT facts FROM about;
INSERT INTO statements (line, intent, sql, fingerprint, facts, plan)
    SELECT DISTINCT line.id, empty.id, empty.id, empty.id, facts.id, empty.id
    FROM queries JOIN about ON about.query = queries.id JOIN texts AS line ON line.text = queries.line
    JOIN texts AS facts ON facts.text = about.facts JOIN texts AS empty ON empty.text = '';
INSERT INTO sittings (session, user, face, connection)
    SELECT DISTINCT session.id, somebody.id, 0, connection.id
    FROM queries JOIN texts AS session ON session.text = 'before ' || substr(queries.at, 1, 10)
    JOIN texts AS somebody ON somebody.text = 'somebody' JOIN texts AS connection ON connection.text = queries.connection;
INSERT INTO log (id, at, sitting, statement, route, ms, rows, outcome, error)
    SELECT queries.id, CAST(round(unixepoch(queries.at, 'subsec') * 1000) AS INTEGER), sittings.id, statements.id, 0,
        queries.ms, queries.rows, CASE queries.outcome WHEN 'ok' THEN 0 WHEN 'cancelled' THEN 1 ELSE 2 END, error.id
    FROM queries JOIN about ON about.query = queries.id
    JOIN texts AS session ON session.text = 'before ' || substr(queries.at, 1, 10)
    JOIN texts AS connection ON connection.text = queries.connection
    JOIN sittings ON sittings.session = session.id AND sittings.connection = connection.id
    JOIN texts AS line ON line.text = queries.line JOIN texts AS facts ON facts.text = about.facts
    JOIN statements ON statements.line = line.id AND statements.facts = facts.id
    LEFT JOIN texts AS error ON error.text = queries.error
    ORDER BY queries.id;
DROP TABLE about;
DROP TABLE query_metrics;
DROP TABLE queries;
ALTER TABLE log RENAME TO queries;
CREATE INDEX queries_by_time ON queries (at);

CREATE TABLE nodes (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL,
    label      TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE edges (
    src       INTEGER NOT NULL,
    dst       INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    n         INTEGER NOT NULL,
    n_ok      INTEGER NOT NULL,
    weight    REAL NOT NULL,
    ms        INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (src, dst, kind)
) WITHOUT ROWID;
CREATE INDEX edges_by_dst ON edges (dst, kind, src);
CREATE TABLE days (
    node INTEGER NOT NULL,
    day  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    n_ok INTEGER NOT NULL,
    ms   INTEGER NOT NULL,
    PRIMARY KEY (node, day)
) WITHOUT ROWID;
CREATE TABLE latest (
    what  INTEGER NOT NULL,
    of    INTEGER NOT NULL,
    query INTEGER NOT NULL,
    PRIMARY KEY (what, of)
) WITHOUT ROWID;
CREATE INDEX latest_first ON latest (what, query);
CREATE TABLE meta (
    what  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
",
    "
CREATE TABLE verdicts (
    idea    TEXT PRIMARY KEY,
    verdict TEXT NOT NULL,
    by      TEXT NOT NULL,
    day     DATE NOT NULL,
    why     TEXT NOT NULL
) WITHOUT ROWID;
",
    // What was imported already, by a hash of it.
    "
CREATE TABLE imported (
    entry INTEGER PRIMARY KEY
);
",
    "
CREATE TABLE policy (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    checkpoint BLOB NOT NULL
);
",
    // What was refused is counted by itself.
    "
CREATE INDEX queries_refused ON queries (error_kind) WHERE outcome = 3;
",
    // Walks from a query read what it touches, beside which there may be many more edges to the queries it follows. The graph
    // is folded anew.
    "
DROP INDEX edges_by_dst;
ALTER TABLE edges RENAME TO old_edges;
CREATE TABLE edges (
    src       INTEGER NOT NULL,
    dst       INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    n         INTEGER NOT NULL,
    n_ok      INTEGER NOT NULL,
    weight    REAL NOT NULL,
    ms        INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (src, kind, dst)
) WITHOUT ROWID;
INSERT INTO edges SELECT src, dst, kind, n, n_ok, weight, ms, last_seen FROM old_edges;
DROP TABLE old_edges;
CREATE INDEX edges_by_dst ON edges (dst, kind, src);
CREATE INDEX edges_asked ON edges (dst, src, n, n_ok, ms, last_seen) WHERE kind = 'ASKED';
CREATE INDEX edges_touched ON edges (src, kind, dst, n, n_ok, ms, last_seen) WHERE kind <> 'FOLLOWS' AND kind <> 'ASKED';
DELETE FROM meta WHERE what = 'fold';
",
];

pub(super) const INSERT: &str = "
INSERT INTO queries (at, sitting, statement, literals, question, route, ms, rows, outcome, error, error_kind, findings,
    retries, model, tokens_in, tokens_out, cost, choice)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The indexes of edges: they are dropped while all edges are made anew.
pub(super) const EDGE_INDEXES: &str = "
CREATE INDEX edges_by_dst ON edges (dst, kind, src);
CREATE INDEX edges_asked ON edges (dst, src, n, n_ok, ms, last_seen) WHERE kind = 'ASKED';
CREATE INDEX edges_touched ON edges (src, kind, dst, n, n_ok, ms, last_seen) WHERE kind <> 'FOLLOWS' AND kind <> 'ASKED'";

/// The number of queries that were run. Counting those that were not is quick.
pub(super) const RUNS: &str =
    "SELECT (SELECT count(*) FROM queries) - (SELECT count(*) FROM queries WHERE outcome = 3)";
