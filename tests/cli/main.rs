//! The command line: the real binary, what it prints and what it does.

mod contract;
mod crash;
mod demo;
mod end_to_end;
mod folder;
mod manifest;
mod reference;
