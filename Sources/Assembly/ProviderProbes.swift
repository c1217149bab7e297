import Domain
import Engine
import Locking
import Logging
import Operations
import Providers
import Routing

/// Asks the providers that the configuration names, one task for each, whether they answer.
///
/// One call at a time for each provider, of bounded length, at moments that a lot moves; the configuration bounds how
/// many are asked. Never a call that costs anything: see `ReachProbe`.
final class ProviderProbes: Sendable {
    private struct Work: Sendable {
        let definition: ProviderDefinition
        let interval: Duration
        let task: Task<Void, Never>
    }

    private let engine: GatewayEngine
    private let probe: ReachProbe
    private let log: Logger
    private let works = Locked<[ProviderName: Work]>([:])

    init(of engine: GatewayEngine, by probe: ReachProbe, log: Logger) {
        self.engine = engine
        self.probe = probe
        self.log = log
    }

    /// Follows a configuration: those that it does not name any more, or names otherwise, are stopped.
    func follow(_ configuration: Configuration) {
        works.withLock { works in
            for (name, work) in works
            where configuration.providers[name] != work.definition
                || configuration.probes[name] != work.interval
            {
                work.task.cancel()
                works[name] = nil
                engine.forgetProbes(of: name)
            }
            for (name, interval) in configuration.probes where works[name] == nil {
                guard let definition = configuration.providers[name] else { continue }
                let task = Task { await self.ask(definition, every: interval) }
                works[name] = Work(definition: definition, interval: interval, task: task)
            }
        }
    }

    /// Stops all, and waits for calls that are under way to be given up.
    func stop() async {
        let tasks = works.withLock { works in
            defer { works = [:] }
            return works.values.map(\.task)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func ask(_ definition: ProviderDefinition, every interval: Duration) async {
        var schedule = ProbeSchedule(interval: interval)
        while true {
            do { try await Task.sleep(for: schedule.wait(.random(in: .min ... .max))) } catch { return }
            let clock = engine.parts.clock
            let began = clock.now
            let answer = await probe.ask(definition)
            guard !Task.isCancelled, let (finding, words) = Self.read(answer) else { continue }
            let was = schedule.failures
            schedule.note(finding)
            note(definition, finding, words, was, schedule.failures)
            engine.probed(
                definition.name, finding,
                ProbeView(
                    reachable: finding == .reachable,
                    milliseconds: finding == .reachable ? (clock.now - began).inSeconds * 1_000 : nil,
                    words: words, at: clock.wall, failures: schedule.failures,
                    everySeconds: Int(interval.secondsRoundedUp)))
        }
    }

    /// Said when it changes, and not each time.
    private func note(
        _ definition: ProviderDefinition, _ finding: ProbeFinding, _ words: String, _ before: Int,
        _ after: Int
    ) {
        let facts: Logger.Metadata = ["provider": "\(definition.name)", "what": "\(words)"]
        if after == 1 { log.warning("a provider does not answer a probe", metadata: facts) }
        if before > 0, after == 0 { log.notice("a provider answers probes again", metadata: facts) }
    }

    /// nil where an answer says nothing of the provider.
    private static func read(_ answer: ReachProbe.Answer) -> (ProbeFinding, String)? {
        switch answer {
        case .status(let status): (ProbeFinding(status: status), "status \(status)")
        case .failure(let failure):
            failure.failureClass(at: .beforeHead).map { (.unreachable($0), failure.description) }
        case .nothing: nil
        }
    }
}
