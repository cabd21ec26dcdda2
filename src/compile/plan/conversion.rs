//! Conversions: each event counts for the latest base event of the same entity before it, found in one pass in order of time.

use super::leg::{Aggregated, Leg, by_name};
use super::{Aggregate, Column, Compute, Filtered, Node, Scan};
use crate::compile::write::Fragment;
use crate::model::{self, ColumnType, Grain};
use crate::warehouse::Dialect;

/// One kind of events.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Events {
    pub(in crate::compile) scan: Scan,
    /// The entity, and what must be the same.
    pub(in crate::compile) same: Vec<Fragment>,
    pub(in crate::compile) time: Fragment,
    /// The same in UTC, where both kinds of events say in which zone they are stored.
    pub(in crate::compile) utc: Option<Fragment>,
}

/// The rows of a leg are base events, and what is aggregated are the conversions that follow them.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Conversions {
    pub(in crate::compile) base: Events,
    pub(in crate::compile) converted: Events,
    /// What tells base events at the same time apart.
    pub(in crate::compile) key: Vec<Fragment>,
    /// How long after its base event a conversion may come.
    pub(in crate::compile) within: Option<(u32, Grain)>,
    /// Of several base events at one time, the one with the first groups counts, not the one with the last.
    pub(in crate::compile) first_of_tied: bool,
}

/// 1 for a base event, 0 for a conversion.
const BASE: &str = "metrex_base";
/// When an event was.
const TIME: &str = "metrex_time";
/// The same in UTC.
const UTC: &str = "metrex_utc";
/// When the base event of a conversion was.
const SINCE: &str = "metrex_since";
/// 1 for a base event that the query asks about.
const ASKED: &str = "metrex_asked";
/// How many base events there were so far.
const NTH: &str = "metrex_nth";

impl Conversions {
    /// The aggregates of a leg over the conversions of its base events.
    ///
    /// Both kinds of events stand in one list in order of time. Counting the base events so far gives every conversion the
    /// number of the latest one; the first row of each number is that base event, whose keys the others take over. The
    /// conditions of the query are looked at last: a base event that they refuse still has its conversions. Of base events
    /// at the same time, it is the one with the greatest key, whatever the query groups by. Local clocks show an hour twice
    /// in autumn: what came first, and how many hours later the other came, is said by UTC where it is known.
    pub(super) fn node(&self, leg: &Leg, dialect: Dialect) -> Node {
        let names: Vec<String> = (1..=self.base.same.len())
            .map(|n| format!("metrex_same_{n}"))
            .collect();
        let keys: Vec<&str> = leg.keys.iter().map(|key| key.name.as_str()).collect();
        let values: Vec<Column> = leg
            .columns
            .iter()
            .filter_map(Aggregated::row_column)
            .collect();

        let order = if self.is_in_utc() { UTC } else { TIME };
        let clock = match self.within {
            Some((_, unit)) if unit.is_sub_day() => order,
            _ => TIME,
        };
        let quoted = |name: &str| dialect.name(name);
        let partition = names.join(", ");
        let own: Vec<String> = (1..=self.key.len())
            .map(|n| format!("metrex_key_{n}"))
            .collect();
        let groups = keys.iter().map(|key| (quoted(key), self.first_of_tied));
        let tied: String = own
            .iter()
            .chain([&ASKED.to_owned()])
            .map(|column| (column.clone(), false))
            .chain(groups)
            .map(|(column, descending)| format!(", {}", dialect.order(&column, descending)))
            .collect();
        let list = Node::Stack(vec![
            self.base_events(leg, &names, &own, dialect),
            self.conversions(leg, &names, &own),
        ]);
        let mut listed: Vec<Column> = names.iter().map(|name| plain(name, name)).collect();
        listed.extend([TIME, BASE, ASKED].map(|name| plain(name, name)));
        listed.extend(self.is_in_utc().then(|| plain(UTC, UTC)));
        listed.extend(by_name(&leg.keys, dialect));
        listed.extend(by_name(&values, dialect));
        listed.push(plain(
            NTH,
            &format!(
                "SUM({BASE}) OVER (PARTITION BY {partition} ORDER BY {order}, {BASE} DESC{tied} ROWS UNBOUNDED PRECEDING)"
            ),
        ));
        let numbered = compute(list, listed);

        let first = |column: &str| {
            format!(
                "FIRST_VALUE({column}) OVER (PARTITION BY {partition}, {NTH} ORDER BY {BASE} DESC)"
            )
        };
        let mut owned: Vec<Column> = leg
            .keys
            .iter()
            .map(|key| Column {
                sql: Fragment::plain(first(&quoted(&key.name))),
                ..key.clone()
            })
            .collect();
        owned.extend([
            plain(SINCE, &first(clock)),
            plain(ASKED, &first(ASKED)),
            plain(clock, clock),
            plain(BASE, BASE),
        ]);
        owned.extend(by_name(&values, dialect));
        let owned = compute(numbered, owned);

        let mut conditions = vec![format!("{BASE} = 0"), format!("{ASKED} = 1")];
        if let Some((n, unit)) = self.within {
            let end = dialect.units_after(SINCE, n, unit);
            conditions.push(format!("{clock} < {end}"));
        }
        Node::Aggregate(Box::new(Aggregate {
            input: Node::Filtered(Box::new(Filtered {
                input: owned,
                conditions: conditions.into_iter().map(Fragment::plain).collect(),
            })),
            keys: by_name(&leg.keys, dialect),
            values: leg
                .columns
                .iter()
                .map(|column| column.over_rows(dialect))
                .collect(),
            having: None,
        }))
    }

