//! Arrivals in a file: what a shard hands to whoever adds them up.

use std::fmt::Write;
use std::path::Path;

use crate::fleet::Plan;
use crate::rates::{BIN, Rates};

/// Writes them down.
pub(crate) fn write(path: &Path, plan: &Plan, rates: &Rates) -> Result<(), String> {
    std::fs::write(path, text(plan, rates)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Adds the files of all shards up, whose plan must be the same.
pub(crate) fn join<P: AsRef<Path>>(paths: &[P], plan: &Plan) -> Result<Rates, String> {
    let mut rates = Rates::new(plan.hours);
    for path in paths {
        let name = path.as_ref().display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        rates.join(&read(&text, plan).map_err(|complaint| format!("{name}: {complaint}"))?);
    }
    Ok(rates)
}

fn text(plan: &Plan, rates: &Rates) -> String {
    let mut text = head(plan);
    for (number, count) in rates.bins.iter().enumerate() {
        let _ = writeln!(text, "{},{count}", number as u64 * BIN / 1_000);
    }
    text
}

fn read(text: &str, plan: &Plan) -> Result<Rates, String> {
    let bins =
        text.strip_prefix(&head(plan)).ok_or_else(|| match text.lines().next().and_then(|l| l.strip_prefix("# ")) {
            Some(other) => format!("it is of another fleet: {other}; --join wants the options of the shards"),
            None => "it has no arrivals of a fleet in it".to_string(),
        })?;
    let count =
        |line: &str| line.split_once(',').and_then(|(_, count)| count.parse().ok()).ok_or_else(|| format!("'{line}'"));
    Ok(Rates { bins: bins.lines().map(count).collect::<Result<_, _>>()? })
}

/// What tells the fleet, whatever the shard.
fn head(plan: &Plan) -> String {
    let Plan { devices, hours, seed, spread, lifetime, outages, losses, restart, shard: _, resident: _ } = plan;
    let restart = restart.map(|restart| (restart.from, restart.until)).unwrap_or_default();
    format!(
        "# devices {devices} hours {hours} seed {seed} spread {spread} lifetime {lifetime} outages {outages} \
         losses {losses} restart {restart:?}\nsecond,arrivals\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_for_the_same_fleet_alone() {
        let plan = Plan::default();
        let rates = Rates { bins: vec![3, 0, 7] };
        let text = text(&plan, &rates);
        assert_eq!(read(&text, &Plan { shard: (2, 3), ..plan }), Ok(rates));
        let refused = read(&text, &Plan { seed: 2, ..plan }).unwrap_err();
        assert!(refused.starts_with("it is of another fleet: devices 100000 hours 72 seed 1 "), "{refused}");
        assert!(read("nonsense", &plan).is_err());
        assert!(read(&text.replace(",7", ",x"), &plan).is_err());
    }
}
