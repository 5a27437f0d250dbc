//! The strokes that a ladder is made of: lanes and arrows, lines of text, times.

use core::time::Duration;

use lwm2m_core::Instant;

/// Columns of a line.
pub(crate) const WIDTH: usize = 100;

/// Where the terminal stands in the drawing.
const TERMINAL: usize = 2;

/// Where the servers stand in the drawing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes {
    /// A terminal that knows its server from the start has no bootstrap server.
    bootstrap: Option<usize>,
    server: usize,
}

/// What is drawn between the lanes.
pub(crate) enum Mark {
    At(char),
    Arrow { bootstrap: bool, out: bool, stopped: bool },
    Pause,
}

impl Lanes {
    pub(crate) const fn new(with_bootstrap_server: bool) -> Self {
        if with_bootstrap_server {
            Self { bootstrap: Some(13), server: 23 }
        } else {
            Self { bootstrap: None, server: 13 }
        }
    }

    /// Columns of the drawing.
    pub(crate) const fn width(self) -> usize {
        self.server + 3
    }

    /// Who stands where.
    pub(crate) const fn titles(self) -> &'static str {
        if self.bootstrap.is_some() { "terminal bootstrap  server" } else { "terminal  server" }
    }

    /// One row of the drawing.
    pub(crate) fn row(self, mark: &Mark) -> String {
        let mut row = vec![' '; self.width()];
        for lane in [Some(TERMINAL), self.bootstrap, Some(self.server)].into_iter().flatten() {
            row[lane] = if matches!(mark, Mark::Pause) { '┊' } else { '│' };
        }
        match *mark {
            Mark::At(mark) => row[TERMINAL] = mark,
            Mark::Pause => {}
            Mark::Arrow { bootstrap, out, stopped } => {
                let other = self.bootstrap.filter(|_| bootstrap).unwrap_or(self.server);
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
}

/// Puts pieces on lines; one that is too long gets lines of its own, cut between its words if it can be.
pub(crate) fn wrap(pieces: &[String], width: usize) -> Vec<String> {
    let length = |piece: &str| piece.trim_end().chars().count();
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in pieces {
        let fits = length(piece) <= width;
        let parts: Vec<&str> = if fits { vec![piece] } else { piece.split_inclusive(' ').collect() };
        for (index, part) in parts.into_iter().enumerate() {
            if used > 0 && (used + length(part) > width || (index == 0 && !fits)) {
                lines.push(String::new());
                used = 0;
            }
            for c in part.chars() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_lead_from_lane_to_lane() {
        for (with_bootstrap_server, bootstrap, out, stopped, row) in [
            (true, true, true, false, "  ├─────────▶│         │  "),
            (true, false, false, false, "  │◀─────────┼─────────┤  "),
            (true, false, true, true, "  ├──────────┼────✗    │  "),
            (true, true, false, true, "  │     ✗────┤         │  "),
            (false, false, true, false, "  ├─────────▶│  "),
            (false, true, false, true, "  │     ✗────┤  "),
        ] {
            let lanes = Lanes::new(with_bootstrap_server);
            assert_eq!(lanes.row(&Mark::Arrow { bootstrap, out, stopped }), row);
            assert_eq!(row.chars().count(), lanes.width());
            assert!(lanes.titles().chars().count() <= lanes.width());
        }
    }

    #[test]
    fn long_text_is_wrapped_between_its_pieces_if_it_can_be() {
        let wrapped = |pieces: &[&str]| wrap(&pieces.iter().map(ToString::to_string).collect::<Vec<_>>(), 8);
        assert_eq!(wrapped(&["POST /rd", "?ep=x", "&b=U"]), ["POST /rd", "?ep=x", "&b=U"]);
        assert_eq!(wrapped(&["0; ", "1 Name = x; ", "2"]), ["0;", "1 Name =", "x; 2"]);
        assert_eq!(wrapped(&["0123456789"]), ["01234567", "89"]);
    }

    #[test]
    fn a_pause_is_as_exact_as_it_matters() {
        for (seconds, text) in [(93, "93 s"), (600, "10 min"), (3_600, "1 h"), (76_980, "21 h 23 min")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
