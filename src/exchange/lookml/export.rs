//! A registry as views, and a model with an explore for each dataset that metrics are over.

use super::THIS;
use super::parse::quoted;
use crate::exchange::Export;
use crate::exchange::notes::Notes;
use crate::exchange::tables::{
    About, Computed, Dimension, Kind, Measure, Name, Said, Sql, Step, Style, Table, Tables, code,
    conditional, held,
};
use crate::model::{
    Aggregate, DimensionType, Format, FormatKind, Grain, Offset, Registry, Relation,
};

/// The views of a registry, and their model.
pub fn export(registry: &Registry) -> Export {
    let style = Style {
        apart: true,
        whole: true,
        compared: true,
        instead_of_queries: None,
    };
    let said = Said {
        label: true,
        synonyms: true,
        percent: true,
        currency: true,
        decimals: true,
        ..Said::default()
    };
    let (tables, mut notes) = held(registry, style, said, can);
    let mut files = Vec::new();
    let mut model = Lines::default();
    model.add(0, "# The connection of Looker is to be named here.");
    model.add(0, "connection: \"warehouse\"");
    model.add(0, "include: \"/views/*.view.lkml\"");
    for table in &tables.tables {
        let writer = Writer {
            tables: &tables,
            table,
            steps: tables.steps(table),
        };
        let view = writer.view(&mut notes);
        files.push((format!("views/{}.view.lkml", table.name), view.0));
        if !table.measures.is_empty() {
            writer.explore(&mut model);
        }
    }
    files.push(("metrex.model.lkml".to_owned(), model.0));
    Export {
        files,
        notes: notes.into_list(),
    }
}

fn can(measure: &Measure, tables: &Tables) -> Result<(), String> {
    let home = tables.of_one(measure)?;
    if measure.over_time.is_some() {
        return Err("Looker adds up snapshots".to_owned());
    }
    if measure.time.is_some() {
        return Err("a measure of Looker has no time of its own".to_owned());
    }
    match &measure.computed {
        Computed::Aggregate(..) => Ok(()),
        Computed::Cumulative(..) => Err("Looker accumulates what a result shows".to_owned()),
        Computed::Shifted(..) if measure.is_hidden => {
            Err("nothing is made of a measure of the period before in Looker".to_owned())
        }
        Computed::Shifted(_, Offset::Ago(1, _), _) => match home.time {
            Some(_) => Ok(()),
            None => Err("its table has no time".to_owned()),
        },
        Computed::Shifted(..) => Err("Looker compares with the period before".to_owned()),
        Computed::Sql(sql) => {
            for name in sql.names() {
                let mut all = tables.measures();
                let of = all
                    .find(|one| one.name == name.last)
                    .map(|one| &one.computed);
                if let Some(Computed::Shifted(..)) = of {
                    let reason = "nothing is made of a measure of the period before in Looker";
                    return Err(reason.to_owned());
                }
            }
            tables.reach(home, sql)
        }
    }
}

/// Lines of a file, indented.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, depth: usize, line: &str) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn text(&mut self, depth: usize, key: &str, value: &str) {
        self.add(depth, &format!("{key}: {}", quoted(value)));
    }
}

struct Writer<'a> {
    tables: &'a Tables,
    table: &'a Table,
    steps: Vec<Step<'a>>,
}

