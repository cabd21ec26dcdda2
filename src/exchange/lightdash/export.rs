//! A registry as models of dbt with Lightdash's metadata, one file each.

use serde_json::{Map, Value, json};

use super::{CURRENCIES, THIS};
use crate::exchange::notes::Notes;
use crate::exchange::tables::{
    About, Computed, Dimension, Kind, Measure, Name, Said, Sql, Step, Style, Table, Tables, code,
    conditional, held,
};
use crate::exchange::{Export, emit};
use crate::model::{Aggregate, DimensionType, FormatKind, Registry};

type Fields = Map<String, Value>;

/// The models of a registry.
pub fn export(registry: &Registry) -> Export {
    let style = Style {
        apart: true,
        whole: true,
        compared: false,
        instead_of_queries: Some("a model of dbt"),
    };
    let said = Said {
        label: true,
        owner: true,
        percent: true,
        currency: true,
        decimals: true,
        ..Said::default()
    };
    let (tables, mut notes) = held(registry, style, said, can);
    let mut files = Vec::new();
    for table in &tables.tables {
        let writer = Writer {
            tables: &tables,
            table,
            steps: tables.steps(table),
        };
        let model = writer.model(&mut notes);
        let mut document = Fields::new();
        document.insert("version".to_owned(), json!(2));
        document.insert("models".to_owned(), json!([model]));
        let name = format!("models/{}.yml", table.name);
        files.push((name, emit::document(&document)));
    }
    Export {
        files,
        notes: notes.into_list(),
    }
}

fn can(measure: &Measure, tables: &Tables) -> Result<(), String> {
    let home = tables.of_one(measure)?;
    if measure.over_time.is_some() {
        return Err("Lightdash adds up snapshots".to_owned());
    }
    match &measure.computed {
        Computed::Aggregate(agg, _) => match agg {
            Aggregate::PercentileDiscrete(_)
            | Aggregate::Stddev
            | Aggregate::StddevPopulation
            | Aggregate::Variance
            | Aggregate::VariancePopulation => Err("Lightdash has no such aggregation".to_owned()),
            _ => Ok(()),
        },
        Computed::Cumulative(..) => Err("Lightdash accumulates what a result shows".to_owned()),
        Computed::Shifted(..) => Err("Lightdash has no metric of some time ago".to_owned()),
        Computed::Sql(sql) => tables.reach(home, sql),
    }
}

struct Writer<'a> {
    tables: &'a Tables,
    table: &'a Table,
    steps: Vec<Step<'a>>,
}

