//! What the compiler can promise: auto traits, `Copy`, and sizes that fit a small device.

use core::hash::Hash;
use core::panic::{RefUnwindSafe, UnwindSafe};

use endpoint_name::lint::{Lint, LintKind, Lints, Severity};
use endpoint_name::{
    ClientName, Digits, EndpointName, EndpointNameBuf, EndpointNameBuilder, Field, Form, Leniency, LenientName,
    Malformed, ParseError, ParseErrorKind, Version,
};

fn plain<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Copy + Eq + core::fmt::Debug>() {}
fn key<T: Ord + Hash>() {}
fn error<T: core::error::Error + 'static>() {}

#[test]
fn all_types_are_plain_values() {
    plain::<EndpointName<'_>>();
    plain::<EndpointNameBuf>();
    plain::<EndpointNameBuilder<'_>>();
    plain::<Digits<'_>>();
    plain::<Version>();
    plain::<ParseError>();
    plain::<ParseErrorKind>();
    plain::<Field>();
    plain::<Leniency>();
    plain::<LenientName<'_>>();
    plain::<ClientName<'_>>();
    plain::<Form>();
    plain::<Malformed>();
    plain::<Lint>();
    plain::<LintKind>();
    plain::<Severity>();
}

#[test]
fn lints_can_be_kept_and_sent() {
    fn iterator<T: Iterator<Item = Lint> + Clone + Send + Sync + Unpin + 'static>() {}
    iterator::<Lints>();
}

#[test]
fn names_and_their_parts_are_keys() {
    key::<EndpointName<'_>>();
    key::<EndpointNameBuf>();
    key::<Digits<'_>>();
    key::<Version>();
}

#[test]
fn the_errors_are_errors() {
    error::<ParseError>();
    error::<Malformed>();
}

#[test]
fn sizes() {
    let words = |count: usize| count * size_of::<usize>();
    assert_eq!(size_of::<Version>(), 4);
    assert_eq!(size_of::<Option<Digits<'_>>>(), words(2));
    assert!(size_of::<EndpointName<'_>>() <= words(3));
    assert_eq!(size_of::<EndpointNameBuf>(), 68);
    assert!(size_of::<ParseError>() <= words(4));
    assert!(size_of::<LenientName<'_>>() <= words(5));
    assert!(size_of::<Lints>() <= words(24));
}
