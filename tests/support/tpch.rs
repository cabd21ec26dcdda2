//! TPC-H: its tables at any scale, its registry, and its queries as query lines beside plain SQL written by hand.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fmt::Display;
use std::path::Path;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use metrex::compile::{CompileOptions, Passes, RollupState, RollupTable, Rollups};
use metrex::model::{ColumnType, Connection, ConnectionKind, NoValues, Rollup};
use metrex::warehouse::{
    Cell, ColumnSpec, Dialect, Keeping, Loader, Request, TableSpec, Warehouse, keep, kept_as, write,
};
use tokio_util::sync::CancellationToken;
use tpchgen::dates::TPCHDate;
use tpchgen::decimal::TPCHDecimal;
use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen::text::TextPool;

use crate::engines::Loaded;
use crate::support::shop::Engine;

/// Every query has its own dates; nothing depends on today.
pub const TODAY: Date = date(1999, 1, 1);

pub const REGISTRY: &str = include_str!("../fixtures/tpch.yaml");

/// One query of TPC-H.
pub struct Query {
    pub name: &'static str,
    /// In metric form.
    pub line: &'static str,
    sql: &'static str,
}

impl Query {
    /// By hand. `year(x)` is the first day of a year and `LIKE` ignores case, in every engine's own words; a sum of no rows
    /// is NULL, as it is in metrex.
    pub fn sql(&self, dialect: Dialect) -> String {
        let (year, like) = match dialect {
            Dialect::Sqlite => ("date($1, 'start of year')", "LIKE"),
            _ => ("CAST(date_trunc('year', $1) AS date)", "ILIKE"),
        };
        let mut sql = self.sql.replace("LIKE", like);
        while let Some(start) = sql.find("year(") {
            let end = start + sql[start..].find(')').unwrap();
            let column = sql[start + "year(".len()..end].to_owned();
            // The marks keep the replacement itself from being found again.
            sql.replace_range(
                start..=end,
                &year.replace("$1", &column).replace("year", "\0"),
            );
        }
        sql.replace('\0', "year")
    }
}

