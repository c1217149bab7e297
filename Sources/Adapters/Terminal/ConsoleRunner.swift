public import Console
import Domain
import Events
import Glibc
import Locking
public import Operations

/// Runs the console on a terminal, on a thread of its own on which nothing else depends.
public final class ConsoleRunner: Sendable {
    private let port: any EnginePort
    private let operatorID: OperatorID
    private let options: ConsoleOptions
    private let library: ThemeLibrary
    private let inbox = CommandInbox()

    public init(
        port: any EnginePort, operatorID: OperatorID, options: ConsoleOptions, library: ThemeLibrary
    ) {
        self.port = port
        self.operatorID = operatorID
        self.options = options
        self.library = library
    }

    /// Asks the console to end. A terminal that does not read cannot keep it: after 200 ms the terminal is restored
    /// without it.
    public func requestStop() { inbox.askToStop() }

    /// Runs on a new thread; returns when the console has ended, or 300 ms after a stop that it does not obey.
    public func runOnOwnThread() async -> ConsoleEnding {
        let ending = Locked<CheckedContinuation<ConsoleEnding, Never>?>(nil)
        return await withCheckedContinuation { continuation in
            ending.withLock { $0 = continuation }
            let finish: @Sendable (ConsoleEnding) -> Void = { result in
                let waiting = ending.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }
                waiting?.resume(returning: result)
            }
            PlainThread.start { finish(self.run()) }
            PlainThread.start { [inbox] in
                while ending.withLock({ $0 != nil }) {
                    if inbox.stopWanted {
                        usleep(300_000)
                        if ending.withLock({ $0 != nil }) { CrashRestore.restore() }
                        finish(.stopped)
                    }
                    usleep(50_000)
                }
            }
        }
    }

    /// Runs on the calling thread until the console ends.
    public func run() -> ConsoleEnding {
        let session: TerminalSession
        do {
            session = try TerminalSession(options.terminal)
        } catch TerminalSession.Refusal.unusable(let why) {
            return .unusableTerminal(why)
        } catch TerminalSession.Refusal.none(let why) {
            return .noTerminal(why)
        } catch {
            return .noTerminal("the terminal cannot be used")
        }
        let errors = ErrorDetour(to: options.logDescriptor)
        let pipe = SignalPipe.open()
        inbox.attach(pipe.write)
        var loop = ConsoleLoop(
            session: session, port: port, operatorID: operatorID, options: options, library: library,
            inbox: inbox,
            wake: pipe.read)
        let ending = loop.run()
        inbox.attach(-1)
        if ending == .hungUp { session.abandon() }
        session.close()
        SignalPipe.close(pipe)
        errors.end()
        return ending
    }
}

/// A plain thread that nobody joins.
enum PlainThread {
    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let made = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        if made == 0 { pthread_detach(thread) } else { box.release() }
    }
}

/// While the console owns the screen, what libraries print to standard error goes to the log.
struct ErrorDetour {
    private let saved: Int32

    init(to descriptor: Int32?) {
        guard let descriptor else {
            saved = -1
            return
        }
        saved = dup(2)
        dup2(descriptor, 2)
    }

    func end() {
        guard saved >= 0 else { return }
        dup2(saved, 2)
        close(saved)
    }
}
