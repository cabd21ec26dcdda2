//! SQL without its quoted texts: what differs from day to day is kept beside a statement that is kept once.

/// Stands where a text stood. No engine takes it in SQL; a statement that has one is kept as it is.
pub(super) const GAP: char = '\u{1}';

/// A statement with gaps, and the texts that fill them, in order.
pub(super) fn split(sql: &str) -> (String, String) {
    if sql.contains(GAP) {
        return (sql.to_owned(), String::new());
    }
    let (mut template, mut literals) = (String::with_capacity(sql.len()), String::new());
    let mut has_gaps = false;
    let mut pieces = sql.split('\'');
    template.extend(pieces.next());
    while let Some(inside) = pieces.next() {
        template.push('\'');
        let Some(after) = pieces.next() else {
            // A quote without its end stays where it is.
            template.push_str(inside);
            break;
        };
        if has_gaps {
            literals.push(GAP);
        }
        has_gaps = true;
        literals.push_str(inside);
        template.push(GAP);
        template.push('\'');
        template.push_str(after);
    }
    (template, literals)
}

/// The statement again.
pub(super) fn join(template: &str, literals: Option<&str>) -> String {
    let mut literals = literals.unwrap_or_default().split(GAP);
    let mut pieces = template.split(GAP);
    let mut sql = String::with_capacity(template.len());
    sql.extend(pieces.next());
    for piece in pieces {
        sql.extend(literals.next());
        sql.push_str(piece);
    }
    sql
}
