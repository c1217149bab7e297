import Domain

/// `route MODEL TENANT` as typed.
struct RouteWords: Sendable, Hashable {
    let model: ModelName
    let tenant: TenantName

    init?(_ typed: String) {
        let words = typed.split(separator: " ")
        guard words.count == 3, words[0].utf8.elementsEqual("route".utf8),
            let model = try? ModelName(String(words[1])),
            let tenant = try? TenantName(String(words[2]))
        else { return nil }
        self.model = model
        self.tenant = tenant
    }
}

/// `weight MODEL PROVIDER/MODEL NUMBER` as typed.
struct WeightWords: Sendable, Hashable {
    /// As the weights of a route's targets.
    private static let range = 0...10_000
    let model: ModelName
    let target: Target
    let weight: Int

    init?(_ typed: String) {
        let words = typed.split(separator: " ")
        guard words.count == 4, words[0].utf8.elementsEqual("weight".utf8),
            let model = try? ModelName(String(words[1])),
            let target = try? Target(String(words[2])), let weight = Int(words[3]),
            Self.range.contains(weight)
        else { return nil }
        self.model = model
        self.target = target
        self.weight = weight
    }
}
