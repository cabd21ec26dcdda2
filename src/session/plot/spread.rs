//! How a metric is spread across a dimension: histogram, box and outliers, with what the numbers mean in words.

use arrow_array::RecordBatch;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::data::{Points, by_member, refused};
use super::svg::stacked;
use super::{Charset, FiveNumbers, Plot, PlotKind, PlotRequest};
use crate::compile::Compiled;
use crate::investigate::distribution::{FEW, FEWEST};
use crate::model::{Grain, GroupBy, MetricQuery, Weekday};
use crate::session::cell::counted;
use crate::session::{Answer, Failure, Session, SessionError, partial_starts};

/// Outliers that are listed as text.
const LISTED: usize = 20;

/// A number beyond the fences.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    /// The value of the dimension; none for NULL.
    pub member: Option<String>,
    /// That as people read it.
    pub label: String,
    /// The first day of its period, and that as people read it, where there is one number for each period.
    pub period: Option<(Date, String)>,
    /// The number.
    pub value: f64,
    /// How far it is from the median in standard deviations, as the median absolute deviation estimates them; none where at least
    /// half of the numbers are the same.
    pub deviations: Option<f64>,
    /// The fences that it lies beyond: of all numbers, or of those of the same value of the dimension.
    pub fences: (f64, f64),
}

/// How a metric is spread across a dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Which numbers: `Gross merchandise value per day, 2026-10-01 to 2026-10-31`.
    pub about: String,
    /// How many numbers are of which size.
    pub histogram: Plot,
    /// One box, or where there is one number for each period, one for each value of the dimension.
    pub boxes: Plot,
    /// Of all numbers.
    pub numbers: FiveNumbers,
    /// The farthest off first.
    pub outliers: Vec<Outlier>,
    /// Values of the dimension that have a number.
    pub members: usize,
    /// Whether one of them is NULL.
    pub has_null: bool,
    /// Rows without a number.
    pub without: usize,
    /// What the numbers mean, a sentence each.
    pub words: Vec<String>,
    /// What a reader must beware of.
    pub notes: Vec<String>,
}