impl Writer<'_> {
    fn view(&self, notes: &mut Notes) -> Lines {
        let table = self.table;
        let mut out = Lines::default();
        out.add(0, &format!("view: {} {{", table.name));
        if let Some(label) = &table.about.label {
            out.text(1, "label", label);
        }
        match &table.relation {
            Relation::Table(name) => out.add(1, &format!("sql_table_name: {name} ;;")),
            Relation::Sql(sql) => {
                out.add(1, "derived_table: {");
                out.add(2, &format!("sql: {sql} ;;"));
                out.add(1, "}");
            }
        }
        if let [_, _, ..] = table.key.as_slice() {
            let columns: Vec<String> = table
                .key
                .iter()
                .map(|key| format!("CAST(${{{THIS}}}.{} AS VARCHAR)", key.last))
                .collect();
            out.add(1, &format!("dimension: {}_key {{", table.name));
            out.add(2, "primary_key: yes");
            out.add(2, "hidden: yes");
            out.add(2, &format!("sql: {} ;;", columns.join(" || '-' || ")));
            out.add(1, "}");
        }
        for column in self.hidden_columns() {
            out.add(1, &format!("dimension: {} {{", field(table, &column)));
            if self.is_key(&column.last) {
                out.add(2, "primary_key: yes");
            }
            out.add(2, "hidden: yes");
            out.add(2, &format!("sql: ${{{THIS}}}.{} ;;", column.last));
            out.add(1, "}");
        }
        for one in &table.dimensions {
            self.dimension(one, &mut out);
        }
        for one in &table.measures {
            let mut lines = Lines::default();
            let written = match table.dimension(&one.name) {
                Some(_) => Err("a dimension of its view has the name".to_owned()),
                None => self.measure(one, &mut lines),
            };
            match written {
                Ok(()) => out.0.push_str(&lines.0),
                Err(reason) => {
                    let text = format!("the metric {} is left out: {reason}", one.name);
                    notes.add(one.place, text);
                }
            }
        }
        out.add(0, "}");
        out
    }

    fn is_key(&self, column: &str) -> bool {
        matches!(self.table.key.as_slice(), [only] if only.last == column)
    }

    /// Columns that joins and the key name, and no dimension is.
    fn hidden_columns(&self) -> Vec<Name> {
        let table = self.table;
        let here = table
            .joins
            .iter()
            .flat_map(|join| &join.on)
            .map(|(here, _)| here);
        let there = self.tables.tables.iter().flat_map(|table| &table.joins);
        let there = there.filter(|join| join.to == table.name);
        let there = there.flat_map(|join| &join.on).map(|(_, there)| there);
        let mut found: Vec<Name> = Vec::new();
        for column in table.key.iter().chain(here).chain(there) {
            if table.of_column(&column.last).is_none() && !found.contains(column) {
                found.push(column.clone());
            }
        }
        found
    }

    /// A name as LookML writes it: of a time, as it is stored.
    fn word(&self, name: &Name) -> Result<String, String> {
        let (alias, at) = match name.path.is_empty() {
            true => (String::new(), Some(self.table)),
            false => {
                let alias = self.tables.alias(&self.steps, self.table, name)?;
                let step = self.steps.iter().find(|step| step.alias == alias);
                (alias.to_owned(), step.map(|step| step.to))
            }
        };
        let dimension = at.and_then(|table| table.dimension(&name.last));
        let last = match dimension {
            Some(one) if one.kind.is_time() => format!("{}_raw", name.last),
            _ => name.last.clone(),
        };
        Ok(match (name.kind, alias.is_empty()) {
            (Kind::Member, true) => format!("${{{last}}}"),
            (Kind::Member, false) => format!("${{{alias}.{last}}}"),
            (_, true) => format!("${{{THIS}}}.{}", name.last),
            (_, false) => format!("${{{alias}}}.{}", name.last),
        })
    }

    fn text(&self, sql: &Sql) -> Result<String, String> {
        sql.print(|name| self.word(name))
    }

    fn dimension(&self, one: &Dimension, out: &mut Lines) {
        let is_time = one.kind.is_time();
        let key = if is_time {
            "dimension_group"
        } else {
            "dimension"
        };
        out.add(1, &format!("{key}: {} {{", one.name));
        let kind = match one.kind {
            DimensionType::Text => "string",
            DimensionType::Number => "number",
            DimensionType::Boolean => "yesno",
            DimensionType::Date | DimensionType::Time => "time",
        };
        out.add(2, &format!("type: {kind}"));
        if is_time {
            let frames = match one.kind {
                DimensionType::Date => "raw, date, week, month, quarter, year",
                _ => "raw, time, hour, date, week, month, quarter, year",
            };
            out.add(2, &format!("timeframes: [{frames}]"));
        }
        if one.kind == DimensionType::Date {
            out.add(2, "datatype: date");
            out.add(2, "convert_tz: no");
        }
        let of_key = one.sql.as_name().filter(|name| self.is_key(&name.last));
        let key = of_key.and_then(|name| self.table.of_column(&name.last));
        if key.is_some_and(|key| key.name == one.name) {
            out.add(2, "primary_key: yes");
        }
        let sql = self.text(&one.sql).unwrap_or_default();
        out.add(2, &format!("sql: {sql} ;;"));
        describe(&one.about, out);
        out.add(1, "}");
    }

    fn measure(&self, one: &Measure, out: &mut Lines) -> Result<(), String> {
        out.add(1, &format!("measure: {} {{", one.name));
        match &one.computed {
            Computed::Aggregate(agg, sql) => self.aggregate(one, *agg, sql.as_ref(), out)?,
            Computed::Sql(sql) => {
                out.add(2, "type: number");
                out.add(2, &format!("sql: {} ;;", self.text(sql)?));
            }
            Computed::Shifted(sql, Offset::Ago(_, grain), expr) => {
                let of = sql.as_name().ok_or("what it was is no measure")?;
                let time = self.table.time.as_deref().unwrap_or_default();
                let period = match grain {
                    Grain::Day => "date",
                    Grain::Week | Grain::Month | Grain::Quarter | Grain::Year => grain.word(),
                    _ => return Err(format!("Looker does not compare by {grain}")),
                };
                out.add(2, "type: period_over_period");
                let kind = match *expr {
                    "ago" => "previous",
                    "now - ago" => "difference",
                    _ => "relative_change",
                };
                out.add(2, &format!("kind: {kind}"));
                out.add(2, &format!("based_on: {}", of.last));
                out.add(2, &format!("based_on_time: {time}_{period}"));
                out.add(2, &format!("period: {period}"));
            }
            _ => return Err("it is computed in more than one step".to_owned()),
        }
        if one.is_hidden {
            out.add(2, "hidden: yes");
        }
        describe(&one.about, out);
        out.add(1, "}");
        Ok(())
    }

    fn aggregate(
        &self,
        one: &Measure,
        agg: Aggregate,
        sql: Option<&Sql>,
        out: &mut Lines,
    ) -> Result<(), String> {
        let kind = match agg {
            Aggregate::Count if sql.is_none() && one.filters.is_empty() => "count",
            Aggregate::CountDistinct => "count_distinct",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "average",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Percentile(0.5) => "median",
            Aggregate::Percentile(_) => "percentile",
            _ => "number",
        };
        out.add(2, &format!("type: {kind}"));
        if let Aggregate::Percentile(share) = agg
            && kind == "percentile"
        {
            out.add(2, &format!("percentile: {}", share * 100.0));
        }
        let text = match kind {
            "count" => return Ok(()),
            "number" => {
                let text = one.aggregate_text().unwrap_or_default();
                self.text(&Sql::read(&text, Kind::Any)?)?
            }
            _ => self.text(&conditional(sql, &one.filters)?)?,
        };
        out.add(2, &format!("sql: {text} ;;"));
        Ok(())
    }

    fn explore(&self, out: &mut Lines) {
        out.add(0, &format!("explore: {} {{", self.table.name));
        for step in &self.steps {
            let pair = |(here, there): &(Name, Name)| {
                let (before, alias) = (&step.before, &step.alias);
                let (here, there) = (field(step.from, here), field(step.to, there));
                format!("${{{before}.{here}}} = ${{{alias}.{there}}}")
            };
            let on: Vec<String> = step.join.on.iter().map(pair).collect();
            out.add(1, &format!("join: {} {{", step.alias));
            if step.alias != step.join.to {
                out.add(2, &format!("from: {}", step.join.to));
            }
            out.add(2, "relationship: many_to_one");
            out.add(2, &format!("sql_on: {} ;;", on.join(" AND ")));
            out.add(1, "}");
        }
        out.add(0, "}");
    }
}

