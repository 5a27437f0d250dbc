//! What every floor above stands on: time, randomness, limits, paths, values, configuration, news.

pub(crate) mod config;
pub(crate) mod decimal;
pub(crate) mod event;
pub(crate) mod limits;
pub(crate) mod path;
pub(crate) mod rng;
pub(crate) mod time;
pub(crate) mod value;
