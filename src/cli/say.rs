//! What is said on stderr: a reader who has gone away, or a full disk, is no failure of a command.

/// One line on stderr, as far as it can be written.
macro_rules! say {
    ($($part:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(
            &mut ::std::io::stderr(),
            format_args!("{}\n", format_args!($($part)*)),
        );
    }};
}
