//! What there is to say about one name.

use endpoint_name::lint::Severity;
use endpoint_name::{
    ClientName, EndpointName, EndpointNameBuf, Leniency, LenientName, Malformed, ParseError, classify,
};

/// A name and the verdict on it.
pub(crate) struct Explanation<'a> {
    /// As it was written, but for bytes that are no text.
    pub(crate) name: &'a str,
    pub(crate) verdict: Verdict<'a>,
}

pub(crate) enum Verdict<'a> {
    /// It keeps to the grammar, but for what was allowed.
    Good(LenientName<'a>),
    Refused {
        error: ParseError,
        form: Result<ClientName<'a>, Malformed>,
        /// The name as it would be read if every leniency were allowed.
        leniently: Option<LenientName<'a>>,
        /// A good name that looks much like it.
        meant: Option<EndpointNameBuf>,
    },
    /// It is not UTF-8; at this byte.
    NotText { position: usize },
}

impl<'a> Explanation<'a> {
    pub(crate) fn of(name: &'a str, allowed: Leniency) -> Self {
        let verdict = match LenientName::parse(name, allowed) {
            Ok(good) => Verdict::Good(good),
            Err(error) => Verdict::Refused {
                error,
                form: classify(name),
                leniently: LenientName::parse(name, Leniency::ALL).ok(),
                meant: repair(name),
            },
        };
        Self { name, verdict }
    }

    pub(crate) fn not_text(lossy: &'a str, position: usize) -> Self {
        Self { name: lossy, verdict: Verdict::NotText { position } }
    }

    pub(crate) fn is_good(&self) -> bool {
        matches!(self.verdict, Verdict::Good(_))
    }

    pub(crate) fn has_warnings(&self) -> bool {
        match &self.verdict {
            Verdict::Good(name) => name.lints().any(|lint| lint.severity() == Severity::Warning),
            _ => false,
        }
    }

    /// Good, and nothing to warn of.
    pub(crate) fn is_spotless(&self) -> bool {
        self.is_good() && !self.has_warnings()
    }
}

/// Undoes what happens to a name on its way through forms, input methods and URIs.
fn repair(name: &str) -> Option<EndpointNameBuf> {
    // A name is short; what is much longer is none.
    if name.len() > 4 * endpoint_name::MAX_LEN {
        return None;
    }
    let halved = |found: char| match found {
        '；' => ';',
        '．' => '.',
        '０'..='９' => char::from_digit(found as u32 - '０' as u32, 10).unwrap_or(found),
        _ => found,
    };
    let repaired: String = name.replace("%3B", ";").replace("%3b", ";").trim().chars().map(halved).collect();
    EndpointName::parse(&repaired).ok().map(EndpointNameBuf::from)
}
