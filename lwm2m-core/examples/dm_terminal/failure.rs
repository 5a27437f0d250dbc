//! How a run fails.

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// And what there is to say about it.
    Said(String),
    /// And whoever ran it does not listen any more.
    Quiet,
}

impl From<String> for Failure {
    fn from(complaint: String) -> Self {
        Self::Said(complaint)
    }
}
