//! Scrolling in one dimension: the first line to show so that the selected one is in sight, moving as little as possible.

/// The first of `count` lines to show in `height`, starting from where the reader was.
pub(super) fn first_shown(top: usize, selected: usize, height: usize, count: usize) -> usize {
    let lowest = (selected + 1).saturating_sub(height.max(1));
    top.min(count.saturating_sub(height))
        .clamp(lowest, selected)
}

/// A position moved by a number of lines, kept within `count` lines.
pub(super) fn moved(position: usize, by: isize, count: usize) -> usize {
    position
        .saturating_add_signed(by)
        .min(count.saturating_sub(1))
}
