// What goes over the wire between parties: one endpoint for all messages, dispatched by what they are.
// Bodies are application/cose (a signed message) or application/cbor (a container); the same bytes are
// the same request.

import Messages
import Parties

/// What a body is.
enum Incoming {
  case message(MessageType, [UInt8])
  case bundle(Bundle)
  case sealed(SealedMessage)

  /// Looks at the outer form only.
  init(_ bytes: [UInt8]) throws(MessageError) {
    if bytes.first == 0xd2 {
      self = .message(try MessageType(peeking: bytes), bytes)
    } else if let bundle = try? Messages.Bundle(encoded: bytes) {
      self = .bundle(bundle)
    } else {
      self = .sealed(try SealedMessage(encoded: bytes))
    }
  }
}

extension Messages.Bundle {
  /// What its first message is: how a bundle is dispatched.
  var first: MessageType? { messages.first.flatMap { try? MessageType(peeking: $0) } }
}

/// Where messages are posted at every party.
let messagesPath = "/v1/messages"
/// The media type of signed messages (RFC 9052) and of containers.
let coseMediaType = "application/cose"
let cborMediaType = "application/cbor"

/// The media type of these bytes.
func mediaType(of bytes: [UInt8]) -> String { bytes.first == 0xd2 ? coseMediaType : cborMediaType }

extension Denial {
  /// What a message error comes to when the sender is told.
  init(_ error: MessageError) {
    switch error.rule {
    case "expired": self.init(.expired, "\(error)")
    case "mismatch": self.init(.mismatch, "\(error)")
    default:
      self.init(error.cause == .authentication ? .untrusted : .malformed, "\(error)")
    }
  }
}
