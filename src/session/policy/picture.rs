//! Learning curves as SVG: for each player the mean over all worlds, with a band from the lowest of them to the highest.

use std::fmt::Write as _;

use super::Simulation;
use crate::learn::policy::curve::{Course, Place, Player};
use crate::session::plot::escaped;

const WIDTH: f64 = 810.0;
const HEIGHT: f64 = 430.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 44.0;

/// Colours that stay apart for the colour-blind too; those who learn nothing are grey.
fn color(player: Player) -> &'static str {
    match player {
        Player::Oracle => "#555555",
        Player::Rule => "#000000",
        Player::Bandit => "#0072b2",
        Player::Cold => "#56b4e9",
        Player::Careful => "#009e73",
        Player::Ppo => "#d55e00",
        Player::Uniform => "#9aa3ad",
    }
}

/// Where a place of a curve stands.
struct Field {
    last: f64,
    low: f64,
    high: f64,
}

impl Field {
    fn of(courses: &[Course]) -> Self {
        let places = || courses.iter().flat_map(|course| &course.places);
        let last = places().map(|place| place.queries).max().unwrap_or(1);
        let low = places()
            .map(|place| place.low)
            .fold(f64::INFINITY, f64::min);
        let high = places()
            .map(|place| place.high)
            .fold(f64::NEG_INFINITY, f64::max);
        Self {
            last: last as f64,
            low: low.floor(),
            high: high.ceil(),
        }
    }

    fn x(&self, queries: f64) -> f64 {
        LEFT + queries / self.last * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, reward: f64) -> f64 {
        let share = (reward - self.low) / (self.high - self.low).max(1e-9);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn points(&self, places: &mut dyn Iterator<Item = (&Place, f64)>) -> String {
        let points = places.map(|(place, reward)| {
            format!("{:.1},{:.1}", self.x(place.queries as f64), self.y(reward))
        });
        points.collect::<Vec<_>>().join(" ")
    }
}

impl Simulation {
    /// The learning curves with the project's rewards, as one SVG document.
    pub fn svg(&self) -> String {
        let title = format!(
            "Expected reward per query: mean of the last 250, {} simulated worlds",
            self.seeds
        );
        let field = Field::of(&self.own);
        let mut svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' \
             font-family='sans-serif' font-size='12' role='img'><title>{0}</title><rect width='100%' height='100%' fill='#fff'/>\
             <text x='12' y='22' font-size='14'>{0}</text>\n",
            escaped(&title)
        );
        axes(&mut svg, &field);
        for course in &self.own {
            let lows = course.places.iter().map(|place| (place, place.low));
            let highs = course.places.iter().rev().map(|place| (place, place.high));
            let band = field.points(&mut lows.chain(highs));
            let color = color(course.player);
            push(
                &mut svg,
                format_args!("<polygon points='{band}' fill='{color}' fill-opacity='0.1'/>\n"),
            );
        }
        for course in &self.own {
            let means = course.places.iter().map(|place| (place, place.mean));
            let line = field.points(&mut means.into_iter());
            let color = color(course.player);
            let dashes = match course.player {
                Player::Oracle | Player::Rule | Player::Uniform => " stroke-dasharray='5 4'",
                _ => "",
            };
            push(
                &mut svg,
                format_args!(
                    "<polyline points='{line}' fill='none' stroke='{color}' stroke-width='2'{dashes}/>\n"
                ),
            );
        }
        names(&mut svg, &self.own, &field);
        svg.push_str("</svg>\n");
        svg
    }
}

/// Lines at whole rewards, and the queries below.
fn axes(svg: &mut String, field: &Field) {
    let (end, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for reward in field.low as i64..=field.high as i64 {
        let y = field.y(reward as f64);
        push(
            svg,
            format_args!(
                "<line x1='{LEFT}' y1='{y:.1}' x2='{end}' y2='{y:.1}' stroke='#ddd'/>\
                 <text x='{:.1}' y='{:.1}' text-anchor='end' font-size='11'>{reward}</text>\n",
                LEFT - 6.0,
                y + 4.0
            ),
        );
    }
    for part in 0..=4 {
        let queries = field.last * f64::from(part) / 4.0;
        push(
            svg,
            format_args!(
                "<text x='{:.1}' y='{:.1}' text-anchor='middle' font-size='11'>{queries:.0}</text>\n",
                field.x(queries),
                bottom + 18.0
            ),
        );
    }
    push(
        svg,
        format_args!(
            "<text x='{end}' y='{:.1}' text-anchor='end' font-size='11'>queries</text>\n",
            bottom + 34.0
        ),
    );
}

/// The name of each player where its line ends, moved down where another one stands there.
fn names(svg: &mut String, courses: &[Course], field: &Field) {
    let ends = courses.iter().filter_map(|course| {
        let place = course.places.last()?;
        Some((field.y(place.mean), course.player, place.mean))
    });
    let mut ends: Vec<(f64, Player, f64)> = ends.collect();
    ends.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut free = 0.0_f64;
    for (y, player, mean) in ends {
        let y = y.max(free);
        free = y + 15.0;
        push(
            svg,
            format_args!(
                "<text x='{:.1}' y='{:.1}' fill='{}'>{} {mean:.1}</text>\n",
                WIDTH - RIGHT + 8.0,
                y + 4.0,
                color(player),
                player.name()
            ),
        );
    }
}

/// Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
