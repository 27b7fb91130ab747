// The bounds of the back-off.

import Testing

@testable import Services

@Suite("Back-off")
struct BackoffTests {
  @Test("delays double up to the cap and stay between half of it and itself")
  func bounds() {
    let backoff = Backoff(baseSeconds: 1, capSeconds: 60)
    #expect(backoff.ceilingSeconds(attempt: 0) == 1)
    #expect(backoff.ceilingSeconds(attempt: 3) == 8)
    #expect(backoff.ceilingSeconds(attempt: 1_000_000) == 60)
    for attempt in 0..<40 {
      let ceiling = backoff.ceilingSeconds(attempt: attempt)
      let delay = backoff.delaySeconds(attempt: attempt)
      #expect(delay >= ceiling / 2 && delay <= ceiling)
    }
  }
}
