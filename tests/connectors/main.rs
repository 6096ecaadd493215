//! Connectors: the linter, the bundled manifests and components, and their requests against the
//! vendors' own specifications; the simulated vendors that they are tested with, and the emulated ones
//! that others wrote.

mod bundled;
mod coded_tools;
mod emulators;
mod end_to_end;
mod gmail_requests;
mod javascript;
mod linter;
mod official_hubspot;
mod profiles;
mod simulated_calendars;
mod simulated_chat;
mod simulated_faults;
mod simulator;
