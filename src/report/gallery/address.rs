//! Addresses of the gallery's images: `#gallery=CATEGORY/IMAGE/VARIANT`.

use crate::text::encoded;

/// Returns the address of an image, for a link. `prefix` is that of the protocol's part.
pub(super) fn address(prefix: &str, category: &str, image: &str, variant: &str) -> String {
    let parts = [category, image, variant].map(encoded);
    format!("#{prefix}gallery={}", parts.join("/"))
}

/// Returns a short, unique name for each label: its trial's id, which is its first word; the whole label if ids repeat.
pub(super) fn short_names(labels: &[&str]) -> Vec<String> {
    let id = |label: &str| label.split(' ').next().unwrap_or_default().to_owned();
    let is_unique = |label: &str| labels.iter().filter(|other| id(other) == id(label)).count() == 1;
    labels.iter().map(|label| if is_unique(label) { id(label) } else { (*label).to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_three_encoded_parts() {
        let found = address("protocol-2-", "wood & glue", "hole/0 1é.png", "T02");
        assert_eq!(found, "#protocol-2-gallery=wood%20%26%20glue/hole%2F0%201%C3%A9.png/T02");
    }

    #[test]
    fn variants_are_named_by_their_ids_unless_these_repeat() {
        assert_eq!(short_names(&["T02 skip=add", "T01 ST-FPM"]), ["T02", "T01"]);
        let labels = ["T02 a [protocol 1]", "T02 a [protocol 2]", "T01 ST-FPM"];
        assert_eq!(short_names(&labels), [labels[0], labels[1], "T01"]);
    }
}
