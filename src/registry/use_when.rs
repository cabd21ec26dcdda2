//! The condition of a source: `uses(module) and not grain < month`, read, and proven to have a chance.

use super::diagnostic::{Sink, did_you_mean};
use super::scope::Scope;
use super::words::chars_before;
use super::yaml::Text;
use crate::model::{CompareOp, Dataset, Grain, UseWhen};

/// Most different dimensions in the conditions of one metric for which all cases are tried.
const MAX_DIMENSIONS: usize = 10;
/// Deepest nesting of brackets and `not`.
const MAX_DEPTH: usize = 32;

const HINT: &str = "write uses(dimension), grain >= month, and, or, not, ( )";

/// Reads a condition.
pub(crate) fn parse(text: &Text, sink: &mut Sink) -> Option<UseWhen> {
    let tokens = match lex(&text.value) {
        Ok(tokens) => tokens,
        Err((offset, c)) => {
            let place = sink.inside(text, offset);
            sink.error(
                "use_when",
                place,
                &text.value,
                format!("unexpected '{c}' in a condition"),
                Some(HINT.to_owned()),
            );
            return None;
        }
    };
    let end = text.value.trim_end().chars().count();
    let mut parser = Parser { tokens, at: 0, end };
    let parsed = parser
        .or(0)
        .and_then(|condition| match parser.tokens.get(parser.at) {
            None => Ok(condition),
            Some(_) => parser.fail("and, or, or the end"),
        });
    match parsed {
        Ok(condition) => Some(condition),
        Err((offset, message)) => {
            let place = sink.inside(text, offset);
            sink.error(
                "use_when",
                place,
                &text.value,
                message,
                Some(HINT.to_owned()),
            );
            None
        }
    }
}

type Token = (usize, String);
type Failure = (usize, String);

