//! Themes: one style for each role on the screen, read from `themes/*.yaml`, for true colour, 256 colours, 16 or none.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// `NO_COLOR` is set, or the terminal is a dumb one: attributes only.
    None,
    /// The 16 colours of the terminal's own palette.
    Sixteen,
    /// The fixed palette of 256.
    Indexed,
    /// 24 bits.
    True,
}

/// Terminals of 24 bits that say so by their name alone; SSH passes on `TERM`, but not `COLORTERM`.
const TRUE: [&str; 6] = [
    "alacritty",
    "foot",
    "xterm-direct",
    "xterm-ghostty",
    "xterm-kitty",
    "wezterm",
];

impl Depth {
    /// What the environment says; the terminal itself is never asked. `variable` looks up an environment variable.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| variable(name).unwrap_or_default();
        let terminal = said("TERM");
        let is_true = matches!(said("COLORTERM").as_str(), "truecolor" | "24bit");
        if !said("NO_COLOR").is_empty() || terminal == "dumb" {
            Self::None
        } else if is_true || TRUE.contains(&terminal.as_str()) {
            Self::True
        } else if terminal.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// A theme that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not a map of role to style.
    #[error("theme {theme}: {message}")]
    Yaml {
        /// The theme's name.
        theme: String,
        /// What the YAML reader says.
        message: String,
    },
    /// A role nobody draws with.
    #[error("theme {theme}: unknown role '{role}'; roles are {known}")]
    Role {
        /// The theme's name.
        theme: String,
        /// The word found.
        role: String,
        /// Every role.
        known: String,
    },
    /// A word that is neither an attribute nor a colour.
    #[error(
        "theme {theme}: {role}: '{word}' is neither an attribute (bold, dim, italic, underlined, reversed) nor a colour (#rrggbb or a name)"
    )]
    Word {
        /// The theme's name.
        theme: String,
        /// The role it stands for.
        role: String,
        /// The word found.
        word: String,
    },
    /// No theme of that name.
    #[error("no theme '{theme}'; themes are {known}")]
    Unknown {
        /// The name asked for.
        theme: String,
        /// Every theme.
        known: String,
    },
}

macro_rules! roles {
    ($($(#[$doc:meta])* $field:ident = $name:literal, $plain:expr;)*) => {
        /// One style for each role. What is selected or focused is always told by a sign or an attribute too.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Theme {
            /// Its name: the file's, without `.yaml`.
            pub name: String,
            $($(#[$doc])* pub $field: Style,)*
        }

        impl Theme {
            /// Attributes only, for `NO_COLOR`.
            pub fn plain() -> Self {
                Self { name: "plain".to_owned(), $($field: $plain,)* }
            }

            fn role(&mut self, role: &str) -> Option<&mut Style> {
                match role {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }

            const ROLES: &'static [&'static str] = &[$($name),*];
        }
    };
}

roles! {
    /// Everything that has no role of its own.
    text = "text", Style::new();
    /// Secondary words: details, hints, units.
    dim = "dim", Style::new();
    /// The one colour that leads the eye: keys, the current metric.
    accent = "accent", Style::new().add_modifier(Modifier::BOLD);
    /// The selected row or cell.
    selection = "selection", Style::new().add_modifier(Modifier::REVERSED);
    /// Borders of panes.
    border = "border", Style::new();
    /// Border of the pane that takes the keys.
    border_focused = "border_focused", Style::new().add_modifier(Modifier::BOLD);
    /// Something went wrong.
    error = "error", Style::new().add_modifier(Modifier::BOLD);
    /// Something to know before trusting a number.
    warning = "warning", Style::new().add_modifier(Modifier::ITALIC);
    /// Certified, finished, added.
    good = "good", Style::new();
    /// Where a mistake costs most: the name of a connection to production.
    production = "production", Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::REVERSED);
    /// SQL keywords.
    keyword = "keyword", Style::new().add_modifier(Modifier::BOLD);
    /// SQL literals.
    string = "string", Style::new();
    /// Numbers in SQL.
    number = "number", Style::new();
    /// SQL comments.
    comment = "comment", Style::new().add_modifier(Modifier::ITALIC);
    /// Column headers and titles.
    header = "header", Style::new().add_modifier(Modifier::BOLD);
    /// NULL in results.
    null = "null_value", Style::new().add_modifier(Modifier::ITALIC);
    /// Behind the smallest numbers of a heat map.
    heat_low = "heat_low", Style::new();
    /// Behind the largest numbers of a heat map.
    heat_high = "heat_high", Style::new();
    /// Letters that matched a search.
    match_ = "match", Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED);
    /// The first series of a chart; each has a sign too.
    series_1 = "series_1", Style::new();
    /// The second.
    series_2 = "series_2", Style::new();
    /// The third.
    series_3 = "series_3", Style::new();
    /// The fourth.
    series_4 = "series_4", Style::new();
    /// The fifth.
    series_5 = "series_5", Style::new();
    /// The sixth.
    series_6 = "series_6", Style::new();
}

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../themes/", $name, ".yaml")))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in! {
    "dark" "light" "high-contrast" "colour-blind" "colour-blind-light" "sixteen" "mono"
};

