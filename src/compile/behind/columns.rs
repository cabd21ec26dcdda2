//! The columns that are shown of the rows behind a number: what identifies a row, what it adds, and its dimensions.

use crate::compile::plan::{Aggregated, Column};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, OutputColumn, Role, key, scope};
use crate::model::{self, ColumnType, Dataset, Dimension, Format, Registry};
use crate::warehouse::Dialect;

/// A column called like this, for people too.
pub(super) fn column(name: &str, ty: ColumnType, role: Role, format: Format) -> OutputColumn {
    OutputColumn {
        name: name.to_owned(),
        label: name.to_owned(),
        role,
        ty,
        format,
        grain: None,
        additive: false,
    }
}

/// The columns that are shown of the rows.
pub(super) struct Shown<'a> {
    registry: &'a Registry,
    dataset: &'a Dataset,
    dialect: Dialect,
    pub(super) columns: Vec<OutputColumn>,
    pub(super) selected: Vec<Column>,
    /// What is not shown, being personal data.
    pub(super) left_out: Vec<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(registry: &'a Registry, dataset: &'a Dataset, dialect: Dialect) -> Self {
        Self {
            registry,
            dataset,
            dialect,
            columns: Vec::new(),
            selected: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Adds a column, unless there is one of its name.
    pub(super) fn add(&mut self, column: OutputColumn, sql: Fragment) -> bool {
        let same = |known: &OutputColumn| known.name.eq_ignore_ascii_case(&column.name);
        if self.columns.iter().any(same) {
            return false;
        }
        self.selected.push(Column {
            name: column.name.clone(),
            ty: column.ty,
            sql,
        });
        self.columns.push(column);
        true
    }

    fn personal(&self) -> impl Iterator<Item = &'a Dimension> {
        self.dataset
            .dimensions
            .values()
            .filter(|dimension| dimension.pii)
    }

    /// Adds what identifies a row; returns the names.
    pub(super) fn key(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for name in &self.dataset.key {
            let is_it = |dimension: &&Dimension| dimension.column.as_ref() == Some(name);
            if self.personal().any(|dimension| is_it(&dimension)) {
                continue;
            }
            let known = self.dataset.dimensions.values().find(is_it);
            let ty = known.map_or(ColumnType::Text, |known| key::column_type(known.kind));
            let sql = scope::column(&self.dataset.name, name, self.dialect);
            let sql = self.typed(sql, ty);
            let own = column(name, ty, Role::Group, Format::default());
            if self.add(own, Fragment::new(sql, [self.dataset.place])) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Adds what a row adds to the aggregate; returns whether the rows can be sorted by it.
    pub(super) fn value(&mut self, own: &Aggregated, format: &Format) -> bool {
        use model::Aggregate::{Count, CountDistinct, Max, Min, PercentileDiscrete, SumBoolean};
        let one = || ("1".to_owned(), ColumnType::Integer, Format::default());
        let (sql, ty, format) = match (own.agg, &own.row) {
            (_, None) | (Count | SumBoolean, _) => one(),
            (_, Some(row)) if self.is_personal(row) => {
                self.left_out.push(own.name.clone());
                return false;
            }
            (CountDistinct, Some(row)) => {
                let sql = self.typed(row.clone(), ColumnType::Text);
                (sql, ColumnType::Text, Format::default())
            }
            (Min | Max | PercentileDiscrete(_), Some(row)) => {
                (self.typed(row.clone(), own.ty), own.ty, format.clone())
            }
            (_, Some(row)) => {
                let sql = self.dialect.cast(row, ColumnType::Number);
                (sql, ColumnType::Number, format.clone())
            }
        };
        let is_summed = ty == ColumnType::Number;
        let shown = column(&own.name, ty, Role::Metric, format);
        self.add(shown, Fragment::new(sql, own.places.iter().copied())) && is_summed
    }

    /// Whether SQL reads a column with personal data.
    fn is_personal(&self, sql: &str) -> bool {
        let mut personal = self.personal();
        personal.any(|dimension| {
            let own = (self.dataset, dimension);
            let read = scope::local(self.registry, own, &self.dataset.name, self.dialect);
            read.map_or(true, |read| sql.contains(&read))
        })
    }

    /// Adds the dimensions of the dataset, but for personal data.
    pub(super) fn dimensions(&mut self) -> Result<(), CompileError> {
        for dimension in self.dataset.dimensions.values() {
            if dimension.pii {
                self.left_out.push(dimension.name.clone());
                continue;
            }
            let is_key = |name: &String| dimension.column.as_ref() == Some(name);
            if dimension.of_metric.is_some() || self.dataset.key.iter().any(is_key) {
                continue;
            }
            let own = (self.dataset, dimension);
            let sql = scope::local(self.registry, own, &self.dataset.name, self.dialect)?;
            let ty = key::column_type(dimension.kind);
            let sql = self.typed(sql, ty);
            let shown = OutputColumn {
                label: dimension.label.clone(),
                ..column(&dimension.name, ty, Role::Group, dimension.format.clone())
            };
            self.add(shown, Fragment::new(sql, [dimension.place]));
        }
        Ok(())
    }

    /// Texts have one type on every engine, whatever the column has.
    fn typed(&self, sql: String, ty: ColumnType) -> String {
        match ty {
            ColumnType::Text => self.dialect.as_text(&sql),
            _ => sql,
        }
    }
}
