import Domain

// [[route]], [[model]] and [platform]: where calls may go.
extension Configuration {
    mutating func readRoute(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow([
            "model", "targets", "weights", "strategy", "allow", "deny", "regions", "retention", "max_usd",
            "requires", "min_context",
            "last_resort", "on_context_overflow", "on_content_policy", "hedge_ms",
        ])
        guard let text = try section.string("model") else {
            throw section.problem("model", "a [[route]] needs a model: the name callers use")
        }
        let model: ModelName
        do throws(NameRefusal) { model = try ModelName(text) } catch {
            throw section.problem("model", error.sentence)
        }
        guard routes[model] == nil else {
            throw section.problem("model", "there is a route \"\(model)\" already")
        }
        let word = try section.string("strategy") ?? "priority"
        guard let strategy = RoutingStrategyName(rawValue: word) else {
            let known = RoutingStrategyName.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.problem("strategy", "strategy \"\(word)\" is not one of \(known)")
        }
        let weights = try section.numbers("weights", in: 0...10_000)
        let targets = try list("targets", in: section)
        guard !targets.isEmpty else { throw section.problem("targets", "a route has 1 to 16 targets") }
        guard weights.isEmpty || weights.count == targets.count else {
            throw section.problem("weights", "\(targets.count) targets need as many weights")
        }
        let choices = targets.enumerated().map { index, target in
            Route.Choice(target: target, weight: weights.isEmpty ? 1 : weights[index])
        }
        let hedge = try section.number("hedge_ms", in: 0...60_000, default: 0)
        routes[model] = Route(
            model: model, strategy: strategy, choices: choices, constraints: try constraints(in: section),
            lastResort: try lastResort(in: section),
            onContextOverflow: try list("on_context_overflow", in: section),
            onContentPolicy: try list("on_content_policy", in: section),
            hedgeAfter: hedge == 0 ? nil : .milliseconds(hedge))
    }

    private func lastResort(in section: ConfigurationReader) throws(ConfigurationProblem) -> Target? {
        guard let text = try section.string("last_resort") else { return nil }
        return try target(text, "last_resort", in: section)
    }

    private func constraints(
        in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> RouteConstraints {
        var constraints = RouteConstraints()
        constraints.allowedProviders = try providers("allow", in: section)
        constraints.deniedProviders = try providers("deny", in: section)
        constraints.regions = try section.strings("regions")
        constraints.retention = try section.strings("retention")
        if let text = try section.string("max_usd") {
            guard let money = Money(dollars: text), money > .zero else {
                throw section.problem("max_usd", "max_usd is US dollars for one call, such as \"0.05\"")
            }
            constraints.costMost = money
        }
        constraints.requires = try capabilities("requires", in: section)
        let context = try section.number("min_context", in: 0...100_000_000, default: 0)
        constraints.contextLeast = context == 0 ? nil : Int64(context)
        return constraints
    }

    private func capabilities(
        _ key: String, in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> Capabilities {
        let words = try section.strings(key)
        if let found = Capabilities(words: words) { return found }
        let known = Capabilities.words.map(\.word)
        let wrong = words.first { !known.contains($0) } ?? ""
        throw section.problem(key, "\"\(wrong)\" is not one of \(known.joined(separator: ", "))")
    }

    private func providers(
        _ key: String, in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> [ProviderName] {
        var names: [ProviderName] = []
        for text in try section.strings(key) {
            guard let name = try? ProviderName(text), providers[name] != nil else {
                throw section.problem(key, "\"\(text)\": there is no such provider")
            }
            names.append(name)
        }
        return names
    }

    private func list(
        _ key: String, in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> [Target] {
        let names = try section.strings(key)
        guard names.count <= 16 else {
            throw section.problem(key, "\(key) takes at most 16: a route has 1 to 16 targets")
        }
        var targets: [Target] = []
        for name in names { targets.append(try target(name, key, in: section)) }
        return targets
    }

    private func target(
        _ name: String, _ key: String, in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> Target {
        let target: Target
        do throws(NameRefusal) { target = try Target(name) } catch {
            throw section.problem(key, "\"\(name)\": \(error.sentence)")
        }
        guard providers[target.provider] != nil else {
            throw section.problem(key, "\"\(name)\": there is no provider \(target.provider)")
        }
        return target
    }

    mutating func readModel(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["target", "lacks", "context"])
        guard let pattern = try section.string("target"), pattern.utf8.contains(UInt8(ascii: "/")) else {
            throw section.problem(
                "target", "a [[model]] needs a target: PROVIDER/MODEL, with a * at the end for any")
        }
        guard !pattern.utf8.dropLast().contains(UInt8(ascii: "*")) else {
            throw section.problem("target", "\"\(pattern)\": a * stands at the end only")
        }
        let provider = pattern.utf8.prefix { $0 != UInt8(ascii: "/") }
        guard providers.keys.contains(where: { $0.text.utf8.elementsEqual(provider) }) else {
            throw section.problem("target", "\"\(pattern)\": there is no provider \(String(provider) ?? "")")
        }
        let lacks = try capabilities("lacks", in: section)
        // 100 million: above any model's context.
        let context = try section.number("context", in: 0...100_000_000, default: 0)
        guard routing.traits.count < 1_024 else {
            throw section.problem("target", "there are more than 1,024 [[model]] entries")
        }
        routing.traits.append(
            ModelTraits(pattern: pattern, lacks: lacks, context: context == 0 ? nil : Int64(context)))
    }

    mutating func readPlatform(
        _ section: ConfigurationReader, drill: ConfigurationReader
    ) throws(ConfigurationProblem) {
        try drill.allow(["tenants"])
        for text in try drill.strings("tenants") {
            do throws(NameRefusal) { routing.drillTenants.append(try TenantName(text)) } catch {
                throw drill.problem("tenants", "\"\(text)\": \(error.sentence)")
            }
        }
        try section.allow(["tenant"])
        guard let text = try section.string("tenant") else { return }
        do throws(NameRefusal) { routing.platform = try TenantName(text) } catch {
            throw section.problem("tenant", error.sentence)
        }
    }
}
