// The running party's side of the control socket: HTTP without TLS over a Unix domain socket that its owner
// alone can open. The file's mode is the authentication; nothing of this is reachable over the network.

import Foundation
import Hummingbird
import Logging

/// Serving a party's operator.
enum OperatorChannel {
  /// The largest request: an offer with the longest path and description.
  static let bodyBytesMax = 64 * 1024
  private static let connectionsMax = 32

  /// Listens until the task is cancelled; the socket is gone then. A channel that cannot be opened is
  /// logged and does not keep the party from serving its customers.
  static func serve<Desk: OperatorDesk>(_ desk: Desk, in directory: DataDirectory, logger: Logger) async {
    do {
      let socket = try ControlSocket(directory)
      try socket.prepare()
      defer { socket.remove() }
      let hello = Route(method: "GET", path: operatorPath) { _ in
        HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array(Desk.role.name.utf8)))
      }
      // Its end by cancellation is no error, which the library would log as one.
      var quiet = logger
      quiet.logLevel = .critical
      let application = Application(
        router: router(for: [hello] + desk.routes, bodyBytesMax: bodyBytesMax, logger: logger),
        server: .http1(configuration: .init(idleTimeout: .seconds(60))),
        configuration: .init(
          address: .unixDomainSocket(path: socket.stagingAddress),
          availableConnectionsDelegate: .maximum(connectionsMax, logger: logger)),
        onServerRunning: { _ in
          do { try socket.publish() } catch { complain(error, logger) }
        },
        logger: quiet)
      try await application.run()
    } catch is CancellationError {
    } catch { complain(error, logger) }
  }

  private static func complain(_ error: any Error, _ logger: Logger) {
    logger.error("no operator's commands while this runs", metadata: ["error": "\(error)"])
  }
}