impl Default for Theme {
    fn default() -> Self {
        Self::plain()
    }
}

impl Theme {
    /// Reads a theme; roles it leaves out keep the attributes of [`Theme::plain`].
    ///
    /// # Errors
    /// The first role or word that means nothing.
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let theme = || name.to_owned();
        let styles: BTreeMap<String, String> =
            serde_yaml::from_str(text).map_err(|error| ThemeError::Yaml {
                theme: theme(),
                message: error.to_string(),
            })?;
        let mut read = Self {
            name: theme(),
            ..Self::plain()
        };
        for (role, words) in styles {
            let style = style(&words, depth).map_err(|word| ThemeError::Word {
                theme: theme(),
                role: role.clone(),
                word,
            })?;
            let Some(place) = read.role(&role) else {
                let known = Self::ROLES.join(", ");
                return Err(ThemeError::Role {
                    theme: theme(),
                    role,
                    known,
                });
            };
            if depth != Depth::None {
                *place = style;
            }
        }
        Ok(read)
    }

    /// A theme by name, from the project's `themes/` (file name and text) or from the built-in ones.
    ///
    /// # Errors
    /// No such theme, or it does not read.
    pub fn load(name: &str, files: &[(String, String)], depth: Depth) -> Result<Self, ThemeError> {
        let text = all(files).find_map(|(theme, text)| (theme == name).then_some(text));
        let Some(text) = text else {
            let known = Self::names(files).join(", ");
            return Err(ThemeError::Unknown {
                theme: name.to_owned(),
                known,
            });
        };
        Self::parse(name, text, depth)
    }

    /// How a number of a heat map is written, from 0 for the smallest to 1 for the largest: on a shade between two colours,
    /// as near as the palette has it. Of 16 colours there are none between two: the largest third has one, the smallest the
    /// other. The sign beside the number says more than that, and all there is to say without colours.
    pub fn shade(&self, place: f64) -> Option<Style> {
        let ends = self.heat_low.bg.zip(self.heat_high.bg);
        let Some(([r, g, b], [to_r, to_g, to_b])) =
            ends.and_then(|(low, high)| Some((parts_of(low)?, parts_of(high)?)))
        else {
            let style = match place {
                place if place < 1.0 / 3.0 => self.heat_low,
                place if place > 2.0 / 3.0 => self.heat_high,
                _ => return None,
            };
            return style.bg.is_some().then_some(style);
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two colours"
        )]
        let between = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * place).round() as u8
        };
        let color = Color::Rgb(between(r, to_r), between(g, to_g), between(b, to_b));
        let is_indexed = matches!(self.heat_low.bg, Some(Color::Indexed(_)));
        let color = if is_indexed { indexed(color) } else { color };
        Some(Style::new().bg(color))
    }

    /// The style of a series of a chart; from the seventh on they come round again.
    pub fn series(&self, index: usize) -> Style {
        match index % 6 {
            0 => self.series_1,
            1 => self.series_2,
            2 => self.series_3,
            3 => self.series_4,
            4 => self.series_5,
            _ => self.series_6,
        }
    }

    /// The names of all themes, sorted.
    pub fn names(files: &[(String, String)]) -> Vec<String> {
        let names: std::collections::BTreeSet<_> =
            all(files).map(|(name, _)| name.to_owned()).collect();
        names.into_iter().collect()
    }

    /// What a theme is for: the comment on its first line.
    pub fn about<'f>(name: &str, files: &'f [(String, String)]) -> &'f str {
        let text = all(files).find_map(|(theme, text)| (theme == name).then_some(text));
        let first = text
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        first.strip_prefix('#').unwrap_or_default().trim()
    }

    /// What a configuration says for a theme that fits the terminal's background.
    pub const AUTO: &'static str = "auto";

    /// Whether the environment says that the background is light (`COLORFGBG`), where it says anything.
    pub fn is_light(variable: impl Fn(&str) -> Option<String>) -> Option<bool> {
        let colours = variable("COLORFGBG").filter(|value| !value.is_empty())?;
        Some(matches!(colours.rsplit(';').next(), Some("7" | "15")))
    }

    /// The theme for a light background, or for a dark one.
    pub fn for_background(is_light: bool) -> &'static str {
        if is_light { "light" } else { "dark" }
    }
}

