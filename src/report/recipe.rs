//! Finds how a variant's training differs from ST-FPM's, apart from the auto-encoder or the decoder. If it does, a difference between
//! their numbers is the effect of the whole recipe.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::words::Remark;
use crate::analysis::{Groups, Variant};

/// Settings of the joint phase that belong to an auto-encoder, and the recipe's name, which only sets other settings.
const OF_AUTO_ENCODERS: [&str; 3] = ["autoencoder", "loss", "recipe"];

/// Maximum number of values of a setting that are listed.
const MOST_LISTED: usize = 3;

/// Remarks that differences from ST-FPM come from whole recipes, and names the variant that isolates the auto-encoder's effect. Returns
/// `None` if the variants differ only in the auto-encoder or the decoder.
pub(super) fn recipe_remark(groups: &Groups<'_>) -> Option<Remark> {
    let baseline = Recipe::of(groups, groups.baseline()?)?;
    let others: Vec<(&Variant, Recipe)> = groups
        .variants
        .iter()
        .filter(|variant| !variant.baseline)
        .filter_map(|variant| Some((variant, Recipe::of(groups, variant)?)))
        .collect();
    let with: Vec<&(&Variant, Recipe)> = others.iter().filter(|(_, recipe)| recipe.network != Network::Plain).collect();
    let mut settings: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut differing: Vec<&(&Variant, Recipe)> = Vec::new();
    for variant in &with {
        let recipe = &variant.1;
        let names: BTreeSet<&String> = baseline.joint.keys().chain(recipe.joint.keys()).collect();
        let differ = names.into_iter().filter(|name| baseline.joint.get(*name) != recipe.joint.get(*name));
        let differ: Vec<&String> = differ.collect();
        differing.extend((!differ.is_empty()).then_some(*variant));
        for name in differ {
            settings.entry(name).or_default().insert(shown(recipe.joint.get(name)));
        }
    }
    if differing.is_empty() {
        return None;
    }
    let has = |network: Network| with.iter().any(|(_, recipe)| recipe.network == network);
    let what = match (has(Network::AutoEncoder), has(Network::Decoder)) {
        (true, true) => "an auto-encoder or a decoder",
        (false, true) => "a decoder",
        (_, false) => "an auto-encoder",
    };
    let who = match differing.len() == with.len() {
        true => format!("Variants with {what} also differ"),
        false => format!("{} of {} variants with {what} also differ", differing.len(), with.len()),
    };
    let listed = settings.iter().map(|(name, values)| {
        let values = match values.len() {
            few if few <= MOST_LISTED => values.iter().map(String::as_str).collect::<Vec<_>>().join(" or "),
            many => format!("{many} different values"),
        };
        format!("joint.{name} ({values}; ST-FPM: {})", shown(baseline.joint.get(*name)))
    });
    let isolating = others.iter().filter(|(_, recipe)| recipe.network == Network::Plain).find_map(|(alone, recipe)| {
        let (other, _) = differing.iter().find(|(_, other)| other.joint == recipe.joint)?;
        Some((&alone.label, &other.label))
    });
    let advice = match isolating {
        // A decoder is no addition to a student that could be trained without it.
        None if !has(Network::AutoEncoder) => String::new(),
        Some((alone, other)) => format!(
            " {alone} has no auto-encoder and the same recipe as {other}: compare these two to isolate the auto-encoder's effect."
        ),
        None => " To isolate the auto-encoder's effect, search \"model.autoencoder\" with \"none\" among its values, and set \
                 joint.recipe to the recipe of these variants. Without it, \"none\" is ST-FPM with its own recipe."
            .to_owned(),
    };
    Some(Remark::new(
        Some("Different recipes."),
        format!(
            "{who} from ST-FPM in {}: their difference from ST-FPM is the effect of the whole recipe.{advice}",
            listed.collect::<Vec<_>>().join(", ")
        ),
    ))
}

/// What a variant has besides ST-FPM's networks, or instead of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Plain,
    AutoEncoder,
    Decoder,
}

/// How a variant was trained.
struct Recipe {
    network: Network,
    /// Settings of the joint phase that also apply without an auto-encoder.
    joint: BTreeMap<String, Value>,
}

impl Recipe {
    fn of(groups: &Groups<'_>, variant: &Variant) -> Option<Self> {
        let run = groups.of_variant(variant).next()?;
        let settings: Value = serde_json::from_str(&run.settings).ok()?;
        let joint = settings.get("joint")?.as_object()?.iter();
        let joint = joint.filter(|(name, _)| !OF_AUTO_ENCODERS.contains(&name.as_str()));
        Some(Self {
            network: match settings.get("model")?.as_str() {
                Some("none") => Network::Plain,
                Some("decoder") => Network::Decoder,
                _ => Network::AutoEncoder,
            },
            joint: joint.map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }
}

/// Formats a value for people; an absent one is a default.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "default".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(fields)) => {
            let field = |(name, value): (&String, &Value)| format!("{name} {}", shown(Some(value)));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}
