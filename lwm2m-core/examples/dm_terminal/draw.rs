//! The strokes that a ladder is made of: lanes and arrows, lines of text, times.

use core::time::Duration;

use lwm2m_core::Instant;

/// Columns of the drawing, and where in it the terminal, the bootstrap server and the server stand.
pub(crate) const LANES: usize = 27;
const TERMINAL: usize = 3;
pub(crate) const BOOTSTRAP: usize = 14;
pub(crate) const SERVER: usize = 24;

/// What is drawn between the lanes.
pub(crate) enum Mark {
    At(char),
    Arrow { other: usize, out: bool, stopped: bool },
    Pause,
}

/// One row of the drawing.
pub(crate) fn lanes(mark: &Mark) -> String {
    let mut row = [' '; LANES];
    for lane in [TERMINAL, BOOTSTRAP, SERVER] {
        row[lane] = if matches!(mark, Mark::Pause) { '┊' } else { '│' };
    }
    match *mark {
        Mark::At(mark) => row[TERMINAL] = mark,
        Mark::Pause => {}
        Mark::Arrow { other, out, stopped } => {
            let (from, to) = if out { (TERMINAL, other) } else { (other, TERMINAL) };
            // A lost one goes half of the way, beside every lane.
            let end = if stopped { other - 5 } else { to };
            for stroke in &mut row[from.min(end) + 1..from.max(end)] {
                *stroke = if *stroke == '│' { '┼' } else { '─' };
            }
            row[from] = if out { '├' } else { '┤' };
            match (stopped, out) {
                (true, _) => row[end] = '✗',
                (false, true) => row[to - 1] = '▶',
                (false, false) => row[to + 1] = '◀',
            }
        }
    }
    row.iter().collect()
}

/// Puts pieces on lines, a piece that is too long for one on several.
pub(crate) fn wrap(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in pieces {
        let length = piece.trim_end().chars().count();
        if used > 0 && used + length > width {
            lines.push(String::new());
            used = 0;
        }
        for c in piece.chars() {
            if used == width && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let (Some(line), true) = (lines.last_mut(), used < width) {
                line.push(c);
                used += 1;
            }
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

/// `0d 00:00:02.345`
pub(crate) fn time(at: Instant) -> String {
    let (seconds, millis) = (at.as_millis() / 1000, at.as_millis() % 1000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days}d {hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

/// `17 h 3 min`, `93 s`
pub(crate) fn span(pause: Duration) -> String {
    match pause.as_secs() {
        seconds @ ..600 => format!("{seconds} s"),
        seconds @ ..3600 => format!("{} min", seconds / 60),
        seconds if seconds / 60 % 60 == 0 => format!("{} h", seconds / 3600),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