impl Session {
    /// What a query line asks to be spread: its one metric across its one dimension, or a grain of time; for each value of the
    /// dimension per period, where it groups by a grain, too. Without a grouping it is the metric's first dimension by default.
    ///
    /// # Errors
    /// The query has more to it than that; the hint names dimensions that the metric reaches. Or the dimension is personal
    /// data, whose values nobody is to read in a list of outliers.
    pub fn spread_request(&self, query: &MetricQuery) -> Result<PlotRequest, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let query = registry.saved(query).unwrap_or(query);
        let [name] = query.metrics.as_slice() else {
            let error = refused("a distribution is of one metric");
            return Err(error.with_hint("name one: gmv by shop last month"));
        };
        let metric = registry.metric(name);
        let metric = metric.ok_or_else(|| SessionError::unknown_metric(registry, name))?;
        let is_plain = query.compare.is_none()
            && query.show.is_empty()
            && query.limit.is_none()
            && query.limit_per.is_empty()
            && !query.total;
        if !is_plain {
            let error = refused("a distribution is of all values of a dimension");
            return Err(error.with_hint(
                "leave out comparisons, figures, top and total; where says which rows count",
            ));
        }
        let groups = query.group_by.as_ref().unwrap_or(&metric.grain);
        let (across, per) = match groups.as_slice() {
            [across] => (across.clone(), None),
            [
                GroupBy::Grain { grain, of: None },
                across @ GroupBy::Dimension(_),
            ]
            | [
                across @ GroupBy::Dimension(_),
                GroupBy::Grain { grain, of: None },
            ] => (across.clone(), Some(*grain)),
            [across @ GroupBy::Dimension(_), ..] if query.group_by.is_none() => {
                (across.clone(), None)
            }
            groups => {
                let error = match groups {
                    [] => refused(format!("across what is {} to be spread?", metric.name)),
                    _ => refused(
                        "a distribution is across one dimension, or one and a grain of time",
                    ),
                };
                return Err(error.with_hint(self.other_dimensions(&metric.name)));
            }
        };
        if let GroupBy::Dimension(dimension) = &across
            && self.is_personal(std::slice::from_ref(&metric.name), dimension)
        {
            let message = format!("'{dimension}' is personal data: its values are not listed");
            let error = SessionError::new(Failure::Query, "personal_data", message);
            return Err(error.with_hint(self.other_dimensions(&metric.name)));
        }
        Ok(PlotRequest {
            metric: metric.name.clone(),
            across,
            kind: PlotKind::Box,
            per,
            time: query.time,
            filters: query.filters.clone(),
        })
    }

    /// How the metric of a query line is spread, see [`spread_request`](Self::spread_request), with the rows that tell it.
    ///
    /// # Errors
    /// The query has more to it than a metric and what it is spread across, it is refused, or the warehouse fails.
    pub async fn spread(
        &self,
        query: &MetricQuery,
        cancel: CancellationToken,
    ) -> Result<(Spread, Answer), SessionError> {
        let request = self.spread_request(query)?;
        let query = request.query()?;
        let compiled = self.compile(&query).map_err(|error| self.refusal(error))?;
        // Whoever goes through dimensions has asked none of these queries.
        let answer = self
            .answer_beside(&query, &self.connection(), cancel)
            .await?;
        let spread = self.spread_of(&request, &compiled, &answer.batches, answer.truncated)?;
        Ok((spread, answer))
    }

    /// The spread of the rows of a request's query. Periods that are not whole are left out.
    ///
    /// # Errors
    /// As for [`PlotRequest::plot`].
    pub fn spread_of(
        &self,
        request: &PlotRequest,
        compiled: &Compiled,
        rows: &[RecordBatch],
        truncated: bool,
    ) -> Result<Spread, SessionError> {
        let mut points = request.points(compiled, rows, truncated)?;
        let week_start = self.catalog().registry.calendar.week_start;
        let left_out = take_whole(&mut points, compiled, week_start, self.today());
        let plot = |kind| {
            let request = PlotRequest {
                kind,
                ..request.clone()
            };
            request.plot_of(compiled, &points)
        };
        let (histogram, boxes) = (plot(PlotKind::Histogram)?, plot(PlotKind::Box)?);
        let nothing = || refused("there is nothing to plot: no row has a number");
        let numbers = FiveNumbers::of(&points.values()).ok_or_else(nothing)?;
        let members = by_member(&points);
        let mut outliers = Vec::new();
        let mut few = numbers.count < FEWEST;
        if request.per.is_some() {
            few = false;
            for points in &members {
                let values: Vec<f64> = points.iter().map(|point| point.value).collect();
                let Some(its) = FiveNumbers::of(&values) else {
                    continue;
                };
                few |= its.count < FEWEST;
                outliers.extend(points.iter().filter_map(|point| outlier(point, &its)));
            }
        } else {
            outliers.extend(
                points
                    .all
                    .iter()
                    .filter_map(|point| outlier(point, &numbers)),
            );
        }
        let off = |one: &Outlier| match one.deviations {
            Some(deviations) => deviations.abs(),
            None => f64::INFINITY,
        };
        outliers.sort_by(|a, b| off(b).total_cmp(&off(a)));
        let mut notes = left_out;
        // That rows have no number is said in words.
        notes.extend(boxes.notes.iter().skip(points.notes().len()).cloned());
        if few {
            notes.push(match request.per {
                None => format!(
                    "{} {} too few for outliers, for which at least {FEWEST} numbers are needed",
                    counted(numbers.count, "number"),
                    if numbers.count == 1 { "is" } else { "are" }
                ),
                Some(grain) => format!(
                    "values with fewer than {FEWEST} {grain}s have no outliers: these are too few"
                ),
            });
        } else if numbers.count < FEW {
            notes.push(format!(
                "{} are few: in about one of three samples of so many, one lies beyond the fences where nothing is unusual",
                counted(numbers.count, "number")
            ));
        }
        if !points.column.additive && !outliers.is_empty() {
            notes.push(format!(
                "{} does not add up: a value with few rows behind it is far off easily, `metrex rows` shows them",
                points.column.name
            ));
        }
        let has_null = points.all.iter().any(|point| point.member.is_none());
        let members = members.len();
        let per = request.per.map(|grain| format!(" per {grain}"));
        let per = per.unwrap_or_default();
        let mut spread = Spread {
            about: format!("{}{per}, {}", points.column.label, compiled.range),
            histogram,
            boxes,
            numbers,
            outliers,
            members,
            has_null,
            without: points.without,
            words: Vec::new(),
            notes,
        };
        spread.words = spread.said(request);
        Ok(spread)
    }
}

/// Dimensions that a hint names.
const NAMED: usize = 6;

impl Session {
    /// What a metric can be spread across instead.
    fn other_dimensions(&self, metric: &str) -> String {
        let catalog = self.catalog();
        let metrics = [metric.to_owned()];
        let known = catalog.reach.choices(&catalog.registry, &metrics);
        let known = known.iter().filter(|one| one.reachable.is_ok());
        let known = known.map(|one| one.name.as_str());
        let known = known.filter(|name| !self.is_personal(&metrics, name));
        match known.take(NAMED).collect::<Vec<_>>().as_slice() {
            [] => format!("write {metric} by day"),
            known => format!("write {metric} by one of {}", known.join(", ")),
        }
    }
}

/// Takes out the periods that are not whole; the sentence that says so.
fn take_whole(
    points: &mut Points,
    compiled: &Compiled,
    week_start: Weekday,
    today: Date,
) -> Vec<String> {
    let groups = compiled.query.group_by.iter().flatten();
    let grain = groups
        .filter_map(|group| match group {
            GroupBy::Grain { grain, of: None } => Some(*grain),
            _ => None,
        })
        .next();
    let Some(grain) = grain else {
        return Vec::new();
    };
    let partial = partial_starts(compiled.range, grain, week_start, today);
    let before = points.all.len();
    let is_whole = |period: &Option<(Date, String)>| match period {
        Some((start, _)) => !partial.contains(start),
        None => true,
    };
    points.all.retain(|point| is_whole(&point.period));
    match before - points.all.len() {
        0 => Vec::new(),
        left_out => vec![format!(
            "{} of {grain}s that are not whole, or not over yet, {} left out",
            counted(left_out, "number"),
            if left_out == 1 { "is" } else { "are" }
        )],
    }
}

