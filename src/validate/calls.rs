//! Function calls: which functions may be called, with which arguments, and what comes out.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    ObjectName, Spanned, Value, WindowFrameBound, WindowSpec, WindowType,
};

use super::allowed::{self, Gives};
use super::finding::Code;
use super::meaning::{Fold, Meaning};
use super::walk::{Comparison, How, Walk, short};
use crate::warehouse::Dialect;

/// Widest field that `printf` may pad to: two digits.
const PADDING: usize = 2;

impl Walk {
    pub(super) fn function(&mut self, function: &Function) -> Meaning {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        let called = self.called(name);
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) {
            self.unsupported(function, "this call");
        }
        let is_aggregate = called
            .as_deref()
            .is_some_and(|name| allowed::is_aggregate(name, 1, self.dialect));
        let outside = self.is_filtering;
        self.is_filtering |= is_aggregate;
        let mut args = self.arguments(args, function, called.as_deref());
        self.is_filtering = outside;
        // percentile_cont(0.5) WITHIN GROUP (ORDER BY x) is a value of x.
        let ordered = self.order_keys(within_group);
        args.splice(0..0, ordered);
        if let Some(filter) = filter {
            self.filter(filter);
        }
        match over {
            Some(WindowType::WindowSpec(spec)) => self.window(spec),
            Some(WindowType::NamedWindow(_)) => {}
            None => {
                self.aggregates |= called
                    .as_deref()
                    .is_some_and(|name| allowed::is_aggregate(name, args.len(), self.dialect));
            }
        }
        self.given(called.as_deref().unwrap_or_default(), args)
    }

    /// The function's name in lower case, where it may be called.
    fn called(&mut self, name: &ObjectName) -> Option<String> {
        let parts: Option<Vec<String>> = name
            .0
            .iter()
            .map(|part| part.as_ident().map(|ident| self.fold(ident)))
            .collect();
        let parts = parts.unwrap_or_default();
        let last = match parts.as_slice() {
            [last] => Some(last),
            [schema, last] if self.dialect == Dialect::Postgres && schema == "pg_catalog" => {
                Some(last)
            }
            _ => None,
        };
        if let Some(last) = last {
            self.functions.insert(last.clone());
            if allowed::is_function(last, self.dialect) || self.known.functions.contains(last) {
                return Some(last.clone());
            }
        }
        let last = parts.last().map_or("", String::as_str);
        let hint = match allowed::nearest_function(last, self.dialect) {
            Some(near) => format!("did you mean {near}? "),
            None => String::new(),
        };
        self.block(
            Code::Function,
            name,
            name.span().start,
            format!("the function {} is not allowed", short(name)),
            Some(format!(
                "{hint}allowed: aggregates, window functions, and plain functions of numbers, texts and dates"
            )),
        );
        None
    }

    fn arguments(
        &mut self,
        args: &FunctionArguments,
        function: &Function,
        called: Option<&str>,
    ) -> Vec<Meaning> {
        let list = match args {
            FunctionArguments::None => return Vec::new(),
            FunctionArguments::Subquery(query) => {
                self.query(query);
                self.unsupported(function, "a query as the argument of a function");
                return Vec::new();
            }
            FunctionArguments::List(list) => list,
        };
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(keys) => {
                    self.order_keys(keys);
                }
                FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
                _ => self.unsupported(function, "a clause of this call"),
            }
        }
        let mut meanings = Vec::new();
        for (index, arg) in list.args.iter().enumerate() {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    if let (0, Some("printf" | "format")) = (index, called) {
                        self.padding(expr);
                    }
                    let meaning = match called {
                        Some("count") => self.counted(expr),
                        _ => self.expr(expr),
                    };
                    meanings.push(meaning);
                }
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if called == Some("count") => {}
                other => self.unsupported(other, "this argument"),
            }
        }
        meanings
    }

    /// `printf('%900000000d', 1)` would fill the memory.
    fn padding(&mut self, format: &Expr) {
        let is_modest = match format {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => {
                    !text.contains('*')
                        && text
                            .split(|c: char| !c.is_ascii_digit())
                            .all(|digits| digits.len() <= PADDING)
                }
                _ => false,
            },
            _ => false,
        };
        if !is_modest {
            self.unsupported(format, "this format");
        }
    }

    pub(super) fn window(&mut self, spec: &WindowSpec) {
        for key in &spec.partition_by {
            self.expr(key);
        }
        self.order_keys(&spec.order_by);
        if let Some(frame) = &spec.window_frame {
            let bounds = std::iter::once(&frame.start_bound).chain(&frame.end_bound);
            for bound in bounds {
                if let WindowFrameBound::Preceding(Some(n)) | WindowFrameBound::Following(Some(n)) =
                    bound
                {
                    self.expr(n);
                }
            }
        }
    }

    /// What a call can come to.
    fn given(&mut self, name: &str, args: Vec<Meaning>) -> Meaning {
        let pii = args.iter().find_map(|arg| arg.pii.clone());
        if name == "nullif"
            && let [one, other] = args.as_slice()
            && other.is_constant()
        {
            for constant in &other.constants {
                self.comparisons.push(Comparison {
                    with: one.clone(),
                    constant: constant.clone(),
                    how: How::Equal,
                });
            }
        }
        let gives = allowed::gives(name);
        let count = args.len();
        let mut args = args.into_iter();
        let given = match gives {
            Gives::First => args.next(),
            Gives::Any => args.reduce(Meaning::or),
            Gives::Branch => args.skip(1).reduce(Meaning::or),
            Gives::Lower => args.next().map(|arg| Meaning {
                fold: Fold::Lower,
                ..arg
            }),
            Gives::Upper => args.next().map(|arg| Meaning {
                fold: Fold::Upper,
                ..arg
            }),
            Gives::Trimmed if count == 1 => args.next().map(|arg| Meaning {
                trimmed: true,
                ..arg
            }),
            Gives::Count => return Meaning::open(),
            Gives::Trimmed | Gives::Computed => None,
        };
        // A window function such as lag() can also give its default, or NULL.
        given.unwrap_or_else(|| Meaning {
            pii,
            ..Meaning::open()
        })
    }
}
