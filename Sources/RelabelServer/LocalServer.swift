internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import RelabelFormat
import Synchronization

/// A server for one page and one person, on this machine only.
///
/// It listens on 127.0.0.1, and answers those whom its gate lets in.
package final class LocalServer: Sendable {
  /// Answers a request, on a thread of its own.
  package typealias Answer = @Sendable (Request) -> Response

  /// Where the server listens.
  package let port: Int
  /// Who may ask.
  package let gate: Gate
  private let threads: MultiThreadedEventLoopGroup
  private let workers: NIOThreadPool
  private let channel: any Channel

  /// Connections at a time: a browser opens six.
  static let maximumConnections = 64

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - count: threads that answer.
  ///   - answer: gives the answers.
  /// - Throws: `.usage` for a port that is taken or not allowed.
  package init(
    port: Int = 0,
    workers count: Int = 4,
    answer: @escaping Answer
  ) throws(RelabelError) {
    threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    workers = NIOThreadPool(numberOfThreads: count)
    workers.start()
    let (open, gates, pool) = (Connections(), GateHolder(), workers)
    let bootstrap = ServerBootstrap(group: threads)
      .serverChannelOption(.backlog, value: 64)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard open.enter() else { throw ChannelError.ioOnClosedChannel }
          channel.closeFuture.whenComplete { _ in open.leave() }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
          guard let gate = gates.gate else { throw ChannelError.ioOnClosedChannel }
          try pipeline.addHandler(Conversation(gate, pool, answer))
        }
      }
    do {
      channel = try bootstrap.bind(host: "127.0.0.1", port: port).wait()
    } catch {
      // Nothing runs yet that could fail to end.
      threads.shutdownGracefully { _ in }
      pool.shutdownGracefully { _ in }
      throw RelabelError(
        .usage,
        "port \(port) of this machine can't be listened on (\(error)); give another --port, or 0 for any that is free"
      )
    }
    self.port = channel.localAddress?.port ?? port
    gate = Gate(port: self.port)
    gates.gate = gate
  }

  /// The address to open.
  package var address: String { "http://127.0.0.1:\(port)/?token=\(gate.token)" }

  /// Ends all connections, and waits for the threads.
  package func stop() {
    let ends: [() throws -> Void] = [
      { try self.channel.close().wait() }, { try self.threads.syncShutdownGracefully() },
      { try self.workers.syncShutdownGracefully() },
    ]
    for end in ends {
      do { try end() } catch {
        // It has ended already, which is what was wanted.
      }
    }
  }
}

/// How many connections there are.
private final class Connections: Sendable {
  private let count = Atomic<Int>(0)

  /// Counts one more, unless there are too many.
  func enter() -> Bool {
    if count.add(1, ordering: .relaxed).newValue <= LocalServer.maximumConnections { return true }
    leave()
    return false
  }

  func leave() { count.subtract(1, ordering: .relaxed) }
}

/// The gate, which is known once the port is: nobody is let in before.
private final class GateHolder: Sendable {
  private let held = Mutex<Gate?>(nil)

  var gate: Gate? {
    get { held.withLock { $0 } }
    set { held.withLock { $0 = newValue } }
  }
}
