//! Duplicate identifiers, found without memory that grows with the payload.

/// Identifiers that one pass looks at: 256 bytes of stack.
const WINDOW: u16 = 2048;

/// Whether an identifier occurs twice.
///
/// Identifiers in ascending order, which is how they are sent, take one pass. Otherwise each pass
/// marks those in one window of the number range: at most 32 passes, whatever a peer sends.
pub(super) fn has_duplicate(ids: impl Iterator<Item = u16> + Clone) -> bool {
    if ids.clone().is_sorted_by(|before, id| before < id) {
        return false;
    }
    (0..=u16::MAX / WINDOW).any(|window| {
        let mut seen = [0u32; WINDOW as usize / 32];
        ids.clone().any(|id| id / WINDOW == window && mark(&mut seen, id % WINDOW))
    })
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
    use proptest::prelude::*;

    fn of(ids: &[u16]) -> bool {
        has_duplicate(ids.iter().copied())
    }

    #[test]
    fn duplicates_are_found_wherever_they_stand() {
        for unique in [&[][..], &[7], &[0, 1, 65_535], &[65_535, 1, 0]] {
            assert!(!of(unique), "{unique:?}");
        }
        for twice in [&[7, 7][..], &[65_535, 0, 65_535], &[2_048, 2_047, 4_095, 4_096, 2_048], &[1, 2, 3, 2, 1]] {
            assert!(of(twice), "{twice:?}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set(ids in prop::collection::vec(prop_oneof![0u16..40, any::<u16>()], 0..40)) {
            let mut seen = BTreeSet::new();
            prop_assert_eq!(of(&ids), !ids.iter().all(|id| seen.insert(*id)));
        }
    }
}
