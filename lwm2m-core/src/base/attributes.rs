//! Notification attributes: how a server wants to be told of what changes (OMA LwM2M 1.0, 5.1.2).

use super::decimal;
use super::number::Number;
use super::path::Path;

/// What a server has set at one path, or what holds there in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Attributes {
    /// Minimum Period in seconds: no two notifications within it.
    pub(crate) pmin: Option<u32>,
    /// Maximum Period in seconds: a notification at least that often. 0 is none.
    pub(crate) pmax: Option<u32>,
    /// Greater Than.
    pub(crate) gt: Option<Number>,
    /// Less Than.
    pub(crate) lt: Option<Number>,
    /// Step.
    pub(crate) st: Option<Number>,
}

/// The attributes that servers may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Pmin,
    Pmax,
    Gt,
    Lt,
    St,
}

/// What one server has set, as it is lent to an operation.
pub(crate) trait Assigned {
    /// What is set at exactly this path.
    fn at(&self, path: Path) -> Attributes;

    /// Whether something can be set at this path.
    fn has_room(&self, path: Path) -> bool;

    /// What holds at a path: of each attribute the one that is set nearest, there or above it. What
    /// is set below has no effect (OMA LwM2M 1.0, 5.1.2).
    fn effective(&self, path: Path) -> Attributes {
        let mut effective = Attributes::NONE;
        let mut level = Some(path);
        while let Some(here) = level {
            effective.fill(&self.at(here));
            level = here.parent();
        }
        effective
    }
}

impl Attributes {
    pub(crate) const NONE: Self = Self { pmin: None, pmax: None, gt: None, lt: None, st: None };

    /// Takes from a wider scope what these leave open.
    pub(crate) fn fill(&mut self, wider: &Self) {
        fn fill<T: Copy>(own: &mut Option<T>, wider: Option<T>) {
            if own.is_none() {
                *own = wider;
            }
        }
        fill(&mut self.pmin, wider.pmin);
        fill(&mut self.pmax, wider.pmax);
        fill(&mut self.gt, wider.gt);
        fill(&mut self.lt, wider.lt);
        fill(&mut self.st, wider.st);
    }

    pub(crate) fn is_empty(self) -> bool {
        self.pmin.is_none() && self.pmax.is_none() && !self.has_thresholds()
    }

    /// Whether it takes more than any change to be told.
    pub(crate) const fn has_thresholds(self) -> bool {
        self.gt.is_some() || self.lt.is_some() || self.st.is_some()
    }

    /// Carries out one argument of a Write-Attributes: `pmin=10` sets, `pmin` and `pmin=` unset. The
    /// attribute that it names; none when it cannot be understood, and then nothing changed.
    #[inline(never)]
    pub(crate) fn assign(&mut self, argument: &[u8]) -> Option<Name> {
        let (name, value) = halves(argument, b'=');
        let value = value.filter(|value| !value.is_empty());
        let name = Name::ALL.into_iter().find(|known| known.as_str().as_bytes() == name)?;
        if name.is_threshold() {
            let number = value.map_or(Some(None), |text| Number::read(text).map(Some))?;
            // A step has no direction, not even one of nothing.
            if name == Name::St && value.is_some_and(|text| text.starts_with(b"-")) {
                return None;
            }
            let place = match name {
                Name::Gt => &mut self.gt,
                Name::Lt => &mut self.lt,
                _ => &mut self.st,
            };
            *place = number;
        } else {
            let seconds = value.map_or(Some(None), |text| decimal::read_u64(text)?.try_into().ok().map(Some))?;
            *(if name == Name::Pmin { &mut self.pmin } else { &mut self.pmax }) = seconds;
        }
        Some(name)
    }

    /// Whether the thresholds go together: `lt` below `gt`, and with a step more than two of them
    /// apart (OMA LwM2M 1.0, 5.1.2). A `pmax` below `pmin` is no fault, it is only ignored.
    pub(crate) fn is_consistent(self) -> bool {
        let (Some(lt), Some(gt)) = (self.lt, self.gt) else { return true };
        let step = self.st.map_or(0, |step| step.apart(Number::ZERO));
        lt < gt && lt.apart(gt) > step.saturating_mul(2)
    }
}

impl Name {
    const ALL: [Self; 5] = [Self::Pmin, Self::Pmax, Self::Gt, Self::Lt, Self::St];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pmin => "pmin",
            Self::Pmax => "pmax",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::St => "st",
        }
    }

    /// Whether it is for numbers only, and so for single resources only.
    pub(crate) const fn is_threshold(self) -> bool {
        matches!(self, Self::Gt | Self::Lt | Self::St)
    }
}