impl Writer<'_> {
    fn model(&self, notes: &mut Notes) -> Value {
        let table = self.table;
        let mut meta = Fields::new();
        let name = table.table().unwrap_or_default();
        if name != table.name {
            meta.insert("sql_from".to_owned(), json!(name));
        }
        if let Some(label) = &table.about.label {
            meta.insert("label".to_owned(), json!(label));
        }
        match table.key.as_slice() {
            [] => {}
            [one] => drop(meta.insert("primary_key".to_owned(), json!(one.last))),
            several => {
                let columns: Vec<&String> = several.iter().map(|key| &key.last).collect();
                meta.insert("primary_key".to_owned(), json!(columns));
            }
        }
        if let Some(time) = &table.time {
            let time = json!({"field": time, "interval": "DAY"});
            meta.insert("default_time_dimension".to_owned(), time);
        }
        let joins = self.joins();
        if !joins.is_empty() {
            meta.insert("joins".to_owned(), json!(joins));
        }
        let mut metrics = Fields::new();
        for one in &table.measures {
            match self.metric(one) {
                Ok(value) => drop(metrics.insert(one.name.clone(), value)),
                Err(reason) => {
                    let text = format!("the metric {} is left out: {reason}", one.name);
                    notes.add(one.place, text);
                }
            }
        }
        if !metrics.is_empty() {
            meta.insert("metrics".to_owned(), Value::Object(metrics));
        }
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(table.name));
        if let Some(description) = &table.about.description {
            fields.insert("description".to_owned(), json!(description));
        }
        if !meta.is_empty() {
            fields.insert("config".to_owned(), json!({"meta": meta}));
        }
        fields.insert("columns".to_owned(), json!(self.columns()));
        Value::Object(fields)
    }

    /// What the explore joins.
    fn joins(&self) -> Vec<Value> {
        let joins = self.steps.iter().map(|step| {
            let (before, alias, join) = (&step.before, &step.alias, step.join);
            let pair = |(here, there): &(Name, Name)| {
                let field = |table: &Table, column: &Name| {
                    let one = table.of_column(&column.last);
                    one.map_or(column.last.clone(), |one| one.name.clone())
                };
                let (here, there) = (field(step.from, here), field(step.to, there));
                format!("${{{before}.{here}}} = ${{{alias}.{there}}}")
            };
            let on: Vec<String> = join.on.iter().map(pair).collect();
            let mut fields = Fields::new();
            fields.insert("join".to_owned(), json!(join.to));
            if *alias != join.to {
                fields.insert("alias".to_owned(), json!(alias));
            }
            fields.insert("sql_on".to_owned(), json!(on.join(" AND ")));
            fields.insert("relationship".to_owned(), json!("many-to-one"));
            Value::Object(fields)
        });
        joins.collect()
    }

    /// A name as Lightdash writes it.
    fn word(&self, name: &Name) -> Result<String, String> {
        let alias = match name.path.is_empty() {
            true => None,
            false => Some(self.tables.alias(&self.steps, self.table, name)?),
        };
        Ok(match (name.kind, alias) {
            (Kind::Member, None) => format!("${{{}}}", name.last),
            (Kind::Member, Some(alias)) => format!("${{{alias}.{}}}", name.last),
            (_, None) => format!("${{{THIS}}}.{}", name.last),
            (_, Some(alias)) => format!("${{{alias}}}.{}", name.last),
        })
    }

    fn text(&self, sql: &Sql) -> Result<String, String> {
        sql.print(|name| self.word(name))
    }

    /// Columns, each with the dimensions that are made of it.
    fn columns(&self) -> Vec<Value> {
        let table = self.table;
        let mut columns: Vec<(String, Option<&Dimension>, Vec<&Dimension>)> = Vec::new();
        let mut add = |name: &str| match columns.iter().position(|(known, ..)| known == name) {
            Some(at) => at,
            None => {
                columns.push((name.to_owned(), None, Vec::new()));
                columns.len() - 1
            }
        };
        let mut placed: Vec<(usize, &Dimension, bool)> = Vec::new();
        let from_here = table.joins.iter().flat_map(|join| &join.on);
        let to_here = self.tables.tables.iter().flat_map(|table| &table.joins);
        let to_here = to_here.filter(|join| join.to == table.name);
        let to_here = to_here.flat_map(|join| &join.on).map(|(_, there)| there);
        for one in &table.dimensions {
            // A dimension with the name of a column is that column's own.
            let is_read = |name: &Name| name.last == one.name;
            let names = one.sql.names();
            let first = names.iter().find(|name| is_read(name)).or(names.first());
            let first = first.map(|name| name.last.clone());
            let column = first.unwrap_or_else(|| one.name.clone());
            let is_column = column == one.name;
            placed.push((add(&column), one, is_column));
        }
        for key in table
            .key
            .iter()
            .chain(from_here.map(|(here, _)| here))
            .chain(to_here)
        {
            add(&key.last);
        }
        for (at, one, is_column) in placed {
            if let Some((_, own, others)) = columns.get_mut(at) {
                match is_column {
                    true => *own = Some(one),
                    false => others.push(one),
                }
            }
        }
        let written = columns.into_iter().map(|(name, own, others)| {
            let mut meta = Fields::new();
            let dimension = match own {
                Some(own) => {
                    let column = Name::own(Kind::Column, &name);
                    self.dimension(own, own.sql != Sql::name(&column))
                }
                None => json!({"hidden": true}),
            };
            meta.insert("dimension".to_owned(), dimension);
            let others: Fields = others
                .into_iter()
                .map(|one| (one.name.clone(), self.dimension(one, true)))
                .collect();
            if !others.is_empty() {
                meta.insert("additional_dimensions".to_owned(), Value::Object(others));
            }
            json!({"name": name, "config": {"meta": meta}})
        });
        written.collect()
    }

    fn dimension(&self, one: &Dimension, has_sql: bool) -> Value {
        let mut fields = Fields::new();
        let kind = match one.kind {
            DimensionType::Text => "string",
            DimensionType::Number => "number",
            DimensionType::Boolean => "boolean",
            DimensionType::Date => "date",
            DimensionType::Time => "timestamp",
        };
        fields.insert("type".to_owned(), json!(kind));
        if has_sql {
            let sql = self.text(&one.sql).unwrap_or_default();
            fields.insert("sql".to_owned(), json!(sql));
        }
        describe(&mut fields, &one.about);
        Value::Object(fields)
    }

    fn metric(&self, one: &Measure) -> Result<Value, String> {
        let mut fields = Fields::new();
        let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
        match &one.computed {
            Computed::Aggregate(agg, sql) => {
                let kind = match agg {
                    Aggregate::Count | Aggregate::SumBoolean => "count",
                    Aggregate::CountDistinct => "count_distinct",
                    Aggregate::Sum => "sum",
                    Aggregate::Avg => "average",
                    Aggregate::Min => "min",
                    Aggregate::Max => "max",
                    Aggregate::Percentile(0.5) => "median",
                    _ => "percentile",
                };
                put("type", json!(kind));
                if let Aggregate::Percentile(share) = agg
                    && kind == "percentile"
                {
                    put("percentile", json!(share * 100.0));
                }
                // What is true is counted.
                let (row, is_counted) = match agg {
                    Aggregate::SumBoolean => (None, sql.clone()),
                    _ => (sql.as_ref(), None),
                };
                let filters: Vec<Sql> = one.filters.iter().cloned().chain(is_counted).collect();
                let sql = conditional(row, &filters)?;
                put("sql", json!(self.text(&sql)?));
            }
            Computed::Sql(sql) => {
                put("type", json!("number"));
                put("sql", json!(self.text(sql)?));
            }
            _ => return Err("it is computed in more than one step".to_owned()),
        }
        if let Some(time) = &one.time {
            let time = json!({"field": time.last, "interval": "DAY"});
            put("default_time_dimension", time);
        }
        if one.is_hidden {
            put("hidden", json!(true));
        }
        if let Some(owner) = one.about.meta.get("owner") {
            put("spotlight", json!({"owner": owner}));
        }
        describe(&mut fields, &one.about);
        Ok(Value::Object(fields))
    }
}

fn describe(fields: &mut Fields, about: &About) {
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    if let Some(label) = &about.label {
        put("label", json!(label));
    }
    if let Some(description) = &about.description {
        put("description", json!(description));
    }
    let currency = about
        .format
        .currency
        .as_deref()
        .unwrap_or("USD")
        .to_lowercase();
    let is_known = match about.format.kind {
        FormatKind::Percent => {
            put("format", json!("percent"));
            true
        }
        FormatKind::Currency if CURRENCIES.contains(&currency.as_str()) => {
            put("format", json!(currency));
            true
        }
        FormatKind::Currency => false,
        _ => true,
    };
    match about.format.decimals {
        Some(decimals) if is_known => put("round", json!(decimals)),
        _ if is_known => {}
        _ => put("format", json!(code(&about.format))),
    }
}
