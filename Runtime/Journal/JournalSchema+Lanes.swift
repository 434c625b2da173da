import Storage

extension Schema {
    /// Lanes, in which the jobs of a function wait that have the same key.
    ///
    /// What is due stands in its lane (`ready`), what is not waits by its instant: so a claim looks at lanes
    /// that are open and at the first jobs in them, and at nothing else, however many wait.
    static let lanes = """
        ALTER TABLE jobs ADD COLUMN lane TEXT NOT NULL DEFAULT '';
        ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN is_ordered INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN ready INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN expires INTEGER;
        DROP INDEX jobs_due;
        CREATE INDEX jobs_ready ON jobs (function, lane, priority DESC, due, number) WHERE ready = 1;
        CREATE INDEX jobs_later ON jobs (function, run_at, number)
            WHERE ready = 0 AND state IN ('queued', 'retry_wait');
        CREATE INDEX jobs_expiring ON jobs (expires)
            WHERE expires IS NOT NULL AND state IN ('queued', 'retry_wait');
        CREATE TABLE job_lanes (
            function TEXT NOT NULL,
            key TEXT NOT NULL,
            ready INTEGER NOT NULL,
            held INTEGER NOT NULL,
            later INTEGER NOT NULL,
            head INTEGER NOT NULL,
            turn INTEGER NOT NULL,
            is_open INTEGER NOT NULL,
            per_key INTEGER,
            rate_interval INTEGER,
            rate_burst INTEGER,
            full_at INTEGER NOT NULL,
            free_at INTEGER NOT NULL,
            PRIMARY KEY (function, key)
        ) WITHOUT ROWID;
        CREATE INDEX job_lanes_open ON job_lanes (function, head DESC, turn, key) WHERE is_open = 1;
        CREATE INDEX job_lanes_resting ON job_lanes (function, free_at) WHERE free_at > 0;
        CREATE TABLE job_turn (turn INTEGER NOT NULL);
        INSERT INTO job_turn VALUES (1);
        INSERT INTO job_lanes
            SELECT function, '', 0, sum(state = 'running'), sum(state <> 'running'), 0, 0, 0, NULL, NULL, NULL,
                0, 0
            FROM jobs WHERE state IN ('queued', 'retry_wait', 'running') GROUP BY function;
        CREATE TABLE job_unique (
            function TEXT NOT NULL,
            key TEXT NOT NULL,
            job TEXT NOT NULL,
            until INTEGER,
            PRIMARY KEY (function, key)
        ) WITHOUT ROWID;
        """
}
