//! Walks a query from the outside in: what it reads, what its columns mean, and everything that must not be there.
//!
//! Whatever is not named here is refused: a new construct of the parser is no hole.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;

use sqlparser::ast::{
    Cte, Expr, Fetch, Ident, LimitClause, Offset, OrderBy, OrderByExpr, OrderByKind, Query,
    SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, UnaryOperator, Value, Values, With,
};
use sqlparser::tokenizer::Location;

use super::filters::Conjunct;
use super::finding::{Code, Finding, Severity};
use super::known::Known;
use super::meaning::{Constant, Meaning, Output, Relation, Rows};
use crate::warehouse::Dialect;

/// Most findings of each severity.
const FINDINGS: usize = 25;

/// A literal beside something it is compared with.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) with: Meaning,
    pub(super) constant: Constant,
    pub(super) how: How,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Equal,
    Range,
    Pattern,
}

/// The names that one `SELECT` can use.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
    /// Columns that `USING` has made one of two.
    pub(super) merged: Vec<String>,
    /// Its own output columns.
    pub(super) aliases: Vec<Output>,
    /// Output columns by the text of their expression.
    pub(super) texts: HashMap<String, String>,
    pub(super) alias_use: AliasUse,
}

/// Where a bare name may mean an output column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AliasUse {
    #[default]
    Never,
    /// Where no table has a column of that name.
    Last,
    First,
}

/// One walk over one statement.
pub(super) struct Walk {
    pub(super) known: Known,
    pub(super) dialect: Dialect,
    /// Reads a text of the project: what it names becomes known.
    learns: bool,
    pub(super) findings: Vec<Finding>,
    ctes: Vec<(String, Rows)>,
    pub(super) scopes: Vec<Scope>,
    /// Whether the `SELECT` that is being read has an aggregate.
    pub(super) aggregates: bool,
    /// Whether the condition of a join is being read.
    pub(super) in_join: bool,
    /// Whether a name may be one of personal data, see `personal`.
    pub(super) may_read_personal: bool,
    /// Whether what is being read decides about rows, or is put together from many.
    pub(super) is_filtering: bool,
    /// The outermost scope that a name of the `SELECT` being read is of.
    pub(super) outermost: usize,
    pub(super) comparisons: Vec<Comparison>,
    /// Tables that are read, folded.
    pub(super) read: BTreeSet<String>,
    /// Joins met, see `joins`.
    pub(super) joins: HashSet<String>,
    /// Functions met.
    pub(super) functions: HashSet<String>,
    /// What the name at a place is.
    pub(super) places: HashMap<Location, Meaning>,
    /// What the `*` at a place stands for.
    pub(super) stars: HashMap<Location, Vec<SelectItem>>,
    /// The conditions of each `SELECT` that reads a table.
    pub(super) conjuncts: Vec<(Vec<String>, Vec<Conjunct>)>,
}

impl Walk {
    pub(super) fn new(known: Known, dialect: Dialect) -> Self {
        Self {
            known,
            dialect,
            learns: false,
            findings: Vec::new(),
            ctes: Vec::new(),
            scopes: Vec::new(),
            aggregates: false,
            in_join: false,
            may_read_personal: false,
            is_filtering: false,
            outermost: usize::MAX,
            comparisons: Vec::new(),
            read: BTreeSet::new(),
            joins: HashSet::new(),
            functions: HashSet::new(),
            places: HashMap::new(),
            stars: HashMap::new(),
            conjuncts: Vec::new(),
        }
    }

    /// A walk over a text of the project, from which `known` grows.
    pub(super) fn learning(known: Known, dialect: Dialect) -> Self {
        Self {
            learns: true,
            ..Self::new(known, dialect)
        }
    }

    pub(super) fn learns(&self) -> bool {
        self.learns
    }

