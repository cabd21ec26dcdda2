//! Turns what the terminal shows into the next picture, in as few bytes as will do: a slow line has to carry them.
//!
//! Where there are several ways, each is tried, and the shortest is sent. None of them needs more than what every
//! terminal has had since the VT220; blanks are erased in the terminal's own background only, which needs no agreement
//! about the colour that erasing leaves.

mod pen;
mod shift;
mod sign;
mod strokes;

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use pen::Pen;
use shift::Shift;
use sign::Sign;
use strokes::Strokes;

/// Most cells that stay as they are and are drawn again, because jumping over them may take more.
const GAP: u16 = 12;

/// Fewest blanks that may be worth a sequence.
const BLANKS: u16 = 4;

/// Knows what the terminal shows.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Option<Buffer>,
    cursor: Option<Position>,
}

impl Painter {
    /// Forgets what the terminal shows: something else may have written to it.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// What makes the terminal show a picture, with its cursor there or hidden; nothing where it does already.
    ///
    /// The first picture, and one of another size, begins on a cleared screen. The plain pen is in force before and
    /// after.
    pub fn paint(&mut self, picture: Buffer, cursor: Option<Position>) -> Vec<u8> {
        let mut start = Strokes::new(picture.area.width);
        let known = self.shown.take();
        let mut best = match known.filter(|shown| shown.area == picture.area) {
            Some(mut shown) => {
                let plain = shortest(&start, &shown, &picture);
                let shifted = Shift::between(&shown, &picture).map(|shift| {
                    shift.draw(&mut start);
                    shift.apply(&mut shown);
                    shortest(&start, &shown, &picture)
                });
                shifted
                    .filter(|shifted| shifted.bytes.len() < plain.bytes.len())
                    .unwrap_or(plain)
            }
            None => {
                start.clear();
                self.cursor = None;
                shortest(&start, &Buffer::empty(picture.area), &picture)
            }
        };
        best.take_pen(Pen::default());
        if let Some(place) = cursor
            && (self.cursor != cursor || !best.bytes.is_empty())
        {
            best.jump(place.x, place.y);
        }
        match (self.cursor, cursor) {
            (None, Some(_)) => best.raw("\x1b[?25h"),
            (Some(_), None) => best.raw("\x1b[?25l"),
            _ => {}
        }
        (self.shown, self.cursor) = (Some(picture), cursor);
        best.bytes
    }
}

/// From one picture to another: line by line, or pen by pen, since colours take more bytes than moves.
fn shortest(start: &Strokes, from: &Buffer, to: &Buffer) -> Strokes {
    let changes = Changes::between(from, to);
    let by_line = changes.draw(start.clone(), &changes.by_line());
    let by_pen = changes.draw(start.clone(), &changes.by_pen());
    if by_pen.bytes.len() < by_line.bytes.len() {
        by_pen
    } else {
        by_line
    }
}

/// A line in which something changes.
struct Row<'a> {
    y: u16,
    /// As it is to look.
    signs: Vec<Option<Sign<'a>>>,
    /// Where signs change.
    changed: Vec<u16>,
}

impl<'a> Row<'a> {
    fn sign(&self, x: u16) -> Option<&Sign<'a>> {
        self.signs.get(usize::from(x))?.as_ref()
    }

    /// The end of the blanks of one background that begin here.
    fn end_of_blanks(&self, x: u16, blank: &Sign<'a>) -> u16 {
        let signs = self.signs.iter().skip(usize::from(x));
        let blanks = signs.take_while(|sign| sign.as_ref() == Some(blank));
        x + u16::try_from(blanks.count()).unwrap_or(0)
    }
}

/// What differs between two pictures.
struct Changes<'a> {
    rows: Vec<Row<'a>>,
    width: u16,
}

/// Where a sign changes: the row's place among those that change, and the column.
type Place = (usize, u16);

impl<'a> Changes<'a> {
    fn between(from: &Buffer, to: &'a Buffer) -> Self {
        let width = to.area.width;
        let cells = usize::from(width).max(1);
        let lines = from.content.chunks(cells).zip(to.content.chunks(cells));
        let rows = (0..).zip(lines).filter(|(_, (from, to))| from != to);
        let rows = rows.map(|(y, _)| {
            let (before, signs) = (sign::line(from, y), sign::line(to, y));
            let pairs = (0..).zip(before.iter().zip(&signs));
            let changed = pairs.filter(|(_, (before, sign))| sign.is_some() && before != sign);
            let changed = changed.map(|(x, _)| x).collect();
            Row { y, signs, changed }
        });
        Self {
            rows: rows.collect(),
            width,
        }
    }

    fn by_line(&self) -> Vec<Place> {
        let places = |(index, row): (usize, &Row<'a>)| {
            let here = move |x: &u16| (index, *x);
            row.changed.iter().map(here).collect::<Vec<_>>()
        };
        self.rows.iter().enumerate().flat_map(places).collect()
    }

    /// Line by line for each pen, as they first come; what needs the plain one last, since blanks between words come
    /// with the words.
    fn by_pen(&self) -> Vec<Place> {
        let mut places = self.by_line();
        let pen = |place: &Place| self.at(*place).map_or(Pen::default(), |(_, sign)| sign.pen);
        let mut pens = Vec::new();
        for pen in places.iter().map(pen) {
            if pen != Pen::default() && !pens.contains(&pen) {
                pens.push(pen);
            }
        }
        pens.push(Pen::default());
        places.sort_by_cached_key(|place| pens.iter().position(|one| *one == pen(place)));
        places
    }

