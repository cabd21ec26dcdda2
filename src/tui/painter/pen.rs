//! The pen: colours and attributes in force, and the shortest sequence that changes them.

use ratatui::style::{Color, Modifier};

/// Attributes that show where there is no letter.
const ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// What switches attributes off again; some have that in common.
const OFF: [(Modifier, &str); 7] = [
    (Modifier::BOLD.union(Modifier::DIM), "22"),
    (Modifier::ITALIC, "23"),
    (Modifier::UNDERLINED, "24"),
    (Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK), "25"),
    (Modifier::REVERSED, "27"),
    (Modifier::HIDDEN, "28"),
    (Modifier::CROSSED_OUT, "29"),
];

const ON: [(Modifier, &str); 9] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::SLOW_BLINK, "5"),
    (Modifier::RAPID_BLINK, "6"),
    (Modifier::REVERSED, "7"),
    (Modifier::HIDDEN, "8"),
    (Modifier::CROSSED_OUT, "9"),
];

/// Colours and attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pen {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

impl Pen {
    /// The pen as far as it shows on a blank; `None` if it shows as much as on a letter.
    pub(super) fn on_blank(self) -> Option<Self> {
        let plain = !self.modifier.intersects(ON_BLANK);
        plain.then_some(Self {
            bg: self.bg,
            ..Self::default()
        })
    }

    /// The sequence that makes it the other one; an empty one if it already is.
    pub(super) fn switch(self, to: Self) -> String {
        if self == to {
            return String::new();
        }
        let changed = codes(self, to);
        let anew = codes(Self::default(), to);
        let anew = match anew.is_empty() {
            true => anew,
            false => format!("0;{anew}"),
        };
        let shorter = if anew.len() < changed.len() {
            anew
        } else {
            changed
        };
        format!("\x1b[{shorter}m")
    }

    /// The sequence after which blanks look as with the other one, whatever letters would look like.
    pub(super) fn switch_for_blank(self, blank: Self) -> (String, Self) {
        if self.on_blank() == Some(blank) {
            return (String::new(), self);
        }
        let kept = Self {
            bg: blank.bg,
            modifier: self.modifier.difference(ON_BLANK),
            ..self
        };
        let (keeping, anew) = (self.switch(kept), self.switch(blank));
        if keeping.len() < anew.len() {
            (keeping, kept)
        } else {
            (anew, blank)
        }
    }
}

/// The numbers of the attributes and colours in which two pens differ.
fn codes(from: Pen, to: Pen) -> String {
    let mut codes = String::new();
    let mut add = |code: &str| {
        let gap = if codes.is_empty() { "" } else { ";" };
        codes.extend([gap, code]);
    };
    let gone = from.modifier.difference(to.modifier);
    let mut new = to.modifier.difference(from.modifier);
    for (group, off) in OFF {
        if gone.intersects(group) {
            add(off);
            new |= to.modifier & group;
        }
    }
    for (one, on) in ON {
        if new.contains(one) {
            add(on);
        }
    }
    if from.fg != to.fg {
        add(&colour(to.fg, 30));
    }
    if from.bg != to.bg {
        add(&colour(to.bg, 40));
    }
    codes
}

/// The numbers of a colour; letters begin at 30, what is behind them at 40.
fn colour(colour: Color, first: u8) -> String {
    let of_eight = |index: u8| (first + index).to_string();
    let bright = |index: u8| (first + 60 + index).to_string();
    match colour {
        Color::Reset => of_eight(9),
        Color::Black => of_eight(0),
        Color::Red => of_eight(1),
        Color::Green => of_eight(2),
        Color::Yellow => of_eight(3),
        Color::Blue => of_eight(4),
        Color::Magenta => of_eight(5),
        Color::Cyan => of_eight(6),
        Color::Gray => of_eight(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => format!("{};5;{index}", first + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", first + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Color = Color::Rgb(139, 147, 161);

    fn pen(fg: Color, bg: Color, modifier: Modifier) -> Pen {
        Pen { fg, bg, modifier }
    }

    #[test]
    fn only_what_changes_is_said_or_all_anew_where_that_is_shorter() {
        let plain = Pen::default();
        let bold = pen(Color::Reset, Color::Reset, Modifier::BOLD);
        let grey = pen(GREY, Color::Reset, Modifier::empty());
        let bold_on_red = pen(Color::Reset, Color::Red, Modifier::BOLD);
        let both = pen(Color::Reset, Color::Reset, Modifier::BOLD | Modifier::DIM);
        let four = Modifier::BOLD | Modifier::ITALIC | Modifier::UNDERLINED;
        for (from, to, sequence) in [
            (plain, plain, ""),
            (plain, bold, "\x1b[1m"),
            (bold, plain, "\x1b[m"),
            (bold, bold_on_red, "\x1b[41m"),
            (bold_on_red, bold, "\x1b[49m"),
            (grey, bold, "\x1b[0;1m"),
            (both, bold, "\x1b[0;1m"),
            (
                pen(GREY, GREY, Modifier::DIM),
                pen(GREY, GREY, Modifier::BOLD),
                "\x1b[22;1m",
            ),
            (
                pen(GREY, GREY, both.modifier),
                pen(GREY, GREY, Modifier::BOLD),
                "\x1b[22;1m",
            ),
            (
                pen(Color::White, Color::Reset, four),
                grey,
                "\x1b[0;38;2;139;147;161m",
            ),
        ] {
            assert_eq!(from.switch(to), sequence, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn the_colour_of_letters_is_no_matter_on_a_blank() {
        let bold_grey = pen(GREY, Color::Reset, Modifier::BOLD);
        let underlined = pen(GREY, Color::Reset, Modifier::UNDERLINED);
        let on_red = pen(Color::Reset, Color::Red, Modifier::empty());
        assert_eq!(
            bold_grey.switch_for_blank(Pen::default()),
            (String::new(), bold_grey)
        );
        let kept = pen(GREY, Color::Red, Modifier::BOLD);
        assert_eq!(
            bold_grey.switch_for_blank(on_red),
            ("\x1b[41m".to_owned(), kept)
        );
        let anew = ("\x1b[m".to_owned(), Pen::default());
        assert_eq!(underlined.switch_for_blank(Pen::default()), anew);
        assert_eq!(underlined.on_blank(), None);
    }
}
