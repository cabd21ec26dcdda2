//! Which lines of a text are not in the text before it.

/// Above this many lines to compare on either side, all of them count as changed.
const MOST: usize = 1_000;

/// The lines of two texts as one: ` ` in both, `-` only in the old one, `+` only in the new one.
pub fn diff<'a>(old: &'a str, new: &'a str) -> Vec<(char, &'a str)> {
    let mut old_lines = old.lines();
    let (mut lines, mut added) = (Vec::new(), Vec::new());
    for (line, is_changed) in new.lines().zip(changed_lines(old, new)) {
        if is_changed {
            added.push(('+', line));
            continue;
        }
        // What is common stands in the old text too, behind what was taken away.
        let gone = old_lines.by_ref().take_while(|there| *there != line);
        lines.extend(gone.map(|there| ('-', there)));
        lines.append(&mut added);
        lines.push((' ', line));
    }
    lines.extend(old_lines.map(|there| ('-', there)));
    lines.append(&mut added);
    lines
}

/// For each line of `new`, whether it is new or different: not part of the longest common sequence of lines.
pub(super) fn changed_lines(old: &str, new: &str) -> Vec<bool> {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - start;
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(room)
        .take_while(|(a, b)| a == b)
        .count();
    let middle = |lines: &[&str]| lines.len() - start - end;
    let (old_middle, new_middle) = (middle(&old), middle(&new));
    let old: Vec<&str> = old.into_iter().skip(start).take(old_middle).collect();

    let mut changed = vec![false; new.len()];
    let between = changed.iter_mut().zip(&new).skip(start).take(new_middle);
    if old_middle.max(new_middle) > MOST {
        between.for_each(|(changed, _)| *changed = true);
    } else {
        let (flags, new): (Vec<&mut bool>, Vec<&str>) =
            between.map(|(flag, line)| (flag, *line)).unzip();
        for (flag, is_common) in flags.into_iter().zip(common(&old, &new)) {
            *flag = !is_common;
        }
    }
    changed
}

/// For each line of `new`, whether it belongs to a longest common subsequence.
fn common(old: &[&str], new: &[&str]) -> Vec<bool> {
    let width = new.len() + 1;
    let mut lengths = vec![0_u16; (old.len() + 1) * width];
    let at = |lengths: &[u16], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let length = if a == b {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut is_common = vec![false; new.len()];
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        if a == b {
            if let Some(flag) = is_common.get_mut(j) {
                *flag = true;
            }
            i += 1;
            j += 1;
        } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    is_common
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn what_was_taken_away_stands_before_what_came_instead() {
        let shown: Vec<String> = diff("a\nb\nc\nd", "a\nx\nc\nd\ne")
            .into_iter()
            .map(|(sign, line)| format!("{sign}{line}"))
            .collect();
        assert_eq!(shown, [" a", "-b", "+x", " c", " d", "+e"]);
        assert_eq!(diff("", "a"), [('+', "a")]);
        assert_eq!(diff("a", ""), [('-', "a")]);
    }
}
