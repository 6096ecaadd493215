//! Words of users and words of tools: how a text becomes words, which words say nothing, which mean
//! the same, and what the form of a query tells. English, as the tools' descriptions are; of other
//! languages words are found where they stand in a declaration.
//!
//! The tables are those of the field: what offices, sales, support and developers call things. They are
//! not made for single connectors; a tool whose own words are not found wants a better description.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words of every sentence. Question words are among them: they tell the mood, not the subject.
const EMPTY: &str = "
a an the this that these those there here it its itself
i me my mine we us our ours you your yours he him his she her hers they them their theirs
is are was were be been being am do does did done doing have has had having
can could may might must shall should will would
and or but nor if then than so as at by for from in into of off on onto out over to up with within
about after before between
what which who whom whose when where why how
not no any some all each every other more most such only own same too very just also still now yet ever
please let lets s t re ve ll d m";

/// Families: each line's words count for one another. A word may be in several.
const FAMILIES: &str = "
mail email message
event meeting appointment
issue ticket bug task
case ticket
pr pull
repository repo
channel room
conversation thread
history say
person people user member somebody someone colleague
contact person people somebody someone
file attachment document
comment remark say
label tag
sprint cycle iteration
reaction react emoji
row entry record
find search lookup query
list show all every
read get show view fetch download
create add make new insert
create open file register
send post write
upload attach
put add
delete remove trash discard
change update edit set modify correct fix
move change
answer reply respond
assign give
share give
start run trigger dispatch execute
book schedule log
schedule later
cancel decline
close finish complete transition
free available availability slot";

/// What users say in several words, and the word for it.
const PHRASES: &[(&[&str], &str)] = &[
    (&["throw", "away"], "delete"),
    (&["get", "rid", "of"], "delete"),
    (&["take", "off"], "remove"),
    (&["look", "up"], "find"),
    (&["look", "for"], "find"),
    (&["is", "there"], "find"),
    (&["are", "there"], "list"),
    (&["get", "back"], "restore"),
    (&["bring", "back"], "restore"),
    (&["thumbs", "up"], "reaction"),
    (&["out", "of", "office"], "automatic replies"),
];

/// A query with one of these among its first words asks for something to be shown.
const ASKING: &str = "
what which who whom whose when where how any
find list search show read get look see view count check lookup query fetch";
/// How many words are looked at for that: later ones belong to what the query is about.
const FIRST_WORDS: usize = 3;

/// A query that begins with one of these wants something done.
const ORDERING: &str = "
add create make new open file put post write send upload attach delete remove trash throw take move change update edit
set modify fix reply answer forward comment say assign close archive merge log book schedule cancel react invite share
leave start trigger";

/// A word as it stands, in lower case, and its stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) form: String,
    pub(super) stem: String,
}

impl Word {
    /// Ids, dates and figures have digits.
    pub(super) fn has_digit(&self) -> bool {
        self.form.chars().any(char::is_numeric)
    }
}

/// What the form of a query tells of the tool that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It reads.
    Asks,
    /// It writes.
    Orders,
    /// Nothing is told.
    Neither,
}

/// A word that a query asks for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Only within quotation marks.
    pub(super) quoted: bool,
    /// The forms in which it stands.
    pub(super) forms: BTreeSet<String>,
}

