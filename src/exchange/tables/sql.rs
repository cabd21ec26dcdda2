//! SQL of a definition, in which every name says whether it is a column or a member, and of which table.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::model::DimensionType;

/// What a name may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) enum Kind {
    /// A column of the table.
    Column,
    /// A dimension or a measure.
    Member,
    /// A member, and a column where there is none of that name.
    Any,
}

impl Kind {
    /// What stands before a name in the syntax tree.
    fn mark(self) -> &'static str {
        match self {
            Self::Column => "column__",
            Self::Member => "member__",
            Self::Any => "any__",
        }
    }

    fn of_mark(word: &str) -> Option<Self> {
        let mut all = [Self::Column, Self::Member, Self::Any].into_iter();
        all.find(|kind| kind.mark() == word)
    }
}

/// A name in SQL: `member x`, or `column x of buyer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exchange) struct Name {
    pub(in crate::exchange) kind: Kind,
    /// The joins or tables on the way; none for the table itself.
    pub(in crate::exchange) path: Vec<String>,
    pub(in crate::exchange) last: String,
}

impl Name {
    pub(in crate::exchange) fn own(kind: Kind, last: &str) -> Self {
        Self {
            kind,
            path: Vec::new(),
            last: last.to_owned(),
        }
    }

    fn of(expr: &Expr) -> Option<Self> {
        let Expr::CompoundIdentifier(parts) = expr else {
            return None;
        };
        let [mark, path @ .., last] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            kind: Kind::of_mark(&mark.value)?,
            path: path.iter().map(|part| part.value.clone()).collect(),
            last: last.value.clone(),
        })
    }

    fn expr(&self) -> Expr {
        let mark = self.kind.mark().to_owned();
        let words = [mark].into_iter().chain(self.path.iter().cloned());
        let parts = words.chain([self.last.clone()]).map(ident);
        Expr::CompoundIdentifier(parts.collect())
    }
}

/// A name as SQL writes it: in quotes where it is no plain word.
pub(in crate::exchange) fn ident(name: impl Into<String>) -> Ident {
    let name = name.into();
    let is_plain = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match is_plain {
        true => Ident::new(name),
        false => Ident::with_quote('"', name),
    }
}

/// An expression whose names are [`Name`]s.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exchange) struct Sql(pub(super) Expr);

impl Sql {
    /// Reads SQL. Names without a mark of [`template`] are of a kind.
    ///
    /// # Errors
    /// It does not parse.
    pub(in crate::exchange) fn read(text: &str, bare: Kind) -> Result<Self, String> {
        let expr = parse(text)?;
        let mut marked = Marked(bare);
        let mut sql = Self(expr);
        let _ = sql.0.visit(&mut marked);
        Ok(sql)
    }

    pub(in crate::exchange) fn name(name: &Name) -> Self {
        Self(name.expr())
    }

    /// The name, where it is nothing but one.
    pub(in crate::exchange) fn as_name(&self) -> Option<Name> {
        Name::of(unwrapped(&self.0))
    }

    /// Every name in it.
    pub(in crate::exchange) fn names(&self) -> Vec<Name> {
        let mut found = Vec::new();
        let _ = self.rewritten(|name| {
            found.push(name.clone());
            Ok(name.expr())
        });
        found
    }

    /// The expression with other words in place of its names.
    ///
    /// # Errors
    /// What one of the names has against it.
    pub(super) fn rewritten(
        &self,
        by: impl FnMut(&Name) -> Result<Expr, String>,
    ) -> Result<Expr, String> {
        let mut expr = self.0.clone();
        match expr.visit(&mut Rewrite(by)) {
            ControlFlow::Continue(()) => Ok(expr),
            ControlFlow::Break(reason) => Err(reason),
        }
    }

    /// The SQL with its names as a format writes them, which need be no SQL: `${orders.status}`.
    ///
    /// # Errors
    /// What one of the names has against it.
    pub(in crate::exchange) fn print(
        &self,
        mut by: impl FnMut(&Name) -> Result<String, String>,
    ) -> Result<String, String> {
        let mut words = Vec::new();
        let expr = self.rewritten(|name| {
            words.push(by(name)?);
            Ok(Expr::Identifier(Ident::new(mark(words.len() - 1))))
        })?;
        let mut text = expr.to_string();
        for (at, word) in words.iter().enumerate() {
            text = text.replace(&mark(at), word);
        }
        Ok(text)
    }

    /// The expression with other names in place of its own.
    ///
    /// # Errors
    /// What one of the names has against it.
    pub(in crate::exchange) fn renamed(
        &self,
        mut by: impl FnMut(&Name) -> Result<Name, String>,
    ) -> Result<Self, String> {
        self.rewritten(|name| Ok(by(name)?.expr())).map(Self)
    }

    /// The SQL with the marks of its names, which [`Sql::read`] takes again.
    pub(in crate::exchange) fn text(&self) -> String {
        self.0.to_string()
    }