    fn draw(&self, mut strokes: Strokes, places: &[Place]) -> Strokes {
        let mut pending = Pending::new(places, self.width);
        for (index, place) in places.iter().enumerate() {
            if !pending.has(*place) {
                continue;
            }
            let Some((row, sign)) = self.at(*place) else {
                continue;
            };
            for x in self.reach(&mut strokes, *place, &pending) {
                pending.remove((place.0, x));
            }
            if sign.is_blank {
                let rest = places.get(index..).unwrap_or_default();
                self.draw_blanks(&mut strokes, row, rest, &mut pending);
            } else {
                strokes.draw(sign);
                pending.remove(*place);
            }
        }
        strokes
    }

    fn at(&self, (row, x): Place) -> Option<(&Row<'a>, &Sign<'a>)> {
        let row = self.rows.get(row)?;
        Some((row, row.sign(x)?))
    }

    /// Brings the cursor to a sign: by a jump, or by drawing what stands before it in the line. Returns what is done by
    /// that.
    fn reach(&self, strokes: &mut Strokes, (index, x): Place, pending: &Pending) -> Vec<u16> {
        let Some((row, sign)) = self.at((index, x)) else {
            return Vec::new();
        };
        let from = strokes.column_in(row.y);
        if from == Some(x) {
            return Vec::new();
        }
        if let Some(from) = from.filter(|from| *from < x && x - from <= GAP) {
            let jumping = strokes.cost(|strokes| {
                strokes.jump(x, row.y);
                strokes.take(sign);
            });
            let drawing = strokes.cost(|strokes| {
                Self::draw_between(strokes, row, from..x, |x| pending.has((index, x)));
                strokes.jump(x, row.y);
                strokes.take(sign);
            });
            if drawing <= jumping {
                let is_pending = |x| pending.has((index, x));
                let done = Self::draw_between(strokes, row, from..x, is_pending);
                strokes.jump(x, row.y);
                return done;
            }
        }
        strokes.jump(x, row.y);
        Vec::new()
    }

    /// Draws what stands between two signs: as it is to look, or with the pen at hand where it comes later anyway.
    fn draw_between(
        strokes: &mut Strokes,
        row: &Row<'a>,
        between: Range<u16>,
        is_pending: impl Fn(u16) -> bool,
    ) -> Vec<u16> {
        let mut done = Vec::new();
        for x in between {
            let Some(sign) = row.sign(x) else { continue };
            if !is_pending(x) {
                strokes.take(sign);
            } else if strokes.has_pen_of(sign) {
                done.push(x);
            }
            strokes.put(sign);
        }
        done
    }

    /// Blanks up to the next letter: each by itself, or all at once.
    fn draw_blanks(
        &self,
        strokes: &mut Strokes,
        row: &Row<'a>,
        rest: &[Place],
        pending: &mut Pending,
    ) {
        let Some(&(index, x)) = rest.first() else {
            return;
        };
        let Some(blank) = row.sign(x) else { return };
        let run = x..row.end_of_blanks(x, blank);
        let mut others = rest.iter().filter(|place| pending.has(**place));
        let needed = others
            .clone()
            .take_while(|(other, x)| *other == index && run.contains(x))
            .last();
        let end = needed.map_or(x, |(_, x)| *x) + 1;
        let next = others.find(|(other, x)| *other != index || !(run.start..end).contains(x));
        let draw = |strokes: &mut Strokes| (x..end).for_each(|_| strokes.draw(blank));
        let erase = |strokes: &mut Strokes| strokes.erase(blank, end - x, run.end == self.width);
        let erases = blank.pen == Pen::default() && end - x >= BLANKS && {
            let mut cost = |way: &dyn Fn(&mut Strokes)| {
                strokes.cost(|strokes| {
                    way(strokes);
                    if let Some(next) = next {
                        self.reach(strokes, *next, pending);
                    }
                })
            };
            cost(&erase) < cost(&draw)
        };
        if erases {
            erase(strokes);
        } else {
            draw(strokes);
        }
        (x..end).for_each(|x| pending.remove((index, x)));
    }
}

/// Places that are still to be drawn.
struct Pending {
    places: Vec<bool>,
    width: u16,
}

impl Pending {
    fn new(places: &[Place], width: u16) -> Self {
        let rows = places.iter().map(|(row, _)| row + 1).max().unwrap_or(0);
        let mut pending = Self {
            places: vec![false; rows * usize::from(width)],
            width,
        };
        places.iter().for_each(|place| pending.set(*place, true));
        pending
    }

    fn index(&self, (row, x): Place) -> usize {
        row * usize::from(self.width) + usize::from(x)
    }

    fn has(&self, place: Place) -> bool {
        self.places.get(self.index(place)) == Some(&true)
    }

    fn remove(&mut self, place: Place) {
        self.set(place, false);
    }

    fn set(&mut self, place: Place, is_pending: bool) {
        let index = self.index(place);
        if let Some(place) = self.places.get_mut(index) {
            *place = is_pending;
        }
    }
}
