// Commits that merchants bring, many at once (protocols.md §5, completion by the merchant). Each is checked
// and answered as if it had come by itself.

import Messages
import Parties
import Storage

extension BankService {
  /// What a merchant may bring in a batch.
  static let commitTypes: Set<MessageType> = [.p5a, .e7a, .ja5a, .jb4a, .r10a]

  /// The answers to a batch of commits, as a bundle; nil if it is none.
  func forwarded(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    let types = bundle.messages.compactMap { try? MessageType(peeking: $0) }
    guard !types.isEmpty, types.count == bundle.messages.count,
      types.allSatisfy(Self.commitTypes.contains)
    else { return nil }
    var answers: [[UInt8]] = []
    for message in bundle.messages { if let answer = try await handle(message) { answers.append(answer) } }
    return try Messages.Bundle(answers).encoded()
  }
}
