//! What every floor above stands on: time, randomness, limits, paths, values, configuration, news.

pub(crate) mod attributes;
pub(crate) mod config;
pub(crate) mod decimal;
pub(crate) mod definition;
pub(crate) mod divide;
pub(crate) mod event;
pub(crate) mod features;
pub(crate) mod float;
pub(crate) mod limits;
pub(crate) mod mixer;
pub(crate) mod number;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod profile;
pub(crate) mod rights;
pub(crate) mod rng;
pub(crate) mod statistics;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod transmission;
pub(crate) mod value;
