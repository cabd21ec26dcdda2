//! The calendar: week start, fiscal year, time zone, and the periods of a calendar table.

use indexmap::IndexMap;

use super::dataset::check_column;
use super::diagnostic::Sink;
use super::raw::{RawCalendar, RawPeriod, RawSpine};
use super::read::{Entry, MapOr};
use super::words::{check_name, label};
use super::yaml::Text;
use crate::model::{
    Calendar, CalendarPeriod, CalendarTable, Dataset, DatePart, FileId, Grain, Place, Registry,
    Relation, Spine,
};

/// The calendar that `raw` describes; what it does not say is as in `base`.
pub(crate) fn read_calendar(raw: &RawCalendar, base: &Calendar, sink: &mut Sink) -> Calendar {
    let mut calendar = base.clone();
    if let Some(word) = raw.week_start {
        calendar.week_start = word.value;
    }
    if let Some(month) = raw.fiscal_year_start {
        calendar.fiscal_year_start = month.value.0;
    }
    if let Some(zone) = raw.timezone.as_ref().and_then(|text| time_zone(text, sink)) {
        calendar.timezone = zone;
    }
    if let Some(table) = table(raw, sink) {
        calendar.table = Some(table);
    }
    if !raw.spines.0.is_empty() {
        let spines = raw.spines.0.iter();
        calendar.spines = spines.filter_map(|entry| spine(entry, sink)).collect();
    }
    calendar
}

/// The name of a time zone that exists.
pub(crate) fn time_zone(text: &Text, sink: &mut Sink) -> Option<String> {
    if jiff::tz::TimeZone::get(&text.value).is_ok() {
        return Some(text.value.clone());
    }
    let message = format!("there is no time zone '{}'", text.value);
    let hint = Some("write it like Asia/Jakarta or UTC".to_owned());
    sink.error("invalid_value", text.place, &text.value, message, hint);
    None
}

fn table(raw: &RawCalendar, sink: &mut Sink) -> Option<CalendarTable> {
    let period = raw.periods.0.first().map(|period| &period.name);
    let (table, date) = match (&raw.table, &raw.date) {
        (Some(table), Some(date)) => (table, date),
        (Some(table), None) => {
            let message = format!("the calendar table {} needs a date", table.value);
            let hint = Some("add date: and the column with the day".to_owned());
            sink.error("missing_key", table.place, &table.value, message, hint);
            return None;
        }
        (None, date) => {
            let first = date.as_ref().or(period)?;
            let message = "a calendar without a table has no periods of its own";
            let hint = Some("add table: and the table with one row per day".to_owned());
            sink.error("missing_key", first.place, &first.value, message, hint);
            return None;
        }
    };
    check_table(table, sink);
    check_column(date, sink);
    let mut periods = IndexMap::new();
    for entry in &raw.periods.0 {
        if let Some(period) = period_of(entry, sink) {
            periods.insert(entry.name.value.clone(), period);
        }
    }
    Some(CalendarTable {
        place: table.place,
        table: table.value.clone(),
        date: date.value.clone(),
        periods,
    })
}

fn check_table(table: &Text, sink: &mut Sink) {
    if !table.value.split('.').all(|part| !part.trim().is_empty()) {
        let message = format!("'{}' is not a table name", table.value);
        let hint = Some("write table or schema.table".to_owned());
        sink.error("invalid_value", table.place, &table.value, message, hint);
    }
}

/// `hour: {table: mart.hours, column: starts_at}`.
fn spine(entry: &Entry<RawSpine>, sink: &mut Sink) -> Option<Spine> {
    let name = &entry.name;
    let Some(grain) = Grain::from_word(&name.value).filter(|grain| grain.is_sub_day()) else {
        let message = format!("'{}' is no grain below a day", name.value);
        let hint = "write hour, minute or second; days are those of the calendar's table";
        sink.error(
            "invalid_name",
            name.place,
            &name.value,
            message,
            Some(hint.to_owned()),
        );
        return None;
    };
    let raw = entry.value.as_ref()?;
    let (Some(table), Some(column)) = (&raw.table, &raw.column) else {
        if entry.errors == 0 {
            let message = format!("the spine of {grain}s needs a table and a column");
            sink.error("missing_key", name.place, &name.value, message, None);
        }
        return None;
    };
    check_table(table, sink);
    check_column(column, sink);
    Some(Spine {
        place: name.place,
        grain,
        table: table.value.clone(),
        column: column.value.clone(),
    })
}