    fn is_in_utc(&self) -> bool {
        self.base.utc.is_some() && self.converted.utc.is_some()
    }

    fn base_events(&self, leg: &Leg, names: &[String], own: &[String], dialect: Dialect) -> Node {
        let conditions: Vec<&Fragment> = leg.conditions.iter().chain(&leg.bounds).collect();
        let asked = if conditions.is_empty() {
            Fragment::plain("1")
        } else {
            let all: Vec<&str> = conditions.iter().map(|one| one.sql.as_str()).collect();
            Fragment::new(
                format!("CASE WHEN {} THEN 1 ELSE 0 END", all.join(" AND ")),
                conditions.iter().flat_map(|one| one.places.clone()),
            )
        };
        let mut columns = self.base.columns(names, "1", asked);
        columns.extend(own.iter().zip(&self.key).map(|(name, sql)| Column {
            sql: sql.clone(),
            ..plain(name, "")
        }));
        columns.extend(leg.keys.iter().cloned());
        // Engines guess the type of a bare NULL.
        let valued = leg.columns.iter().filter(|column| column.row.is_some());
        columns.extend(valued.map(|column| {
            let ty = match column.agg {
                model::Aggregate::CountDistinct => ColumnType::Text,
                model::Aggregate::SumBoolean => ColumnType::Boolean,
                _ => column.ty,
            };
            plain(&column.name, &dialect.null(ty))
        }));
        compute(Node::Scan(self.base.scan.clone()), columns)
    }

    fn conversions(&self, leg: &Leg, names: &[String], own: &[String]) -> Node {
        let mut columns = self.converted.columns(names, "0", Fragment::plain("0"));
        columns.extend(own.iter().map(|name| plain(name, "NULL")));
        columns.extend(leg.keys.iter().map(|key| plain(&key.name, "NULL")));
        columns.extend(leg.columns.iter().filter_map(Aggregated::row_column));
        compute(Node::Scan(self.converted.scan.clone()), columns)
    }
}

impl Events {
    fn columns(&self, names: &[String], is_base: &str, asked: Fragment) -> Vec<Column> {
        let same = names.iter().zip(&self.same);
        let mut columns: Vec<Column> = same
            .map(|(name, sql)| Column {
                sql: sql.clone(),
                ..plain(name, "")
            })
            .collect();
        columns.push(Column {
            sql: self.time.clone(),
            ..plain(TIME, "")
        });
        columns.extend(self.utc.iter().map(|utc| Column {
            sql: utc.clone(),
            ..plain(UTC, "")
        }));
        columns.push(plain(BASE, is_base));
        columns.push(Column {
            sql: asked,
            ..plain(ASKED, "")
        });
        columns
    }
}

fn compute(input: Node, columns: Vec<Column>) -> Node {
    Node::Compute(Box::new(Compute {
        input,
        columns,
        having: None,
    }))
}

/// A column that nobody sees, so that its type does not matter.
fn plain(name: &str, sql: &str) -> Column {
    Column {
        name: name.to_owned(),
        ty: ColumnType::Integer,
        sql: Fragment::plain(sql),
    }
}
