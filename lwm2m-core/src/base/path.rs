//! Paths of the LwM2M data model: object, instance, resource, resource instance.

use core::fmt;

use super::features::SHORTCUTS;

/// A path of up to four levels: `/3`, `/3/0`, `/3/0/9`, `/3/0/11/1`; no level at all is the root `/`.
///
/// An absent level means all that lies below (OMA LwM2M 1.0, 6.1 and 8.2.5). The order is that of
/// a Register's object list: numeric, a parent before its children.
///
/// ```
/// use lwm2m_core::Path;
///
/// let battery = Path::resource(3, 0, 9);
/// assert_eq!(battery.to_string(), "/3/0/9");
/// assert_eq!("/3/0/9".parse(), Ok(battery));
/// assert!(Path::instance(3, 0).contains(battery));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    levels: [u16; 4],
    depth: u8,
}

/// The largest identifier: reserved at every level, and 'the whole object' in Access Control.
pub const MAX_ID: u16 = u16::MAX;

impl Path {
    /// The root: everything.
    pub const ROOT: Self = Self { levels: [0; 4], depth: 0 };

    /// `/object`
    #[must_use]
    pub const fn object(object: u16) -> Self {
        Self { levels: [object, 0, 0, 0], depth: 1 }
    }

    /// `/object/instance`
    #[must_use]
    pub const fn instance(object: u16, instance: u16) -> Self {
        Self { levels: [object, instance, 0, 0], depth: 2 }
    }

    /// `/object/instance/resource`
    #[must_use]
    pub const fn resource(object: u16, instance: u16, resource: u16) -> Self {
        Self { levels: [object, instance, resource, 0], depth: 3 }
    }

    /// `/object/instance/resource/index`: one instance of a multiple resource.
    #[must_use]
    pub const fn resource_instance(object: u16, instance: u16, resource: u16, index: u16) -> Self {
        Self { levels: [object, instance, resource, index], depth: 4 }
    }

    /// Number of levels, 0 to 4.
    #[must_use]
    pub const fn depth(self) -> usize {
        self.depth as usize
    }

    /// The levels that are present, outermost first.
    #[must_use]
    pub fn levels(&self) -> &[u16] {
        self.levels.get(..self.depth()).unwrap_or(&[])
    }

    /// The Object ID, unless this is the root.
    #[must_use]
    pub const fn object_id(self) -> Option<u16> {
        if self.depth >= 1 { Some(self.levels[0]) } else { None }
    }

    /// The Object Instance ID.
    #[must_use]
    pub const fn instance_id(self) -> Option<u16> {
        if self.depth >= 2 { Some(self.levels[1]) } else { None }
    }

    /// The Resource ID.
    #[must_use]
    pub const fn resource_id(self) -> Option<u16> {
        if self.depth >= 3 { Some(self.levels[2]) } else { None }
    }

    /// The Resource Instance ID.
    #[must_use]
    pub const fn resource_instance_id(self) -> Option<u16> {
        if self.depth >= 4 { Some(self.levels[3]) } else { None }
    }

    /// The resource that it names, all its instances when it is a multiple one.
    pub(crate) const fn leaf(self) -> Option<Leaf> {
        let [object, instance, resource, _] = self.levels;
        if self.depth == 3 { Some(Leaf::new(object, instance, resource)) } else { None }
    }

    /// Whether `other` is this path or lies below it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        if !SHORTCUTS {
            return other.levels().starts_with(self.levels());
        }
        // All four levels in one number: whatever differs must lie behind those of this path.
        let number = |[a, b, c, d]: [u16; 4]| u64::from_le_bytes(concat([a, b, c, d].map(u16::to_le_bytes)));
        let differing = number(self.levels) ^ number(other.levels);
        let behind = u64::MAX.checked_shl(u32::from(self.depth).saturating_mul(16)).unwrap_or(0);
        self.depth <= other.depth && differing & !behind == 0
    }

    /// Whether a change at one of the two can be seen at the other.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The path with one more level, unless it has four already.
    #[must_use]
    pub fn child(mut self, id: u16) -> Option<Self> {
        let next = self.depth();
        *self.levels.get_mut(next)? = id;
        self.depth += 1;
        Some(self)
    }

    /// The path without its last level, unless it has none.
    #[must_use]
    pub(crate) fn parent(mut self) -> Option<Self> {
        let last = self.depth().checked_sub(1)?;
        // Absent levels are 0, so that equal paths are equal.
        *self.levels.get_mut(last)? = 0;
        self.depth = self.depth.saturating_sub(1);
        Some(self)
    }

    /// Builds a path from decimal segments, as they stand in Uri-Path options.
    ///
    /// # Errors
    /// A segment that is not the decimal form of a `u16` (no sign, no leading zero), or a fifth one.
    pub fn from_segments<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, PathError> {
        let mut path = Self::ROOT;
        segments.into_iter().try_for_each(|segment| path.descend(segment)).map(|()| path)
    }

    /// Adds one more level, a decimal segment.
    pub(crate) fn descend(&mut self, segment: &[u8]) -> Result<(), PathError> {
        let id = parse_id(segment).ok_or(PathError::NotAnId)?;
        let next = self.depth;
        *self.levels.get_mut(usize::from(next)).ok_or(PathError::TooDeep)? = id;
        self.depth = next.saturating_add(1);
        Ok(())
    }
}

