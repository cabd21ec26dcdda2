//! The statements that walk over edges. Each finds its edges by an index, from one end or the other: a test reads their plans.

use super::NodeKind;

/// The kinds of edges that lead from a query to what it touches.
macro_rules! touching {
    () => {
        "('ACCESSES', 'CALCULATES', 'USES_JOIN_PATH', 'FILTERS', 'GROUPS_BY', 'ANSWERED_BY')"
    };
}

/// The queries that touch a thing, each once, as a table.
macro_rules! of_thing {
    () => {
        concat!(
            "(SELECT DISTINCT src AS query FROM edges WHERE dst = ?1 AND kind IN ",
            touching!(),
            ")"
        )
    };
}

/// The queries that a person asked, as a table.
macro_rules! of_person {
    () => {
        "(SELECT dst AS query FROM edges WHERE src = ?1 AND kind = 'ASKED')"
    };
}

/// One query, as a table.
macro_rules! of_itself {
    () => {
        "(SELECT ?1 AS query)"
    };
}

/// What queries touch, query by query, by an index that leaves out the edges to the queries they follow.
macro_rules! touched {
    ($queries:expr) => {
        concat!(
            "SELECT query, dst, kind, n, n_ok, ms, last_seen FROM ",
            $queries,
            " CROSS JOIN edges INDEXED BY edges_touched ON src = query AND kind <> 'FOLLOWS' AND kind <> 'ASKED'"
        )
    };
}

/// Who asked queries.
macro_rules! asked {
    ($queries:expr) => {
        concat!(
            "SELECT src, n, n_ok, ms, last_seen FROM ",
            $queries,
            " CROSS JOIN edges ON dst = query AND kind = 'ASKED'"
        )
    };
}

/// The queries of a thing with their runs; one that touches it in two ways counts once.
const QUERIES_OF_THING: &str = concat!(
    "SELECT src, max(n), n_ok, ms, last_seen FROM edges WHERE dst = ?1 AND kind IN ",
    touching!(),
    " GROUP BY src"
);
/// Who asked a query.
pub(super) const WHO: &str =
    "SELECT src, n, n_ok, ms, last_seen FROM edges WHERE dst = ?1 AND kind = 'ASKED'";
/// What a query was answered from.
pub(super) const ANSWERS: &str =
    "SELECT dst, n, n_ok, ms, last_seen FROM edges WHERE src = ?1 AND kind = 'ANSWERED_BY'";
const QUERIES_OF_PERSON: &str =
    "SELECT dst, n, n_ok, ms, last_seen FROM edges WHERE src = ?1 AND kind = 'ASKED'";
const TOUCHED_BY_THING: &str = touched!(of_thing!());
const TOUCHED_BY_PERSON: &str = touched!(of_person!());
const TOUCHED_BY_ITSELF: &str = touched!(of_itself!());
const ASKED_THING: &str = asked!(of_thing!());
const ASKED_ITSELF: &str = asked!(of_itself!());
const ASKED_FOR: &str =
    "SELECT src, n, n_ok, ms, last_seen FROM edges WHERE dst = ?1 AND kind = 'ASKED_FOR'";
/// Edges of a kind from a node, and to one.
pub(super) const FROM: &str =
    "SELECT dst, n, n_ok, ms, last_seen FROM edges WHERE src = ?1 AND kind = ?2";
pub(super) const TO: &str =
    "SELECT src, n, n_ok, ms, last_seen FROM edges WHERE dst = ?1 AND kind = ?2";
/// The metrics and dimensions that a query is about.
pub(super) const ABOUT: &str = "SELECT dst, max(n), n_ok, ms, last_seen FROM edges \
     WHERE src = ?1 AND kind IN ('CALCULATES', 'GROUPS_BY', 'FILTERS') GROUP BY dst";
