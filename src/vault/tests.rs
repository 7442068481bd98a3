//! Tests of the vault as its users see it, and of what its file survives.

mod adversary;
mod basics;
mod crash;
mod disk;
mod faults;
mod tamper;
mod workload;
