//! Countries and currencies by the names people use, for data that only has their codes.
//!
//! The tables are `assets/world/*.txt`, which name their source. A name counts only where its code is a value in the
//! data; that is for the caller to see to.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::alike::{fold, is_typo, similarity};

/// What a name is a name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A country or territory of ISO 3166-1.
    Country,
    /// A currency of ISO 4217.
    Currency,
}

/// A country or currency that some words name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub kind: NameKind,
    /// `BR`, `BRL`.
    pub code: &'static str,
    /// `BRA`, for a country.
    pub alpha3: Option<&'static str>,
    /// `Brazil`, `Brazilian Real`.
    pub name: &'static str,
    /// Whether the words name its people (`Brazilian`, `Filipinos`).
    pub is_demonym: bool,
    others: &'static str,
}

impl Name {
    /// Every way to write it that data may use: its codes, its name, its other names.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.code)
            .chain(self.alpha3)
            .chain(std::iter::once(self.name))
            .chain(items(self.others))
    }

    /// The names that people use for it, without its codes.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(items(self.others))
    }
}

/// The countries and currencies that `words` name: mostly none or one, several for `Congo` or `dollar`.
///
/// Case and accents do not count, but for the codes themselves, which are also English words (`in`, `ALL`): they must be
/// in capitals.
pub fn codes(words: &str) -> Vec<Name> {
    let words = words.trim();
    let mut found = WORLD.codes.get(words).cloned().unwrap_or_default();
    for name in WORLD.names.get(&fold(words)).into_iter().flatten() {
        if !found.iter().any(|known| known.code == name.code) {
            found.push(*name);
        }
    }
    found
}

/// The countries and currencies whose name `words` is a likely typo of, with that name, most similar first.
pub fn similar(words: &str) -> Vec<(Name, &'static str, f64)> {
    let typed = fold(words);
    let mut found: Vec<(Name, &'static str, f64)> = WORLD
        .names
        .iter()
        .filter(|(name, _)| is_typo(&typed, name))
        .flat_map(|(name, meant)| {
            meant
                .iter()
                .map(|meant| (*meant, name.as_str(), similarity(&typed, name)))
        })
        .collect();
    found.sort_by(|a, b| {
        b.2.total_cmp(&a.2)
            .then(a.1.cmp(b.1))
            .then(a.0.code.cmp(b.0.code))
    });
    found
}

/// Whether this is the code of a country or of a currency.
pub fn is_code(kind: NameKind, value: &str) -> bool {
    let names = WORLD.codes.get(value);
    names.is_some_and(|names| names.iter().any(|name| name.kind == kind))
}

struct World {
    /// By code; some codes stand for a country and for a currency.
    codes: HashMap<&'static str, Vec<Name>>,
    /// By folded name.
    names: HashMap<String, Vec<Name>>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut world = World {
        codes: HashMap::new(),
        names: HashMap::new(),
    };
    for line in lines(include_str!("../../assets/world/countries.txt")) {
        let mut fields = line.split('|');
        let mut field = || fields.next().unwrap_or_default();
        let (code, alpha3, name, others, demonyms) = (field(), field(), field(), field(), field());
        let country = Name {
            kind: NameKind::Country,
            code,
            alpha3: Some(alpha3),
            name,
            is_demonym: false,
            others,
        };
        world.codes.entry(code).or_default().push(country);
        world.codes.entry(alpha3).or_default().push(country);
        world.add(country, std::iter::once(name).chain(items(others)));
        let people = Name {
            is_demonym: true,
            ..country
        };
        world.add(people, items(demonyms));
        for demonym in items(demonyms).filter(|demonym| !demonym.ends_with(['s', 'h'])) {
            world.add(people, std::iter::once(format!("{demonym}s")));
        }
    }
    for line in lines(include_str!("../../assets/world/currencies.txt")) {
        let mut fields = line.split('|');
        let mut field = || fields.next().unwrap_or_default();
        let (code, name, others) = (field(), field(), field());
        let currency = Name {
            kind: NameKind::Currency,
            code,
            alpha3: None,
            name,
            is_demonym: false,
            others,
        };
        world.codes.entry(code).or_default().push(currency);
        world.add(currency, std::iter::once(name).chain(items(others)));
    }
    world
});

impl World {
    fn add<T: AsRef<str>>(&mut self, name: Name, spellings: impl Iterator<Item = T>) {
        for spelling in spellings {
            let known = self.names.entry(fold(spelling.as_ref())).or_default();
            if !known.iter().any(|other| other.code == name.code) {
                known.push(name);
            }
        }
    }
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

fn items(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(';').filter(|item| !item.is_empty())
}