/// The queries that one line of metrics, groupings and filters can say.
pub const QUERIES: &[Query] = &[
    Query {
        name: "Q1",
        line: "quantity, base_price, revenue, charge, avg_quantity, avg_price, avg_discount, lines by return_flag, line_status until 1998-09-02",
        sql: "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
                     sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
              FROM lineitem WHERE l_shipdate < '1998-09-03' GROUP BY 1, 2 ORDER BY 1, 2",
    },
    Query {
        // The lowest cost of each part, without the suppliers that ask for it.
        name: "Q2",
        line: "lowest_cost by part_key where supplier.nation.region.region = EUROPE and part_size = 15 and part_type like '%BRASS' order by lowest_cost limit 100",
        sql: "SELECT ps_partkey, min(ps_supplycost)
              FROM part JOIN partsupp ON p_partkey = ps_partkey JOIN supplier ON ps_suppkey = s_suppkey
                JOIN nation ON s_nationkey = n_nationkey JOIN region ON n_regionkey = r_regionkey
              WHERE r_name = 'EUROPE' AND p_size = 15 AND p_type LIKE '%BRASS' GROUP BY 1 ORDER BY 2, 1 LIMIT 100",
    },
    Query {
        name: "Q3",
        line: "revenue by order_key, order_date, ship_priority where market_segment = BUILDING and order_date < 1995-03-15 and ship_date > 1995-03-15 order by revenue desc, order_date limit 10",
        sql: "SELECT l_orderkey, o_orderdate, o_shippriority, sum(l_extendedprice * (1 - l_discount))
              FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
              WHERE c_mktsegment = 'BUILDING' AND o_orderdate < '1995-03-15' AND l_shipdate > '1995-03-15'
              GROUP BY 1, 2, 3 ORDER BY 4 DESC, 2 LIMIT 10",
    },
    Query {
        name: "Q4",
        line: "late_orders by order_priority 1993Q3",
        sql: "SELECT o_orderpriority, count(*) FROM orders
              WHERE o_orderdate >= '1993-07-01' AND o_orderdate < '1993-10-01'
                AND EXISTS (SELECT 1 FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
              GROUP BY 1 ORDER BY 1",
    },
    Query {
        name: "Q5",
        line: "local_revenue by supplier.nation.nation where supplier.nation.region.region = ASIA and order_date = 1994 order by local_revenue desc",
        sql: "SELECT n_name, sum(l_extendedprice * (1 - l_discount))
              FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
                JOIN supplier ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
                JOIN nation ON s_nationkey = n_nationkey JOIN region ON n_regionkey = r_regionkey
              WHERE r_name = 'ASIA' AND o_orderdate >= '1994-01-01' AND o_orderdate < '1995-01-01'
              GROUP BY 1 ORDER BY 2 DESC",
    },
    Query {
        name: "Q6",
        line: "discounted where discount between 0.05 and 0.07 and line_quantity < 24 1994",
        sql: "SELECT sum(l_extendedprice * l_discount) FROM lineitem
              WHERE l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24",
    },
    Query {
        name: "Q7",
        line: "revenue by supplier.nation.nation, customer.nation.nation, year where supplier.nation.nation = FRANCE and customer.nation.nation = GERMANY or supplier.nation.nation = GERMANY and customer.nation.nation = FRANCE 1995..1996",
        sql: "SELECT n1.n_name, n2.n_name, year(l_shipdate), sum(l_extendedprice * (1 - l_discount))
              FROM supplier JOIN lineitem ON s_suppkey = l_suppkey JOIN orders ON o_orderkey = l_orderkey
                JOIN customer ON c_custkey = o_custkey
                JOIN nation n1 ON s_nationkey = n1.n_nationkey JOIN nation n2 ON c_nationkey = n2.n_nationkey
              WHERE (n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY' OR n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE')
                AND l_shipdate >= '1995-01-01' AND l_shipdate < '1997-01-01'
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    },
    Query {
        name: "Q8",
        line: "brazil_share by order_date.year where customer.nation.region.region = AMERICA and order_date between 1995 and 1996 and part_type = 'ECONOMY ANODIZED STEEL'",
        sql: "SELECT year(o_orderdate), sum(CASE WHEN n2.n_name = 'BRAZIL' THEN l_extendedprice * (1 - l_discount) END) / sum(l_extendedprice * (1 - l_discount))
              FROM part JOIN lineitem ON p_partkey = l_partkey JOIN supplier ON s_suppkey = l_suppkey
                JOIN orders ON l_orderkey = o_orderkey JOIN customer ON o_custkey = c_custkey
                JOIN nation n1 ON c_nationkey = n1.n_nationkey JOIN region ON n1.n_regionkey = r_regionkey
                JOIN nation n2 ON s_nationkey = n2.n_nationkey
              WHERE r_name = 'AMERICA' AND o_orderdate >= '1995-01-01' AND o_orderdate < '1997-01-01' AND p_type = 'ECONOMY ANODIZED STEEL'
              GROUP BY 1 ORDER BY 1",
    },
    Query {
        name: "Q9",
        line: "profit by supplier.nation.nation, order_date.year where part.part_name like '%green%' order by supplier.nation.nation, order_date.year desc",
        sql: "SELECT n_name, year(o_orderdate), sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity)
              FROM part JOIN lineitem ON p_partkey = l_partkey JOIN supplier ON s_suppkey = l_suppkey
                JOIN partsupp ON ps_suppkey = l_suppkey AND ps_partkey = l_partkey
                JOIN orders ON o_orderkey = l_orderkey JOIN nation ON s_nationkey = n_nationkey
              WHERE p_name LIKE '%green%' GROUP BY 1, 2 ORDER BY 1, 2 DESC",
    },
    Query {
        name: "Q10",
        line: "revenue by customer_key, customer_name, balance, phone, customer.nation.nation, address, comment where order_date between 1993-10 and 1993-12 and return_flag = R top 20 by revenue",
        sql: "SELECT c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment, sum(l_extendedprice * (1 - l_discount))
              FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey JOIN nation ON c_nationkey = n_nationkey
              WHERE o_orderdate >= '1993-10-01' AND o_orderdate < '1994-01-01' AND l_returnflag = 'R'
              GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 8 DESC LIMIT 20",
    },
    Query {
        name: "Q12",
        line: "urgent_lines, other_lines by ship_mode where ship_mode in (MAIL, SHIP) and received_late = true and shipped_in_time = true and receipt_date = 1994",
        sql: "SELECT l_shipmode, sum(CASE WHEN o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END),
                     sum(CASE WHEN o_orderpriority NOT IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END)
              FROM orders JOIN lineitem ON o_orderkey = l_orderkey
              WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate
                AND l_receiptdate >= '1994-01-01' AND l_receiptdate < '1995-01-01'
              GROUP BY 1 ORDER BY 1",
    },
    Query {
        name: "Q14",
        line: "promo_share 1995-09",
        sql: "SELECT sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) END) / sum(l_extendedprice * (1 - l_discount))
              FROM lineitem JOIN part ON l_partkey = p_partkey WHERE l_shipdate >= '1995-09-01' AND l_shipdate < '1995-10-01'",
    },
    Query {
        // The largest shares, whatever they are, in the place of those above one.
        name: "Q11",
        line: "stock_value, stock_value share by part_key where supplier.nation.nation = GERMANY top 100 by stock_value",
        sql: "SELECT ps_partkey, sum(ps_supplycost * ps_availqty),
                     sum(ps_supplycost * ps_availqty) / sum(sum(ps_supplycost * ps_availqty)) OVER ()
              FROM partsupp JOIN supplier ON ps_suppkey = s_suppkey JOIN nation ON s_nationkey = n_nationkey
              WHERE n_name = 'GERMANY' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100",
    },
    Query {
        name: "Q15",
        line: "revenue by supplier_name 1996Q1 top 1",
        sql: "SELECT s_name, sum(l_extendedprice * (1 - l_discount)) FROM lineitem JOIN supplier ON l_suppkey = s_suppkey
              WHERE l_shipdate >= '1996-01-01' AND l_shipdate < '1996-04-01' GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    },
    Query {
        name: "Q16",
        line: "suppliers by brand, part_type, part_size where brand != 'Brand#45' and part_type not like 'MEDIUM POLISHED%' and part_size in (49, 14, 23, 45, 19, 3, 36, 9) and complained_of = false order by suppliers desc, brand, part_type, part_size",
        sql: "SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey)
              FROM partsupp JOIN part ON p_partkey = ps_partkey
              WHERE p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
                AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')
              GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
    },
    Query {
        name: "Q19",
        line: "revenue where ship_mode in (AIR, 'AIR REG') and ship_instruct = 'DELIVER IN PERSON' and (brand = 'Brand#12' and container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') and line_quantity between 1 and 11 and part_size between 1 and 5 or brand = 'Brand#23' and container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') and line_quantity between 10 and 20 and part_size between 1 and 10 or brand = 'Brand#34' and container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') and line_quantity between 20 and 30 and part_size between 1 and 15)",
        sql: "SELECT sum(l_extendedprice * (1 - l_discount)) FROM lineitem JOIN part ON p_partkey = l_partkey
              WHERE l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON'
                AND (p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') AND l_quantity BETWEEN 1 AND 11 AND p_size BETWEEN 1 AND 5
                  OR p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') AND l_quantity BETWEEN 10 AND 20 AND p_size BETWEEN 1 AND 10
                  OR p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') AND l_quantity BETWEEN 20 AND 30 AND p_size BETWEEN 1 AND 15)",
    },
    Query {
        // All orders, whatever their comment says.
        name: "Q13",
        line: "customers by order_count order by customers desc, order_count desc",
        sql: "SELECT orders, count(*) FROM (
                SELECT c_custkey, count(o_orderkey) AS orders FROM customer LEFT JOIN orders ON o_custkey = c_custkey GROUP BY 1
              ) AS counted GROUP BY 1 ORDER BY 2 DESC, 1 DESC",
    },
    Query {
        name: "Q17",
        line: "small_orders where brand = 'Brand#23' and container = 'MED BOX'",
        sql: "SELECT sum(l_extendedprice / 7.0) FROM lineitem JOIN part ON p_partkey = l_partkey
                JOIN (SELECT l_partkey AS part, 0.2 * avg(l_quantity) AS few FROM lineitem GROUP BY 1) AS usual ON part = l_partkey
              WHERE p_brand = 'Brand#23' AND p_container = 'MED BOX' AND l_quantity < few",
    },
    Query {
        // Balances above 0 in the place of those above the mean. At scale 1, SQLite takes an hour for a NOT EXISTS, and
        // PostgreSQL for a NOT IN.
        name: "Q22",
        line: "customers, balances by country_code where country_code in (13, 31, 23, 29, 30, 18, 17) and balance > 0 and orders per customer_key = 0",
        sql: "SELECT substr(c_phone, 1, 2), count(*), sum(c_acctbal) FROM customer
              LEFT JOIN (SELECT DISTINCT o_custkey FROM orders) AS buyers ON o_custkey = c_custkey
              WHERE substr(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17') AND c_acctbal > 0
                AND o_custkey IS NULL
              GROUP BY 1 ORDER BY 1",
    },
    Query {
        // The limit of 300 leaves no order at a small scale.
        name: "Q18",
        line: "quantity by order_key, order_date, total_price where quantity per order_key > 250 order by total_price desc, order_date limit 100",
        sql: "SELECT o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM orders JOIN lineitem ON l_orderkey = o_orderkey
              WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 250)
              GROUP BY 1, 2, 3 ORDER BY 3 DESC, 2 LIMIT 100",
    },
];

/// Queries that rollups of the registry answer, by the name of the query whose SQL gives the same.
pub const FROM_ROLLUPS: [(&str, &str); 3] = [
    ("Q1", QUERIES[0].line),
    (
        "Q5",
        "local_sales by supplier.nation.nation where supplier.nation.region.region = ASIA 1994 order by local_sales desc",
    ),
    ("Q6", QUERIES[5].line),
];

/// Makes every rollup of the registry.
pub async fn materialize(engine: &Engine, loaded: &Loaded) -> Rollups {
    let dialect = loaded.warehouse.dialect();
    let options = options(dialect, None);
    let (mut rollups, mut statements) = (Rollups::default(), Vec::new());
    for rollup in engine.registry.rollups.values() {
        let Engine {
            registry,
            reach,
            templates,
        } = engine;
        let table = RollupTable::new(registry, reach, templates, rollup, &options).unwrap();
        statements.extend(table.make(false, dialect));
        statements.extend(table.record(TODAY, Timestamp::UNIX_EPOCH, dialect));
        rollups.states.push(state(&table));
        rollups.tables.push(table);
    }
    write(
        &loaded.connection,
        "UTC",
        statements,
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    rollups
}

/// Keeps every rollup of the registry in an embedded file, which is made, and opens it.
pub async fn embed(engine: &Engine, loaded: &Loaded, path: &Path) -> (Rollups, Warehouse) {
    let options = options(loaded.warehouse.dialect(), None);
    let mut rollups = Rollups::default();
    for rollup in engine.registry.rollups.values() {
        let rollup = Rollup {
            embedded: true,
            ..rollup.clone()
        };
        let Engine {
            registry,
            reach,
            templates,
        } = engine;
        let table = RollupTable::new(registry, reach, templates, &rollup, &options).unwrap();
        let columns = table.selected.iter();
        let columns = columns.map(|(name, ty)| (name.clone(), kept_as(*ty)));
        let request = Request {
            sql: table.sql.clone(),
            columns: Some(columns.collect()),
            row_cap: None,
        };
        let (rows, _) = crate::support::collect(&loaded.warehouse, request)
            .await
            .unwrap();
        let keeping = Keeping {
            path: path.to_owned(),
            before: table.empty(None),
            table: table.table.clone(),
            columns: table.selected.clone(),
            sums: table.sums(),
            rows,
            after: table.record(TODAY, Timestamp::UNIX_EPOCH, Dialect::Sqlite),
        };
        keep(keeping, &CancellationToken::new()).await.unwrap();
        rollups.states.push(state(&table));
        rollups.tables.push(table);
    }
    let connection = Connection {
        name: "file".to_owned(),
        kind: ConnectionKind::Sqlite {
            path: path.to_owned(),
        },
        row_cap: 1_000_000,
    };
    (rollups, Warehouse::open(&connection, "UTC").unwrap())
}

fn state(table: &RollupTable) -> RollupState {
    RollupState {
        name: table.name.clone(),
        table: table.table.clone(),
        definition: table.definition.clone(),
        until: TODAY,
        refreshed_at: Timestamp::UNIX_EPOCH,
        rows: 0,
    }
}

pub fn options(dialect: Dialect, rollups: Option<&Rollups>) -> CompileOptions<'_> {
    CompileOptions {
        dialect,
        today: TODAY,
        values: &NoValues,
        passes: Passes {
            rollups,
            ..Passes::default()
        },
    }
}

/// Creates and fills the eight tables; 1 is six million lines. Comments that no query reads are left out.
pub fn fill(kind: &ConnectionKind, scale: f64) {
    use ColumnType::{Date, Integer, Number, Text};
    let distributions = Distributions::static_default();
    // The usual pool of 300 MB only makes comments more varied.
    let pool = &TextPool::new(1024 * 1024, distributions);
    let mut loader = Loader::replacing(kind).unwrap();

    create(
        &mut loader,
        "region",
        &["r_regionkey"],
        &[("r_regionkey", Integer), ("r_name", Text)],
    );
    for row in RegionGenerator::new_with_distributions_and_text_pool(distributions, pool).iter() {
        append(&mut loader, &[i(row.r_regionkey), Cell::Text(row.r_name)]);
    }

    create(
        &mut loader,
        "nation",
        &["n_nationkey"],
        &[
            ("n_nationkey", Integer),
            ("n_name", Text),
            ("n_regionkey", Integer),
        ],
    );
    for row in NationGenerator::new_with_distributions_and_text_pool(distributions, pool).iter() {
        append(
            &mut loader,
            &[
                i(row.n_nationkey),
                Cell::Text(row.n_name),
                i(row.n_regionkey),
            ],
        );
    }

    create(
        &mut loader,
        "supplier",
        &["s_suppkey"],
        &[
            ("s_suppkey", Integer),
            ("s_name", Text),
            ("s_nationkey", Integer),
            ("s_acctbal", Number),
            ("s_comment", Text),
        ],
    );
    for row in
        SupplierGenerator::new_with_distributions_and_text_pool(scale, 1, 1, distributions, pool)
            .iter()
    {
        append(
            &mut loader,
            &[
                i(row.s_suppkey),
                Cell::Text(&text(&row.s_name)),
                i(row.s_nationkey),
                amount(row.s_acctbal),
                Cell::Text(&row.s_comment),
            ],
        );
    }

    create(
        &mut loader,
        "customer",
        &["c_custkey"],
        &[
            ("c_custkey", Integer),
            ("c_name", Text),
            ("c_address", Text),
            ("c_nationkey", Integer),
            ("c_phone", Text),
            ("c_acctbal", Number),
            ("c_mktsegment", Text),
            ("c_comment", Text),
        ],
    );
    for row in
        CustomerGenerator::new_with_distributions_and_text_pool(scale, 1, 1, distributions, pool)
            .iter()
    {
        append(
            &mut loader,
            &[
                i(row.c_custkey),
                Cell::Text(&text(&row.c_name)),
                Cell::Text(&text(&row.c_address)),
                i(row.c_nationkey),
                Cell::Text(&text(&row.c_phone)),
                amount(row.c_acctbal),
                Cell::Text(row.c_mktsegment),
                Cell::Text(row.c_comment),
            ],
        );
    }

    create(
        &mut loader,
        "part",
        &["p_partkey"],
        &[
            ("p_partkey", Integer),
            ("p_name", Text),
            ("p_mfgr", Text),
            ("p_brand", Text),
            ("p_type", Text),
            ("p_size", Integer),
            ("p_container", Text),
            ("p_retailprice", Number),
        ],
    );
    for row in
        PartGenerator::new_with_distributions_and_text_pool(scale, 1, 1, distributions, pool).iter()
    {
        append(
            &mut loader,
            &[
                i(row.p_partkey),
                Cell::Text(&text(&row.p_name)),
                Cell::Text(&text(&row.p_mfgr)),
                Cell::Text(&text(&row.p_brand)),
                Cell::Text(row.p_type),
                i(row.p_size),
                Cell::Text(row.p_container),
                amount(row.p_retailprice),
            ],
        );
    }

    create(
        &mut loader,
        "partsupp",
        &["ps_partkey", "ps_suppkey"],
        &[
            ("ps_partkey", Integer),
            ("ps_suppkey", Integer),
            ("ps_availqty", Integer),
            ("ps_supplycost", Number),
        ],
    );
    for row in PartSuppGenerator::new_with_text_pool(scale, 1, 1, pool).iter() {
        append(
            &mut loader,
            &[
                i(row.ps_partkey),
                i(row.ps_suppkey),
                i(row.ps_availqty),
                amount(row.ps_supplycost),
            ],
        );
    }

    create(
        &mut loader,
        "orders",
        &["o_orderkey"],
        &[
            ("o_orderkey", Integer),
            ("o_custkey", Integer),
            ("o_orderstatus", Text),
            ("o_totalprice", Number),
            ("o_orderdate", Date),
            ("o_orderpriority", Text),
            ("o_clerk", Text),
            ("o_shippriority", Integer),
        ],
    );
    for row in
        OrderGenerator::new_with_distributions_and_text_pool(scale, 1, 1, distributions, pool)
            .iter()
    {
        append(
            &mut loader,
            &[
                i(row.o_orderkey),
                i(row.o_custkey),
                Cell::Text(row.o_orderstatus.as_str()),
                amount(row.o_totalprice),
                day(row.o_orderdate),
                Cell::Text(row.o_orderpriority),
                Cell::Text(&text(&row.o_clerk)),
                i(row.o_shippriority),
            ],
        );
    }

    create(
        &mut loader,
        "lineitem",
        &["l_orderkey", "l_linenumber"],
        &[
            ("l_orderkey", Integer),
            ("l_partkey", Integer),
            ("l_suppkey", Integer),
            ("l_linenumber", Integer),
            ("l_quantity", Number),
            ("l_extendedprice", Number),
            ("l_discount", Number),
            ("l_tax", Number),
            ("l_returnflag", Text),
            ("l_linestatus", Text),
            ("l_shipdate", Date),
            ("l_commitdate", Date),
            ("l_receiptdate", Date),
            ("l_shipinstruct", Text),
            ("l_shipmode", Text),
        ],
    );
    for row in
        LineItemGenerator::new_with_distributions_and_text_pool(scale, 1, 1, distributions, pool)
            .iter()
    {
        append(
            &mut loader,
            &[
                i(row.l_orderkey),
                i(row.l_partkey),
                i(row.l_suppkey),
                i(row.l_linenumber),
                i(row.l_quantity),
                amount(row.l_extendedprice),
                amount(row.l_discount),
                amount(row.l_tax),
                Cell::Text(row.l_returnflag),
                Cell::Text(row.l_linestatus),
                day(row.l_shipdate),
                day(row.l_commitdate),
                day(row.l_receiptdate),
                Cell::Text(row.l_shipinstruct),
                Cell::Text(row.l_shipmode),
            ],
        );
    }
    loader.finish().unwrap();
}

fn create(loader: &mut Loader, name: &str, key: &[&str], columns: &[(&str, ColumnType)]) {
    let columns = columns
        .iter()
        .map(|(name, ty)| ColumnSpec {
            name: (*name).to_owned(),
            ty: *ty,
            nullable: false,
        })
        .collect();
    let table = TableSpec {
        name: name.to_owned(),
        columns,
        primary_key: key.iter().map(|column| (*column).to_owned()).collect(),
        indexes: Vec::new(),
    };
    loader.create(&table).unwrap();
}

fn append(loader: &mut Loader, row: &[Cell<'_>]) {
    loader.append(row).unwrap();
}

fn i(n: impl Into<i64>) -> Cell<'static> {
    Cell::Integer(n.into())
}

fn amount(decimal: TPCHDecimal) -> Cell<'static> {
    Cell::Number(decimal.as_f64())
}

fn day(at: TPCHDate) -> Cell<'static> {
    Cell::Date(date(1970, 1, 1) + at.to_unix_epoch().days())
}

fn text(value: &impl Display) -> String {
    value.to_string()
}
