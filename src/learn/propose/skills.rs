//! Skills: parts of complex queries (CTEs) that people write again and again, as a snippet with a metric over it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use serde_json::{Map, Value, json};
use sqlparser::ast::{
    Cte, Expr, GroupByExpr, ObjectName, Query, Select, SelectItem, SetExpr, Statement,
    visit_expressions, visit_expressions_mut, visit_relations,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::idea::{Change, Idea, Kind};
use super::tally::Tally;
use super::{Month, best_first};
use crate::learn::tables::{base, dataset_of, reached};
use crate::model::personal::is_personal;
use crate::registry::{edit, label};

/// Aggregates, and how values of their groups are put together; `None` where that cannot be done.
const AGGREGATES: [(&str, Option<&str>); 5] = [
    ("sum", Some("sum")),
    ("count", Some("sum")),
    ("min", Some("min")),
    ("max", Some("max")),
    ("avg", None),
];

/// A CTE with those it reads.
struct Part {
    /// The name that its author gave it.
    name: String,
    /// Its SQL, with the CTEs it reads in front of it.
    query: Query,
    /// The same with literals out, for comparing.
    key: String,
}

#[derive(Default)]
struct Found {
    tally: Tally,
    /// How many different queries have it.
    shapes: usize,
    /// Names and texts of it, with their uses.
    texts: BTreeMap<(String, String), u64>,
    tables: BTreeSet<String>,
    query: Option<Query>,
}

impl Found {
    /// The first of the tables it reads, without its schema.
    fn first_table(&self) -> &str {
        let table = self.tables.first().map(String::as_str).unwrap_or_default();
        table.rsplit('.').next().unwrap_or(table)
    }
}

impl<'a> Month<'a> {
    /// CTEs that are used enough, in more than one query, and that no snippet has yet.
    pub(super) fn new_skills(&self) -> Vec<Idea> {
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for shape in self
            .gathered
            .shapes
            .iter()
            .filter(|shape| shape.is_by_hand() && !shape.is_private)
        {
            let mut seen = BTreeSet::new();
            for part in parts(&shape.sql) {
                if !seen.insert(part.key.clone()) {
                    continue;
                }
                let known = found.entry(part.key).or_default();
                known.tally.merge(&shape.tally);
                known.shapes += 1;
                let text = format!("{:#}", part.query);
                *known.texts.entry((part.name, text)).or_default() += shape.tally.uses;
                known.tables.extend(tables(&part.query));
                known.query.get_or_insert(part.query);
            }
        }
        let known: BTreeSet<String> = self
            .registry
            .snippets
            .values()
            .flat_map(|one| keys(&one.text))
            .collect();
        let mut ideas: Vec<Idea> = Vec::new();
        for (key, part) in found {
            if part.shapes < 2 || known.contains(&key) || !self.is_enough(&part.tally) {
                continue;
            }
            if let Some(idea) = self.skill(&key, &part, &ideas) {
                ideas.push(idea);
            }
        }
        best_first(ideas)
    }

    fn skill(&self, key: &str, part: &Found, taken: &[Idea]) -> Option<Idea> {
        let query = part.query.as_ref()?;
        let columns = Columns::of(query)?;
        let mut groups = columns.groups.iter();
        let is_private =
            groups.any(|(name, expr)| is_personal(name) || is_personal(&expr.to_string()));
        if is_private || !self.is_more_than_a_metric(query, &columns, &part.tables) {
            return None;
        }
        let most = part
            .texts
            .iter()
            .max_by_key(|(text, uses)| (**uses, std::cmp::Reverse(*text)));
        let ((cte, sql), _) = most?;
        let says: Vec<&str> = columns
            .groups
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let name = match is_numbered(cte) {
            // Its author's name for it was not kept.
            true => format!("{}_by_{}", part.first_table(), says.join("_")),
            false => cte.clone(),
        };
        let name = self.free_name(&plain(&name), taken);
        let file = format!("{name}.sql");
        let values: Vec<&str> = columns
            .values
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let sentence = format!(
            "{} by {}.",
            capital(&values.join(", ").replace('_', " ")),
            says.join(", ")
        );
        let evidence = part.tally.evidence();
        let mut keys = Map::new();
        let mut put = |key: &str, value: Value| drop(keys.insert(key.to_owned(), value));
        put("label", json!(label(&name)));
        let tables: Vec<String> = part.tables.iter().cloned().collect();
        let dataset = tables
            .first()
            .and_then(|table| dataset_of(self.registry, table));
        if let Some(category) = dataset.and_then(|dataset| self.category_of(dataset)) {
            put("category", json!(category));
        }
        put("description", json!(sentence));
        put("type", json!("complex"));
        put("snippet", json!(file));
        put("tables", json!(tables));
        Some(Idea {
            id: format!("skill:{:016x}", xxhash_rust::xxh3::xxh3_64(key.as_bytes())),
            kind: Kind::Skill,
            title: format!("{name}, from {} queries", part.shapes),
            remark: format!("{} different queries have it as a part.", part.shapes),
            confidence: evidence.confidence(),
            evidence,
            change: Change::Metric {
                name,
                definition: edit::fields(&keys),
                snippet: Some(format!("-- {sentence}\n{}{sql}\n", columns.header())),
            },
        })
    }

    /// Whether no query line could say the same: it has steps, or is by something that is no dimension.
    fn is_more_than_a_metric(
        &self,
        query: &Query,
        columns: &Columns,
        tables: &BTreeSet<String>,
    ) -> bool {
        let has_steps =
            query.with.is_some() || select(query).is_none_or(|select| select.having.is_some());
        let tables: Vec<String> = tables.iter().cloned().collect();
        let base = base(self.registry, &tables);
        let is_dimension = |expr: &Expr| {
            let column = match expr {
                Expr::Identifier(name) => &name.value,
                Expr::CompoundIdentifier(parts) => match parts.last() {
                    Some(part) => &part.value,
                    None => return false,
                },
                // A part of a time is a grain.
                Expr::Function(_) | Expr::Extract { .. } | Expr::Cast { .. } => return true,
                _ => return false,
            };
            base.is_some_and(|base| {
                let mut reached = reached(self.registry, base).into_iter();
                reached.any(|dataset| {
                    let mut dimensions = dataset.dimensions.values();
                    let is_column = |known: &String| known.eq_ignore_ascii_case(column);
                    dimensions.any(|one| one.column.as_ref().is_some_and(is_column))
                })
            })
        };
        has_steps || columns.groups.iter().any(|(_, expr)| !is_dimension(expr))
    }
}

/// What a grouped query gives: columns it groups by, and aggregations.
struct Columns {
    groups: Vec<(String, Expr)>,
    values: Vec<(String, &'static str)>,
}

impl Columns {
    /// `None` where it does not group, or has a column without a name.
    fn of(query: &Query) -> Option<Self> {
        let select = select(query)?;
        let is_grouped = match &select.group_by {
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
            GroupByExpr::All(_) => true,
        };
        if !is_grouped {
            return None;
        }
        let mut columns = Self {
            groups: Vec::new(),
            values: Vec::new(),
        };
        for item in &select.projection {
            let (name, expr) = match item {
                SelectItem::ExprWithAlias { expr, alias } => (alias.value.clone(), expr),
                SelectItem::UnnamedExpr(expr @ Expr::Identifier(name)) => {
                    (name.value.clone(), expr)
                }
                SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(parts)) => {
                    (parts.last()?.value.clone(), expr)
                }
                _ => return None,
            };
            let called = match expr {
                Expr::Function(function) => function.name.to_string().to_lowercase(),
                _ => String::new(),
            };
            match AGGREGATES.into_iter().find(|(agg, _)| *agg == called) {
                Some((agg, _)) => columns.values.push((name, agg)),
                None => columns.groups.push((name, expr.clone())),
            }
        }
        (!columns.values.is_empty() && !columns.groups.is_empty()).then_some(columns)
    }

    /// The facets of the snippet: what can be asked of it without a model.
    fn header(&self) -> String {
        let mut text = "-- facets:\n--   dimensions:\n".to_owned();
        let mut names = Vec::new();
        for (column, _) in &self.groups {
            let is_grain = crate::model::Grain::from_word(column).is_some();
            // A dimension called like a grain would have to be quoted.
            let name = match is_grain {
                true => format!("by_{column}"),
                false => column.clone(),
            };
            let says = match is_grain {
                true => format!("{{column: {column}, label: {}}}", label(column)),
                false => format!("{{label: {}}}", label(column)),
            };
            text.push_str(&format!("--     {name}: {says}\n"));
            names.push(name);
        }
        if let Some((column, agg)) = self.values.first() {
            let together = AGGREGATES.into_iter().find(|(known, _)| known == agg);
            match together.and_then(|(_, together)| together) {
                Some(together) => text.push_str(&format!(
                    "--   value: {{agg: {together}, expr: {column}}}\n"
                )),
                None => {
                    text.push_str(&format!("--   value: {{agg: max, expr: {column}}}\n"));
                    text.push_str(&format!("--   per: [{}]\n", names.join(", ")));
                }
            }
        }
        text
    }
}

/// Whether a part is called as fingerprints call parts: `part_1`.
fn is_numbered(name: &str) -> bool {
    let number = name.strip_prefix("part_");
    number.is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// A text as a name.
fn plain(text: &str) -> String {
    let letters = text.to_lowercase();
    let letters = letters
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' });
    letters.collect()
}

fn select(query: &Query) -> Option<&Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

fn read(sql: &str) -> Option<Query> {
    let statements = Parser::parse_sql(&GenericDialect {}, sql).ok()?;
    match <[Statement; 1]>::try_from(statements) {
        Ok([Statement::Query(query)]) => Some(*query),
        _ => None,
    }
}

/// The CTEs of a statement, each with those it reads; none where parameters stand for values.
fn parts(sql: &str) -> Vec<Part> {
    let has_cte = sql
        .as_bytes()
        .windows(4)
        .any(|word| word.eq_ignore_ascii_case(b"with"));
    let Some(query) = Some(sql).filter(|_| has_cte).and_then(read) else {
        return Vec::new();
    };
    let Some(with) = query.with.as_ref().filter(|with| !with.recursive) else {
        return Vec::new();
    };
    let ctes: HashMap<String, &Cte> = with
        .cte_tables
        .iter()
        .map(|cte| (cte.alias.name.value.to_lowercase(), cte))
        .collect();
    let part = |cte: &Cte| {
        if !cte.alias.columns.is_empty() || cte.query.with.is_some() {
            return None;
        }
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut open = vec![cte];
        while let Some(one) = open.pop() {
            for table in tables(&one.query) {
                let name = table.to_lowercase();
                if let Some(below) = ctes.get(&name)
                    && below.alias.name != cte.alias.name
                    && needed.insert(name)
                {
                    open.push(below);
                }
            }
        }
        let mut whole = cte.query.as_ref().clone();
        if !needed.is_empty() {
            let mut before = with.clone();
            before
                .cte_tables
                .retain(|one| needed.contains(&one.alias.name.value.to_lowercase()));
            whole.with = Some(before);
        }
        let key = without_literals(&whole)?;
        Some(Part {
            name: cte.alias.name.value.clone(),
            query: whole,
            key,
        })
    };
    with.cte_tables.iter().filter_map(part).collect()
}

/// What the CTEs of a snippet, and the snippet as a whole, are compared by.
fn keys(sql: &str) -> Vec<String> {
    let mut keys: Vec<String> = parts(sql).into_iter().map(|part| part.key).collect();
    keys.extend(read(sql).as_ref().and_then(without_literals));
    keys
}

/// The text with `?` for literals, in lower case; `None` where it has parameters.
fn without_literals(query: &Query) -> Option<String> {
    let mut query = query.clone();
    let parameter = visit_expressions(&query, |expr| match expr {
        Expr::Value(value) if matches!(value.value, sqlparser::ast::Value::Placeholder(_)) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    if parameter.is_break() {
        return None;
    }
    let _ = visit_expressions_mut(&mut query, |expr| {
        if let Expr::Value(value) = expr {
            value.value = sqlparser::ast::Value::Placeholder("?".to_owned());
        }
        ControlFlow::<()>::Continue(())
    });
    Some(query.to_string().to_lowercase())
}

/// The tables that a query names, without the CTEs it defines itself.
fn tables(query: &Query) -> BTreeSet<String> {
    let own = query.with.iter().flat_map(|with| &with.cte_tables);
    let own: BTreeSet<String> = own.map(|cte| cte.alias.name.value.to_lowercase()).collect();
    let mut found = BTreeSet::new();
    let _ = visit_relations(query, |name: &ObjectName| {
        let name = name.to_string().replace('"', "");
        if !own.contains(&name.to_lowercase()) {
            found.insert(name);
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn a_part_brings_what_it_reads() {
        let sql = "with a as (select user_id, amount from orders where status = 'x'), \
                   b as (select user_id, sum(amount) as total from a group by user_id) select avg(total) from b";
        let found = parts(sql);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].name, "b");
        assert!(found[1].key.starts_with("with a as"), "{}", found[1].key);
        let other = sql
            .replace("'x'", "'y'")
            .replace("avg(total)", "max(total)");
        assert_eq!(parts(&other)[1].key, found[1].key);
        let columns = Columns::of(&found[1].query).unwrap();
        assert_eq!(columns.values, [("total".to_owned(), "sum")]);
        assert!(parts("with a as (select b from c where d = $1) select b from a").is_empty());
        assert!(parts("select 1").is_empty());
    }
}
