/// What a column may tell whoever steals the file.
enum ColumnClass: Hashable, Sendable {
    /// Facts of operation: ids, states, times, counts, names of models and providers.
    case open
    /// About people or chosen by them: names, users, teams, tags, free text.
    case personal
    /// Made from a secret or a message in one direction: hashes, fingerprints, salts, what a token's key sealed.
    case derived
    /// A sealed record; the text is the immutable id that it is bound to (the vault's registry of sealed columns).
    case sealed(String)
}

/// Every column of every table, classified: a new one without a class fails the tests, so that nobody stores a prompt,
/// a key or what can be turned back into one without having thought of it.
enum ColumnRegistry {
    static let control: [String: [ColumnClass: [String]]] = [
        "vault": [
            .open: [
                "one", "id", "created", "root_version", "epoch", "rows_coded", "audit_log", "audit_public",
            ],
            .sealed("vaults.key_check"): ["key_check"],
            .sealed("vaults.ring"): ["ring"],
            .sealed("vaults.previous_root"): ["previous_root"],
            .sealed("vaults.audit_secret"): ["audit_secret"],
        ],
        "vault_slots": [
            .open: ["position", "id", "kind", "scrypt_n", "root_version", "created", "outside_name"],
            .derived: ["salt", "outside_sealed"],
            .sealed("vault_slots.sealed_root"): ["sealed_root"],
        ],
        "tenants": [
            .open: [
                "id", "status", "requests_per_minute", "tokens_per_minute", "parallel", "cache_enabled",
                "created", "platform_keys", "counter",
            ],
            .personal: ["name"],
            .derived: ["code"],
        ],
        "tenant_keys": [
            .open: ["tenant", "version", "state", "root_version", "created", "sealings"],
            .sealed("tenant_keys.wrapped"): ["wrapped"],
        ],
        "virtual_keys": [
            .open: [
                "id", "tenant", "models", "requests_per_minute", "tokens_per_minute", "parallel", "created",
                "expires", "revoked", "successor", "class", "counter",
            ],
            .personal: ["name", "user_name", "team"],
            .derived: ["hash", "code"],
        ],
        "limits": [
            .open: [
                "tenant", "owner_kind", "requests_per_minute", "tokens_per_minute", "parallel", "counter",
            ],
            .personal: ["owner"],
            .derived: ["code"],
        ],
        "shredded": [.open: ["tenant", "at"], .derived: ["commitment"]],
        "access_seal": [.open: ["one", "counter"], .derived: ["sum", "code"]],
        "holds": [
            .open: ["provider", "model", "mode", "since", "ends"],
            .personal: ["owner", "reason"],
        ],
        "audit": [
            .open: ["sequence", "id", "at", "via", "action", "tenant", "result", "form"],
            .personal: [
                "actor", "target", "text_before", "text_after", "reason", "session", "tty", "uid", "peer",
            ],
            .derived: ["previous", "hash", "commitment", "blinding"],
        ],
        "audit_checkpoints": [.open: ["position", "origin", "size", "at"], .derived: ["note"]],
        "audit_tree": [.open: ["one", "size"], .derived: ["peaks"]],
    ]

    static let tenant: [String: [ColumnClass: [String]]] = [
        "header": [.open: ["one", "tenant", "vault"]],
        "provider_keys": [
            .open: [
                "id", "provider", "state", "counter", "created", "drain_ends", "predecessor", "verdict",
                "verdict_at", "weight", "models", "canary_percent", "canary_ends", "canary_drain",
            ],
            .personal: ["label"],
            .derived: ["fingerprint"],
            .sealed("provider_keys.secret"): ["sealed"],
        ],
        "audit_outbox": [
            .open: ["position", "id", "at", "via", "action", "tenant", "result"],
            .personal: [
                "actor", "target", "text_before", "text_after", "reason", "session", "tty", "uid", "peer",
            ],
        ],
        "usage": [
            .open: [
                "row", "call", "virtual_key", "at", "dialect", "model", "target_provider", "target_model",
                "provider_key", "status", "ending", "failure", "cache", "attempts", "input", "cache_read",
                "cache_write", "cache_write_hour", "output", "reasoning", "usage_source", "cost", "saved",
                "price_version", "latency_us", "first_byte_us", "payer",
            ],
            .personal: ["user_name", "team", "tags"],
        ],
        "usage_tags": [.open: ["usage"], .personal: ["tag"]],
    ]

    static let parked: [String: [ColumnClass: [String]]] = [
        // A ledger row whole, with user, team and tags.
        "parked": [.open: ["position", "tenant", "call"], .personal: ["row"]]
    ]

    /// The ids of all sealed columns.
    static var sealedIDs: Set<String> {
        let classes = [control, tenant, parked].flatMap(\.values).flatMap(\.keys)
        return Set(classes.compactMap { if case .sealed(let id) = $0 { id } else { nil } })
    }
}