/// A query, read.
#[derive(Debug)]
pub(super) struct Query {
    /// Its words by their stems.
    pub(super) words: BTreeMap<String, Wanted>,
    pub(super) mood: Mood,
    /// The stems of all its words, those of every sentence too.
    all: BTreeSet<String>,
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        let mut words: BTreeMap<String, Wanted> = BTreeMap::new();
        let mut said = Vec::new();
        for (position, part) in query.split(['"', '“', '”']).enumerate() {
            let quoted = position % 2 == 1;
            let part = forms(&without_addresses(part));
            let part = said_in_one(part);
            for word in part.iter().filter(|form| !is_empty(form)).map(|form| word(form)) {
                let wanted = words.entry(word.stem).or_insert_with(|| Wanted {
                    quoted,
                    forms: BTreeSet::new(),
                });
                wanted.quoted &= quoted;
                wanted.forms.insert(word.form);
            }
            said.extend(part);
        }
        let first = |table: &str, most: usize| said.iter().take(most).any(|form| listed(table, form));
        let mood = if first(ORDERING, 1) {
            Mood::Orders
        } else if first(ASKING, FIRST_WORDS) {
            Mood::Asks
        } else {
            Mood::Neither
        };
        Self {
            words,
            mood,
            all: said.iter().map(|form| stem(form)).collect(),
        }
    }

    /// Whether it names a connector: by its id, or by every word of its title.
    pub(super) fn names(&self, id: &str, title: &str) -> bool {
        let mut title = forms(title).into_iter().map(|form| stem(&form)).peekable();
        self.all.contains(&stem(id)) || (title.peek().is_some() && title.all(|part| self.all.contains(&part)))
    }
}

/// The words of a declaration that say something.
pub(super) fn of(text: &str) -> impl Iterator<Item = Word> {
    forms(text)
        .into_iter()
        .filter(|form| !is_empty(form))
        .map(|form| word(&form))
}

/// The stems of the words that count for the word of this stem, without itself.
pub(super) fn family(of: &str) -> &'static BTreeSet<String> {
    static RELATIVES: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
        let mut relatives: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in FAMILIES.lines() {
            let family: BTreeSet<String> = line.split_whitespace().map(stem).collect();
            for one in &family {
                let others = family.iter().filter(|other| *other != one);
                relatives.entry(one.clone()).or_default().extend(others.cloned());
            }
        }
        relatives
    });
    static NOBODY: BTreeSet<String> = BTreeSet::new();
    RELATIVES.get(of).unwrap_or(&NOBODY)
}

/// The words of a text as they stand, in lower case. `what's` is `what` and an `s` that says nothing.
fn forms(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// An address of e-mail is one thing, and the names in it are none of the words looked for.
fn without_addresses(text: &str) -> String {
    let parts = text.split_whitespace();
    let parts = parts.map(|part| if part.contains('@') { "address" } else { part });
    parts.collect::<Vec<_>>().join(" ")
}

fn said_in_one(forms: Vec<String>) -> Vec<String> {
    let mut said = Vec::with_capacity(forms.len());
    let mut rest = forms.as_slice();
    while let Some(next) = rest.first() {
        let phrase = PHRASES.iter().find(|(phrase, _)| {
            rest.get(..phrase.len())
                .is_some_and(|start| start.iter().zip(*phrase).all(|(form, part)| form == part))
        });
        if let Some((phrase, meaning)) = phrase {
            said.extend(meaning.split(' ').map(str::to_owned));
            rest = &rest[phrase.len()..];
        } else {
            said.push(next.clone());
            rest = &rest[1..];
        }
    }
    said
}

fn word(form: &str) -> Word {
    Word {
        form: form.to_owned(),
        stem: stem(form),
    }
}

fn is_empty(form: &str) -> bool {
    // Asked for every word of every tool.
    static WORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| EMPTY.split_whitespace().collect());
    WORDS.contains(form)
}

fn listed(table: &str, form: &str) -> bool {
    table.split_whitespace().any(|word| word == form)
}

