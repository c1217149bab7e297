import Domain
import Operations

/// The words for states and their colours: good ones in lower case, bad ones in upper case.
enum StateWord {
    static func breaker(_ view: TargetView) -> (text: String, slot: Slot) {
        guard let hold = view.hold else { return (view.position.word, slot(view.position)) }
        let word =
            switch hold.mode {
            case .open: BreakerPosition.open.word
            case .closed: BreakerPosition.closed.word
            case .asIs: view.position.word
            }
        return ("\(word) HELD", .statusHeld)
    }

    static func slot(_ position: BreakerPosition) -> Slot {
        switch position {
        case .closed: .statusOK
        case .halfOpen: .statusWarn
        case .open: .statusBad
        }
    }

    static func key(_ state: ProviderKeyState) -> (text: String, slot: Slot) {
        switch state {
        case .active: ("active", .statusOK)
        case .canary: ("CANARY", .statusWarn)
        case .draining: ("DRAIN", .statusWarn)
        case .revoked: ("REVOKED", .statusUnknown)
        case .damaged: ("DAMAGED", .statusBad)
        }
    }

    static func health(_ mark: CredentialMark) -> (text: String, slot: Slot) {
        switch mark {
        case .ok: ("ok", .statusOK)
        case .cooling: ("COOLING", .statusWarn)
        case .exhausted: ("EXHAUSTED", .statusBad)
        case .suspect: ("SUSPECT", .statusWarn)
        case .rejected: ("REJECTED", .statusBad)
        case .deniedForModel: ("DENIED", .statusWarn)
        }
    }

    static func verdict(_ verdict: KeyVerdict) -> (text: String, slot: Slot) {
        switch verdict {
        case .verified: ("verified", .statusOK)
        case .refused: ("REFUSED", .statusBad)
        case .unknown: ("unknown", .statusUnknown)
        }
    }

    static func virtualKey(_ word: String) -> Slot {
        word.utf8.elementsEqual("active".utf8) ? .statusOK : .statusWarn
    }

    static func tenant(_ status: TenantStatus) -> (text: String, slot: Slot) {
        status == .active ? ("active", .statusOK) : ("SUSPENDED", .statusBad)
    }

    static func status(_ code: Int) -> Slot {
        switch code {
        case ..<400: .statusOK
        case ..<500: .statusWarn
        default: .statusBad
        }
    }
}
