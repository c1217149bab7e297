import Domain

// model_list: deployments become targets, their addresses providers.
extension LiteLLMImport {
    mutating func readModel(_ entry: YAMLTree) {
        guard let group = entry["model_name"]?.text else {
            return note(entry, "has no model_name")
        }
        guard let parameters = entry["litellm_params"], let said = parameters["model"]?.text else {
            return note(entry, "\(group) has no litellm_params.model")
        }
        if let mode = entry["model_info"]?["mode"], let word = mode.text,
            !["chat", "completion", "responses", "embedding"].contains(word)
        {
            return note(mode, "\(group): there is no endpoint for \(word) here")
        }
        guard !said.utf8.contains(UInt8(ascii: "*")), !group.utf8.contains(UInt8(ascii: "*")) else {
            return note(
                entry, "\(group): no route is needed, PROVIDER/MODEL reaches every model of a provider")
        }
        for member in entry.members
        where !["model_name", "litellm_params", "model_info"].contains(member.key) {
            note(member.value, "is not known to this import")
        }
        guard let (provider, model) = place(of: said, parameters) else { return }
        let target: Target
        do throws(NameRefusal) {
            target = Target(provider: provider.name, model: try ModelName(model))
        } catch {
            return note(parameters, "\(group): \(error.sentence)")
        }
        use(provider, parameters)
        readParameters(parameters)
        readInformation(entry["model_info"], of: target)
        deployments.append(
            LiteLLMDeployment(
                group: group, line: entry.line, target: target,
                weight: parameters["weight"]?.number ?? parameters["rpm"]?.number,
                order: parameters["order"]?.number ?? 0))
    }

    /// Remembers the provider, where it needs an entry, and its key.
    private mutating func use(_ provider: ImportedProvider, _ parameters: YAMLTree) {
        if provider.needsEntry, !result.providers.contains(where: { $0.name == provider.name }) {
            result.providers.append(provider)
        }
        var reference = parameters["api_key"]?.text
        if let name = provider.kind, name.utf8.elementsEqual("bedrock".utf8) {
            reference = reference ?? parameters["aws_access_key_id"]?.text
        }
        guard !provider.keyless else { return }
        let known = reference ?? ""
        let isKnown = keys.contains {
            $0.provider == provider.name && $0.reference.utf8.elementsEqual(known.utf8)
        }
        if !isKnown { keys.append((provider.name, known)) }
        if let key = parameters["api_key"], let text = key.text, Self.variable(in: text) == nil {
            note(key, "a key stands in the file: it was not copied; add it, and rotate it at the provider")
        }
    }

    private mutating func readParameters(_ parameters: YAMLTree) {
        for (key, value) in parameters.members {
            switch key {
            case "model", "api_key", "api_base", "base_url", "api_version", "weight", "order",
                "aws_region_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
                "custom_llm_provider":
                break
            case "rpm", "tpm", "max_parallel_requests":
                note(
                    value,
                    "limits are no part of a route: gatehouse limit set TENANT --provider-key ID "
                        + "--\(key == "max_parallel_requests" ? "parallel" : key) \(value.number ?? 0)")
            case "timeout", "stream_timeout", "max_retries":
                note(value, "times and tries are the same for all targets: [bounds]")
            case "input_cost_per_token", "output_cost_per_token", "input_cost_per_second":
                note(value, "prices come from the built-in table")
            case "tags": note(value, "there is no routing by tags")
            case "max_budget", "budget_duration": note(value, Self.noBudgets)
            case "litellm_credential_name": note(value, "credentials are not copied: gatehouse key add")
            case "temperature", "top_p", "max_tokens", "extra_body", "extra_headers", "stream", "seed",
                "presence_penalty", "frequency_penalty", "response_format", "reasoning_effort", "thinking":
                note(value, "calls go out as the caller made them: nothing is added to them")
            default: note(value, "is not known to this import")
            }
        }
    }

    private mutating func readInformation(_ information: YAMLTree?, of target: Target) {
        guard let information else { return }
        var model = ImportedModel(target: target, lacks: [], context: 0)
        for (key, value) in information.members {
            switch key {
            case "mode", "id", "db_model": break
            case "max_input_tokens": model.context = max(0, min(value.number ?? 0, 100_000_000))
            case "supports_function_calling": if value.flag == false { model.lacks.append("tools") }
            case "supports_vision": if value.flag == false { model.lacks.append("vision") }
            case "supports_response_schema": if value.flag == false { model.lacks.append("json_schema") }
            default: note(value, "nothing here uses it")
            }
        }
        let isNew = !result.models.contains { $0.target == target }
        if isNew, model.context > 0 || !model.lacks.isEmpty { result.models.append(model) }
    }

    static let noBudgets = "there are no budgets here yet; rates can be limited: gatehouse limit set"
}
