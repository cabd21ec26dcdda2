//! Measures as metrics: aggregations, ratios, arithmetic, accumulation and what was some time ago.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use serde_json::{Map, Value, json};
use sqlparser::ast::{BinaryOperator, Expr, FunctionArguments, Ident, VisitMut, VisitorMut};

use super::aggregate::{Aggregated, call, plain};
use super::build::{Build, describe};
use super::names::{clean, free};
use super::sql::{Name, Sql, parse, unwrapped};
use super::{Computed, Measure};
use crate::exchange::define;
use crate::model::{Aggregate, Place};
use crate::registry::against_metrics;

type Fields = Map<String, Value>;

/// A metric on its way into a file.
struct Made {
    /// The table that it stands with.
    home: Option<usize>,
    place: Place,
    name: String,
    fields: Fields,
    /// The metrics it is made of.
    inputs: Vec<String>,
}

impl<'a> Build<'a, '_> {
    /// The metrics of each table, and those over several.
    pub(super) fn metrics(&mut self, across: &'a [Measure]) -> (Vec<Fields>, Fields) {
        let tables = self.tables.iter().enumerate();
        let of_tables =
            tables.flat_map(|(at, table)| table.measures.iter().map(move |one| (Some(at), one)));
        let all: Vec<(Option<usize>, &'a Measure)> = of_tables
            .chain(across.iter().map(|measure| (None, measure)))
            .collect();
        self.name_all(&all);
        let mut made = Vec::new();
        for (at, (table, measure)) in all.iter().enumerate() {
            let name = self.names.get(at).map(|(_, _, name)| name.clone());
            let name = name.unwrap_or_default();
            match self.metric(*table, &name, measure) {
                Ok(found) => made.extend(found),
                Err(reason) => self.leave_out(measure.place, &name, &reason),
            }
        }
        // What is made of something that is left out is left out too.
        loop {
            let names: HashSet<&str> = made.iter().map(|one: &Made| one.name.as_str()).collect();
            let missing = made.iter().map(|one| {
                let mut inputs = one.inputs.iter();
                inputs.find(|name| !names.contains(name.as_str())).cloned()
            });
            let missing: Vec<Option<String>> = missing.collect();
            if missing.iter().all(Option::is_none) {
                break;
            }
            let all = std::mem::take(&mut made).into_iter().zip(missing);
            for (one, missing) in all {
                match missing {
                    None => made.push(one),
                    Some(missing) => {
                        let reason = format!("it is made of {missing}, which is left out");
                        self.leave_out(one.place, &one.name, &reason);
                    }
                }
            }
        }
        let mut of_tables = vec![Fields::new(); self.tables.len()];
        let mut others = Fields::new();
        for one in made {
            let into = one.home.and_then(|at| of_tables.get_mut(at));
            into.unwrap_or(&mut others)
                .insert(one.name, Value::Object(one.fields));
        }
        (of_tables, others)
    }

    fn leave_out(&mut self, place: Place, name: &str, reason: &str) {
        let text = format!("the metric {name} is left out: {reason}");
        self.notes.add(place, text);
    }

    /// Gives each measure a name of its own.
    fn name_all(&mut self, all: &[(Option<usize>, &'a Measure)]) {
        let key = |measure: &Measure| clean(&measure.name).to_ascii_lowercase();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (_, measure) in all {
            *counts.entry(key(measure)).or_default() += 1;
        }
        let mut taken: HashSet<String> = HashSet::new();
        for (table, measure) in all {
            let name = clean(&measure.name);
            let is_alone = counts.get(&key(measure)) == Some(&1);
            let table_name = table.and_then(|at| self.built.get(at));
            let full = match table_name {
                Some(table) if !is_alone => format!("{}_{name}", table.name),
                _ => name,
            };
            let full = free(&full, |name| taken.contains(&name.to_ascii_lowercase()));
            taken.insert(full.to_ascii_lowercase());
            if full != measure.name {
                let text = format!("the measure {} is called {full}", measure.name);
                self.notes.add(measure.place, text);
            }
            self.names.push((*table, measure.name.clone(), full));
        }
    }

    /// A measure as a metric, and those that it needs.
    fn metric(
        &mut self,
        table: Option<usize>,
        name: &str,
        measure: &'a Measure,
    ) -> Result<Vec<Made>, String> {
        let mut made = self.computed(table, name, measure, &measure.computed)?;
        let label = clean(&measure.name) != measure.name;
        if let Some(last) = made.last_mut() {
            let mut fields = Fields::new();
            let mut about = measure.about.clone();
            if label && about.label.is_none() {
                about.label = Some(measure.name.clone());
            }
            about.synonyms.retain(|word| {
                let mut names = self.names.iter();
                let is_taken = names.any(|(_, _, known)| known.eq_ignore_ascii_case(word));
                if is_taken {
                    let text = format!("{name}: the other name {word} is taken");
                    self.notes.add(measure.place, text);
                } else {
                    self.names.push((None, String::new(), word.clone()));
                }
                !is_taken
            });
            fields.extend(about.meta.clone());
            describe(&mut fields, &about, name, true);
            fields.append(&mut last.fields);
            last.fields = fields;
        }
        Ok(made)
    }

    fn computed(
        &mut self,
        table: Option<usize>,
        name: &str,
        measure: &'a Measure,
        computed: &'a Computed,
    ) -> Result<Vec<Made>, String> {
        let made = |home, fields, inputs| Made {
            home,
            place: measure.place,
            name: name.to_owned(),
            fields,
            inputs,
        };
        match computed {
            Computed::Aggregate(agg, sql) => {
                let one = Aggregated {
                    agg: *agg,
                    row: sql.clone(),
                    filters: Vec::new(),
                    note: None,
                };
                let (home, fields) = self.simple(table, &one.simplified(), measure)?;
                Ok(vec![made(Some(home), fields, Vec::new())])
            }
            Computed::Sql(sql) => self.arithmetic(table, name, measure, sql),
            Computed::Cumulative(inner, window) => {
                let window = define::window(window);
                let (mut parts, of) = self.part(table, name, measure, inner)?;
                match parts.pop() {
                    // What is one aggregation by itself says so itself.
                    Some(mut one) if one.name == name => {
                        let window = json!({"window": window});
                        one.fields.insert("cumulative".to_owned(), window);
                        parts.push(one);
                    }
                    last => {
                        parts.extend(last);
                        let mut fields = Fields::new();
                        fields.insert("of".to_owned(), json!(of));
                        fields.insert("window".to_owned(), json!(window));
                        parts.push(made(table, fields, vec![of]));
                    }
                }
                Ok(parts)
            }
            Computed::Shifted(sql, offset, expr) => {
                let (name, place) = (&format!("{name}_now"), measure.place);
                let (mut parts, of) = match sql.as_name() {
                    Some(of) => (Vec::new(), self.metric_of(table, &of)?),
                    None => (self.arithmetic(table, name, measure, sql)?, name.to_owned()),
                };
                let mut inputs = Fields::new();
                if expr.contains("now") {
                    inputs.insert("now".to_owned(), json!(of));
                }
                let ago = json!({"metric": of, "offset": define::offset(offset)});
                inputs.insert("ago".to_owned(), ago);
                let mut fields = Fields::new();
                fields.insert("expr".to_owned(), json!(expr));
                fields.insert("inputs".to_owned(), Value::Object(inputs));
                let mut whole = made(table, fields, vec![of]);
                whole.place = place;
                parts.push(whole);
                Ok(parts)
            }
        }
    }

    /// What is accumulated: the metric that it is, after those that it needs. An aggregation keeps the name it is for.
    fn part(
        &mut self,
        table: Option<usize>,
        name: &str,
        measure: &'a Measure,
        inner: &'a Computed,
    ) -> Result<(Vec<Made>, String), String> {
        if let Computed::Sql(sql) = inner {
            if let Some(of) = sql.as_name() {
                return Ok((Vec::new(), self.metric_of(table, &of)?));
            }
            if call(plain(&sql.0))?.is_none() {
                let of = format!("{name}_each");
                return Ok((self.arithmetic(table, &of, measure, sql)?, of));
            }
        }
        let parts = self.computed(table, name, measure, inner)?;
        Ok((parts, name.to_owned()))
    }

    /// The fields of one aggregation, and the table whose rows it is over.
    fn simple(
        &mut self,
        table: Option<usize>,
        one: &Aggregated,
        measure: &Measure,
    ) -> Result<(usize, Fields), String> {
        let filters: Vec<&Sql> = one.filters.iter().chain(&measure.filters).collect();
        let parts: Vec<&Sql> = one.row.iter().chain(filters.iter().copied()).collect();
        let base = self.base(table, &parts)?;
        let mut fields = Fields::new();
        let dataset = self.built.get(base).map(|built| built.name.clone());
        fields.insert("base_table".to_owned(), json!(dataset));
        self.aggregate(base, one, &filters, &mut fields)?;
        if let Some((take, time)) = &measure.over_time {
            let time = self.over(base, &Sql::name(time))?;
            fields.insert("over_time".to_owned(), json!({"take": take, "time": time}));
        }
        if let Some(time) = &measure.time {
            let time = self.over(base, &Sql::name(time))?;
            fields.insert("time".to_owned(), json!(time));
        }
        if let Some(note) = one.note {
            self.notes
                .add(measure.place, format!("{}: {note}", measure.name));
        }
        Ok((base, fields))
    }

    fn aggregate(
        &mut self,
        base: usize,
        one: &Aggregated,
        filters: &[&Sql],
        fields: &mut Fields,
    ) -> Result<(), String> {
        match one.agg {
            Aggregate::Percentile(0.5) => drop(fields.insert("agg".to_owned(), json!("median"))),
            agg => drop(fields.insert("agg".to_owned(), json!(define::aggregate(agg)))),
        }
        match one.agg {
            Aggregate::Percentile(share) if share != 0.5 => {
                fields.insert("percentile".to_owned(), json!(share));
            }
            Aggregate::PercentileDiscrete(share) => {
                fields.insert("percentile".to_owned(), json!(share));
                fields.insert("percentile_type".to_owned(), json!("discrete"));
            }
            _ => {}
        }
        if let Some(row) = &one.row {
            let is_key = one.agg == Aggregate::Count
                && row.as_name().is_some_and(|name| self.is_key(base, &name));
            if !is_key {
                fields.insert("expr".to_owned(), json!(self.over(base, row)?));
            }
        }
        let filters: Vec<String> = filters
            .iter()
            .map(|filter| self.over(base, filter))
            .collect::<Result<_, _>>()?;
        if !filters.is_empty() {
            fields.insert("filters".to_owned(), json!(filters));
        }
        Ok(())
    }

    /// SQL over aggregates and other measures.
    fn arithmetic(
        &mut self,
        table: Option<usize>,
        name: &str,
        measure: &Measure,
        sql: &Sql,
    ) -> Result<Vec<Made>, String> {
        let whole = plain(&sql.0);
        let made = |home, name: &str, fields, inputs| Made {
            home,
            place: measure.place,
            name: name.to_owned(),
            fields,
            inputs,
        };
        if let Some(one) = call(whole)? {
            let (home, fields) = self.simple(table, &one, measure)?;
            return Ok(vec![made(Some(home), name, fields, Vec::new())]);
        }
        if let Some((home, fields)) = self.ratio(table, measure, whole)? {
            return Ok(vec![made(Some(home), name, fields, Vec::new())]);
        }
        if measure.over_time.is_some() {
            return Err("only an aggregation can be of one snapshot".to_owned());
        }
        let mut expr = whole.clone();
        let mut leaves = Leaves {
            build: self,
            table,
            name,
            measure,
            found: Vec::new(),
            inputs: Vec::new(),
        };
        if let ControlFlow::Break(reason) = expr.visit(&mut leaves) {
            return Err(reason);
        }
        let (found, inputs) = (leaves.found, leaves.inputs);
        let _ = expr.visit(&mut Portable);
        let text = expr.to_string();
        if let Some(reason) = against_metrics(&text) {
            return Err(reason);
        }
        if inputs.is_empty() {
            return Err("it aggregates nothing".to_owned());
        }
        let mut fields = Fields::new();
        fields.insert("expr".to_owned(), json!(text));
        let mut parts: Vec<Made> = found
            .into_iter()
            .map(|(name, home, fields)| made(Some(home), &name, fields, Vec::new()))
            .collect();
        let homes: Vec<Option<usize>> = parts.iter().map(|part| part.home).collect();
        let home = match homes.as_slice() {
            [first, rest @ ..] if rest.iter().all(|home| home == first) => *first,
            _ => table,
        };
        parts.push(made(table.or(home), name, fields, inputs));
        Ok(parts)
    }

    /// One aggregation over another one of the same rows.
    fn ratio(
        &mut self,
        table: Option<usize>,
        measure: &Measure,
        expr: &Expr,
    ) -> Result<Option<(usize, Fields)>, String> {
        let Expr::BinaryOp {
            left,
            op: BinaryOperator::Divide,
            right,
        } = expr
        else {
            return Ok(None);
        };
        let (Some(above), Some(below)) = (call(plain(left))?, call(divisor(right))?) else {
            return Ok(None);
        };
        let parts = [&above, &below].into_iter();
        let parts: Vec<&Sql> = parts
            .flat_map(|one| one.row.iter().chain(&one.filters))
            .collect();
        let Ok(base) = self.base(table, &parts) else {
            return Ok(None);
        };
        let mut fields = Fields::new();
        let dataset = self.built.get(base).map(|built| built.name.clone());
        fields.insert("base_table".to_owned(), json!(dataset));
        for (key, one) in [("numerator", &above), ("denominator", &below)] {
            let filters: Vec<&Sql> = one.filters.iter().chain(&measure.filters).collect();
            let mut half = Fields::new();
            self.aggregate(base, one, &filters, &mut half)?;
            fields.insert(key.to_owned(), Value::Object(half));
        }
        Ok(Some((base, fields)))
    }

    /// The metric that a measure is.
    fn metric_of(&self, table: Option<usize>, name: &Name) -> Result<String, String> {
        let at = match table {
            Some(at) => self.measured(at, &name.path),
            None => name.path.first().and_then(|table| self.find(table)),
        };
        let mut all = self.names.iter();
        let found =
            all.find(|(table, known, _)| *table == at && known.eq_ignore_ascii_case(&name.last));
        let mut all = self.names.iter();
        let anywhere = || {
            all.find(|(_, known, _)| name.path.is_empty() && known.eq_ignore_ascii_case(&name.last))
        };
        match found.or_else(anywhere) {
            Some((_, _, metric)) => Ok(metric.clone()),
            None => {
                let words: Vec<&str> = name.path.iter().map(String::as_str).collect();
                let written = words.into_iter().chain([name.last.as_str()]);
                let written: Vec<&str> = written.collect();
                Err(format!(
                    "'{}' is no measure, and stands outside of an aggregate",
                    written.join(".")
                ))
            }
        }
    }
}

/// What is divided by: `x` of `nullif(x, 0)`.
fn divisor(expr: &Expr) -> &Expr {
    let expr = plain(expr);
    if let Expr::Function(function) = expr
        && function.name.to_string().eq_ignore_ascii_case("nullif")
        && let FunctionArguments::List(list) = &function.args
        && let [
            sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(inner)),
            zero,
        ] = list.args.as_slice()
        && matches!(zero.to_string().as_str(), "0" | "0.0")
    {
        return plain(inner);
    }
    expr
}

/// Takes aggregations out of an expression, and writes measures as the metrics they are.
struct Leaves<'b, 'a, 'n> {
    build: &'b mut Build<'a, 'n>,
    table: Option<usize>,
    name: &'b str,
    measure: &'b Measure,
    found: Vec<(String, usize, Fields)>,
    inputs: Vec<String>,
}