/// Name and text of every theme, the project's own first.
fn all(files: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    files
        .iter()
        .filter_map(|(file, text)| {
            let name = file.rsplit('/').next()?;
            let stem = name
                .strip_suffix(".yaml")
                .or_else(|| name.strip_suffix(".yml"))?;
            Some((stem, text.as_str()))
        })
        .chain(BUILT_IN.iter().copied())
}

/// Reads `bold #rrggbb on #rrggbb | bold cyan`; the error is the word that means nothing.
fn style(words: &str, depth: Depth) -> Result<Style, String> {
    let (full, sixteen) = words.split_once('|').unwrap_or((words, words));
    let (full, sixteen) = (parts(full)?, parts(sixteen)?);
    Ok(match depth {
        Depth::True => full,
        Depth::Indexed => Style {
            fg: full.fg.map(indexed),
            bg: full.bg.map(indexed),
            ..full
        },
        Depth::Sixteen => Style {
            fg: sixteen.fg.filter(|color| !matches!(color, Color::Rgb(..))),
            bg: sixteen.bg.filter(|color| !matches!(color, Color::Rgb(..))),
            ..sixteen
        },
        Depth::None => Style::new(),
    })
}

fn parts(words: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        let attribute = match word {
            "on" => {
                background = true;
                continue;
            }
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            _ => {
                let color: Color = word.parse().map_err(|_| word.to_owned())?;
                style = if background {
                    style.bg(color)
                } else {
                    style.fg(color)
                };
                continue;
            }
        };
        style = style.add_modifier(attribute);
    }
    if style.add_modifier.contains(Modifier::REVERSED) {
        // What lies below would otherwise shine through as blocks of its colours.
        style.fg = style.fg.or(Some(Color::Reset));
        style.bg = style.bg.or(Some(Color::Reset));
    }
    Ok(style)
}

/// The colour of the palette of 256 that is nearest; its first 16 are left out, since every terminal has its own.
fn indexed(color: Color) -> Color {
    let Color::Rgb(red, green, blue) = color else {
        return color;
    };
    let wanted = [red, green, blue];
    let distance = |(_, rgb): &(u8, [u8; 3])| -> u32 {
        let parts = rgb.iter().zip(wanted);
        parts
            .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
            .sum()
    };
    palette()
        .min_by_key(distance)
        .map_or(color, |(index, _)| Color::Indexed(index))
}

/// Red, green and blue of a colour, where they are known.
fn parts_of(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index) => palette().find_map(|(at, rgb)| (at == index).then_some(rgb)),
        _ => None,
    }
}

/// The cube of 6x6x6 colours, then 24 greys.
fn palette() -> impl Iterator<Item = (u8, [u8; 3])> {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let cube = move |at: u8| (16 + at, [level(at / 36), level(at / 6 % 6), level(at % 6)]);
    let grey = |at: u8| (232 + at, [8 + 10 * at; 3]);
    (0..216).map(cube).chain((0..24).map(grey))
}
