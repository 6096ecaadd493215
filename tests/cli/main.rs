//! The command line: the real binary, what it prints and what it does.

mod demo;
mod end_to_end;
mod folder;
mod reference;
