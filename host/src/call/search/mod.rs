//! Ranking of tools by words: BM25 over the parts of a tool's declaration, with the words of users
//! brought to those of the tools ([`words`]). Deterministic: equal tools stay in the order in which
//! they came, and nothing counts but the tools and the query.
//!
//! What is added to plain BM25, and why:
//!
//! * A word counts by where it stands: a name says more than a description, an alias is a name, the
//!   connector's title belongs to each of its tools.
//! * Words that mean the same to users count for one another, a little less than the word itself.
//! * What stands in quotation marks is mostly what is to be written, not what is to be done.
//! * Whoever names a vendor wants its tools; whoever asks wants a tool that reads, whoever orders one that writes.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use words::{Mood, Query};

/// What is known of one tool.
pub(super) struct Text<'a> {
    /// Id of its connector.
    pub connector: &'a str,
    /// The vendor's name as people write it.
    pub connector_title: &'a str,
    /// Its name and aliases.
    pub names: Vec<&'a str>,
    /// Its title.
    pub title: &'a str,
    /// Its tags.
    pub tags: Vec<&'a str>,
    /// Its description.
    pub description: &'a str,
    /// Names of its parameters.
    pub parameters: Vec<&'a str>,
    /// Whether it changes nothing.
    pub read_only: bool,
}

/// How much a word counts by where it stands.
const IN_NAME: f64 = 4.0;
const IN_ALIAS: f64 = 3.0;
const IN_TITLE: f64 = 4.0;
const IN_TAGS: f64 = 1.0;
const IN_DESCRIPTION: f64 = 0.5;
const IN_PARAMETERS: f64 = 0.25;
const IN_CONNECTOR: f64 = 4.0;
/// What is added where a name or title has the very form of the query's word: `channels` is rather
/// `slack_list_channels` than `slack_archive_channel`.
const SAME_FORM: f64 = 1.0;
/// How much of a word's weight counts for another word of its family.
const FAMILY: f64 = 0.6;
/// How much a word within quotation marks counts.
const QUOTED: f64 = 0.5;
/// The usual constants of BM25: how soon repetition stops to count, and how much length does. Long
/// descriptions are no fault here, so that length counts for little.
const SATURATION: f64 = 1.6;
const LENGTH: f64 = 0.25;
/// Factors for the tools of a connector that the query names, and for those that fit its mood.
const NAMED: f64 = 1.4;
const FITS_MOOD: f64 = 1.25;

/// One tool's words by their stems.
struct Bag {
    weights: BTreeMap<String, f64>,
    /// The words of name and title as they stand.
    forms: BTreeSet<String>,
    /// The stems of the connector's id and title.
    connector: BTreeSet<String>,
    length: f64,
}

impl Bag {
    fn of(text: &Text<'_>) -> Self {
        let mut bag = Self {
            weights: BTreeMap::new(),
            forms: BTreeSet::new(),
            connector: BTreeSet::new(),
            length: 0.0,
        };
        // A word of the name counts once, however many aliases say it again.
        let mut named = BTreeSet::new();
        for (position, name) in text.names.iter().enumerate() {
            let own = name.strip_prefix(text.connector).unwrap_or(name);
            let weight = if position == 0 { IN_NAME } else { IN_ALIAS };
            for word in words::of(own) {
                if named.insert(word.stem.clone()) {
                    bag.add(word.stem, weight);
                }
                bag.forms.insert(word.form);
            }
        }
        for word in words::of(text.title) {
            bag.add(word.stem, IN_TITLE);
            bag.forms.insert(word.form);
        }
        for word in text.tags.iter().flat_map(|tag| words::of(tag)) {
            bag.add(word.stem, IN_TAGS);
        }
        let prose = words::of(text.description).map(|word| (word, IN_DESCRIPTION));
        let parameters = text.parameters.iter().flat_map(|name| words::of(name));
        for (word, weight) in prose.chain(parameters.map(|word| (word, IN_PARAMETERS))) {
            // Figures in examples say nothing; those of a name (`oauth2`) do.
            if !word.has_digit() {
                bag.add(word.stem, weight);
            }
        }
        let connector = words::of(text.connector).chain(words::of(text.connector_title));
        bag.connector.extend(connector.map(|word| word.stem));
        bag.length = bag.weights.values().sum();
        bag
    }

