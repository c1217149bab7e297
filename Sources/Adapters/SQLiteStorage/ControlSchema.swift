extension Schema {
    /// The control database. Ids are 16-byte blobs, times milliseconds since 1970.
    static let control = Schema(
        name: "control database", applicationID: 0x4757_4331,
        steps: [control1, control2, control3, control4, control5, control6, control7])

    /// Tenants that are gone for good.
    private static let control7 = Step(
        number: 7,
        sql: """
            CREATE TABLE shredded (
                tenant BLOB NOT NULL PRIMARY KEY CHECK (length(tenant) = 16),
                at INTEGER NOT NULL,
                commitment BLOB NOT NULL CHECK (length(commitment) = 32)
            ) STRICT;
            PRAGMA user_version = 7;
            """)

    /// Slots whose keys are kept outside: by which key, and as it sealed them.
    private static let control4 = Step(
        number: 4,
        sql: """
            ALTER TABLE vault_slots ADD COLUMN outside_name TEXT;
            ALTER TABLE vault_slots ADD COLUMN outside_sealed BLOB;
            PRAGMA user_version = 4;
            """)

    /// Codes of the rows that decide access, and the seal over them.
    private static let control5 = Step(
        number: 5,
        sql: """
            ALTER TABLE vault ADD COLUMN rows_coded INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE tenants ADD COLUMN counter INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE tenants ADD COLUMN code BLOB NOT NULL DEFAULT x'';
            ALTER TABLE virtual_keys ADD COLUMN counter INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE virtual_keys ADD COLUMN code BLOB NOT NULL DEFAULT x'';
            ALTER TABLE limits ADD COLUMN counter INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE limits ADD COLUMN code BLOB NOT NULL DEFAULT x'';
            CREATE TABLE access_seal (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                counter INTEGER NOT NULL,
                sum BLOB NOT NULL CHECK (length(sum) = 32),
                code BLOB NOT NULL CHECK (length(code) = 32)
            ) STRICT;
            PRAGMA user_version = 5;
            """)

    /// The tree over the audit, its records in canonical JSON, signed checkpoints, and where operators came from.
    private static let control6 = Step(
        number: 6,
        sql: """
            ALTER TABLE audit ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
            ALTER TABLE audit ADD COLUMN commitment BLOB NOT NULL DEFAULT x'';
            ALTER TABLE audit ADD COLUMN blinding BLOB NOT NULL DEFAULT x'';
            ALTER TABLE audit ADD COLUMN session TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit ADD COLUMN tty TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit ADD COLUMN uid TEXT NOT NULL DEFAULT '';
            ALTER TABLE audit ADD COLUMN peer TEXT NOT NULL DEFAULT '';
            CREATE TABLE audit_tree (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                size INTEGER NOT NULL,
                peaks BLOB NOT NULL
            ) STRICT;
            ALTER TABLE vault ADD COLUMN audit_log BLOB;
            ALTER TABLE vault ADD COLUMN audit_public BLOB NOT NULL DEFAULT x'';
            ALTER TABLE vault ADD COLUMN audit_secret BLOB NOT NULL DEFAULT x'';
            CREATE TABLE audit_checkpoints (
                position INTEGER PRIMARY KEY AUTOINCREMENT,
                origin TEXT NOT NULL,
                size INTEGER NOT NULL,
                at INTEGER NOT NULL,
                note TEXT NOT NULL
            ) STRICT;
            PRAGMA user_version = 6;
            """)

    /// The sealed key ring, the root before while a rotation needs it, and how much a tenant's key may have sealed.
    private static let control3 = Step(
        number: 3,
        sql: """
            ALTER TABLE vault ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE vault ADD COLUMN ring BLOB NOT NULL DEFAULT x'';
            ALTER TABLE vault ADD COLUMN previous_root BLOB NOT NULL DEFAULT x'';
            ALTER TABLE tenant_keys ADD COLUMN sealings INTEGER NOT NULL DEFAULT 0;
            PRAGMA user_version = 3;
            """)

    /// Ceilings of teams, users and provider keys; which calls of a virtual key give way; who uses platform keys.
    private static let control2 = Step(
        number: 2,
        sql: """
            CREATE TABLE limits (
                tenant BLOB NOT NULL REFERENCES tenants (id),
                owner_kind TEXT NOT NULL,
                owner TEXT NOT NULL,
                requests_per_minute INTEGER,
                tokens_per_minute INTEGER,
                parallel INTEGER,
                PRIMARY KEY (tenant, owner_kind, owner)
            ) STRICT;
            ALTER TABLE tenants ADD COLUMN platform_keys INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE virtual_keys ADD COLUMN class TEXT NOT NULL DEFAULT 'interactive';
            PRAGMA user_version = 2;
            """)

    private static let control1 = Step(
        number: 1,
        sql: """
            CREATE TABLE vault (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                id BLOB NOT NULL CHECK (length(id) = 16),
                created INTEGER NOT NULL,
                root_version INTEGER NOT NULL,
                key_check BLOB NOT NULL
            ) STRICT;

            CREATE TABLE vault_slots (
                position INTEGER PRIMARY KEY,
                id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
                kind TEXT NOT NULL,
                scrypt_n INTEGER NOT NULL,
                salt BLOB NOT NULL,
                root_version INTEGER NOT NULL,
                sealed_root BLOB NOT NULL,
                created INTEGER NOT NULL
            ) STRICT;

            CREATE TABLE tenants (
                id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
                name TEXT NOT NULL UNIQUE,
                status TEXT NOT NULL,
                requests_per_minute INTEGER,
                tokens_per_minute INTEGER,
                parallel INTEGER,
                cache_enabled INTEGER NOT NULL,
                created INTEGER NOT NULL
            ) STRICT;

            CREATE TABLE tenant_keys (
                tenant BLOB NOT NULL REFERENCES tenants (id),
                version INTEGER NOT NULL,
                state TEXT NOT NULL,
                root_version INTEGER NOT NULL,
                wrapped BLOB NOT NULL,
                created INTEGER NOT NULL,
                PRIMARY KEY (tenant, version)
            ) STRICT;

            CREATE TABLE virtual_keys (
                id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
                tenant BLOB NOT NULL REFERENCES tenants (id),
                name TEXT NOT NULL,
                hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
                user_name TEXT,
                team TEXT,
                models TEXT NOT NULL,
                requests_per_minute INTEGER,
                tokens_per_minute INTEGER,
                parallel INTEGER,
                created INTEGER NOT NULL,
                expires INTEGER,
                revoked INTEGER,
                successor BLOB
            ) STRICT;
            CREATE INDEX virtual_keys_by_tenant ON virtual_keys (tenant);

            CREATE TABLE holds (
                provider TEXT NOT NULL,
                model TEXT NOT NULL,
                mode TEXT NOT NULL,
                owner TEXT NOT NULL,
                reason TEXT NOT NULL,
                since INTEGER NOT NULL,
                ends INTEGER NOT NULL,
                PRIMARY KEY (provider, model)
            ) STRICT;

            CREATE TABLE audit (
                sequence INTEGER PRIMARY KEY,
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
                result TEXT NOT NULL,
                previous BLOB NOT NULL CHECK (length(previous) = 32),
                hash BLOB NOT NULL CHECK (length(hash) = 32)
            ) STRICT;

            PRAGMA application_id = 0x47574331;
            PRAGMA user_version = 1;
            """)
}