impl Leaves<'_, '_, '_> {
    fn replacement(&mut self, expr: &Expr) -> Result<Option<String>, String> {
        if let Some(one) = call(expr)? {
            let (home, fields) = self.build.simple(self.table, &one, self.measure)?;
            let mut known = self.found.iter();
            if let Some((name, ..)) = known.find(|(_, _, known)| *known == fields) {
                return Ok(Some(name.clone()));
            }
            let wanted = format!("{}_{}", self.name, self.found.len() + 1);
            let mut names = self.build.names.iter();
            let mut is_taken = |name: &str| names.any(|(_, _, known)| known == name);
            if is_taken(&wanted) {
                return Err(format!("its part would be called {wanted}, which is taken"));
            }
            self.found.push((wanted.clone(), home, fields));
            return Ok(Some(wanted));
        }
        match Sql(expr.clone()).as_name() {
            Some(name) if !matches!(expr, Expr::Nested(_)) => {
                self.build.metric_of(self.table, &name).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl VisitorMut for Leaves<'_, '_, '_> {
    type Break = String;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        match self.replacement(expr) {
            Ok(None) => {}
            Ok(Some(name)) => {
                if !self.inputs.contains(&name) {
                    self.inputs.push(name.clone());
                }
                *expr = Expr::Identifier(Ident::new(name));
            }
            Err(reason) => return ControlFlow::Break(reason),
        }
        ControlFlow::Continue(())
    }
}

/// An expression in brackets, where it is more than one word or call.
fn bracketed(expr: &Expr) -> Expr {
    match expr {
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } => Expr::Nested(Box::new(expr.clone())),
        other => other.clone(),
    }
}