    fn add(&mut self, stem: String, weight: f64) {
        *self.weights.entry(stem).or_insert(0.0) += weight;
    }

    fn weight(&self, stem: &str) -> f64 {
        self.weights.get(stem).copied().unwrap_or(0.0)
    }

    /// Whether the word itself is here.
    fn has(&self, stem: &str) -> bool {
        self.weights.contains_key(stem) || self.connector.contains(stem)
    }
}

/// The tools that share a word with `query`, best first, as positions in `texts` with scores.
pub(super) fn rank(query: &str, texts: &[Text<'_>]) -> Vec<(usize, f64)> {
    let bags: Vec<Bag> = texts.iter().map(Bag::of).collect();
    let mean = bags.iter().map(|bag| bag.length).sum::<f64>() / count(bags.len().max(1));
    let query = Query::read(query);

    let mut scores = vec![0.0; bags.len()];
    for (stem, word) in &query.words {
        let family = words::family(stem);
        let holders = |stem: &str| bags.iter().filter(|bag| bag.has(stem)).count();
        // As rare as the commonest of its family: a rare word for a common thing is no better a sign.
        let most = family.iter().map(|other| holders(other));
        let holding = most.chain([holders(stem)]).max().unwrap_or(0);
        let rarity = (1.0 + (count(bags.len() - holding) + 0.5) / (count(holding) + 0.5)).ln();
        let counts = if word.quoted { QUOTED } else { 1.0 };
        for (score, bag) in scores.iter_mut().zip(&bags) {
            let relatives = family.iter().map(|other| bag.weight(other) * FAMILY);
            let mut weight = relatives.fold(bag.weight(stem), f64::max);
            if bag.connector.contains(stem) {
                weight += IN_CONNECTOR;
            }
            if word.forms.iter().any(|form| bag.forms.contains(form)) {
                weight += SAME_FORM;
            }
            let length = 1.0 - LENGTH + LENGTH * bag.length / mean;
            *score += counts * rarity * weight * (SATURATION + 1.0) / (weight + SATURATION * length);
        }
    }
    for (score, text) in scores.iter_mut().zip(texts) {
        if query.names(text.connector, text.connector_title) {
            *score *= NAMED;
        }
        let fits = match query.mood {
            Mood::Asks => text.read_only,
            Mood::Orders => !text.read_only,
            Mood::Neither => false,
        };
        if fits {
            *score *= FITS_MOOD;
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

#[allow(clippy::cast_precision_loss, reason = "counts of tools are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &'static str, title: &'static str, description: &'static str) -> Text<'static> {
        let connector = name.split('_').next().unwrap_or(name);
        Text {
            connector,
            connector_title: match connector {
                "googlecalendar" => "Google Calendar",
                other => other,
            },
            names: vec![name],
            title,
            tags: vec![],
            description,
            parameters: vec![],
            read_only: ["search", "get", "list"]
                .iter()
                .any(|verb| name.split('_').any(|part| part == *verb)),
        }
    }

    fn texts() -> Vec<Text<'static>> {
        vec![
            text(
                "gmail_send_mail",
                "Send a mail",
                "Sends a mail from the account to contacts.",
            ),
            text(
                "hubspot_contact_create",
                "Create a contact",
                "Adds a person to the CRM.",
            ),
            text(
                "hubspot_contacts_search",
                "Search contacts",
                "Finds people in the CRM by property.",
            ),
        ]
    }

    fn order<'a>(query: &str, texts: &[Text<'a>]) -> Vec<&'a str> {
        let ranked = rank(query, texts);
        ranked.iter().map(|(index, _)| texts[*index].names[0]).collect()
    }

    #[test]
    fn the_tool_that_is_named_comes_first_and_strangers_do_not_come() {
        let texts = texts();
        assert_eq!(
            order("find contacts search", &texts)[0],
            "hubspot_contacts_search"
        );
        assert_eq!(order("create contact", &texts)[0], "hubspot_contact_create");
        assert_eq!(order("send mail", &texts)[0], "gmail_send_mail");
        assert_eq!(
            order("gmail_send_mail", &texts)[0],
            "gmail_send_mail",
            "a name is found by itself"
        );
        assert_eq!(order("contact", &texts).len(), 3);
        assert!(order("calendar", &texts).is_empty());
        assert!(order("", &texts).is_empty());
        assert!(
            order("what is it about?", &texts).is_empty(),
            "words of every sentence find nothing"
        );
        assert!(rank("mail", &[]).is_empty());
    }

    #[test]
    fn words_that_mean_the_same_to_users_find_one_another_and_the_word_itself_finds_first() {
        let mut texts = texts();
        assert_eq!(order("email", &texts)[0], "gmail_send_mail");
        assert_eq!(order("look up somebody", &texts)[0], "hubspot_contacts_search");
        texts.push(text(
            "acme_message_send",
            "Send a message",
            "Sends a message to a pager.",
        ));
        assert_eq!(order("send message", &texts)[0], "acme_message_send");
        assert_eq!(order("send mail", &texts)[0], "gmail_send_mail");
    }

    #[test]
    fn an_alias_is_found_as_a_name_is_and_a_parameter_last() {
        let mut one = text("acme_order_cancel", "Cancel an order", "Ends an order.");
        one.names.push("acme_purchase_annul");
        let mut other = text("acme_order_get", "Get an order", "One order.");
        other.parameters.push("purchase_number");
        let texts = [other, one];
        assert_eq!(order("purchase", &texts), ["acme_order_cancel", "acme_order_get"]);
    }

    #[test]
    fn whoever_names_a_vendor_gets_its_tools_first() {
        let texts = [
            text(
                "outlook_event_create",
                "Create an event",
                "Puts an event into the calendar.",
            ),
            text(
                "googlecalendar_event_create",
                "Create an event",
                "Puts an event into the calendar.",
            ),
        ];
        assert_eq!(order("create an event", &texts)[0], "outlook_event_create");
        for query in [
            "create an event in Google Calendar",
            "googlecalendar create event",
            "new event, Google Calendar",
        ] {
            assert_eq!(order(query, &texts)[0], "googlecalendar_event_create", "{query}");
        }
    }

    #[test]
    fn a_question_wants_a_tool_that_reads_and_an_order_one_that_writes() {
        let texts = [
            text("acme_label_add", "Label an order", "Labels of an order."),
            text("acme_label_get", "Label of an order", "Labels of an order."),
        ];
        assert_eq!(order("which labels has the order?", &texts)[0], "acme_label_get");
        assert_eq!(
            order("put the label late on the order", &texts)[0],
            "acme_label_add"
        );
    }

    #[test]
    fn what_is_to_be_written_says_less_than_what_is_to_be_done() {
        let texts = [
            text("acme_crash_report", "Report a crash", "Crashes of the engine."),
            text("acme_issue_create", "Create an issue", "Opens an issue."),
        ];
        let query = "Create an issue: \"Crash on start: crash report is empty\"";
        assert_eq!(order(query, &texts)[0], "acme_issue_create");
    }

    #[test]
    fn the_order_is_the_same_whenever_it_is_asked_and_equal_tools_keep_theirs() {
        let texts = [
            text("acme_d_get", "Order", "An order."),
            text("acme_c_get", "Order", "An order."),
        ];
        let first = rank("order", &texts);
        assert_eq!(first.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(first, rank("order", &texts));
    }
}
