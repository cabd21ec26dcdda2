//! How panes share the room: as it comes, or as the user moved the borders between them.

use ratatui::layout::{Direction, Position, Rect};

/// The least that a pane keeps: columns, and rows.
const LEAST: (u16, u16) = (20, 5);

/// A border that can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Between the catalog with its details and everything else.
    Left,
    /// Between the catalog and the details.
    Catalog,
    /// Between the SQL and the result.
    Preview,
}

/// Where the borders stand that were moved, in thousandths of the room, so that they keep their place on a larger screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Splits {
    left: Option<u16>,
    catalog: Option<u16>,
    preview: Option<u16>,
}

/// A border on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divider {
    /// Which one.
    pub border: Border,
    /// The two areas it stands between.
    pub areas: [Rect; 2],
    /// How they stand to each other.
    pub direction: Direction,
}

impl Splits {
    fn place(&mut self, border: Border) -> &mut Option<u16> {
        match border {
            Border::Left => &mut self.left,
            Border::Catalog => &mut self.catalog,
            Border::Preview => &mut self.preview,
        }
    }

    /// How much of a room goes to the first of two areas; `usual` where the border was not moved.
    fn share(mut self, border: Border, room: u16, least: u16, usual: u16) -> u16 {
        let Some(moved) = *self.place(border) else {
            return usual.min(room);
        };
        let share = (u32::from(room) * u32::from(moved) + 500) / 1000;
        let share = u16::try_from(share).unwrap_or(room);
        if room < 2 * least {
            usual.min(room)
        } else {
            share.clamp(least, room - least)
        }
    }

    /// Divides an area in two.
    pub fn divide(self, border: Border, area: Rect, direction: Direction, usual: u16) -> Divider {
        let areas = match direction {
            Direction::Horizontal => {
                let width = self.share(border, area.width, LEAST.0, usual);
                let first = Rect { width, ..area };
                let rest = Rect {
                    x: first.right(),
                    width: area.width - width,
                    ..area
                };
                [first, rest]
            }
            Direction::Vertical => {
                let height = self.share(border, area.height, LEAST.1, usual);
                let first = Rect { height, ..area };
                let rest = Rect {
                    y: first.bottom(),
                    height: area.height - height,
                    ..area
                };
                [first, rest]
            }
        };
        Divider {
            border,
            areas,
            direction,
        }
    }

    /// Moves a border to a place on the screen.
    pub fn drag(&mut self, divider: &Divider, to: Position) {
        let [first, rest] = divider.areas;
        let (share, room) = match divider.direction {
            Direction::Horizontal => (to.x.saturating_sub(first.x), first.width + rest.width),
            Direction::Vertical => (to.y.saturating_sub(first.y), first.height + rest.height),
        };
        self.set(divider.border, share, room);
    }

    /// Moves a border by some columns or rows.
    pub fn nudge(&mut self, divider: &Divider, by: i16) {
        let [first, rest] = divider.areas;
        let (share, room) = match divider.direction {
            Direction::Horizontal => (first.width, first.width + rest.width),
            Direction::Vertical => (first.height, first.height + rest.height),
        };
        self.set(divider.border, share.saturating_add_signed(by), room);
    }

    fn set(&mut self, border: Border, share: u16, room: u16) {
        let thousandths = u32::from(share.min(room)) * 1000 / u32::from(room.max(1));
        *self.place(border) = u16::try_from(thousandths).ok();
    }
}

impl Divider {
    /// The cells of the frames on both sides of it.
    pub fn cells(&self) -> [Rect; 2] {
        let [first, rest] = self.areas;
        match self.direction {
            Direction::Horizontal => [
                Rect {
                    x: first.right().saturating_sub(1),
                    width: 1.min(first.width),
                    ..first
                },
                Rect {
                    width: 1.min(rest.width),
                    ..rest
                },
            ],
            Direction::Vertical => [
                Rect {
                    y: first.bottom().saturating_sub(1),
                    height: 1.min(first.height),
                    ..first
                },
                Rect {
                    height: 1.min(rest.height),
                    ..rest
                },
            ],
        }
    }
}