/// What stands before the first `separator`, and what stands behind it, if it is there.
pub(crate) fn halves(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let at = text.iter().position(|byte| *byte == separator);
    match at.and_then(|at| text.split_at_checked(at)) {
        Some((before, rest)) => (before, rest.get(1..)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Value;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn assigned(arguments: &[&str]) -> Option<Attributes> {
        let mut attributes = Attributes::NONE;
        arguments.iter().try_for_each(|argument| attributes.assign(argument.as_bytes()).map(|_| ()))?;
        Some(attributes)
    }

    fn number(value: f64) -> Option<Number> {
        Number::of(Value::Float(value))
    }

    #[test]
    fn arguments_set_and_unset() {
        const NONE: Attributes = Attributes::NONE;
        for (arguments, expected) in [
            (&["pmin=10"][..], Attributes { pmin: Some(10), ..NONE }),
            (&["pmin=0010", "pmax=4294967295"], Attributes { pmin: Some(10), pmax: Some(u32::MAX), ..NONE }),
            (&["pmax=0"], Attributes { pmax: Some(0), ..NONE }),
            (&["pmin=1", "pmax=2", "pmin"], Attributes { pmax: Some(2), ..NONE }),
            (&["pmin=1", "pmin="], NONE),
            (
                &["gt=-42.2", "lt=-43", "st=0.5"],
                Attributes { gt: number(-42.2), lt: number(-43.0), st: number(0.5), ..NONE },
            ),
            (&["gt=1", "gt", "lt=-0"], Attributes { lt: number(0.0), ..NONE }),
            (&["st=0"], Attributes { st: number(0.0), ..NONE }),
        ] {
            assert_eq!(assigned(arguments), Some(expected), "{arguments:?}");
        }
    }

    #[test]
    fn what_is_no_attribute_or_no_number_is_refused() {
        for argument in [
            "",
            "=",
            "=5",
            "foo=1",
            "foo",
            "PMIN=1",
            "pmin =1",
            "dim=3",
            "ver=1.0",
            "ssid=1",
            "stp=1",
            "epmin=1",
            "cancel",
            "pmin=-1",
            "pmin=1.5",
            "pmin=x",
            "pmin= 1",
            "pmin=+1",
            "pmin=1=2",
            "pmin=4294967296",
            "pmax=1e3",
            "gt=x",
            "gt=+1",
            "gt=1.",
            "gt=.5",
            "gt=1e3",
            "gt=1E3",
            "gt=-",
            "gt=--1",
            "gt=inf",
            "gt=NaN",
            "lt=1,5",
            "st=-1",
            "st=-0",
        ] {
            let mut attributes = Attributes { pmin: Some(7), gt: number(7.0), ..Attributes::NONE };
            let before = attributes;
            let name = attributes.assign(argument.as_bytes());
            assert_eq!((name, attributes), (None, before), "{argument}");
        }
    }

    #[test]
    fn thresholds_must_go_together() {
        for (arguments, consistent) in [
            (&["lt=9", "gt=4"][..], false),
            (&["gt=5", "lt=5"], false),
            (&["lt=4", "gt=9", "st=3"], false),
            (&["lt=4", "gt=10", "st=3"], false),
            (&["lt=4", "gt=11", "st=3"], true),
            (&["lt=4", "gt=9"], true),
            (&["lt=4", "st=30"], true),
            (&["gt=4", "st=30"], true),
            (&["lt=-9", "gt=-4"], true),
            (&["pmin=300", "pmax=200"], true),
        ] {
            assert_eq!(assigned(arguments).unwrap().is_consistent(), consistent, "{arguments:?}");
        }
    }

    /// A table of the least kind.
    struct Table(Vec<(Path, Attributes)>);

    impl Assigned for Table {
        fn at(&self, path: Path) -> Attributes {
            self.0.iter().find(|entry| entry.0 == path).map_or(Attributes::NONE, |entry| entry.1)
        }

        fn has_room(&self, _: Path) -> bool {
            true
        }
    }

    #[test]
    fn each_attribute_is_the_nearest_at_or_above_the_path() {
        let set = |pmin, pmax| Attributes { pmin, pmax, ..Attributes::NONE };
        let table = Table(Vec::from([
            (Path::object(3), set(Some(1), Some(100))),
            (Path::instance(3, 0), set(Some(2), None)),
            (Path::resource(3, 0, 9), Attributes { pmax: Some(50), gt: number(5.0), ..Attributes::NONE }),
        ]));
        for (path, expected) in [
            (Path::object(3), set(Some(1), Some(100))),
            (Path::instance(3, 0), set(Some(2), Some(100))),
            (Path::instance(3, 1), set(Some(1), Some(100))),
            (Path::resource(3, 0, 8), set(Some(2), Some(100))),
            (
                Path::resource(3, 0, 9),
                Attributes { pmin: Some(2), pmax: Some(50), gt: number(5.0), ..Attributes::NONE },
            ),
            (Path::instance(4, 0), Attributes::NONE),
        ] {
            assert_eq!(table.effective(path), expected, "{path}");
        }
    }

    #[test]
    fn an_absent_number_takes_no_room() {
        assert_eq!(size_of::<Attributes>(), 40);
    }

    proptest! {
        #[test]
        fn any_argument_is_taken_or_changes_nothing(argument: Vec<u8>) {
            let before = Attributes { pmin: Some(7), ..Attributes::NONE };
            let mut attributes = before;
            if attributes.assign(&argument).is_none() {
                prop_assert_eq!(attributes, before);
            }
        }
    }
}
