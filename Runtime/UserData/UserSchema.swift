import Storage

extension Schema {
    /// One shard: the records of a thousand users, and the events that were said with their changes.
    static let shard = Schema(
        name: "user shard",
        applicationID: 0x5377_5501,
        steps: [
            """
            CREATE TABLE records (
                user INTEGER NOT NULL,
                collection TEXT NOT NULL,
                id TEXT NOT NULL,
                version INTEGER NOT NULL,
                value TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                change INTEGER NOT NULL,
                PRIMARY KEY (user, collection, id)
            );
            CREATE INDEX records_latest ON records (user, collection, change);
            CREATE TABLE changes (last INTEGER NOT NULL);
            INSERT INTO changes VALUES (0);

            """ + OutboxTable.schema,
            LedgerTable.schema,
        ]
    )

    /// The documents that all users share.
    static let documents = Schema(
        name: "documents",
        applicationID: 0x5377_4401,
        steps: [
            """
            CREATE TABLE documents (
                collection TEXT NOT NULL,
                key TEXT NOT NULL,
                version INTEGER NOT NULL,
                value TEXT NOT NULL,
                updated INTEGER NOT NULL,
                change INTEGER NOT NULL,
                PRIMARY KEY (collection, key)
            );
            CREATE INDEX documents_latest ON documents (collection, change);
            CREATE TABLE changes (last INTEGER NOT NULL);
            INSERT INTO changes VALUES (0);
            """
        ]
    )

    /// The index of the blobs: what is stored under a key, and in which file.
    static let blobs = Schema(
        name: "blob index",
        applicationID: 0x5377_4201,
        steps: [
            """
            CREATE TABLE blobs (
                key TEXT PRIMARY KEY,
                file TEXT NOT NULL UNIQUE,
                sha256 TEXT NOT NULL,
                size INTEGER NOT NULL,
                content_type TEXT NOT NULL,
                created INTEGER NOT NULL,
                invocation TEXT
            ) WITHOUT ROWID;
            CREATE INDEX blobs_temporary ON blobs (invocation) WHERE invocation IS NOT NULL;
            CREATE TABLE usage (bytes INTEGER NOT NULL);
            INSERT INTO usage VALUES (0);
            CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
                UPDATE usage SET bytes = bytes + new.size;
            END;
            CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
                UPDATE usage SET bytes = bytes - old.size;
            END;
            """
        ]
    )
}
