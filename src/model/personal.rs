//! Names of columns that hold personal data.

use super::alike::fold;

/// Words in such names.
const PERSONAL: [&str; 12] = [
    "email",
    "mail",
    "phone",
    "mobile",
    "firstname",
    "lastname",
    "surname",
    "address",
    "street",
    "birthday",
    "username",
    "iban",
];

/// Whether a column holds personal data, as its name has it.
pub fn is_personal(column: &str) -> bool {
    let folded = fold(column);
    let mut words = folded.split(|c: char| !c.is_alphanumeric());
    words.any(|word| PERSONAL.contains(&word))
}
