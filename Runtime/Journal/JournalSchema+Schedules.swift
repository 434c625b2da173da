import Storage

extension Schema {
    /// The schedules' books: what is kept of each, and why every nominal time ended as it did.
    ///
    /// Rows of before told less: what was superseded had no mention of by what, and no run's end was noted.
    static let scheduleBooks = """
        ALTER TABLE schedules ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE schedules ADD COLUMN runs INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE schedules ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE schedules ADD COLUMN pause TEXT;
        ALTER TABLE schedule_ledger ADD COLUMN cause TEXT NOT NULL DEFAULT 'scheduled';
        ALTER TABLE schedule_ledger ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE schedule_ledger ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE schedule_ledger ADD COLUMN ended TEXT;
        UPDATE schedule_ledger SET due = nominal, decided = nominal;
        UPDATE schedule_ledger SET verdict = 'missed', reason = 'catch_up_none'
            WHERE verdict <> 'fired' AND reason = 'missed';
        UPDATE schedule_ledger SET verdict = 'missed', reason = 'catch_up_limit'
            WHERE verdict <> 'fired' AND reason = 'superseded';
        UPDATE schedule_ledger SET verdict = 'missed'
            WHERE verdict = 'skipped' AND reason IN ('catch_up_limit', 'window_closed');
        UPDATE schedule_ledger SET verdict = 'run', reason = '' WHERE verdict = 'fired';
        UPDATE schedule_ledger SET ended = 'succeeded' WHERE verdict = 'run' AND NOT EXISTS
            (SELECT 1 FROM jobs WHERE id = job AND state IN ('created', 'queued', 'running', 'retry_wait'));
        CREATE INDEX schedule_ledger_open ON schedule_ledger (schedule, nominal)
            WHERE verdict = 'waiting' OR (verdict = 'run' AND ended IS NULL);
        """
}
