//! The command line of Lobule.
fn main() {}
