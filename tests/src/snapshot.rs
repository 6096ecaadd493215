//! Files of the repository that are made from the code: pages of the reference.

use std::fs;

use crate::artifacts;

/// Compares a checked-in file, by its path from the repository's root, with what it should be;
/// with `VALETKEY_BLESS` set it is written anew instead.
///
/// # Panics
/// It is not what the code says.
pub fn assert_checked_in(path: &str, wanted: &str) {
    let file = artifacts::repository().join(path);
    #[allow(clippy::disallowed_methods, reason = "the test itself is told to write")]
    let bless = std::env::var_os("VALETKEY_BLESS").is_some();
    if bless {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder is made");
        fs::write(&file, wanted).expect("the file is written");
        return;
    }
    let present = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        present == wanted,
        "{path} is not what the code says. Look at the difference, and if it is meant:\n  \
         VALETKEY_BLESS=1 cargo nextest run -p valetkey-tests --test api --test cli reference"
    );
}
