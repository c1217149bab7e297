public import Access
public import Cache
import Cipher
public import Domain
import Events
import Limits
import Locking
import Routing
import Storage
import Vault

/// What becomes of a call.
public enum Decision {
    /// The cache had it.
    case answer(CallSession, CachedAnswer)
    /// It goes to a provider: ask the session for attempts.
    case forward(CallSession)
    case refuse(CallFailure)
}

/// The life of one call, top to bottom. Read this file first, then `CallSession`.
///
/// Everything here runs synchronously on the caller's event loop: no waiting, no storage, no actor. Each step takes
/// what the step before returned, and only that step can make it: a call cannot be forwarded without having been
/// identified, authorized and admitted.
public struct RequestPath: Sendable {
    let parts: PathParts

    /// Decides what happens to a call.
    public func decide(
        _ call: InboundCall, presenting credential: PresentedCredential, lane: Int
    ) -> Decision {
        let directory = parts.directory.load()
        let who: Identified
        do throws(CallFailure) {
            who = try Authenticator.identify(
                credential, directory: directory.access, pepper: parts.vault.tokens, at: call.at)
        } catch {
            return .refuse(error)
        }
        let session: CallSession
        do throws(CallFailure) {
            let allowed = try Authorizer.check(who, model: call.model)
            session = CallSession(
                parts: parts, call: call, who: allowed, admission: try admit(allowed, call, directory.limits),
                directory: directory,
                lane: lane)
        } catch {
            parts.publishRefusal(of: call, by: who, error, lane: lane)
            return .refuse(error)
        }
        // From here on the session holds what was admitted, and settles it.
        if let answer = session.findCached() { return .answer(session, answer) }
        do throws(CallFailure) {
            try session.plan()
            return .forward(session)
        } catch {
            return .refuse(error)
        }
    }

    /// Who asks, for requests that go nowhere (`GET /v1/models`).
    public func identify(
        _ credential: PresentedCredential, at now: WallTime
    ) throws(CallFailure) -> (
        Identified, Directory
    ) {
        let directory = parts.directory.load()
        let who = try Authenticator.identify(
            credential, directory: directory.access, pepper: parts.vault.tokens, at: now)
        return (who, directory)
    }

    /// Takes what the call needs of every limited thing: all of it or nothing.
    private func admit(
        _ who: Authorized, _ call: InboundCall, _ own: OwnLimits
    ) throws(CallFailure) -> Admitted {
        guard !parts.stopping.load() else {
            throw CallFailure(
                .shuttingDown, source: .gateway, "this gateway is shutting down; try again",
                retryAfter: .seconds(1))
        }
        guard parts.vault.isUnlocked else { throw CallFailure.sealedVault }
        guard !parts.unmetered.load().contains(who.tenant.id) else {
            throw CallFailure(
                .overloaded, source: .gateway,
                "this tenant's usage ledger cannot be written; an operator has to look at its storage",
                retryAfter: .seconds(10))
        }
        guard parts.inFlight.enter(most: parts.options.load().callsInFlight) else {
            throw CallFailure(
                .overloaded, source: .gateway, "too many calls are in flight; try again",
                retryAfter: .seconds(1))
        }
        guard parts.journal.reserve() else {
            parts.inFlight.leave()
            throw CallFailure(
                .overloaded, source: .gateway, "the usage ledger is behind; try again",
                retryAfter: .seconds(2))
        }
        do throws(CallFailure) {
            var demand = Demand(tokens: call.estimatedTokens)
            demand.add(.virtualKey(who.key.id), who.key.limits)
            if let user = who.key.user, let limits = own[.user(who.tenant.id, user)] {
                demand.add(.user(who.tenant.id, user), limits)
            }
            if let team = who.key.team, let limits = own[.team(who.tenant.id, team)] {
                demand.add(.team(who.tenant.id, team), limits)
            }
            demand.add(.tenant(who.tenant.id), who.tenant.limits)
            return Admitted(permits: try parts.counters.admit(demand, at: call.received))
        } catch {
            parts.journal.release()
            parts.inFlight.leave()
            throw error
        }
    }
}

/// A call that was let in: holds its permits, its place in the ledger's queue and its place among the calls in
/// flight until the session settles.
public struct Admitted {
    let permits: Admission
    fileprivate init(permits: Admission) { self.permits = permits }
}
