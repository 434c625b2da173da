import Storage

extension Schema {
    /// The journal's file.
    ///
    /// Instants are nanoseconds since the epoch, bodies BLOBs, JSON is text.
    package static let journal = Schema(
        name: "journal",
        applicationID: 0x5377_4A01,
        steps: [
            jobs + counters + OutboxTable.schema + keys + schedules, law, SettlementStore.schema, lanes,
            deliveries, results, RotationStore.schema, JobOutbox.schema, scheduleBooks,
        ]
    )

    private static let jobs = """
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            function TEXT NOT NULL,
            operation TEXT NOT NULL,
            body BLOB NOT NULL,
            trigger_name TEXT NOT NULL,
            owner TEXT,
            trace TEXT NOT NULL,
            state TEXT NOT NULL,
            stage TEXT,
            percent INTEGER NOT NULL DEFAULT 0,
            attempt INTEGER NOT NULL DEFAULT 0,
            max_attempts INTEGER NOT NULL,
            run_at INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            lease INTEGER,
            result_status INTEGER,
            result_type TEXT,
            result BLOB,
            error_code TEXT,
            error_message TEXT,
            error_status INTEGER,
            depth INTEGER NOT NULL,
            idempotency_key TEXT
        );
        CREATE INDEX jobs_due ON jobs (function, run_at, number) WHERE state IN ('queued', 'retry_wait');
        CREATE INDEX jobs_running ON jobs (number) WHERE state = 'running';
        CREATE INDEX jobs_by_function ON jobs (function, state, number);
        CREATE INDEX jobs_by_owner ON jobs (owner, number) WHERE owner IS NOT NULL;
        CREATE INDEX jobs_ended ON jobs (updated)
            WHERE state IN ('completed', 'failed', 'cancelled', 'expired');

        """

    /// Triggers keep the counters in the same transaction as the change, so that nothing has to count rows.
    private static let counters = """
        CREATE TABLE job_counts (
            function TEXT NOT NULL,
            state TEXT NOT NULL,
            present INTEGER NOT NULL,
            ever INTEGER NOT NULL,
            PRIMARY KEY (function, state)
        ) WITHOUT ROWID;
        CREATE TRIGGER job_accepted AFTER INSERT ON jobs BEGIN
            INSERT INTO job_counts VALUES (new.function, new.state, 1, 1)
                ON CONFLICT DO UPDATE SET present = present + 1, ever = ever + 1;
        END;
        CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
            UPDATE job_counts SET present = present - 1 WHERE function = old.function AND state = old.state;
            INSERT INTO job_counts VALUES (new.function, new.state, 1, 1)
                ON CONFLICT DO UPDATE SET present = present + 1, ever = ever + 1;
        END;
        CREATE TRIGGER job_pruned AFTER DELETE ON jobs BEGIN
            UPDATE job_counts SET present = present - 1 WHERE function = old.function AND state = old.state;
        END;

        """

    private static let keys = """

        CREATE TABLE idempotency (
            function TEXT NOT NULL,
            principal TEXT NOT NULL,
            key TEXT NOT NULL,
            request_hash TEXT NOT NULL,
            created INTEGER NOT NULL,
            job TEXT,
            status INTEGER,
            headers TEXT,
            body BLOB,
            PRIMARY KEY (function, principal, key)
        );
        CREATE INDEX idempotency_created ON idempotency (created);
        CREATE TABLE keyed_log (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            log TEXT NOT NULL,
            id TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (log, id)
        );
        CREATE INDEX keyed_log_order ON keyed_log (log, seq);
        CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE rotations (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

        """

    private static let schedules = """
        CREATE TABLE schedules (id TEXT PRIMARY KEY, committed INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE schedule_ledger (
            schedule TEXT NOT NULL,
            nominal INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            job TEXT,
            PRIMARY KEY (schedule, nominal)
        ) WITHOUT ROWID;
        """

    /// Leases, attempts, and the numbers of the law: what was accepted, and in which state it was pruned.
    ///
    /// Before this step nothing left an ended state but by pruning, so that the numbers follow from the
    /// counters that were there.
    private static let law = """
        ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE jobs ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN lease_until INTEGER;
        ALTER TABLE jobs ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN max_recoveries INTEGER NOT NULL DEFAULT 10;
        ALTER TABLE jobs ADD COLUMN claimed INTEGER;
        ALTER TABLE jobs ADD COLUMN worker TEXT;
        CREATE TABLE job_attempts (
            job INTEGER NOT NULL,
            claim INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            started INTEGER NOT NULL,
            ended INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            worker TEXT,
            error_code TEXT,
            error_message TEXT,
            error_status INTEGER,
            PRIMARY KEY (job, claim)
        ) WITHOUT ROWID;
        ALTER TABLE job_counts ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
        UPDATE job_counts SET pruned = ever - present
            WHERE state IN ('completed', 'failed', 'cancelled', 'expired');
        CREATE TABLE job_totals (function TEXT PRIMARY KEY, accepted INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO job_totals SELECT function, sum(present + pruned) FROM job_counts GROUP BY function;
        DROP TRIGGER job_accepted;
        DROP TRIGGER job_moved;
        DROP TRIGGER job_pruned;
        CREATE TRIGGER job_accepted AFTER INSERT ON jobs BEGIN
            INSERT INTO job_totals VALUES (new.function, 1) ON CONFLICT DO UPDATE SET accepted = accepted + 1;
            INSERT INTO job_counts VALUES (new.function, new.state, 1, 1, 0)
                ON CONFLICT DO UPDATE SET present = present + 1, ever = ever + 1;
        END;
        CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
            UPDATE job_counts SET present = present - 1 WHERE function = old.function AND state = old.state;
            INSERT INTO job_counts VALUES (new.function, new.state, 1, 1, 0)
                ON CONFLICT DO UPDATE SET present = present + 1, ever = ever + 1;
        END;
        CREATE TRIGGER job_pruned AFTER DELETE ON jobs BEGIN
            UPDATE job_counts SET present = present - 1, pruned = pruned + 1
                WHERE function = old.function AND state = old.state;
            DELETE FROM job_attempts WHERE job = old.number;
        END;
        """

    private static let results = """
        ALTER TABLE jobs ADD COLUMN result_blob TEXT;
        ALTER TABLE jobs ADD COLUMN result_size INTEGER;
        """

    private static let deliveries = """
        CREATE TABLE job_deliveries (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            job TEXT NOT NULL,
            function TEXT NOT NULL,
            state TEXT NOT NULL,
            kind TEXT NOT NULL,
            target TEXT NOT NULL,
            body TEXT NOT NULL,
            trace TEXT NOT NULL,
            failures INTEGER NOT NULL,
            run_at INTEGER,
            ended INTEGER NOT NULL,
            error TEXT
        );
        CREATE INDEX job_deliveries_due ON job_deliveries (run_at, number) WHERE run_at IS NOT NULL;
        CREATE INDEX job_deliveries_job ON job_deliveries (job);
        CREATE TRIGGER job_forgotten AFTER DELETE ON jobs BEGIN
            DELETE FROM job_deliveries WHERE job = old.id AND run_at IS NULL;
        END;
        """
}