    /// The whole statement.
    pub(super) fn statement(&mut self, query: &Query) -> Rows {
        let rows = self.query(query);
        for column in &rows.columns {
            if let Some(dimension) = &column.meaning.pii {
                self.block(
                    Code::Pii,
                    &column.name,
                    column.at,
                    format!("{dimension} is personal data and may not be in a result"),
                    Some("leave it out, or count it".to_owned()),
                );
            }
        }
        rows
    }

    pub(super) fn block(
        &mut self,
        code: Code,
        token: impl Display,
        at: Location,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.find(Severity::Block, code, token, at, message, hint);
    }

    pub(super) fn note(
        &mut self,
        code: Code,
        token: impl Display,
        at: Location,
        message: impl Into<String>,
    ) {
        self.find(Severity::Note, code, token, at, message, None);
    }

    fn find(
        &mut self,
        severity: Severity,
        code: Code,
        token: impl Display,
        at: Location,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let finding = Finding {
            code,
            severity,
            token: token.to_string(),
            line: u32::try_from(at.line).unwrap_or(u32::MAX),
            column: u32::try_from(at.column).unwrap_or(u32::MAX),
            message: message.into(),
            hint,
        };
        // The first arm of a recursive CTE is read twice; and nobody reads a thousand findings.
        let of_severity = self.findings.iter().filter(|one| one.severity == severity);
        if of_severity.count() < FINDINGS && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether more findings that block would not be told.
    pub(super) fn is_full(&self) -> bool {
        let blocking = |finding: &&Finding| finding.severity == Severity::Block;
        self.findings.iter().filter(blocking).count() >= FINDINGS
    }

    /// Refuses a part of the statement that is not known well enough.
    pub(super) fn unsupported(&mut self, part: &(impl Spanned + Display), what: &str) {
        let at = part.span().start;
        self.unsupported_at(short(part), at, what);
    }

    pub(super) fn unsupported_at(&mut self, token: impl Display, at: Location, what: &str) {
        self.block(
            Code::Unsupported,
            token,
            at,
            format!("{what} cannot be checked"),
            Some("write it with plain SELECT, JOIN … ON, WHERE and GROUP BY".to_owned()),
        );
    }

    /// A query, wherever it stands.
    pub(super) fn query(&mut self, query: &Query) -> Rows {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let at = query.span().start;
        let in_join = std::mem::replace(&mut self.in_join, false);
        if let Some(lock) = locks.first() {
            self.block(
                Code::Locks,
                lock,
                at,
                "rows may not be locked",
                Some("leave the lock out".to_owned()),
            );
        }
        if for_clause.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || !pipe_operators.is_empty()
        {
            self.unsupported_at("", at, "a clause after the query");
        }
        let visible = self.ctes.len();
        if let Some(with) = with {
            self.with(with);
        }
        let rows = self.body(body, order_by.as_ref());
        self.limits(limit_clause.as_ref(), fetch.as_ref());
        self.ctes.truncate(visible);
        self.in_join = in_join;
        rows
    }

    fn with(&mut self, with: &With) {
        for cte in &with.cte_tables {
            let name = self.fold(&cte.alias.name);
            if self.known.tables.contains_key(&name) || self.visible_cte(&name).is_some() {
                self.block(
                    Code::Unsupported,
                    &cte.alias.name,
                    cte.alias.name.span.start,
                    format!("the CTE {name} has the name of a table or of another CTE"),
                    Some("give it a name of its own".to_owned()),
                );
            }
            let rows = self.cte(cte, &name, with.recursive);
            self.ctes.push((name, rows));
        }
    }

    fn cte(&mut self, cte: &Cte, name: &str, recursive: bool) -> Rows {
        if cte.from.is_some() || cte.alias.at.is_some() {
            self.unsupported_at(&cte.alias.name, cte.alias.name.span.start, "this CTE");
        }
        let names: Vec<&Ident> = cte
            .alias
            .columns
            .iter()
            .map(|column| &column.name)
            .collect();
        // SQLite lets a CTE read itself without the word.
        let recursive = recursive || self.dialect == Dialect::Sqlite;
        let rows = match cte.query.body.as_ref() {
            SetExpr::SetOperation { left, .. }
                if recursive && self.reads_itself(&cte.query, name) =>
            {
                let first = self.body(left, None);
                let mut first = self.renamed(first, &names);
                for column in &mut first.columns {
                    column.meaning.open = true;
                }
                first.unique = None;
                self.ctes.push((name.to_owned(), first));
                let rows = self.query(&cte.query);
                if !self.ends(&cte.query, name, &names) {
                    self.no_end(&cte.alias.name);
                }
                self.ctes.pop();
                rows
            }
            _ => self.query(&cte.query),
        };
        self.renamed(rows, &names)
    }

    fn no_end(&mut self, name: &Ident) {
        self.block(
            Code::Recursion,
            name,
            name.span.start,
            format!("the recursion of {name} is none that surely ends"),
            Some(
                "start with literals, read only itself, add a literal (n + 1), and end it: WHERE n < 12"
                    .to_owned(),
            ),
        );
    }

    /// The same rows under other column names.
    pub(super) fn renamed(&self, mut rows: Rows, names: &[&Ident]) -> Rows {
        for (column, name) in rows.columns.iter_mut().zip(names) {
            let name = self.fold(name);
            if let Some(unique) = &mut rows.unique {
                for key in unique.iter_mut().filter(|key| **key == column.name) {
                    key.clone_from(&name);
                }
            }
            column.name = name;
        }
        rows
    }

    /// What a CTE that can be seen from here gives.
    pub(super) fn visible_cte(&self, name: &str) -> Option<&Rows> {
        let found = self.ctes.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, rows)| rows)
    }

    /// A query without its `WITH` and `LIMIT`.
    fn body(&mut self, body: &SetExpr, order_by: Option<&OrderBy>) -> Rows {
        let writes = match body {
            SetExpr::Select(select) => return self.select(select, order_by),
            SetExpr::Query(query) => {
                let rows = self.query(query);
                self.order_outputs(&rows, order_by);
                return rows;
            }
            SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } => {
                if !matches!(
                    op,
                    SetOperator::Union | SetOperator::Except | SetOperator::Intersect
                ) || !matches!(
                    set_quantifier,
                    SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None
                ) {
                    self.unsupported(body, "this set operation");
                }
                let mut left = self.body(left, None);
                let mut right = self.body(right, None);
                self.no_personal_sets(*op, *set_quantifier, &mut left, &mut right);
                let rows = stacked(left, right);
                self.order_outputs(&rows, order_by);
                return rows;
            }
            SetExpr::Values(values) => return self.values(values),
            SetExpr::Table(table) => {
                self.unsupported_at(table, Location::new(0, 0), "TABLE");
                return Rows {
                    open: true,
                    ..Rows::default()
                };
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => statement,
        };
        let word = short(writes);
        let word = word
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        self.block(
            Code::Writes,
            &word,
            writes.span().start,
            format!("{word} writes; only queries are run"),
            Some("write a SELECT".to_owned()),
        );
        Rows {
            open: true,
            ..Rows::default()
        }
    }

    fn values(&mut self, values: &Values) -> Rows {
        let mut columns: Vec<Output> = Vec::new();
        for row in &values.rows {
            for (index, expr) in row.content.iter().enumerate() {
                let meaning = self.expr(expr);
                match columns.get_mut(index) {
                    Some(column) => column.meaning = column.meaning.clone().or(meaning),
                    None => columns.push(Output {
                        name: format!("column{}", index + 1),
                        meaning,
                        at: expr.span().start,
                    }),
                }
            }
        }
        Rows {
            columns,
            ..Rows::default()
        }
    }

    /// `ORDER BY` after a set operation can only name output columns.
    fn order_outputs(&mut self, rows: &Rows, order_by: Option<&OrderBy>) {
        self.scopes.push(Scope {
            aliases: rows.columns.clone(),
            alias_use: AliasUse::First,
            ..Scope::default()
        });
        self.order_by(order_by);
        self.scopes.pop();
    }

    pub(super) fn order_by(&mut self, order_by: Option<&OrderBy>) {
        let Some(OrderBy { kind, interpolate }) = order_by else {
            return;
        };
        match kind {
            OrderByKind::Expressions(keys) if interpolate.is_none() => {
                let columns = self.scopes.last().map(|scope| scope.aliases.clone());
                for key in keys {
                    self.no_personal_place(&key.expr, columns.as_deref().unwrap_or_default());
                }
                self.order_keys(keys);
            }
            _ => self.unsupported_at("ORDER BY", Location::new(0, 0), "this ORDER BY"),
        }
    }

    /// Reads sort keys; says what each can be.
    pub(super) fn order_keys(&mut self, keys: &[OrderByExpr]) -> Vec<Meaning> {
        use sqlparser::ast::OrderBySort;
        let mut meanings = Vec::new();
        for key in keys {
            if key.with_fill.is_some()
                || !matches!(
                    key.options.sort,
                    None | Some(OrderBySort::Asc | OrderBySort::Desc)
                )
            {
                self.unsupported(key, "this sort key");
            }
            meanings.push(self.expr(&key.expr));
        }
        meanings
    }

    fn limits(&mut self, limit: Option<&LimitClause>, fetch: Option<&Fetch>) {
        let mut numbers: Vec<&Expr> = Vec::new();
        match limit {
            Some(LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) => {
                numbers.extend(limit);
                numbers.extend(offset.as_ref().map(|Offset { value, .. }| value));
                numbers.extend(limit_by.first());
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                numbers.extend([offset, limit]);
            }
            None => {}
        }
        if let Some(fetch) = fetch {
            if fetch.with_ties || fetch.percent {
                self.limit_refused(fetch, fetch.span().start);
            }
            numbers.extend(&fetch.quantity);
        }
        for number in numbers {
            if !is_count(number) {
                self.limit_refused(short(number), number.span().start);
            }
        }
    }

    fn limit_refused(&mut self, token: impl Display, at: Location) {
        self.block(
            Code::Limit,
            token,
            at,
            "a limit must be a plain number of rows",
            Some("write LIMIT and a number".to_owned()),
        );
    }

    /// A name as the engine folds it.
    pub(super) fn fold(&self, ident: &Ident) -> String {
        match (self.dialect, ident.quote_style) {
            (Dialect::Postgres, Some(_)) | (Dialect::Clickhouse, _) => ident.value.clone(),
            _ => ident.value.to_ascii_lowercase(),
        }
    }
}

