// What all parties share: labels under which signed bytes are kept, and what a refusal says.
//
// Party logic is sans-IO: a machine takes a verified message and the time, and returns effects. It reads
// no clock, draws no randomness, does no I/O. Whoever runs it applies all effects of one event in one
// durable step, and only then sends (docs/DESIGN.md, "Persist before send").

public import Messages

/// Under which name a machine's message is kept in the append-only log: the catalogue's label.
public struct Label: RawRepresentable, Hashable, Sendable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }
  /// The label of this type of message.
  public init(_ type: MessageType) { rawValue = type.label }

  public static let n1 = Label(.n1)
  public static let p1 = Label(.p1)
  public static let p2 = Label(.p2)
  public static let p3 = Label(.p3)
  public static let acknowledgement = Label(.acknowledgement)
  public static let p4 = Label(.p4)
  public static let cancel = Label(.cancel)
  public static let p5a = Label(.p5a)
  public static let p5b = Label(.p5b)
  public static let p5c = Label(.p5c)
  public static let nonResponse = Label(.nonResponse)
  public static let credit = Label(.credit)
  public static let nak = Label(.nak)
  public static let refusal = Label(.refusal)
  /// Evidence against a party that contradicted itself.
  public static let evidence = Label(rawValue: "Evidence")
}

extension [Label: [UInt8]] {
  /// A message that a machine kept under its own type's label.
  func stored<P: Payload>(_: P.Type = P.self) throws(MessageError) -> Verified<P> {
    guard let message = try storedIfThere(P.self) else {
      throw MessageError(.misuse, "missing-field", "store: \(P.type.label)")
    }
    return message
  }

  /// Nil if it was not kept.
  func storedIfThere<P: Payload>(_: P.Type = P.self) throws(MessageError) -> Verified<P>? {
    guard let bytes = self[Label(P.type)] else { return nil }
    return try Verified<P>(stored: bytes)
  }

  /// P5b or its kin, or the witnesses' abort.
  func storedAbort<M>() throws(MessageError) -> Outcome<M> {
    self[.p5c] == nil ? .aborted(try stored(Abort<M>.self)) : .witnessed(try stored(P5c.self))
  }
}

/// Why an event was refused, before it is signed as a `Refusal`.
public struct Denial: Error, Equatable, Sendable {
  /// The reason's code goes into the Refusal.
  public let reason: Reason
  /// A sentence for a person: what was wrong, with the values.
  public let detail: String
  /// Messages that show that it had to be refused.
  public let proof: [[UInt8]]

  public init(_ reason: Reason, _ detail: String, proof: [[UInt8]] = []) {
    (self.reason, self.detail, self.proof) = (reason, detail, proof)
  }

  /// The payload to sign and send to whoever asked.
  public func refusal(of request: Hash, at time: Timestamp) -> Refusal {
    Refusal(at: time, reason: reason, hRequest: request, proof: proof, detail: detail)
  }
}
