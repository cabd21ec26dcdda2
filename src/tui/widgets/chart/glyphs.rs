//! What charts are drawn with, by what the terminal can show.

/// Characters to draw with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Eight dots a cell.
    #[default]
    Braille,
    /// Two halves a cell, for fonts without braille.
    Block,
    /// Letters and signs that every terminal has.
    Ascii,
}

impl Glyphs {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Braille, Self::Block, Self::Ascii];

    /// What the environment says: plain ASCII where the locale is not UTF-8, blocks on the Linux console, whose font has no dots.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said);
        let is_utf8 = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        match (is_utf8, said("TERM").as_deref()) {
            (false, _) => Self::Ascii,
            (true, Some("linux")) => Self::Block,
            (true, _) => Self::Braille,
        }
    }

    /// The next way, round and round.
    pub fn next(self) -> Self {
        match self {
            Self::Braille => Self::Block,
            Self::Block => Self::Ascii,
            Self::Ascii => Self::Braille,
        }
    }

    /// The words for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Braille => "dots (braille)",
            Self::Block => "blocks",
            Self::Ascii => "plain ASCII",
        }
    }

    /// Dots of a cell: columns and rows.
    pub(super) fn dots_of_cell(self) -> (usize, usize) {
        match self {
            Self::Braille => (2, 4),
            Self::Block => (1, 2),
            Self::Ascii => (1, 1),
        }
    }

    /// What a part of a bar is filled with; different without colours too.
    pub(super) fn fill(self, index: usize) -> char {
        let fills = match self {
            Self::Ascii => ['#', '=', 'o', '+', '-', '.'],
            _ => ['█', '▒', '▚', '░', '▓', '▖'],
        };
        fills.get(index % fills.len()).copied().unwrap_or('#')
    }

    pub(super) fn upright(self) -> char {
        if self == Self::Ascii { '|' } else { '│' }
    }

    pub(super) fn dots(self) -> char {
        if self == Self::Ascii { ':' } else { '┈' }
    }

    /// The mark that the reader looks at.
    pub(super) fn cursor(self) -> char {
        if self == Self::Ascii { '@' } else { '●' }
    }

    /// Upright axis, the same with a tick, corner, level axis, the same with a tick.
    pub(super) fn axes(self) -> [char; 5] {
        match self {
            Self::Ascii => ['|', '+', '+', '-', '+'],
            _ => ['│', '┤', '└', '─', '┬'],
        }
    }
}
