//! Duplicate identifiers, found without memory that grows with the payload.

/// Identifiers that one pass looks at: 256 bytes of stack.
const WINDOW: u16 = 2048;

/// The smallest identifier that occurs twice, if any does.
///
/// Identifiers in ascending order, which is how they are sent, take one pass. Otherwise each pass
/// marks those in one window of the number range: at most 32 passes, whatever a peer sends.
pub(super) fn duplicate(ids: impl Iterator<Item = u16> + Clone) -> Option<u16> {
    let (mut before, mut largest, mut in_order) = (-1, 0, true);
    for id in ids.clone() {
        in_order = in_order && before < i32::from(id);
        before = id.into();
        largest = largest.max(id);
    }
    if in_order {
        return None;
    }
    let mut twice = None;
    for window in 0..=largest / WINDOW {
        let mut seen = [0u32; WINDOW as usize / 32];
        for id in ids.clone().filter(|id| id / WINDOW == window) {
            if mark(&mut seen, id % WINDOW) && twice.is_none_or(|least| id < least) {
                twice = Some(id);
            }
        }
    }
    twice
}

/// Sets a bit and tells whether it was set before.
fn mark(seen: &mut [u32], at: u16) -> bool {
    let bit = 1u32 << (at % 32);
    seen.get_mut(usize::from(at / 32)).is_some_and(|word| {
        let before = *word & bit != 0;
        *word |= bit;
        before
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn of(ids: &[u16]) -> Option<u16> {
        duplicate(ids.iter().copied())
    }

    #[test]
    fn duplicates_are_found_wherever_they_stand() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), None);
        assert_eq!(of(&[0, 1, 65_535]), None);
        assert_eq!(of(&[65_535, 1, 0]), None);
        assert_eq!(of(&[7, 7]), Some(7));
        assert_eq!(of(&[65_535, 0, 65_535]), Some(65_535));
        assert_eq!(of(&[2_048, 2_047, 4_095, 4_096, 2_048]), Some(2_048));
        assert_eq!(of(&[1, 2, 3, 2, 1]), Some(1));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set(ids in prop::collection::vec(prop_oneof![0u16..40, any::<u16>()], 0..40)) {
            let mut seen = BTreeSet::new();
            let twice: Vec<u16> = ids.iter().copied().filter(|id| !seen.insert(*id)).collect();
            prop_assert_eq!(of(&ids), twice.into_iter().min());
        }
    }
}
