import Domain

// Groups of deployments become routes, with their fallbacks and aliases.
extension LiteLLMImport {
    /// As many as a route takes.
    private static let targetsMost = 16

    mutating func makeRoutes(_ top: YAMLTree) {
        let router = top["router_settings"], library = top["litellm_settings"]
        let strategy = self.strategy(router?["routing_strategy"])
        var groups: [String] = []
        for deployment in deployments
        where !groups.contains(where: { $0.utf8.elementsEqual(deployment.group.utf8) }) {
            groups.append(deployment.group)
        }
        let sections = [router, library].compactMap { $0 }
        let general = sections.flatMap { fallbacks($0["fallbacks"]) }
        let overflow = sections.flatMap { fallbacks($0["context_window_fallbacks"]) }
        let policy = sections.flatMap { fallbacks($0["content_policy_fallbacks"]) }
        let standard = sections.compactMap { $0["default_fallbacks"] }.first
        for group in groups {
            guard var route = route(for: group, strategy) else { continue }
            let own = general.filter { $0.group.utf8.elementsEqual(group.utf8) || $0.group == "*" }
            for fallback in own { append(fallback.names, of: fallback.tree, to: &route) }
            if own.isEmpty, let standard { append(standard.texts, of: standard, to: &route) }
            route.onContextOverflow = others(overflow, of: group)
            route.onContentPolicy = others(policy, of: group)
            result.routes.append(route)
        }
        if let aliases = router?["model_group_alias"] { addAliases(aliases) }
    }

    private mutating func strategy(_ tree: YAMLTree?) -> RoutingStrategyName {
        switch tree?.text {
        case nil, "simple-shuffle": return .weighted
        case "least-busy": return .leastBusy
        case "latency-based-routing": return .fastest
        case "cost-based-routing": return .cheapest
        case let other?:
            if let tree { note(tree, "there is no strategy \(other) here; weighted is used") }
            return .weighted
        }
    }

    private mutating func route(for group: String, _ strategy: RoutingStrategyName) -> ImportedRoute? {
        let own = deployments.filter { $0.group.utf8.elementsEqual(group.utf8) }.sorted {
            $0.order < $1.order
        }
        var targets: [Target] = []
        var weights: [Int] = []
        for deployment in own {
            if let known = targets.firstIndex(of: deployment.target) {
                // Several keys for one target: here they are several provider keys of a tenant.
                weights[known] += deployment.weight ?? 1
            } else {
                targets.append(deployment.target)
                weights.append(deployment.weight ?? 1)
            }
        }
        let place = YAMLPlace(line: own.first?.line ?? 0, place: "model_list \(group)")
        if targets.count > Self.targetsMost {
            note(place, "a route has \(Self.targetsMost) targets at most; the others were left out")
            targets.removeLast(targets.count - Self.targetsMost)
            weights.removeLast(weights.count - Self.targetsMost)
        }
        let model: ModelName
        do throws(NameRefusal) { model = try ModelName(group) } catch {
            note(place, error.sentence)
            return nil
        }
        let isOrdered = Set(own.map(\.order)).count > 1
        let used: RoutingStrategyName = targets.count == 1 || isOrdered ? .priority : strategy
        return ImportedRoute(
            model: model, targets: targets, weights: used == .weighted ? Self.scaled(weights) : [],
            strategy: used)
    }

    /// Weights have 10,000 at most; requests a minute may be more.
    private static func scaled(_ weights: [Int]) -> [Int] {
        let most = weights.max() ?? 1
        guard most > 10_000 else { return weights.map { max(0, $0) } }
        return weights.map { max(1, min(10_000, Int(Double(max(0, $0)) / Double(most) * 10_000))) }
    }

    // MARK: Fallbacks

    private struct Fallback {
        let group: String
        let names: [String]
        let tree: YAMLTree
    }

    /// `[{"a": ["b", "c"]}]`
    private func fallbacks(_ tree: YAMLTree?) -> [Fallback] {
        (tree?.elements ?? []).flatMap { entry in
            entry.members.map { Fallback(group: $0.key, names: $0.value.texts, tree: $0.value) }
        }
    }

    /// Behind a route's own targets: with weights, those of weight 0 come last; other strategies would mix them in.
    private mutating func append(_ names: [String], of tree: YAMLTree, to route: inout ImportedRoute) {
        for target in targets(of: names, tree) where !route.targets.contains(target) {
            guard route.targets.count < Self.targetsMost else {
                return note(tree, "a route has \(Self.targetsMost) targets at most; the rest was left out")
            }
            guard route.strategy == .priority || route.strategy == .weighted else {
                return note(
                    tree,
                    "\(route.model): \(route.strategy.rawValue) knows no order to fall back in; add a "
                        + "last_resort, or use priority")
            }
            route.targets.append(target)
            if !route.weights.isEmpty { route.weights.append(0) }
        }
    }

    private mutating func others(_ fallbacks: [Fallback], of group: String) -> [Target] {
        var found: [Target] = []
        for fallback in fallbacks where fallback.group.utf8.elementsEqual(group.utf8) {
            for target in targets(of: fallback.names, fallback.tree) where !found.contains(target) {
                found.append(target)
            }
        }
        return Array(found.prefix(Self.targetsMost))
    }

    private mutating func targets(of groups: [String], _ tree: YAMLTree) -> [Target] {
        var out: [Target] = []
        for group in groups {
            let own = deployments.filter { $0.group.utf8.elementsEqual(group.utf8) }.map(\.target)
            if own.isEmpty { note(tree, "falls back to \(group), which was not taken over") }
            for target in own where !out.contains(target) { out.append(target) }
        }
        return out
    }

    // MARK: Aliases

    /// `{"gpt-4": "gpt-4o"}`, or `{"gpt-4": {"model": "gpt-4o", "hidden": true}}`
    private mutating func addAliases(_ aliases: YAMLTree) {
        for (alias, value) in aliases.members {
            let named = value.text ?? value["model"]?.text ?? ""
            guard let original = result.routes.first(where: { $0.model.text.utf8.elementsEqual(named.utf8) })
            else {
                note(value, "stands for \(named), which was not taken over")
                continue
            }
            guard let model = try? ModelName(alias), !result.routes.contains(where: { $0.model == model })
            else {
                note(value, "\(alias) cannot be a route's name, or is one already")
                continue
            }
            if value["hidden"]?.flag == true {
                note(value, "a route cannot be hidden from the list of models")
            }
            result.routes.append(
                ImportedRoute(
                    model: model, targets: original.targets, weights: original.weights,
                    strategy: original.strategy, onContextOverflow: original.onContextOverflow,
                    onContentPolicy: original.onContentPolicy))
        }
    }

    private struct YAMLPlace {
        let line: Int
        let place: String
    }

    private mutating func note(_ place: YAMLPlace, _ what: String) {
        result.notes.append(.init(line: place.line, place: place.place, what: what))
    }
}
