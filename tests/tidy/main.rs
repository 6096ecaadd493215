//! Promises about the source itself: the arrows between modules, the frozen contract, and what
//! may not stand in a file.

mod arrows;
mod contract;
mod text;
