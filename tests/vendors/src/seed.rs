//! Invented people, companies and subjects for the data that users start with.

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Bela", "Carmen", "Dmitri", "Edith", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Lars",
    "Mina", "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tara", "Ugo", "Vera", "Wim", "Yara",
];

const LAST_NAMES: [&str; 19] = [
    "Abadi", "Berg", "Castro", "Dahl", "Eriksen", "Fontaine", "Garcia", "Haas", "Ito", "Jansen", "Kowalska",
    "Lindgren", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Silva",
];

const TRADES: [&str; 12] = [
    "Bakery",
    "Bicycles",
    "Carpentry",
    "Dairy",
    "Electronics",
    "Ferries",
    "Glassworks",
    "Instruments",
    "Locksmiths",
    "Orchards",
    "Printing",
    "Textiles",
];

const SUBJECTS: [&str; 14] = [
    "Quarterly figures",
    "Delivery on Thursday",
    "Question about the invoice",
    "New brochure",
    "Meeting notes",
    "Offer for 200 units",
    "Broken link on the site",
    "Welcome to the team",
    "Summer schedule",
    "Contract draft",
    "Feedback on the demo",
    "Travel plans",
    "Server maintenance",
    "Photos of the fair",
];

/// The first name of person `n`.
pub(crate) fn first_name(n: usize) -> &'static str {
    FIRST_NAMES[n % FIRST_NAMES.len()]
}

/// The last name of person `n`; first and last repeat together only after 456 people.
pub(crate) fn last_name(n: usize) -> &'static str {
    LAST_NAMES[n % LAST_NAMES.len()]
}

/// The name of company `n`.
pub(crate) fn company_name(n: usize) -> String {
    format!("{} {}", last_name(n * 7), TRADES[n % TRADES.len()])
}

/// The subject of mail `n`.
pub(crate) fn subject(n: usize) -> &'static str {
    SUBJECTS[n % SUBJECTS.len()]
}

/// The mail address of person `n` in the world of `user`.
pub(crate) fn address(user: &str, n: usize) -> String {
    format!(
        "{}.{}.{n}@{user}.example",
        first_name(n).to_lowercase(),
        last_name(n).to_lowercase()
    )
}