/// One query's rows after the other's.
fn stacked(left: Rows, right: Rows) -> Rows {
    let open = left.open || right.open;
    let mut others = right.columns.into_iter();
    let columns = left.columns.into_iter().map(|column| match others.next() {
        Some(other) => Output {
            meaning: column.meaning.or(other.meaning),
            ..column
        },
        None => column,
    });
    let columns = columns.collect();
    let mut tables = left.tables;
    tables.extend(right.tables);
    tables.sort();
    tables.dedup();
    Rows {
        columns,
        unique: None,
        open,
        tables,
    }
}

/// A number of rows, or `NULL` for all.
pub(super) fn is_count(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.bytes().all(|digit| digit.is_ascii_digit()),
            other => *other == Value::Null,
        },
        Expr::Nested(inner) => is_count(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => is_count(expr),
        _ => false,
    }
}

/// The parts of a condition that must all hold.
pub(super) fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut open = vec![condition];
    while let Some(next) = open.pop() {
        match next {
            Expr::BinaryOp {
                left,
                op: sqlparser::ast::BinaryOperator::And,
                right,
            } => open.extend([right.as_ref(), left]),
            Expr::Nested(inner) => open.push(inner),
            other => parts.push(other),
        }
    }
    parts
}

/// A part of the statement as a token of a message: not longer than a line.
pub(super) fn short(part: &impl Display) -> String {
    const LENGTH: usize = 60;
    let text = part.to_string();
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
