// When to try again: exponential back-off with jitter, bounded.

/// A bounded exponential back-off.
struct Backoff: Equatable, Sendable {
  /// The first delay.
  var baseSeconds: Double
  /// No delay is longer.
  var capSeconds: Double

  /// For deliveries between parties.
  static let outbox = Backoff(baseSeconds: 1, capSeconds: 60)

  /// The longest delay before attempt `attempt` + 1, where 0 is the first.
  func ceilingSeconds(attempt: Int) -> Double {
    let exponent = min(max(attempt, 0), 30)
    return min(capSeconds, baseSeconds * Double(1 << exponent))
  }

  /// A delay between half of the ceiling and the ceiling, so that parties do not knock in step.
  func delaySeconds(
    attempt: Int, using generator: inout some RandomNumberGenerator
  ) -> Double {
    let ceiling = ceilingSeconds(attempt: attempt)
    return Double.random(in: ceiling / 2...ceiling, using: &generator)
  }

  func delaySeconds(attempt: Int) -> Double {
    var generator = SystemRandomNumberGenerator()
    return delaySeconds(attempt: attempt, using: &generator)
  }
}