/// Light stemming: plurals, `-ing`, `-ed` and a last `-e`, so that `creates`, `creating` and `create`
/// are one. Longer suffixes stay, because they make other words (`assign`, `assignable`).
fn stem(form: &str) -> String {
    let mut stem = form;
    let mut end = "";
    let long = |text: &str, least: usize| text.chars().count() >= least;
    if let Some(cut) = stem.strip_suffix("ies").filter(|cut| long(cut, 2)) {
        (stem, end) = (cut, "y");
    } else if let Some(cut) = stem.strip_suffix("es").filter(|cut| {
        long(cut, 3)
            && ["ss", "sh", "ch", "x", "z"]
                .iter()
                .any(|hiss| cut.ends_with(hiss))
    }) {
        stem = cut;
    } else if let Some(cut) = stem
        .strip_suffix('s')
        .filter(|cut| long(cut, 3) && !cut.ends_with(['s', 'u', 'i']))
    {
        stem = cut;
    }
    if end.is_empty() {
        let suffix = ["ing", "ed"].iter().find_map(|suffix| stem.strip_suffix(suffix));
        let vowel = |text: &str| text.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        if let Some(cut) = suffix.filter(|cut| long(cut, 3) && vowel(cut)) {
            stem = cut;
            // `running` is `run`, but `calling` is `call`.
            let mut last = stem.chars().rev();
            if let (Some(one), Some(two)) = (last.next(), last.next())
                && one == two
                && !['l', 's', 'z'].contains(&one)
                && long(stem, 4)
            {
                stem = &stem[..stem.len() - one.len_utf8()];
            }
        }
        if let Some(cut) = stem.strip_suffix('e').filter(|cut| long(cut, 4)) {
            stem = cut;
        }
    }
    format!("{stem}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_have_one_stem_and_other_words_keep_theirs() {
        for family in [
            &["create", "creates", "created", "creating"][..],
            &["reply", "replies"],
            &["message", "messages"],
            &["search", "searches", "searching"],
            &["label", "labels", "labeled"],
            &["run", "runs", "running"],
            &["call", "calls", "called", "calling"],
        ] {
            let stems: BTreeSet<String> = family.iter().map(|form| stem(form)).collect();
            assert_eq!(stems.len(), 1, "{family:?}: {stems:?}");
        }
        for word in ["status", "address", "this", "us", "red", "bring", "s3"] {
            assert_eq!(stem(word), word);
        }
        assert_ne!(stem("file"), stem("fill"));
        assert_eq!(
            stem("größen"),
            "größen",
            "letters of more than one byte are cut nowhere"
        );
    }

    #[test]
    fn the_mood_is_that_of_the_first_words() {
        for (query, mood) in [
            ("What is on my calendar?", Mood::Asks),
            ("list channels", Mood::Asks),
            ("Is there somebody called Ingrid?", Mood::Asks),
            ("Put a note on it: what we want", Mood::Orders),
            ("Delete the list", Mood::Orders),
            ("contacts", Mood::Neither),
            ("", Mood::Neither),
        ] {
            assert_eq!(Query::read(query).mood, mood, "{query}");
        }
    }

    #[test]
    fn a_query_is_its_words_without_those_of_every_sentence() {
        let query = Query::read("Throw away the mail of ada@acme.example: \"Old Offer\", the offer's copy");
        let words: Vec<(&str, bool)> = query
            .words
            .iter()
            .map(|(stem, wanted)| (stem.as_str(), wanted.quoted))
            .collect();
        assert_eq!(
            words,
            [
                ("address", false),
                ("copy", false),
                ("delet", false),
                ("mail", false),
                ("offer", false),
                ("old", true)
            ]
        );
    }

    #[test]
    fn a_connector_is_named_by_its_id_or_by_its_whole_title() {
        let names = |query| Query::read(query).names("googlecalendar", "Google Calendar");
        assert!(names("my Google calendars") && names("googlecalendar events"));
        assert!(!names("my calendar") && !names(""));
        assert!(!Query::read("mail").names("acme", ""));
    }

    #[test]
    fn families_are_of_words_that_say_something_and_a_word_is_not_its_own_relative() {
        assert!(family("delet").contains("trash"));
        assert!(!family("mail").contains("mail") && family("mail").contains("email"));
        assert!(family("teapot").is_empty());
        for line in FAMILIES.lines().filter(|line| !line.is_empty()) {
            assert!(line.split_whitespace().count() > 1, "{line}");
        }
    }
}
