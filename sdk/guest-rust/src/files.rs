//! Files that the host holds: a connector names them and never has their bytes.

use serde::Serialize;

/// What is known of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct File {
    /// `file_…`: what a tool answers, and callers download.
    pub id: String,
    /// What it is called, for people.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
}

/// How an answer is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What the file is called; none for the vendor's own name.
    pub name: Option<String>,
    /// Media types that are kept (`image/*`, `application/pdf`); empty for any.
    pub content_types: Vec<String>,
    /// The most that is kept, in bytes; none for what a file may have.
    pub max_bytes: Option<u64>,
}