    /// Whether it aggregates rows itself.
    pub(in crate::exchange) fn has_aggregate(&self) -> bool {
        let is_aggregate = |expr: &Expr| match super::aggregate::call(expr) {
            Ok(None) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        sqlparser::ast::visit_expressions(&self.0, is_aggregate).is_break()
    }

    /// The expression without a cast to a timestamp around it.
    pub(in crate::exchange) fn without_cast(self) -> Self {
        match self.0 {
            Expr::Cast {
                expr,
                data_type: DataType::Timestamp(..) | DataType::Datetime(_),
                ..
            } => Self(*expr),
            other => Self(other),
        }
    }

    /// The expression with `f(x)` as `x`.
    pub(in crate::exchange) fn unwrapped_calls(mut self, function: &'static str) -> Self {
        let _ = self.0.visit(&mut Unwrap(function));
        self
    }

    /// What its values are, as far as the expression itself shows it.
    pub(in crate::exchange) fn shown_type(&self) -> DimensionType {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        match unwrapped(&self.0) {
            Expr::BinaryOp {
                op: And | Or | Eq | NotEq | Gt | GtEq | Lt | LtEq,
                ..
            } => DimensionType::Boolean,
            Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::InList { .. }
            | Expr::Between { .. }
            | Expr::Like { .. } => DimensionType::Boolean,
            Expr::BinaryOp {
                op: BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Minus,
                ..
            } => DimensionType::Number,
            Expr::Cast {
                data_type: DataType::Date,
                ..
            } => DimensionType::Date,
            Expr::Cast {
                data_type: DataType::Timestamp(..) | DataType::Datetime(_),
                ..
            } => DimensionType::Time,
            _ => DimensionType::Text,
        }
    }

    /// The parts that all must hold.
    pub(in crate::exchange) fn conjuncts(&self) -> Vec<Self> {
        match unwrapped(&self.0) {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => {
                let mut parts = Self((**left).clone()).conjuncts();
                parts.extend(Self((**right).clone()).conjuncts());
                parts
            }
            one => vec![Self(one.clone())],
        }
    }

    /// The two names of an equality.
    pub(in crate::exchange) fn equality(&self) -> Option<(Name, Name)> {
        let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = unwrapped(&self.0)
        else {
            return None;
        };
        Some((Name::of(unwrapped(left))?, Name::of(unwrapped(right))?))
    }
}

fn mark(at: usize) -> String {
    format!("name__{at}__")
}

/// An expression without brackets around it.
pub(super) fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unwrapped(inner),
        other => other,
    }
}

pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let refused = |error: sqlparser::parser::ParserError| {
        let words = error.to_string();
        let words = words.rsplit("error: ").next().unwrap_or_default();
        let words = words.split(" at Line").next().unwrap_or_default();
        format!("its SQL does not parse ({words})")
    };
    let mut parser = Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .map_err(refused)?;
    let expr = parser.parse_expr().map_err(refused)?;
    match parser.peek_token().token {
        Token::EOF => Ok(expr),
        other => Err(format!("its SQL does not parse (unexpected '{other}')")),
    }
}

/// Gives a kind to names that have none.
struct Marked(Kind);

impl VisitorMut for Marked {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let mut parts = match expr {
            Expr::Identifier(one) => vec![one.clone()],
            Expr::CompoundIdentifier(parts) => parts.clone(),
            _ => return ControlFlow::Continue(()),
        };
        let first = parts.first().map(|part| part.value.as_str());
        if first.and_then(Kind::of_mark).is_none() {
            parts.insert(0, Ident::new(self.0.mark()));
            *expr = Expr::CompoundIdentifier(parts);
        }
        ControlFlow::Continue(())
    }
}

struct Unwrap(&'static str);

impl VisitorMut for Unwrap {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && function.name.to_string().eq_ignore_ascii_case(self.0)
            && let FunctionArguments::List(list) = &function.args
            && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] = list.args.as_slice()
        {
            *expr = inner.clone();
        }
        ControlFlow::Continue(())
    }
}

struct Rewrite<F>(F);

impl<F: FnMut(&Name) -> Result<Expr, String>> VisitorMut for Rewrite<F> {
    type Break = String;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        match Name::of(expr).map(|name| (self.0)(&name)) {
            None => ControlFlow::Continue(()),
            Some(Ok(new)) => {
                *expr = new;
                ControlFlow::Continue(())
            }
            Some(Err(reason)) => ControlFlow::Break(reason),
        }
    }
}

/// SQL of a format that writes names in braces (`{CUBE}.id`, `${orders.status}`) as SQL for [`Sql::read`]. `this` is the
/// word for the table that the SQL belongs to, `own` its name.
///
/// # Errors
/// What stands in braces is no name.
pub(in crate::exchange) fn template(
    text: &str,
    (this, own): (&str, &str),
    is_table: impl Fn(&str) -> bool,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before.strip_suffix('$').unwrap_or(before));
        let (inner, next) = after
            .get(1..)
            .and_then(|after| after.split_once('}'))
            .ok_or("a brace is not closed")?;
        let is_name = |c: char| c.is_alphanumeric() || "_. ".contains(c);
        let inner = inner.trim();
        if inner.is_empty() || !inner.chars().all(is_name) {
            return Err(format!("'{{{inner}…' is a template and no name"));
        }
        let is_this = |word: &str| word == this || word == own;
        let is_before_column = next.starts_with('.');
        let parts: Vec<&str> = inner.split('.').map(str::trim).collect();
        match parts.as_slice() {
            [one] if is_this(one) && is_before_column => out.push_str(Kind::Column.mark()),
            [one] if *one == this => {
                return Err(format!("'{{{inner}}}' stands for a whole table"));
            }
            [one] if is_table(one) && is_before_column => {
                out.push_str(&format!("{}.{one}", Kind::Column.mark()));
            }
            [first, path @ ..] if is_this(first) && !path.is_empty() => {
                out.push_str(&format!("{}.{}", Kind::Member.mark(), path.join(".")));
            }
            path => out.push_str(&format!("{}.{}", Kind::Member.mark(), path.join("."))),
        }
        rest = next;
    }
    out.push_str(rest);
    Ok(out)
}
