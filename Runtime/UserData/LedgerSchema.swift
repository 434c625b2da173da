extension LedgerTable {
    /// The ledger of a shard's users, and the jobs that were paid for with it.
    ///
    /// Transfers and entries are only ever added: the triggers refuse everything else, also a REPLACE, which
    /// deletes without a word. Each entry carries its account's balances after it, so that nothing has to be
    /// summed up to know them, and the trigger refuses one that does not follow on the last.
    static let schema = """
        CREATE TABLE ledger_transfers (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('grant', 'hold', 'post', 'void', 'expire')),
            user INTEGER NOT NULL CHECK (user > 0),
            account TEXT NOT NULL CHECK (account NOT GLOB 'user:*'),
            credits INTEGER NOT NULL CHECK (credits > 0),
            hold TEXT UNIQUE REFERENCES ledger_transfers (id),
            expires INTEGER CHECK (expires IS NULL OR kind = 'hold'),
            note TEXT,
            created INTEGER NOT NULL,
            total INTEGER NOT NULL,
            CHECK ((hold IS NULL) = (kind IN ('grant', 'hold')))
        );
        CREATE INDEX ledger_totals ON ledger_transfers (account, kind, total);
        CREATE INDEX ledger_by_user ON ledger_transfers (user, seq);
        CREATE TABLE ledger_entries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            transfer INTEGER NOT NULL REFERENCES ledger_transfers (seq),
            account TEXT NOT NULL,
            posted INTEGER NOT NULL,
            held INTEGER NOT NULL,
            posted_balance INTEGER NOT NULL,
            held_balance INTEGER NOT NULL,
            CHECK (account NOT GLOB 'user:*' OR (held_balance >= 0 AND posted_balance >= held_balance))
        );
        CREATE INDEX ledger_by_account ON ledger_entries (account, seq);
        CREATE TRIGGER ledger_transfer_stays BEFORE UPDATE ON ledger_transfers BEGIN
            SELECT raise(ABORT, 'the ledger is only added to');
        END;
        CREATE TRIGGER ledger_transfer_kept BEFORE DELETE ON ledger_transfers BEGIN
            SELECT raise(ABORT, 'the ledger is only added to');
        END;
        CREATE TRIGGER ledger_transfer_new BEFORE INSERT ON ledger_transfers BEGIN
            SELECT raise(ABORT, 'the ledger is only added to') FROM ledger_transfers
                WHERE id = new.id OR seq = new.seq OR hold = new.hold;
        END;
        CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entries BEGIN
            SELECT raise(ABORT, 'the ledger is only added to');
        END;
        CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entries BEGIN
            SELECT raise(ABORT, 'the ledger is only added to');
        END;
        CREATE TRIGGER ledger_entry_new BEFORE INSERT ON ledger_entries BEGIN
            SELECT raise(ABORT, 'the ledger is only added to') FROM ledger_entries WHERE seq = new.seq;
            SELECT raise(ABORT, 'an entry does not follow on the last of its account')
                WHERE new.posted_balance - new.posted <> coalesce(
                    (SELECT posted_balance FROM ledger_entries WHERE account = new.account
                        ORDER BY seq DESC LIMIT 1), 0)
                OR new.held_balance - new.held <> coalesce(
                    (SELECT held_balance FROM ledger_entries WHERE account = new.account
                        ORDER BY seq DESC LIMIT 1), 0);
        END;

        CREATE TABLE open_holds (
            id TEXT PRIMARY KEY,
            expires INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX open_holds_expiry ON open_holds (expires) WHERE expires IS NOT NULL;
        CREATE TRIGGER hold_opened AFTER INSERT ON ledger_transfers WHEN new.kind = 'hold' BEGIN
            INSERT INTO open_holds VALUES (new.id, new.expires);
        END;
        CREATE TRIGGER hold_ended AFTER INSERT ON ledger_transfers WHEN new.hold IS NOT NULL BEGIN
            DELETE FROM open_holds WHERE id = new.hold;
        END;

        CREATE TABLE paid_jobs (
            id TEXT PRIMARY KEY,
            user INTEGER NOT NULL,
            function TEXT NOT NULL,
            hold TEXT NOT NULL UNIQUE REFERENCES ledger_transfers (id),
            key TEXT,
            request_hash TEXT NOT NULL,
            created INTEGER NOT NULL,
            job TEXT NOT NULL,
            body BLOB NOT NULL,
            journaled INTEGER
        );
        CREATE INDEX paid_jobs_pending ON paid_jobs (created) WHERE journaled IS NULL;
        CREATE INDEX paid_jobs_journaled ON paid_jobs (journaled) WHERE journaled IS NOT NULL;
        CREATE UNIQUE INDEX paid_jobs_key ON paid_jobs (user, function, key) WHERE key IS NOT NULL;
        """
}
