//! The oracle: a slow, obvious interpreter of metric queries over tables held in memory. It reads the definitions, looks
//! at one row after the other, and knows no SQL and nothing of how the compiler works.
#![allow(dead_code, reason = "every test program uses its own part")]

mod additive;
mod aggregate;
mod alone;
mod answer;
mod calendar;
mod compare;
mod conditions;
mod conversions;
mod expr;
mod metrics;
mod per;
mod presented;
mod ranked;
mod rows;
mod snapshots;
mod source;
mod table;
mod time;
mod value;
mod windows;

#[allow(unused_imports, reason = "every test program uses its own part")]
pub use answer::{Answer, answer, total};
pub use table::{Table, load, values};
#[allow(unused_imports, reason = "every test program uses its own part")]
pub use value::{Key, Value, close};

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jiff::civil::Date;
use metrex::model::Registry;
use sqlparser::ast::Expr;

/// Why a question has no answer, by its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

pub type Answered<T> = Result<T, Refusal>;

pub fn refuse<T>(why: impl Into<String>) -> Answered<T> {
    Err(Refusal(why.into()))
}

/// What a question is asked of.
pub struct World<'a> {
    pub registry: &'a Registry,
    pub tables: &'a [Table],
    pub today: Date,
    /// Dimensions that were looked up: dataset and name -> joins, dataset and dimension.
    found: RefCell<HashMap<(String, String), Answered<rows::Path>>>,
    /// Expressions that were parsed.
    expressions: RefCell<HashMap<String, Rc<Expr>>>,
}

impl<'a> World<'a> {
    pub fn new(registry: &'a Registry, tables: &'a [Table], today: Date) -> Self {
        Self {
            registry,
            tables,
            today,
            found: RefCell::default(),
            expressions: RefCell::default(),
        }
    }

    fn parsed(&self, text: &str) -> Rc<Expr> {
        let mut expressions = self.expressions.borrow_mut();
        let parsed = expressions.entry(text.to_owned());
        Rc::clone(parsed.or_insert_with(|| Rc::new(expr::parse(text))))
    }
}