/// Writes arithmetic over metrics without casts and the functions that one engine has for it.
struct Portable;

impl VisitorMut for Portable {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let stripped = plain(expr);
        if !matches!(expr, Expr::Nested(_)) && stripped != expr {
            *expr = bracketed(stripped);
        }
        if let Expr::Function(function) = expr
            && let FunctionArguments::List(list) = &function.args
        {
            let name = function.name.to_string().to_lowercase();
            let args: Vec<String> = list.args.iter().map(ToString::to_string).collect();
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let text = match (name.as_str(), args.as_slice()) {
                ("safe_divide" | "try_divide", [a, b]) => Some(format!("(({a}) / ({b}))")),
                ("div0", [a, b]) => {
                    Some(format!("(CASE WHEN {b} = 0 THEN 0 ELSE ({a}) / ({b}) END)"))
                }
                ("ifnull" | "nvl", [a, b]) => Some(format!("coalesce({a}, {b})")),
                ("zeroifnull", [a]) => Some(format!("coalesce({a}, 0)")),
                ("iff" | "if", [condition, a, b]) => {
                    Some(format!("(CASE WHEN {condition} THEN {a} ELSE {b} END)"))
                }
                _ => None,
            };
            if let Some(new) = text.and_then(|text| parse(&text).ok()) {
                *expr = new;
            }
        }
        if let Expr::BinaryOp {
            op: BinaryOperator::Divide,
            right,
            ..
        } = expr
            && divisor(right) != right.as_ref()
        {
            **right = bracketed(divisor(right));
        }
        if let Expr::Nested(inner) = expr
            && matches!(unwrapped(inner), Expr::Identifier(_))
        {
            *expr = unwrapped(inner).clone();
        }
        ControlFlow::Continue(())
    }
}