fn outlier(point: &super::data::Point, of: &FiveNumbers) -> Option<Outlier> {
    of.is_outlier(point.value).then(|| Outlier {
        member: point.member.clone(),
        label: point.label.clone(),
        period: point.period.clone(),
        value: point.value,
        deviations: of.deviations(point.value),
        fences: of.fences,
    })
}

impl Spread {
    /// A number as the metric's format writes it.
    pub fn number(&self, value: f64) -> String {
        self.boxes.number(value)
    }

    /// What an outlier is of.
    pub fn name(&self, outlier: &Outlier) -> String {
        match &outlier.period {
            Some((_, period)) if *period != outlier.label => {
                format!("{} · {period}", outlier.label)
            }
            _ => outlier.label.clone(),
        }
    }

    /// How an outlier is off, in words.
    pub fn about(&self, outlier: &Outlier) -> String {
        let side = match outlier.value < outlier.fences.0 {
            true => format!("below {}", self.number(outlier.fences.0)),
            false => format!("above {}", self.number(outlier.fences.1)),
        };
        match outlier.deviations {
            Some(deviations) => {
                format!("{side}, {:.1} deviations from the median", deviations.abs())
            }
            None => side,
        }
    }

    /// What the numbers mean.
    fn said(&self, request: &PlotRequest) -> Vec<String> {
        let number = |value: f64| self.number(value);
        let numbers = &self.numbers;
        let is_time = matches!(request.across, GroupBy::Grain { .. });
        let null = if self.has_null {
            ", one of them NULL (no value)"
        } else {
            ""
        };
        let of = match (is_time, request.per) {
            (true, _) => counted(self.members, &period_word(&request.across)),
            (false, None) => format!(
                "{} of {}{null}",
                counted(self.members, "value"),
                request.across
            ),
            (false, Some(grain)) => format!(
                "{}, one for each of {} of {}{null} and each {grain}",
                counted(numbers.count, "number"),
                counted(self.members, "value"),
                request.across
            ),
        };
        let without = match self.without {
            0 => String::new(),
            1 => "; 1 row has no number and is left out".to_owned(),
            rows => format!("; {rows} rows have no number and are left out"),
        };
        let mut words = vec![format!("{of}{without}.")];
        words.push(format!(
            "The median is {}: half of the numbers are smaller. A quarter lies below {} (first quartile), a quarter above {} \
             (third quartile); the smallest is {}, the largest {}.",
            number(numbers.median),
            number(numbers.q1),
            number(numbers.q3),
            number(numbers.min),
            number(numbers.max)
        ));
        words.push(format!(
            "The median distance from the median (MAD) is {}.",
            number(numbers.mad)
        ));
        match request.per {
            Some(_) => words.push("Outliers lie more than 1.5 interquartile ranges beyond the quartiles of their own value (Tukey's fences).".to_owned()),
            // A note says that these are too few.
            None if numbers.count < FEWEST => {}
            None => words.push(format!(
                "Outliers lie below {} or above {}: 1.5 interquartile ranges beyond the quartiles (Tukey's fences).",
                number(numbers.fences.0),
                number(numbers.fences.1)
            )),
        }
        words.push(
            "Quartiles are interpolated linearly, as SQL's percentile_cont does (type 7)."
                .to_owned(),
        );
        words
    }

    /// The histogram and the boxes as text of so many columns, the words, and the outliers.
    pub fn text(&self, width: usize, charset: Charset) -> String {
        let mut out = self.histogram.text(width, charset);
        out.push('\n');
        // The title stands once.
        let boxes = self.boxes.text(width, charset);
        out.push_str(boxes.split_once('\n').map_or("", |(_, rest)| rest));
        out.push('\n');
        for line in &self.words {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
        match self.outliers.len() {
            0 => out.push_str("no outliers\n"),
            count => out.push_str(&format!("{}\n", counted(count, "outlier"))),
        }
        let shown = self.outliers.iter().take(LISTED);
        let lines: Vec<[String; 3]> = shown
            .map(|one| [self.name(one), self.number(one.value), self.about(one)])
            .collect();
        for [name, value, about] in &lines {
            out.push_str(&format!("  {name}: {value}, {about}\n"));
        }
        if self.outliers.len() > LISTED {
            out.push_str(&format!("  and {} more\n", self.outliers.len() - LISTED));
        }
        out
    }

    /// The histogram above the boxes, as one SVG element.
    pub fn svg(&self) -> String {
        stacked(&[&self.histogram, &self.boxes])
    }
}

fn period_word(across: &GroupBy) -> String {
    match across {
        GroupBy::Grain { grain, .. } => Grain::word(*grain).to_owned(),
        _ => "period".to_owned(),
    }
}
