/// What is fed with bytes nobody expects: every reader of what comes from outside.
///
/// A run returns, whatever the bytes; a rule that is broken ends the process, as libFuzzer wants it.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Sealed records, wrapped keys, the key ring and what it vouches for, as they lie in the data folder.
    case record
    /// The audit as a file.
    case audit
    case theme
    case config
    /// Server-sent events of providers.
    case sse
    /// Bodies of callers and of providers.
    case json
    /// Bedrock's binary event stream.
    case frames
    /// Requests, answers and streams said in another format.
    case translation

    package func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .record: FuzzedRecord.run(bytes)
        case .audit: FuzzedAudit.run(bytes)
        case .theme: FuzzedText.theme(bytes)
        case .config: FuzzedText.configuration(bytes)
        case .sse: FuzzedStream.events(bytes)
        case .json: FuzzedJSON.run(bytes)
        case .frames: FuzzedStream.frames(bytes)
        case .translation: FuzzedTranslation.run(bytes)
        }
    }

    /// Inputs to begin with; a mutation of one of them gets further than bytes without sense.
    package var seeds: [[UInt8]] {
        switch self {
        case .record: FuzzedRecord.seeds
        case .audit: FuzzedAudit.seeds
        case .theme: FuzzedText.themes
        case .config: FuzzedText.configurations
        case .sse: FuzzedStream.eventSeeds
        case .json: FuzzedJSON.seeds
        case .frames: FuzzedStream.frameSeeds
        case .translation: FuzzedTranslation.seeds
        }
    }
}

/// Ends the process where a rule of a reader is broken.
func must(_ holds: Bool, _ rule: @autoclosure () -> String) {
    precondition(holds, rule())
}
