//! One file per rule: settings from the policy in, `Ok` or the reason out.

pub mod audience;
pub mod condition;
pub mod operation;
pub mod origin;
pub mod principal;
pub mod scope;
