//! Writes the SQL of an analysis from its template, in the words of one engine.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use crate::model::{Calendar, ColumnType, Grain, TODAY};
use crate::warehouse::Dialect;

/// The templates, by the word of what they compute.
const TEMPLATES: [(&str, &str); 5] = [
    (
        "attribution",
        include_str!("../../../templates/analyses/attribution.sql.j2"),
    ),
    (
        "lifecycle",
        include_str!("../../../templates/analyses/lifecycle.sql.j2"),
    ),
    (
        "retention",
        include_str!("../../../templates/analyses/retention.sql.j2"),
    ),
    (
        "revenue",
        include_str!("../../../templates/analyses/revenue.sql.j2"),
    ),
    (
        "funnel",
        include_str!("../../../templates/analyses/funnel.sql.j2"),
    ),
];

/// The SQL of a template.
///
/// # Errors
/// The template fails.
pub(super) fn write(
    template: &str,
    fill: Value,
    dialect: Dialect,
    calendar: &Calendar,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build()?;
    environment.set_syntax(syntax);
    for (name, text) in TEMPLATES {
        if name == template {
            environment.add_template(name, text)?;
        }
    }
    let week_start = calendar.week_start;
    let grain = |word: &str| Grain::from_word(word).unwrap_or(Grain::Month);
    environment.add_function("days", move |later: String, earlier: String| {
        dialect.days_between(&later, &earlier)
    });
    environment.add_function("period", move |time: String, word: String| {
        dialect.trunc(&time, grain(&word), week_start)
    });
    environment.add_function("next", move |start: String, word: String| {
        dialect.next_period(&start, grain(&word))
    });
    environment.add_function(
        "periods_between",
        move |later: String, earlier: String, word: String| {
            let (later, step) = dialect.period_number(&later, grain(&word));
            let (earlier, _) = dialect.period_number(&earlier, grain(&word));
            dialect.cast(
                &format!("(({later}) - ({earlier})) / {step}"),
                ColumnType::Integer,
            )
        },
    );
    environment.add_function("today", move |word: String| {
        dialect.trunc(TODAY, grain(&word), week_start)
    });
    environment.add_function("number", move |sql: String| {
        dialect.cast(&sql, ColumnType::Number)
    });
    environment.add_function("least", move |one: String, other: String| {
        dialect.least(&one, &other)
    });
    environment.add_function("name", move |name: String| dialect.name(&name));
    environment.add_function("text", move |text: String| dialect.text(&text));
    environment.get_template(template)?.render(fill)
}