fn period_of(entry: &Entry<MapOr<RawPeriod, Text>>, sink: &mut Sink) -> Option<CalendarPeriod> {
    let name = &entry.name;
    let before = sink.errors();
    check_name("period", name, sink);
    if DatePart::from_word(&name.value).is_some() {
        let message = format!("'{}' is already a part of every date", name.value);
        let hint = Some("call the period differently".to_owned());
        sink.error("invalid_name", name.place, &name.value, message, hint);
    }
    if Grain::from_word(&name.value).is_some_and(|grain| grain <= Grain::Day) {
        let message = "a calendar table has one row per day, so its periods are longer";
        sink.error(
            "invalid_name",
            name.place,
            &name.value,
            message,
            Some("days and hours need no column".to_owned()),
        );
    }
    let empty = RawPeriod::default();
    let (column, raw) = match entry.value.as_ref()? {
        MapOr::Short(column) => (Some(column), &empty),
        MapOr::Map(raw) => (raw.column.as_ref(), raw),
    };
    let Some(column) = column else {
        if entry.errors == 0 {
            let message = format!("the period '{}' needs a column", name.value);
            sink.error(
                "missing_key",
                name.place,
                &name.value,
                message,
                Some("add column: and the column that tells the periods apart".to_owned()),
            );
        }
        return None;
    };
    let columns = [Some(column), raw.previous.as_ref(), raw.year_ago.as_ref()];
    for column in columns.into_iter().flatten() {
        check_column(column, sink);
    }
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    (entry.errors == 0 && sink.errors() == before).then(|| CalendarPeriod {
        name: name.value.clone(),
        place: name.place,
        column: column.value.clone(),
        label: text(&raw.label).unwrap_or_else(|| label(&name.value)),
        previous: text(&raw.previous),
        year_ago: text(&raw.year_ago),
    })
}

/// Files the calendar's tables of `metrex.yaml` under that file, which is not one of those that definitions are read from.
pub(crate) fn file_under(path: &str, registry: &mut Registry) {
    let calendar = &mut registry.calendar;
    if calendar.table.is_none() && calendar.spines.is_empty() {
        return;
    }
    let file = FileId(u32::try_from(registry.files.len()).unwrap_or(u32::MAX));
    registry.files.push(path.to_owned());
    let of_table = calendar.table.iter_mut().flat_map(|table| {
        let periods = table.periods.values_mut().map(|period| &mut period.place);
        periods.chain([&mut table.place])
    });
    let of_spines = calendar.spines.iter_mut().map(|spine| &mut spine.place);
    for place in of_table.chain(of_spines) {
        *place = Place { file, ..*place };
    }
}

/// Warns where a dimension has the name of a period, which is what queries then mean.
pub(crate) fn check_names(registry: &Registry, sink: &mut Sink) {
    let Some(table) = &registry.calendar.table else {
        return;
    };
    // The table's own columns may be called like its periods.
    let is_other = |dataset: &&Dataset| !matches!(&dataset.relation, Relation::Table(of) if *of == table.table);
    let datasets = registry.datasets.values().filter(is_other);
    for dimension in datasets.flat_map(|dataset| dataset.dimensions.values()) {
        if let Some(period) = table
            .periods
            .keys()
            .find(|period| period.eq_ignore_ascii_case(&dimension.name))
        {
            let message = format!("'{period}' is also a period of the calendar table");
            let hint = Some("queries mean the period; call the dimension differently".to_owned());
            sink.warning("invalid_name", dimension.place, period, message, hint);
        }
    }
}
