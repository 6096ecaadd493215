//! Connectors: the linter, the bundled manifests and components, and their requests against the
//! vendors' own specifications.

mod bundled;
mod gmail_requests;
mod linter;
