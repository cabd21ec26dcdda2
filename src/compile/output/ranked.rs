//! A limit within each value of some groupings, and the rows beyond a limit added up into one.

use super::{Output, SortKey};
use crate::compile::additivity::{Additivity, of_measure};
use crate::compile::facets;
use crate::compile::key::Key;
use crate::compile::plan::{Aggregate, Column, Compute, Leaf, Node};
use crate::compile::reach::counted_metrics;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, OutputColumn, Role};
use crate::model::{Aggregate as Agg, ColumnType, Metric, Presented};

/// The place of a row within the limit's groups.
const ROW: &str = "metrex_row";

/// What the groups beyond the limit are called.
pub(in crate::compile) const OTHERS: &str = "others";

impl Output<'_> {
    /// Whether more is asked of the limit than to cut the rows.
    pub(super) fn is_ranked(&self) -> bool {
        self.request.query.others || !self.request.query.limit_per.is_empty()
    }

    /// Refuses a limit that does not say which rows stay.
    pub(super) fn check_limit(&self) -> Result<(), CompileError> {
        let query = &self.request.query;
        if !self.is_ranked() {
            return Ok(());
        }
        let refuse = |message: String, hint: &str, word: &str| {
            Err(CompileError::new(ErrorCode::InvalidClause, message)
                .hint(hint)
                .word(word))
        };
        if query.limit.is_none() {
            let word = if query.others { "others" } else { "per" };
            return refuse(
                format!("'{word}' belongs to a limit"),
                "for instance: top 5 by gmv per market with others",
                word,
            );
        }
        for per in &query.limit_per {
            if !self.request.groups.contains(per) {
                return refuse(
                    format!("a limit per {per} needs {per} among the groupings"),
                    &format!("by {per}, …"),
                    &per.to_string(),
                );
            }
        }
        if self.folded_keys().is_empty() {
            return refuse(
                "the limit leaves nothing out: each of its groups is one row".to_owned(),
                "group by something more than what the limit is per",
                if query.others { "others" } else { "per" },
            );
        }
        if !query.others {
            return Ok(());
        }
        if query.metrics.is_empty() {
            return refuse(
                "without a metric there is nothing to add up for others".to_owned(),
                "leave 'with others' out",
                OTHERS,
            );
        }
        for key in self.folded_keys() {
            if key.ty != ColumnType::Text {
                return refuse(
                    format!("no {} can be called others: it is no text", key.name),
                    &format!("write 'per {}', or leave 'with others' out", key.name),
                    &key.name,
                );
            }
        }
        for metric in &self.request.metrics {
            if let Err(why) = self.merges(metric) {
                return refuse(
                    format!("{} of the others would be wrong: {why}", metric.name),
                    "leave 'with others' out",
                    &metric.name,
                );
            }
            for what in self.shown(metric) {
                if let Presented::Running | Presented::Moving(_) = what {
                    return refuse(
                        format!(
                            "{} {what} of the others would be wrong: they are others in every period",
                            metric.name
                        ),
                        "leave 'with others' out",
                        &metric.name,
                    );
                }
            }
        }
        Ok(())
    }

    /// Whether the parts of a metric for several groups can be merged into those of all of them; else why not.
    fn merges(&self, metric: &Metric) -> Result<(), String> {
        if self.planned.legs.iter().any(|leg| leg.daily.is_some()) {
            return Err("each group has its own days of a period".to_owned());
        }
        for leaf in counted_metrics(self.registry, metric) {
            let per = facets::per(self.registry, leaf);
            if !per.is_empty() {
                let per: Vec<_> = per.iter().map(ToString::to_string).collect();
                return Err(format!("its rows are per {}", per.join(" and ")));
            }
            let sources = leaf.kind.sources().iter();
            for measure in sources.flat_map(|source| &source.measures) {
                if matches!(measure.agg, Agg::Min | Agg::Max) && measure.over_time.is_none() {
                    continue;
                }
                if let Additivity::NonAdditive { why } = of_measure(measure) {
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    /// The keys that the limit counts, within those it is per.
    fn folded_keys(&self) -> Vec<&Key> {
        let keys = self.planned.keys.iter().zip(&self.request.groups);
        let per = &self.request.query.limit_per;
        keys.filter(|(_, group)| !per.contains(group))
            .map(|(key, _)| key)
            .collect()
    }

    /// What the metrics of the others are computed from: the leaves, and the totals that shares are of.
    pub(super) fn parts(&self) -> Result<Vec<Column>, CompileError> {
        let name = |name: &str| Fragment::plain(self.options.dialect.name(name));
        let leaves = self.leaves();
        let mut parts: Vec<Column> = leaves
            .iter()
            .enumerate()
            .map(|(index, leaf)| Column {
                name: leaf_name(index),
                ty: leaf.ty,
                sql: name(&leaf.column),
            })
            .collect();
        for (metric, (now, _)) in self.metrics() {
            if self.shown(metric).any(|what| what == Presented::Share) {
                parts.push(Column {
                    name: total_name(metric),
                    ty: ColumnType::Number,
                    sql: Fragment::plain(self.total(metric, now)?),
                });
            }
        }
        Ok(parts)
    }

    fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves: Vec<&Leaf> = Vec::new();
        for (_, (now, prior)) in self.metrics() {
            let both = [Some(now), prior.as_ref()].into_iter().flatten();
            for leaf in both.flat_map(|formula| formula.leaves()) {
                if leaves.iter().all(|known| known.column != leaf.column) {
                    leaves.push(leaf);
                }
            }
        }
        leaves
    }

    /// The rows within the limit, then the others; and the order of both.
    pub(super) fn ranked(
        &self,
        rows: Node,
        mut named: Vec<Column>,
        having: Option<Fragment>,
        order: &[SortKey],
        columns: &[OutputColumn],
    ) -> Result<(Node, Vec<String>), CompileError> {
        let dialect = self.options.dialect;
        let limit = self.request.query.limit.unwrap_or(u64::MAX);
        let folded = self.folded_keys();
        let per: Vec<&str> = self
            .planned
            .keys
            .iter()
            .filter(|key| folded.iter().all(|folded| folded.name != key.name))
            .map(|key| self.request.written(&key.name))
            .collect();
        let names: Vec<String> = per.iter().map(|name| dialect.name(name)).collect();
        let mut over = match names.as_slice() {
            [] => String::from("ORDER BY "),
            names => format!("PARTITION BY {} ORDER BY ", names.join(", ")),
        };
        let is_per = |key: &&SortKey| per.contains(&key.name.as_str());
        let within: Vec<&str> = order
            .iter()
            .filter(|key| !is_per(key))
            .map(|key| key.sql.as_str())
            .collect();
        over.push_str(&within.join(", "));
        let mut sorted: Vec<String> = order
            .iter()
            .filter(is_per)
            .map(|key| key.sql.clone())
            .collect();
        sorted.push(ROW.to_owned());
        let output: Vec<Column> = named
            .iter()
            .filter(|column| columns.iter().any(|shown| shown.name == column.name))
            .cloned()
            .collect();
        named.push(Column {
            name: ROW.to_owned(),
            ty: ColumnType::Integer,
            sql: Fragment::plain(format!("ROW_NUMBER() OVER ({over})")),
        });
        let numbered = Node::Compute(Box::new(Compute {
            input: rows,
            columns: named,
            having,
        }));
        if !self.request.query.others {
            let within = Node::Compute(Box::new(Compute {
                input: numbered,
                columns: output,
                having: Some(Fragment::plain(format!("{ROW} <= {limit}"))),
            }));
            return Ok((within, sorted));
        }
        let folded = self.folded(numbered, limit)?;
        Ok((folded, sorted))
    }

    /// Every row beyond the limit becomes one; metrics are computed from the merged leaves.
    fn folded(&self, numbered: Node, limit: u64) -> Result<Node, CompileError> {
        let dialect = self.options.dialect;
        let folded = self.folded_keys();
        let beyond = format!("CASE WHEN {ROW} > {limit} THEN");
        let mut keys: Vec<Column> = Vec::new();
        for key in &self.planned.keys {
            let name = dialect.name(self.request.written(&key.name));
            let sql = match folded.iter().any(|folded| folded.name == key.name) {
                true => format!("{beyond} {} ELSE {name} END", dialect.text(OTHERS)),
                false => name,
            };
            keys.push(Column {
                name: key.name.clone(),
                ty: key.ty,
                sql: Fragment::plain(sql),
            });
        }
        keys.push(Column {
            name: ROW.to_owned(),
            ty: ColumnType::Integer,
            sql: Fragment::plain(format!(
                "{beyond} {} ELSE {ROW} END",
                limit.saturating_add(1)
            )),
        });
        let mut values = Vec::new();
        for (index, leaf) in self.leaves().into_iter().enumerate() {
            let mut columns = self.planned.legs.iter().flat_map(|leg| &leg.columns);
            let column = columns.find(|column| column.name == leaf.column);
            let merged = column.and_then(|column| column.agg.of_parts());
            let Some(merged) = merged else {
                return Err(CompileError::new(
                    ErrorCode::InvalidClause,
                    format!("{} of the others cannot be added up", leaf.column),
                )
                .hint("leave 'with others' out"));
            };
            let sql = dialect.aggregate(merged, Some(&leaf_name(index)));
            let sql = match leaf.ty {
                ColumnType::Integer => dialect.cast(&sql, ColumnType::Integer),
                _ => sql,
            };
            values.push(Column {
                name: leaf.column.clone(),
                ty: leaf.ty,
                sql: Fragment::plain(sql),
            });
        }
        let key = |key: &Key| Column {
            name: self.request.written(&key.name).to_owned(),
            ty: key.ty,
            sql: Fragment::plain(dialect.name(&key.name)),
        };
        let mut output: Vec<Column> = self.planned.keys.iter().map(key).collect();
        for (metric, (now, prior)) in self.metrics() {
            let mut add = |role: Role, sql: String, ty| {
                output.push(Column {
                    name: super::columns::column_name(metric, role),
                    ty,
                    sql: Fragment::new(sql, [metric.place]),
                });
            };
            let roles = self.roles(now, prior.as_ref(), false)?;
            let value = roles.first().map(|(_, sql, _)| sql.clone());
            for (role, sql, ty) in roles {
                add(role, sql, ty);
            }
            for what in self.shown(metric) {
                let role = Role::Figure(what);
                let name = super::columns::column_name(metric, role);
                let quoted = dialect.name(&name);
                match what {
                    Presented::Share => {
                        let total = total_name(metric);
                        values.push(Column {
                            sql: Fragment::plain(format!("MAX({})", dialect.name(&total))),
                            name: total.clone(),
                            ty: ColumnType::Number,
                        });
                        let value = value.clone().unwrap_or_default();
                        let share = dialect.divide(&value, &dialect.name(&total));
                        add(role, share, ColumnType::Number);
                    }
                    // The others have no rank: they are no group.
                    _ => {
                        let kept = format!("CASE WHEN {ROW} <= {limit} THEN {quoted} END");
                        values.push(Column {
                            name,
                            ty: ColumnType::Integer,
                            sql: Fragment::plain(format!("MAX({kept})")),
                        });
                        add(role, quoted, ColumnType::Integer);
                    }
                }
            }
        }
        Ok(Node::Compute(Box::new(Compute {
            input: Node::Aggregate(Box::new(Aggregate {
                input: numbered,
                keys,
                values,
                having: None,
            })),
            columns: output,
            having: None,
        })))
    }
}

fn leaf_name(index: usize) -> String {
    format!("metrex_leaf_{}", index + 1)
}

fn total_name(metric: &Metric) -> String {
    format!("metrex_total_{}", metric.name)
}