/// The field that a column of a join or a key is.
fn field(table: &Table, column: &Name) -> String {
    match table.of_column(&column.last) {
        Some(one) if one.kind.is_time() => format!("{}_raw", one.name),
        Some(one) => one.name.clone(),
        None if table.dimension(&column.last).is_some() => format!("{}_column", column.last),
        None => column.last.clone(),
    }
}

fn describe(about: &About, out: &mut Lines) {
    if let Some(label) = &about.label {
        out.text(2, "label", label);
    }
    if let Some(description) = &about.description {
        out.text(2, "description", description);
    }
    if !about.synonyms.is_empty() {
        let words: Vec<String> = about.synonyms.iter().map(|word| quoted(word)).collect();
        out.add(2, &format!("synonyms: [{}]", words.join(", ")));
    }
    if let Some(name) = format_name(&about.format) {
        out.add(2, &format!("value_format_name: {name}"));
    } else if let Some(code) = code(&about.format) {
        out.text(2, "value_format", &code);
    }
}

/// The name that LookML has for a format.
fn format_name(format: &Format) -> Option<String> {
    let currency = format.currency.as_deref().unwrap_or("USD").to_lowercase();
    let is_known = ["usd", "eur", "gbp"].contains(&currency.as_str());
    match (format.kind, format.decimals) {
        (FormatKind::Currency, Some(0)) if is_known => Some(format!("{currency}_0")),
        (FormatKind::Currency, None | Some(2)) if is_known => Some(currency),
        (FormatKind::Percent, None) => Some("percent_1".to_owned()),
        (FormatKind::Percent, Some(digits @ 0..=4)) => Some(format!("percent_{digits}")),
        (FormatKind::Number, Some(digits @ 0..=4)) => Some(format!("decimal_{digits}")),
        _ => None,
    }
}
