//! How many rows an engine expects to handle, read from its plan.

/// The most rows that a step of a plan is expected to return; `None` where the plan says nothing about rows.
///
/// `rows=21000` is PostgreSQL's, `~21,000 rows` DuckDB's, `rows: 21000` Trino's.
pub(super) fn expected_rows(plan: &[String]) -> Option<u64> {
    plan.iter().filter_map(|line| in_line(line)).max()
}

fn in_line(line: &str) -> Option<u64> {
    // What stands behind a cost is PostgreSQL's own; elsewhere a line may quote a text of the query.
    let line = match line.split_once("(cost=") {
        Some((_, cost)) => cost.to_lowercase(),
        None => line.to_lowercase(),
    };
    let after = |mark: &str| line.split_once(mark).and_then(|(_, rest)| number(rest));
    let by_mark = ["rows=", "rows: "].into_iter().find_map(after);
    let (value, _) = match by_mark {
        Some(found) => found,
        None => after("~").filter(|(_, rest)| rest.trim_start().starts_with("row"))?,
    };
    Some(value)
}

/// The number that a text begins with, and the rest.
fn number(text: &str) -> Option<(u64, &str)> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == ',';
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.replace(',', "").parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::expected_rows;

    fn of(plan: &str) -> Option<u64> {
        let lines: Vec<_> = plan.lines().map(str::to_owned).collect();
        expected_rows(&lines)
    }

    #[test]
    fn the_largest_step_counts() {
        let postgres = "HashAggregate  (cost=431.00..431.04 rows=4 width=8)
  ->  Seq Scan on orders  (cost=0.00..326.00 rows=21000 width=8)
        Filter: (note <> 'rows=99999999'::text)";
        assert_eq!(
            of(postgres),
            Some(99_999_999),
            "a text may only make it more careful"
        );
        assert_eq!(of(postgres.split('\n').next().unwrap_or_default()), Some(4));
        let duckdb = "│       PROJECTION       │\n│      ~1,200,000 rows   │\n│   SEQ_SCAN │\n│  ~21000 Rows  │";
        assert_eq!(of(duckdb), Some(1_200_000));
        assert_eq!(
            of("Estimates: {rows: 15000 (131.84kB), cpu: 131.84k}"),
            Some(15_000)
        );
    }

    #[test]
    fn a_plan_without_numbers_says_nothing() {
        assert_eq!(of("SCAN orders\nUSE TEMP B-TREE FOR GROUP BY"), None);
        assert_eq!(of("Filter: (name ~ '^1')"), None);
        assert_eq!(of(""), None);
    }
}