fn lex(text: &str) -> Result<Vec<Token>, (usize, char)> {
    let mut tokens: Vec<Token> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_operator = |c: char| matches!(c, '=' | '!' | '<' | '>');
    let mut previous = ' ';
    for (offset, c) in text.chars().enumerate() {
        let joins = (is_word(c) && is_word(previous)) || (is_operator(c) && is_operator(previous));
        previous = c;
        if c.is_whitespace() {
            continue;
        }
        if !(is_word(c) || is_operator(c) || matches!(c, '(' | ')')) {
            return Err((offset, c));
        }
        match tokens.last_mut() {
            Some((_, token)) if joins => token.push(c),
            _ => tokens.push((offset, c.to_string())),
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", |(_, token)| token)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(word);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn fail<T>(&self, wanted: &str) -> Result<T, Failure> {
        let offset = self
            .tokens
            .get(self.at)
            .map_or(self.end, |(offset, _)| *offset);
        let found = if self.peek().is_empty() {
            "the end".to_owned()
        } else {
            format!("'{}'", self.peek())
        };
        Err((offset, format!("found {found} where {wanted} is expected")))
    }

    fn expect(&mut self, word: &str) -> Result<(), Failure> {
        if self.take(word) {
            Ok(())
        } else {
            self.fail(&format!("'{word}'"))
        }
    }

    fn or(&mut self, depth: usize) -> Result<UseWhen, Failure> {
        let mut parts = vec![self.and(depth)?];
        while self.take("or") {
            parts.push(self.and(depth)?);
        }
        Ok(one_or(parts, UseWhen::Or))
    }

    fn and(&mut self, depth: usize) -> Result<UseWhen, Failure> {
        let mut parts = vec![self.atom(depth)?];
        while self.take("and") {
            parts.push(self.atom(depth)?);
        }
        Ok(one_or(parts, UseWhen::And))
    }

    fn atom(&mut self, depth: usize) -> Result<UseWhen, Failure> {
        if depth > MAX_DEPTH {
            return self.fail("less nesting");
        }
        if self.take("not") {
            return Ok(UseWhen::Not(Box::new(self.atom(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.or(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("uses") {
            self.expect("(")?;
            if !self
                .peek()
                .starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                return self.fail("a dimension");
            }
            let dimension = self.next();
            self.expect(")")?;
            return Ok(UseWhen::Uses(dimension));
        }
        if self.take("grain") {
            let op = match self.peek() {
                "=" | "==" => CompareOp::Eq,
                "!=" | "<>" => CompareOp::Ne,
                "<" => CompareOp::Lt,
                "<=" => CompareOp::Le,
                ">" => CompareOp::Gt,
                ">=" => CompareOp::Ge,
                _ => return self.fail("=, !=, <, <=, > or >="),
            };
            self.at += 1;
            let Some(grain) = Grain::from_word(self.peek()) else {
                return self.fail("a grain (hour, day, week, month, quarter, year)");
            };
            self.at += 1;
            return Ok(UseWhen::Grain(op, grain));
        }
        self.fail("uses(dimension) or grain")
    }
}

fn one_or(mut parts: Vec<UseWhen>, wrap: fn(Vec<UseWhen>) -> UseWhen) -> UseWhen {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            wrap(parts)
        }
        None => wrap(parts),
    }
}

/// Reports dimensions that do not exist and a condition that holds for no query that the dataset can answer.
pub(crate) fn check(
    condition: &UseWhen,
    text: &Text,
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) {
    let mut used = Vec::new();
    dimensions(condition, &mut used);
    let mut is_known = true;
    for name in &used {
        if scope
            .datasets
            .values()
            .all(|dataset| scope.reach(dataset, name).is_none())
        {
            is_known = false;
            let offset = text
                .value
                .find(name.as_str())
                .map_or(0, |at| chars_before(&text.value, at));
            let place = sink.inside(text, offset);
            let is_broken = scope.broken.parts.iter().any(|(_, part)| part == name);
            let known = scope.dimensions(dataset);
            scope.broken.refuse(
                "dimension",
                "unknown_dimension",
                (name, place),
                is_broken,
                known,
                sink,
            );
        }
    }
    // A query that uses a dimension out of reach is never answered from here, so there the atom is as good as false.
    let within_reach = |name: &str| scope.reach(dataset, name).is_some();
    if is_known
        && !is_possible(&[condition], |case| {
            holds(condition, case) && case.used.iter().all(|name| within_reach(name))
        })
    {
        let missing = used.iter().find(|name| !within_reach(name));
        let (message, hint) = match missing {
            Some(name) => (
                format!(
                    "this condition can never be true: {} cannot reach '{name}'",
                    dataset.name
                ),
                did_you_mean(name, scope.dimensions(dataset)),
            ),
            None => ("this condition can never be true".to_owned(), None),
        };
        sink.error("use_when", text.place, &text.value, message, hint);
    }
}

/// Whether every query for which `condition` holds (`None` always does) is taken by an earlier condition.
pub(crate) fn is_covered(condition: Option<&UseWhen>, earlier: &[&UseWhen]) -> bool {
    let all: Vec<_> = condition
        .into_iter()
        .chain(earlier.iter().copied())
        .collect();
    !is_possible(&all, |case| {
        condition.is_none_or(|condition| holds(condition, case))
            && !earlier.iter().any(|earlier| holds(earlier, case))
    })
}

/// What a condition may ask of a query.
struct Case<'a> {
    used: Vec<&'a str>,
    grain: Option<Grain>,
}

/// Whether `wanted` holds in some case of the dimensions and grains that the conditions name.
fn is_possible(conditions: &[&UseWhen], wanted: impl Fn(&Case) -> bool) -> bool {
    let mut names = Vec::new();
    conditions
        .iter()
        .for_each(|condition| dimensions(condition, &mut names));
    if names.len() > MAX_DIMENSIONS {
        return true;
    }
    let grains = || Grain::ALL.into_iter().map(Some).chain([None]);
    (0_u32..1 << names.len()).any(|bits| {
        let used = || {
            names
                .iter()
                .enumerate()
                .filter(|(at, _)| bits & (1 << at) != 0)
                .map(|(_, name)| name.as_str())
        };
        grains().any(|grain| {
            wanted(&Case {
                used: used().collect(),
                grain,
            })
        })
    })
}

fn dimensions(condition: &UseWhen, names: &mut Vec<String>) {
    match condition {
        UseWhen::Uses(name) if names.contains(name) => {}
        UseWhen::Uses(name) => names.push(name.clone()),
        UseWhen::Grain(..) => {}
        UseWhen::And(parts) | UseWhen::Or(parts) => {
            parts.iter().for_each(|part| dimensions(part, names))
        }
        UseWhen::Not(part) => dimensions(part, names),
    }
}

fn holds(condition: &UseWhen, case: &Case) -> bool {
    match condition {
        UseWhen::Uses(name) => case.used.contains(&name.as_str()),
        UseWhen::Grain(op, grain) => {
            // No grain at all is coarser than a year.
            let order = case
                .grain
                .map_or(std::cmp::Ordering::Greater, |found| found.cmp(grain));
            match op {
                CompareOp::Eq => order.is_eq(),
                CompareOp::Ne => order.is_ne(),
                CompareOp::Lt => order.is_lt(),
                CompareOp::Le => order.is_le(),
                CompareOp::Gt => order.is_gt(),
                CompareOp::Ge => order.is_ge(),
            }
        }
        UseWhen::And(parts) => parts.iter().all(|part| holds(part, case)),
        UseWhen::Or(parts) => parts.iter().any(|part| holds(part, case)),
        UseWhen::Not(part) => !holds(part, case),
    }
}
