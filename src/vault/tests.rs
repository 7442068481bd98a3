//! Tests of the vault as its users see it.

mod adversary;
mod attachments;
mod basics;
mod crash;
mod custody;
mod disk;
mod export;
mod faults;
mod golden;
mod hostile;
mod import;
mod release;
mod review;
mod tamper;
mod workload;
