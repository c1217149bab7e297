import Foundation
import TestKit
import Testing

/// Commands that show, copy, bring in or take away.
extension MarkedHouse {
    func list() throws {
        for arguments in [
            ["tenant", "list"], ["tenant", "show", "acme"], ["key", "list"], ["token", "list"],
            ["limit", "list", "acme"], ["provider", "list"], ["route", "list"],
            ["route", "explain", "failover", "--tenant", "acme"], ["breaker", "list"],
            ["breaker", "show", "openai/gpt-6-sol"], ["drill", "list"], ["cache", "stats"],
            ["usage", "calls", "acme"], ["audit", "list"], ["audit", "key"], ["vault", "status"],
            ["vault", "slot", "list"], ["theme", "list"],
        ] {
            try house.command(arguments, expect: nil)
            try house.command(arguments + ["--json"], expect: nil)
        }
        for arguments in [
            ["usage", "report"], ["usage", "report", "--format", "json"],
            ["usage", "report", "--format", "csv"],
            ["audit", "verify"], ["doctor"], ["doctor", "--json"], ["version"],
            ["provider", "test", "openai", "--tenant", "acme"],
        ] {
            try house.command(arguments, expect: nil)
        }
    }

    /// Secrets where a name belongs: what is refused does not repeat them.
    func misuse() throws {
        let (key, other) = (text("first"), text("second"))
        // The command line itself is the operator's own; what the program says of it is not.
        for arguments in [
            ["key", "revoke"], ["token", "revoke"], ["tenant", "show"], ["key", "verify"],
        ] {
            let said = try Tool.run(
                try House.binary, arguments + ["nobody", "--data", house.data], expect: nil)
            sweep.add(said.out + said.err, to: "errors of commands", part: arguments.joined(separator: " "))
        }
        try house.command(
            ["key", "add", "acme", "openai", "--from-stdin"], input: key + "\u{1b}" + other, expect: nil)
        try house.command(
            ["key", "add", "nobody", "openai", "--from-stdin"], input: other, expect: 1)
        try house.command(["key", "add", "acme", "nowhere", "--from-stdin"], input: other, expect: 1)
    }

    func importOther() throws {
        let file = house.folder.path + "/litellm.yaml"
        try """
        model_list:
          - model_name: fast
            litellm_params: {model: openai/gpt-6-sol, api_key: \(text("LiteLLM"))}
        general_settings: {master_key: \(text("LiteLLM master"))}
        unknown_settings: {\(text("LiteLLM")): \(text("LiteLLM master"))}
        """.write(toFile: file, atomically: true, encoding: .utf8)
        try house.command(["import", "litellm", file, "--dry-run"], expect: nil)
        try house.command(["import", "litellm", file, "--dry-run", "--json"], expect: nil)
        try house.command(["import", "litellm", file], expect: nil)
        try configure()
        // A file that is no YAML, at a key.
        try "model_list: [\(text("LiteLLM")): {".write(toFile: file, atomically: true, encoding: .utf8)
        try house.command(["import", "litellm", file], expect: 1)
    }

    func act() throws {
        try house.command(["limit", "set", "acme", "--rpm", "100000", "--parallel", "100"])
        try house.command(["breaker", "hold", "openai/gpt-6-sol", "--for", "1m", "--reason", "test"])
        try house.command(["breaker", "release", "openai/gpt-6-sol", "--reason", "test"])
        try house.command(["cache", "purge", "--all"])
        try house.command(["tenant", "suspend", "beta", "--reason", "test"])
        try house.command(["tenant", "resume", "beta"])
    }

    func copies() throws {
        try house.command(["audit", "export", outside + "/audit.jsonl"])
        try house.command(["audit", "export", outside + "/audit.csv", "--format", "csv"])
        try house.command(["backup", house.folder.path + "/backup"])
        try house.command(["backup", house.folder.path + "/backup-acme", "--tenant", "acme"])
    }

    /// With no engine running; the backup opens with what opened the vault then.
    func restore() throws {
        let backup = house.folder.path + "/backup"
        try house.command(["restore", backup, "--verify"])
        try give("wrong passphrase", to: ["restore", backup, "--verify"], expect: 1)
        try house.command(["restore", backup, "--replace"])
        try house.command(["audit", "new-log", "--reason", "restored"])
        try house.command(["tenant", "resume", "acme"])
    }
}
