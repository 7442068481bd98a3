//! Tests of the vault as its users see it.

mod access;
mod adversary;
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
mod secrets;
mod tamper;
mod workload;