const fn concat([[a, b], [c, d], [e, f], [g, h]]: [[u8; 2]; 4]) -> [u8; 8] {
    [a, b, c, d, e, f, g, h]
}

/// Decimal without sign or leading zeros, at most 65535.
fn parse_id(segment: &[u8]) -> Option<u16> {
    match segment {
        // Most have one digit.
        [digit @ b'0'..=b'9'] => Some(u16::from(digit & 0x0F)),
        [] | [b'0', _, ..] => None,
        digits => digits.iter().try_fold(0u16, |sum, &byte| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
            sum.checked_mul(10)?.checked_add(u16::from(digit))
        }),
    }
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A path begins with a slash.
    #[error("a path begins with '/'")]
    NoSlash,
    /// A segment is not a number from 0 to 65535 without leading zeros.
    #[error("a path segment is not a number from 0 to 65535")]
    NotAnId,
    /// More than object, instance, resource and resource instance.
    #[error("a path has at most four levels")]
    TooDeep,
}

impl core::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        match text.strip_prefix('/').ok_or(PathError::NoSlash)? {
            "" => Ok(Self::ROOT),
            segments => Self::from_segments(segments.split('/').map(str::as_bytes)),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth == 0 {
            return f.write_str("/");
        }
        self.levels().iter().try_for_each(|id| write!(f, "/{id}"))
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where one value lives: a resource of an instance, or one instance of a multiple resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf {
    /// Object ID.
    pub object: u16,
    /// Object Instance ID.
    pub instance: u16,
    /// Resource ID.
    pub resource: u16,
    /// Resource Instance ID: present for one value of a multiple resource; absent in a request
    /// for the whole resource.
    pub index: Option<u16>,
}

impl Leaf {
    /// A resource, all its instances when it is a multiple one.
    #[must_use]
    pub const fn new(object: u16, instance: u16, resource: u16) -> Self {
        Self { object, instance, resource, index: None }
    }

    /// The same resource at one Resource Instance ID.
    #[must_use]
    pub const fn at(self, index: u16) -> Self {
        Self { index: Some(index), ..self }
    }

    /// The leaf as a path of three or four levels.
    #[must_use]
    pub const fn path(self) -> Path {
        match self.index {
            Some(index) => Path::resource_instance(self.object, self.instance, self.resource, index),
            None => Path::resource(self.object, self.instance, self.resource),
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.path(), f)
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.path(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn every_depth_reads_back_as_it_prints() {
        for path in [
            Path::ROOT,
            Path::object(65_535),
            Path::instance(3, 0),
            Path::resource(3, 0, 9),
            Path::resource_instance(3, 0, 11, 1),
        ] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn the_parent_of_a_child_is_the_path() {
        let mut path = Path::ROOT;
        assert_eq!(path.parent(), None);
        for id in [3, 7, 65_535, 1] {
            let child = path.child(id).unwrap();
            assert_eq!(child.parent(), Some(path));
            path = child;
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (text, error) in [
            ("", PathError::NoSlash),
            ("3/0", PathError::NoSlash),
            ("/03", PathError::NotAnId),
            ("/+3", PathError::NotAnId),
            ("/-1", PathError::NotAnId),
            ("/65536", PathError::NotAnId),
            ("/3/", PathError::NotAnId),
            ("//3", PathError::NotAnId),
            ("/3/a", PathError::NotAnId),
            ("/1/2/3/4/5", PathError::TooDeep),
        ] {
            assert_eq!(text.parse::<Path>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_parent_contains_its_children_and_not_its_siblings() {
        let instance = Path::instance(3, 0);
        assert!(Path::ROOT.contains(instance));
        assert!(instance.contains(instance));
        assert!(instance.contains(Path::resource(3, 0, 9)));
        assert!(!instance.contains(Path::object(3)));
        assert!(!instance.contains(Path::resource(3, 1, 9)));
        assert!(instance.overlaps(Path::object(3)));
        assert!(!instance.overlaps(Path::instance(3, 1)));
    }

    proptest! {
        #[test]
        fn a_path_contains_those_that_begin_like_it(
            one in prop::collection::vec(0u16..3, 0..5), other in prop::collection::vec(0u16..3, 0..5),
        ) {
            let path = |ids: &[u16]| ids.iter().fold(Path::ROOT, |path, id| path.child(*id).unwrap());
            prop_assert_eq!(path(&one).contains(path(&other)), other.starts_with(&one));
        }
    }
}
