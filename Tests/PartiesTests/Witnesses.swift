// What witnesses certify about one sale, each open to change before it is signed.

import Messages
import Parties

extension Sale {
  /// When the witnesses are asked to abort.
  static let end = Times.lifetime + 60

  /// The archive was asked for the outcome after the lifetime, and gave none.
  func nr(
    by actor: Actor = .witness, _ change: (inout NonResponse) -> Void = { _ in }
  ) throws -> [UInt8] {
    let lock = try p3().hash
    var payload = NonResponse(
      n: Self.n, merchant: Actor.merchant.publicKey, lock: lock, hRequest: lock,
      target: Actor.archive.publicKey, sentAt: Times.lifetime, waitedUntil: Times.lifetime + 30)
    change(&payload)
    return try actor.sign(payload).bytes
  }

  func p5c(
    _ certificates: [[UInt8]]? = nil, by actor: Actor = .witness, _ change: (inout P5c) -> Void = { _ in }
  ) throws -> Verified<P5c> {
    var payload = P5c(
      n: Self.n, merchant: Actor.merchant.publicKey, expiration: Times.expiration, lifetime: Times.lifetime,
      lock: try p3().hash, at: Self.end, failed: Reason.expired.rawValue,
      nonResponses: try certificates ?? [nr(), nr(by: .secondWitness)])
    change(&payload)
    return try actor.sign(payload)
  }
}
