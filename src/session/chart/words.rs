//! A chart in words and numbers, for those who do not see it.

use crate::session::cell::counted;

use super::{Across, Chart, ChartKind, Mark, Panel, Series};

impl Chart {
    /// What is drawn, what each series goes through, and what a reader must know.
    pub fn about(&self) -> Vec<String> {
        let mut lines = vec![format!("{} · {}", self.title, self.kind)];
        let along = match &self.across {
            Across::Numbers(axis) => format!(" against {}", axis.title),
            _ => String::new(),
        };
        lines.push(format!("{}{along}", self.values.title));
        let series = self.panels.iter().flat_map(|panel| &panel.series);
        lines.extend(series.filter_map(|series| self.range_of(series)));
        lines.extend(self.notes.iter().cloned());
        lines
    }

    /// Every number with where it stands, a line for each place.
    pub fn numbers(&self) -> Vec<String> {
        let panels = self.panels.iter();
        panels.flat_map(|panel| self.numbers_of(panel)).collect()
    }

    /// `ID: 9 points, $171 at 2026-03 to $7,036 at 2026-11, least $171 at 2026-03, most $12,753 at 2026-10`
    fn range_of(&self, series: &Series) -> Option<String> {
        let marks = series.marks.iter();
        let by_value = |one: &&Mark, other: &&Mark| one.value.total_cmp(&other.value);
        let least = marks.clone().min_by(by_value)?;
        let most = marks.max_by(by_value)?;
        let noun = match self.kind {
            ChartKind::Line | ChartKind::Scatter | ChartKind::Multiples => "point",
            ChartKind::Bars | ChartKind::Histogram => "bar",
            ChartKind::Stacked => "part",
        };
        let count = counted(series.marks.len(), noun);
        let way = match (&self.across, series.marks.as_slice()) {
            (Across::Times(_), [first, .., last]) => {
                format!(", {} to {}", self.mark(first), self.mark(last))
            }
            _ => String::new(),
        };
        Some(format!(
            "{}: {count}{way}, least {}, most {}",
            series.name,
            self.mark(least),
            self.mark(most)
        ))
    }

    fn mark(&self, mark: &Mark) -> String {
        format!("{} at {}", self.number(mark.value), self.place(mark.at))
    }

    fn numbers_of(&self, panel: &Panel) -> Vec<String> {
        let heading = (!panel.name.is_empty()).then(|| format!("{}:", panel.name));
        let mut marks: Vec<(&Series, &Mark)> = Vec::new();
        for series in &panel.series {
            marks.extend(series.marks.iter().map(|mark| (series, mark)));
        }
        // Stable, so that the series stay in their order at each place.
        marks.sort_by(|(_, one), (_, other)| one.at.total_cmp(&other.at));
        let is_same = |(_, one): &(&Series, &Mark), (_, other): &(&Series, &Mark)| {
            one.at == other.at && self.kind != ChartKind::Scatter
        };
        let has_many = panel.series.len() > 1;
        let place = |here: &[(&Series, &Mark)]| {
            let (_, first) = here.first()?;
            let number = |(series, mark): &(&Series, &Mark)| match has_many {
                true => format!("{} {}", series.name, self.number(mark.value)),
                false => self.number(mark.value),
            };
            let numbers: Vec<String> = here.iter().map(number).collect();
            Some(format!("{}: {}", self.place(first.at), numbers.join(", ")))
        };
        let places = marks.chunk_by(is_same).filter_map(place);
        heading.into_iter().chain(places).collect()
    }
}
