//! Stub of the theme.
