//! `sqlx_batches`: rows for SQLite in batches, by sqlx, with a pool that is smaller than the limit.
//!
//! Batches are slices of the rows. Each is one statement and one transaction, so a batch fails as a whole, and the others
//! do not. sqlx runs on tokio, which `forloop::run` starts because the feature is enabled.

#![forbid(unsafe_code)]

use std::error::Error;
use std::time::Duration;

use forloop::{Outcome, Settled, ZeroLimit};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{QueryBuilder, Row, Sqlite};

const ROWS: i64 = 1_000;
const BATCH: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    forloop::run(async |runtime| {
        println!("on {}", runtime.name());
        // One connection, because each has a database in memory of its own.
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await?;
        sqlx::query("CREATE TABLE squares (n INTEGER PRIMARY KEY, square INTEGER)")
            .execute(&pool)
            .await?;

        // The last batch has a row that is there already.
        let mut rows: Vec<i64> = (0..ROWS).collect();
        rows[ROWS as usize - 1] = 0;
        let inserted = insert(&pool, &rows).await?;
        for (batch, outcome) in inserted.iter().enumerate() {
            if let Outcome::Err(error) = outcome {
                println!("batch {batch} failed: {error}");
            }
        }
        println!("batches: {}", inserted.summary());

        let query = sqlx::query("SELECT count(*), sum(square) FROM squares");
        let row = query.fetch_one(&pool).await?;
        println!("rows: {}, sum of squares: {}", row.get::<i64, _>(0), row.get::<i64, _>(1));
        Ok(())
    })?
}

/// Inserts all rows, four batches at a time. They wait for the pool in their turn.
async fn insert(pool: &SqlitePool, rows: &[i64]) -> Result<Settled<u64, sqlx::Error>, ZeroLimit> {
    let batches = forloop::each(rows.chunks(BATCH)).limit(4)?.timeout(Duration::from_secs(60));
    let inserted = batches.settle(async |batch| {
        let mut statement = QueryBuilder::<Sqlite>::new("INSERT INTO squares ");
        statement.push_values(batch, |mut row, n| {
            row.push_bind(*n).push_bind(n * n);
        });
        Ok(statement.build().execute(pool).await?.rows_affected())
    });
    Ok(inserted.await)
}
