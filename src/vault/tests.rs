//! Tests of the vault as its users see it.

mod adversary;
mod basics;
mod crash;
mod disk;
mod export;
mod faults;
mod golden;
mod hostile;
mod import;
mod release;
mod tamper;
mod workload;
