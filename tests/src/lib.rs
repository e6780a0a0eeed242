//! Probes and backends for the tests.
