//! The hosted pages in a real browser: what they look like, what they say to whom, and what they
//! do with texts that want to be more than text. Pictures are left in `target/pages`.

mod browser;
mod connecting;
mod forms;
mod hostile;
mod refusals;
mod stage;
