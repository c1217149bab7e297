import Domain

// router_settings, litellm_settings, general_settings: what there is here for each, or why there is nothing.
extension LiteLLMImport {
    mutating func readSetting(_ section: String, _ key: String, _ value: YAMLTree) {
        switch key {
        case "routing_strategy", "model_group_alias", "fallbacks", "context_window_fallbacks",
            "content_policy_fallbacks", "default_fallbacks":
            break
        case "num_retries": set("bounds", "attempts", value.number.map { $0 + 1 }, in: 1...16, value)
        case "request_timeout", "timeout": set("bounds", "total_seconds", value.number, in: 1...7_200, value)
        case "stream_timeout": set("bounds", "first_byte_seconds", value.number, in: 1...3_600, value)
        case "allowed_fails":
            set("breaker", "consecutive_failures", value.number.map { max(1, $0) }, in: 1...1_000, value)
        case "cooldown_time":
            set("breaker", "open_seconds", value.number.map { max(1, $0) }, in: 1...3_600, value)
        case "cache_params": readCache(value)
        case "cache":
            if value.flag == false { note(value, "the cache is on by default: set [cache] enabled = false") }
        case "default_key_generate_params", "upperbound_key_generate_params", "default_internal_user_params",
            "default_team_params", "default_team_settings":
            readKeyDefaults(key, value)
        default:
            note(value, Self.reasons[key] ?? "is not known to this import")
        }
    }

    private mutating func set(
        _ table: String, _ key: String, _ number: Int?, in range: ClosedRange<Int>, _ value: YAMLTree
    ) {
        guard let number, range.contains(number) else {
            return note(value, "[\(table)] \(key) takes \(range.lowerBound) to \(range.upperBound)")
        }
        result.set(table, key, number)
    }

    private mutating func readCache(_ parameters: YAMLTree) {
        for (key, value) in parameters.members {
            switch key {
            case "ttl": set("cache", "ttl_seconds", value.number, in: 1...86_400, value)
            case "type":
                guard value.text.map({ $0.utf8.elementsEqual("local".utf8) }) != true else { break }
                note(value, "answers are cached in this process's memory alone, and only exact ones")
            default: note(value, "answers are cached in this process's memory alone")
            }
        }
    }

    /// Virtual keys: what new ones get by default is said with each here.
    private mutating func readKeyDefaults(_ name: String, _ tree: YAMLTree) {
        var options: [String] = []
        for (key, value) in tree.elements.isEmpty ? tree.members : tree.elements.flatMap(\.members) {
            switch key {
            case "rpm_limit", "tpm_limit", "max_parallel_requests":
                let option = ["rpm_limit": "rpm", "tpm_limit": "tpm"][key] ?? "parallel"
                if let number = value.number { options.append("--\(option) \(number)") }
            case "duration":
                if let text = value.text { options.append("--expires \(Self.safe(text))") }
            case "models":
                let names = value.texts.map(Self.safe).joined(separator: ",")
                if !names.isEmpty { options.append("--models \(names)") }
            case "max_budget", "budget_duration", "soft_budget", "max_budget_in_team":
                note(value, Self.noBudgets)
            default: note(value, "a virtual key has nothing like it")
            }
        }
        guard !options.isEmpty else { return }
        note(tree, "there are no defaults for new virtual keys: say it with each, as in the command below")
        let command = "gatehouse token issue TENANT --name NAME \(options.joined(separator: " "))"
        if !result.commands.contains(command) {
            result.commands.append("\(command)    # \(name)")
        }
    }

    private static let noKeys =
        "LiteLLM's virtual keys are in its database, as hashes: issue new ones, gatehouse token issue TENANT"

    /// Settings that have nothing of their own here ("All settings"), and why.
    private static let reasons: [String: String] = [
        "master_key":
            "operators use the console and commands on this machine, by their login; there is no master key",
        "database_url": noKeys, "store_model_in_db": "models are in the configuration alone",
        "database_connection_pool_limit": noKeys, "database_connection_timeout": noKeys,
        "drop_params":
            "is always so: what a provider lacks and can be left out is named in x-gatehouse-dropped",
        "modify_params": "calls are not changed but where x-gatehouse-dropped says so",
        "set_verbose": "the log has one level", "json_logs": "the log has one form",
        "callbacks": "nothing is sent elsewhere", "success_callback": "nothing is sent elsewhere",
        "failure_callback": "nothing is sent elsewhere", "service_callbacks": "nothing is sent elsewhere",
        "turn_off_message_logging": "is always so: no message is logged",
        "redact_user_api_key_info": "is always so: no key is logged",
        "max_budget": noBudgets, "budget_duration": noBudgets, "provider_budget_config": noBudgets,
        "max_internal_user_budget": noBudgets, "internal_user_budget_duration": noBudgets,
        "max_end_user_budget": noBudgets, "max_user_budget": noBudgets,
        "max_parallel_requests": "limits are on tenants: gatehouse limit set TENANT --parallel N",
        "global_max_parallel_requests": "limits are on tenants: gatehouse limit set TENANT --parallel N",
        "redis_host": "state is per process", "redis_port": "state is per process",
        "redis_password": "state is per process, and secrets are not copied",
        "redis_url": "state is per process",
        "enable_pre_call_checks": "is always so: a call goes only where its length and features fit",
        "routing_strategy_args": "strategies have no arguments but weights",
        "retry_policy": "what follows from which failure is fixed: see the README, when providers fail",
        "model_group_retry_policy": "what follows from which failure is fixed",
        "allowed_fails_policy": "breakers are the same for all targets: [breaker]",
        "retry_after": "a provider's own word is followed",
        "disable_cooldowns": "breakers cannot be turned off",
        "alerting": "there are no alerts outside the console", "alerting_threshold": "there are no alerts",
        "enable_jwt_auth": "callers have virtual keys alone",
        "litellm_jwtauth": "callers have virtual keys alone",
        "custom_auth": "callers have virtual keys alone",
        "key_management_system": "keys are in the vault alone",
        "key_management_settings": "keys are in the vault alone",
        "pass_through_endpoints": "there are no endpoints but those in the README",
        "allowed_routes": "the endpoints are fixed", "ui_access_mode": "there is no web page",
        "background_health_checks": "probe = \"30s\" at a [[provider]] asks whether it answers",
        "health_check_interval": "probe = \"30s\" at a [[provider]] asks whether it answers",
        "tag_filtering": "there is no routing by tags",
        "enable_tag_filtering": "there is no routing by tags",
    ]
}
