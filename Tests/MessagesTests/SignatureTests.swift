// What a signature protects: every bit of a message, its type, and who has to have signed.

import Messages
import Testing

@Suite("Signatures")
struct SignatureTests {
  @Test("a message with any one bit turned over is refused")
  func everyBit() throws {
    let signed = try Actor.bank.sign(P3(terms: Samples.terms)).bytes
    for bit in 0..<signed.count * 8 {
      var damaged = signed
      damaged[bit / 8] ^= 1 << (bit % 8)
      let rule = refusal { () throws(MessageError) in
        try Verified<P3>(damaged, by: .key(Actor.bank.publicKey))
      }
      #expect(rule != nil, "bit \(bit)")
    }
  }

  @Test("a co-signed message with any one bit turned over is refused")
  func everyBitInside() throws {
    let one = try Actor.tokenOne.sign(Samples.p2([.tokenOne, .tokenTwo]))
    let signed = try Actor.tokenTwo.coSign(one).bytes
    for bit in stride(from: 0, to: signed.count * 8, by: 3) {
      var damaged = signed
      damaged[bit / 8] ^= 1 << (bit % 8)
      let rule = refusal { () throws(MessageError) in try Verified<P2>(damaged, by: .ownTokens) }
      #expect(rule != nil, "bit \(bit)")
    }
  }

  @Test("a message that was cut off or has bytes behind it is refused")
  func length() throws {
    let signed = try Actor.bank.sign(P3(terms: Samples.terms)).bytes
    for count in 0..<signed.count {
      let cut = Array(signed.prefix(count))
      #expect(refusal { () throws(MessageError) in try Unverified<P3>(cut) } != nil)
    }
    #expect(refusal { () throws(MessageError) in try Unverified<P3>(signed + [0]) } == "trailing")
  }

  @Test("a message of one type is not read as another")
  func types() throws {
    let signed = try Actor.bank.sign(P3(terms: Samples.terms)).bytes
    let rule = refusal { () throws(MessageError) in try Unverified<Cancel>(signed) }
    #expect(rule == "unexpected-type")
    #expect(refusal { () throws(MessageError) in try Unverified<P2>(signed) } == "unexpected-type")
  }

  @Test("only messages of tokens may be wrapped in a CoSign")
  func wrappedP3() throws {
    let p3 = try Actor.bank.sign(P3(terms: Samples.terms)).bytes
    let wrapped = try Actor.stranger.sign(CoSign(message: p3)).bytes
    #expect(refusal { () throws(MessageError) in try Unverified<P3>(wrapped) } == "unexpected-type")
  }

  @Test("the signatures of several tokens count in any order")
  func anyOrder() throws {
    let orders: [[Actor]] = [
      [.tokenOne, .tokenTwo, .tokenThree], [.tokenThree, .tokenOne, .tokenTwo],
      [.tokenTwo, .tokenThree, .tokenOne],
    ]
    for order in orders {
      let payload = Samples.p2([.tokenOne, .tokenTwo, .tokenThree])
      var message = try order[0].sign(payload)
      for actor in order.dropFirst() { message = try actor.coSign(message) }
      let read = try Verified<P2>(message.bytes, by: .ownTokens)
      #expect(read.payload == payload)
      #expect(read.signer == order[2].publicKey)
      #expect(try Unverified<P2>(message.bytes).claimedSigners == order.reversed().map(\.publicKey))
    }
    let exchange = try Actor.tokenTwo.coSign(Actor.tokenOne.sign(Samples.x1([.tokenOne, .tokenTwo])))
    #expect(try Verified<X1>(exchange.bytes, by: .ownTokens).payload.total == Samples.price)
  }

  @Test("two tokens with the same key need one signature")
  func oneKey() throws {
    var payload = Samples.p2([.tokenOne, .tokenOne])
    payload.tokenInputs[1].token.serial = digest(0xee)
    let message = try Actor.tokenOne.sign(payload)
    #expect(try Verified<P2>(message.bytes, by: .ownTokens) == message)
  }

  @Test("a missing, additional, foreign or repeated signature of a token is refused")
  func wrongSigners() throws {
    let both = Samples.p2([.tokenOne, .tokenTwo])
    let missing = try Actor.tokenOne.sign(both)
    let foreign = try Actor.stranger.coSign(missing)
    let repeated = try Actor.tokenOne.coSign(missing)
    let complete = try Actor.tokenTwo.coSign(missing)
    let additional = try Actor.stranger.coSign(complete)
    let twice = try Actor.tokenTwo.coSign(complete)
    for message in [missing, foreign, repeated, additional, twice] {
      let bytes = message.bytes
      #expect(refusal { () throws(MessageError) in try Verified<P2>(bytes, by: .ownTokens) } == "untrusted")
    }
    let bytes = complete.bytes
    let rule = refusal { () throws(MessageError) in
      try Verified<P2>(bytes, by: .key(Actor.tokenTwo.publicKey))
    }
    #expect(rule == "untrusted")
  }

  @Test("wraps of CoSign have a limit")
  func depth() throws {
    var message = try Actor.tokenOne.sign(Samples.p2([.tokenOne]))
    for _ in 1..<32 { message = try Actor.tokenOne.coSign(message) }
    let deepest = message
    let rule = refusal { () throws(MessageError) in try Actor.tokenOne.coSign(deepest) }
    #expect(rule == "depth")
  }
}
