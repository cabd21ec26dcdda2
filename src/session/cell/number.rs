//! Numbers for people: thousands separators, percent, money, durations; and for machines.

use std::fmt::Write;

use crate::model::{Format, FormatKind};

/// From here on digits say less than the exponent, and not every integer has a double.
const LARGE: f64 = 1e15;

/// Appends an integer; `signed` puts a `+` before what is above zero.
pub(super) fn integer(out: &mut String, n: i64, format: &Format, signed: bool) {
    match format.kind {
        FormatKind::Percent | FormatKind::Duration => float(out, n as f64, format, signed),
        FormatKind::Number | FormatKind::Currency => {
            push_sign(out, n < 0, signed && n > 0);
            push_symbol(out, format);
            let mut digits = n.unsigned_abs().to_string();
            if let Some(decimals @ 1..) = format.decimals {
                digits.push('.');
                digits.extend(std::iter::repeat_n('0', usize::from(decimals)));
            }
            push_grouped(out, &digits);
        }
    }
}

/// Appends a number; `signed` puts a `+` before what is above zero.
pub(super) fn float(out: &mut String, x: f64, format: &Format, signed: bool) {
    if !x.is_finite() {
        out.push_str(&raw(x));
        return;
    }
    if format.kind == FormatKind::Duration {
        duration(out, x, format, signed);
        return;
    }
    let percent = format.kind == FormatKind::Percent;
    let size = if percent { x.abs() * 100.0 } else { x.abs() };
    let digits = digits(size, format);
    let is_zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    push_sign(out, x < 0.0 && !is_zero, signed && x > 0.0 && !is_zero);
    push_symbol(out, format);
    push_grouped(out, &digits);
    if percent {
        out.push('%');
    }
}

/// Appends `1.2M` for what has more than three digits before the point; whether it did.
pub(super) fn short(out: &mut String, x: f64, format: &Format, signed: bool) -> bool {
    const UNITS: [(f64, char); 4] = [(1e3, 'K'), (1e6, 'M'), (1e9, 'B'), (1e12, 'T')];
    let is_plain = matches!(format.kind, FormatKind::Number | FormatKind::Currency);
    if !is_plain || x.abs() < 1e3 || x.abs() >= LARGE || !x.is_finite() {
        return false;
    }
    // 999,950 is 1.0M and not 1000.0K.
    let rounded = |unit: f64| (x.abs() / unit * 10.0).round() / 10.0;
    let fits = UNITS.into_iter().find(|(unit, _)| rounded(*unit) < 1e3);
    let (unit, sign) = fits.unwrap_or((1e12, 'T'));
    push_sign(out, x < 0.0, signed && x > 0.0);
    push_symbol(out, format);
    let _ = write!(out, "{:.1}{sign}", rounded(unit));
    true
}

/// Digits after the decimal point that numbers of this format have.
pub(super) fn decimals(format: &Format) -> Option<usize> {
    let decimals = format.decimals.unwrap_or_else(|| usual_decimals(format));
    (decimals > 0).then_some(usize::from(decimals))
}

/// All digits that matter, so that reading it gives the same double; exponents only where plain digits would be absurd.
pub(super) fn raw(x: f64) -> String {
    if x.is_nan() {
        "NaN".to_owned()
    } else if x.is_infinite() {
        if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if x != 0.0 && !(1e-6..1e16).contains(&x.abs()) {
        format!("{x:e}")
    } else {
        x.to_string()
    }
}

/// The digits of a number that is not negative.
fn digits(x: f64, format: &Format) -> String {
    if x >= LARGE {
        return format!("{x:e}");
    }
    let decimals = usize::from(super::decimals(format));
    let is_small = x > 0.0 && x < 0.1_f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX));
    if !is_small || format.decimals.is_some() {
        format!("{x:.decimals$}")
    } else if x < 1e-6 {
        format!("{x:.1e}")
    } else {
        let zeros = (-x.log10()).ceil() - 1.0;
        format!("{x:.*}", zeros as usize + 2)
    }
}

pub(super) fn usual_decimals(format: &Format) -> u8 {
    match format.kind {
        FormatKind::Percent => 1,
        FormatKind::Currency => minor_digits(format.currency.as_deref()),
        FormatKind::Number | FormatKind::Duration => 2,
    }
}

/// Digits of the minor unit, after ISO 4217.
fn minor_digits(currency: Option<&str>) -> u8 {
    match currency.unwrap_or_default() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Money is written `$1,234.00` where the sign names one currency, else `BRL 1,234.00`.
fn push_symbol(out: &mut String, format: &Format) {
    if format.kind != FormatKind::Currency {
        return;
    }
    match format.currency.as_deref() {
        None => {}
        Some("USD") => out.push('$'),
        Some("EUR") => out.push('€'),
        Some("GBP") => out.push('£'),
        Some("JPY") => out.push('¥'),
        Some(code) => {
            super::push_printable(out, code);
            out.push(' ');
        }
    }
}

fn push_sign(out: &mut String, minus: bool, plus: bool) {
    if minus {
        out.push('-');
    } else if plus {
        out.push('+');
    }
}

/// Appends digits with a comma between thousands; an exponent is left alone.
pub(super) fn push_grouped(out: &mut String, digits: &str) {
    let end = digits.find(['.', 'e']).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(rest);
}

/// The two largest units: `2d 03h`, `1h 02m`, `1m 02s`; below a minute `12.5s`, below a second `250ms`.
fn duration(out: &mut String, seconds: f64, format: &Format, signed: bool) {
    push_sign(out, seconds < 0.0, signed && seconds > 0.0);
    let size = seconds.abs();
    if size >= LARGE {
        let _ = write!(out, "{size:e}s");
        return;
    }
    let decimals = usize::from(format.decimals.unwrap_or(1));
    let whole = size.round() as u64;
    let (minutes, hours) = (whole / 60, whole / 3600);
    let _ = if hours >= 24 {
        write!(out, "{}d {:02}h", hours / 24, hours % 24)
    } else if hours > 0 {
        write!(out, "{hours}h {:02}m", minutes % 60)
    } else if minutes > 0 {
        write!(out, "{minutes}m {:02}s", whole % 60)
    } else if size >= 0.9995 {
        write!(out, "{size:.decimals$}s")
    } else if size == 0.0 {
        write!(out, "0s")
    } else if size >= 0.001 {
        write!(out, "{:.0}ms", size * 1000.0)
    } else {
        write!(out, "{:.1e}s", size)
    };
}
