// How a wallet asks while it waits for what others decide: soon at first, then every second, and not for
// ever.

import Messages
import Parties

/// The rounds of asking about one purchase.
struct Rounds {
  /// How long the wallet goes on past the expiration, for answers that are on their way, in seconds.
  private static let patience: Timestamp = 30

  let expiration: Timestamp
  /// Who has not answered, as the beginning of a sentence: "the archive has not answered".
  let silence: String
  /// In milliseconds. An outcome takes two more deliveries and two durable steps: never there at once, often
  /// soon after.
  private var pause = 5

  init(until expiration: Timestamp, silence: String) {
    (self.expiration, self.silence) = (expiration, silence)
  }

  /// Waits until it is time to ask again.
  mutating func next(_ surroundings: Surroundings) async throws {
    try await surroundings.pause(pause)
    pause = min(pause * 2, 1000)
  }

  /// After a round that brought nothing.
  /// - Throws: `ServiceError.unreachable` when there has been time enough.
  func check(at now: Timestamp) throws {
    guard now > expiration + Self.patience else { return }
    throw ServiceError.unreachable("\(silence) yet; the money is safe, try `resume` later")
  }
}
