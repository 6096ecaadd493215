//! Ranking of tools by words: BM25 over names, titles, tags and descriptions, the shorter texts
//! counting more. Deterministic: equal tools stay in the order in which they came.

use std::collections::HashMap;

/// What is known of one tool.
pub(super) struct Text<'a> {
    /// Its name and aliases.
    pub names: Vec<&'a str>,
    /// Its title.
    pub title: &'a str,
    /// Its tags.
    pub tags: Vec<&'a str>,
    /// Its description.
    pub description: &'a str,
}

/// How much a word counts by where it stands.
const IN_NAME: f64 = 4.0;
const IN_TITLE: f64 = 3.0;
const IN_TAGS: f64 = 2.0;
const IN_DESCRIPTION: f64 = 1.0;
/// The usual constants of BM25: how soon repetition stops to count, and how much length does.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.5;

/// The tools that share a word with `query`, best first, as positions in `texts` with scores.
pub(super) fn rank(query: &str, texts: &[Text<'_>]) -> Vec<(usize, f64)> {
    let bags: Vec<HashMap<String, f64>> = texts.iter().map(bag).collect();
    let lengths: Vec<f64> = bags.iter().map(|bag| bag.values().sum()).collect();
    let mean = lengths.iter().sum::<f64>() / count(texts.len().max(1));

    let mut wanted: Vec<String> = words(query).collect();
    wanted.sort();
    wanted.dedup();
    let mut scores = vec![0.0; texts.len()];
    for word in &wanted {
        let holders = bags.iter().filter(|bag| bag.contains_key(word)).count();
        let rarity = (1.0 + (count(texts.len() - holders) + 0.5) / (count(holders) + 0.5)).ln();
        for ((score, bag), length) in scores.iter_mut().zip(&bags).zip(&lengths) {
            if let Some(weight) = bag.get(word) {
                let length = 1.0 - LENGTH + LENGTH * length / mean;
                *score += rarity * weight * (SATURATION + 1.0) / (weight + SATURATION * length);
            }
        }
    }
    let mut ranked: Vec<(usize, f64)> = scores
        .into_iter()
        .enumerate()
        .filter(|(_, score)| *score > 0.0)
        .collect();
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    ranked
}

fn bag(text: &Text<'_>) -> HashMap<String, f64> {
    let mut bag = HashMap::new();
    let mut add = |text: &str, weight: f64| {
        for word in words(text) {
            *bag.entry(word).or_insert(0.0) += weight;
        }
    };
    text.names.iter().for_each(|name| add(name, IN_NAME));
    add(text.title, IN_TITLE);
    text.tags.iter().for_each(|tag| add(tag, IN_TAGS));
    add(text.description, IN_DESCRIPTION);
    bag
}

/// Words in lower case, a plural `s` taken off, so that `contacts` finds `hubspot_contact_create`.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut word = word.to_lowercase();
            if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
                word.pop();
            }
            word
        })
}

#[allow(clippy::cast_precision_loss, reason = "counts of tools are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<Text<'static>> {
        [
            (
                "gmail_send_mail",
                "Send a mail",
                "Sends a mail from the account to contacts.",
            ),
            (
                "hubspot_contact_create",
                "Create a contact",
                "Adds a person to the CRM.",
            ),
            (
                "hubspot_contacts_search",
                "Search contacts",
                "Finds people in the CRM by property.",
            ),
        ]
        .map(|(name, title, description)| Text {
            names: vec![name],
            title,
            tags: vec![],
            description,
        })
        .into_iter()
        .collect()
    }

    #[test]
    fn the_tool_that_is_named_comes_first_and_strangers_do_not_come() {
        let order = |query| -> Vec<usize> { rank(query, &texts()).iter().map(|(index, _)| *index).collect() };
        assert_eq!(order("find contacts search")[0], 2);
        assert_eq!(order("create contact")[0], 1);
        assert_eq!(order("send mail"), [0]);
        assert_eq!(rank("contact", &texts()).len(), 3);
        assert!(rank("calendar", &texts()).is_empty());
        assert!(rank("", &texts()).is_empty());
        assert!(rank("mail", &[]).is_empty());
    }
}
