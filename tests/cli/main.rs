//! The command line: the real binary, what it prints and what it does.

mod demo;