/// The metrics that are made of some nodes, however many steps away, at most so many.
pub(super) const STANDING_ON: &str = "WITH RECURSIVE up (id, steps, path) AS (
         SELECT value, 0, ',' || value || ',' FROM json_each('[' || ?1 || ']')
         UNION ALL
         SELECT e.src, steps + 1, path || e.src || ','
         FROM up CROSS JOIN edges AS e ON e.dst = up.id AND e.kind IN ('DERIVES', 'COMPUTED_FROM')
         WHERE steps < ?2 AND instr(path, ',' || e.src || ',') = 0)
     SELECT id, min(steps) FROM up WHERE steps > 0 GROUP BY id";
/// The metrics of which every run read a column.
pub(super) const ALWAYS_WITH: &str = "WITH reading AS MATERIALIZED (
         SELECT DISTINCT src AS query FROM edges WHERE dst = ?1 AND kind IN ('ACCESSES', 'FILTERS')),
     metrics AS MATERIALIZED (
         SELECT e.dst AS metric, sum(e.n) AS n FROM reading CROSS JOIN edges AS e ON e.src = query
         WHERE e.kind = 'CALCULATES' GROUP BY e.dst)
     SELECT metric, 1 FROM metrics WHERE n = (SELECT sum(n) FROM days WHERE node = metric)";
/// The queries that joined on all of some pairs of columns, by how many these are.
pub(super) const JOINED_ON_ALL: &str = "WITH wanted AS MATERIALIZED (
         SELECT id FROM nodes WHERE kind = 'join_path' AND key IN (SELECT value FROM json_each(?1)))
     SELECT max(n), n_ok, ms, last_seen FROM edges
     WHERE dst IN (SELECT id FROM wanted) AND kind = 'USES_JOIN_PATH' GROUP BY src HAVING count(*) = ?2";
/// What is so many edges away from a node, the nearest first; the sums over a person's queries are no way to anywhere. `UNION` reaches each node once for each distance, so the walk ends
/// also where the graph goes in a circle.
pub(super) const NEAREST: &str = "WITH RECURSIVE near (id, steps) AS (
         SELECT ?1, 0
         UNION
         SELECT e.dst, steps + 1 FROM near CROSS JOIN edges AS e ON e.src = near.id AND e.kind <> 'ASKED_FOR' WHERE steps < ?2
         UNION
         SELECT e.src, steps + 1 FROM near CROSS JOIN edges AS e ON e.dst = near.id AND e.kind <> 'ASKED_FOR' WHERE steps < ?2),
     nearest AS (SELECT id, min(steps) AS steps FROM near GROUP BY id)
     SELECT nodes.id, kind, key, label, first_seen, last_seen FROM nearest CROSS JOIN nodes USING (id)
     ORDER BY steps, nodes.id";
/// The answered runs of a node by day.
pub(super) const DAYS: &str =
    "SELECT day, n_ok FROM days WHERE node = ?1 AND day > ?2 AND day <= ?3";

/// Every statement that walks over edges or days, for whoever asks how it is carried out.
pub const WALKS: [&str; 17] = [
    WHO,
    ANSWERS,
    QUERIES_OF_THING,
    QUERIES_OF_PERSON,
    TOUCHED_BY_THING,
    TOUCHED_BY_PERSON,
    TOUCHED_BY_ITSELF,
    ASKED_THING,
    ASKED_ITSELF,
    ASKED_FOR,
    FROM,
    TO,
    ABOUT,
    STANDING_ON,
    ALWAYS_WITH,
    JOINED_ON_ALL,
    NEAREST,
];

/// The statement for the queries that a node belongs to.
pub(super) fn queries(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Person => QUERIES_OF_PERSON,
        _ => QUERIES_OF_THING,
    }
}

/// The statement for what these queries touch.
pub(super) fn touched(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Person => TOUCHED_BY_PERSON,
        NodeKind::Query => TOUCHED_BY_ITSELF,
        _ => TOUCHED_BY_THING,
    }
}

/// The statement for who asked for a thing. What is used by the day is counted for each person too; of a column and of a join,
/// the queries tell.
pub(super) fn asked(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Query => ASKED_ITSELF,
        NodeKind::Column | NodeKind::JoinPath => ASKED_THING,
        _ => ASKED_FOR,
    }
}
