extension Schema {
    /// One tenant's database. Ids are 16-byte blobs, times milliseconds since 1970, money nano-US-dollars.
    static let tenant = Schema(
        name: "tenant database", applicationID: 0x4757_5431, steps: [tenant1, tenant2, tenant3, tenant4])

    /// Trials of provider keys.
    private static let tenant4 = Step(
        number: 4,
        sql: """
            ALTER TABLE provider_keys ADD COLUMN canary_percent INTEGER;
            ALTER TABLE provider_keys ADD COLUMN canary_ends INTEGER;
            ALTER TABLE provider_keys ADD COLUMN canary_drain INTEGER;
            PRAGMA user_version = 4;
            """)

    /// Where operators came from.
    private static let tenant3 = Step(
        number: 3,
        sql: """
            ALTER TABLE audit_outbox ADD COLUMN session TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit_outbox ADD COLUMN tty TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit_outbox ADD COLUMN uid TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit_outbox ADD COLUMN peer TEXT NOT NULL DEFAULT '';
            PRAGMA user_version = 3;
            """)

    /// Shares and models of provider keys; who paid for a call.
    private static let tenant2 = Step(
        number: 2,
        sql: """
            ALTER TABLE provider_keys ADD COLUMN weight INTEGER;
            ALTER TABLE provider_keys ADD COLUMN models TEXT NOT NULL DEFAULT '';
            ALTER TABLE usage ADD COLUMN payer TEXT NOT NULL DEFAULT 'tenant';
            PRAGMA user_version = 2;
            """)

    private static let tenant1 = Step(
        number: 1,
        sql: """
            CREATE TABLE header (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                tenant BLOB NOT NULL CHECK (length(tenant) = 16),
                vault BLOB NOT NULL CHECK (length(vault) = 16)
            ) STRICT;

            CREATE TABLE provider_keys (
                id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
                provider TEXT NOT NULL,
                label TEXT NOT NULL,
                state TEXT NOT NULL,
                fingerprint TEXT NOT NULL,
                sealed BLOB NOT NULL,
                counter INTEGER NOT NULL,
                created INTEGER NOT NULL,
                drain_ends INTEGER,
                predecessor BLOB,
                verdict TEXT NOT NULL,
                verdict_at INTEGER
            ) STRICT;

            CREATE TABLE audit_outbox (
                position INTEGER PRIMARY KEY AUTOINCREMENT,
                id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                via TEXT NOT NULL,
                action TEXT NOT NULL,
                target TEXT NOT NULL,
                tenant BLOB,
                text_before TEXT NOT NULL,
                text_after TEXT NOT NULL,
                reason TEXT NOT NULL,
                result TEXT NOT NULL
            ) STRICT;

            -- cost NULL: the price is not known, which is not zero.
            CREATE TABLE usage (
                row INTEGER PRIMARY KEY,
                call BLOB NOT NULL UNIQUE CHECK (length(call) = 16),
                virtual_key BLOB NOT NULL,
                at INTEGER NOT NULL,
                dialect TEXT NOT NULL,
                model TEXT NOT NULL,
                target_provider TEXT,
                target_model TEXT,
                provider_key BLOB,
                user_name TEXT NOT NULL,
                team TEXT NOT NULL,
                tags TEXT NOT NULL,
                status INTEGER NOT NULL,
                ending TEXT NOT NULL,
                failure TEXT,
                cache TEXT NOT NULL,
                attempts INTEGER NOT NULL,
                input INTEGER NOT NULL,
                cache_read INTEGER NOT NULL,
                cache_write INTEGER NOT NULL,
                cache_write_hour INTEGER NOT NULL,
                output INTEGER NOT NULL,
                reasoning INTEGER NOT NULL,
                usage_source TEXT NOT NULL,
                cost INTEGER,
                saved INTEGER,
                price_version TEXT NOT NULL,
                latency_us INTEGER NOT NULL,
                first_byte_us INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX usage_by_time ON usage (at);

            -- One row a tag, so that a report by tag is a join.
            CREATE TABLE usage_tags (
                usage INTEGER NOT NULL REFERENCES usage (row),
                tag TEXT NOT NULL,
                PRIMARY KEY (usage, tag)
            ) STRICT, WITHOUT ROWID;

            PRAGMA application_id = 0x47575431;
            PRAGMA user_version = 1;
            """)
}
