// Effects in a few words, so that a table of states and events stays readable.

import Messages
import Parties

private func label(_ bytes: [UInt8]) -> String {
  guard let type = try? MessageType(peeking: bytes) else { return "bytes" }
  guard type == .coSign else { return type.label }
  // What the tokens' keys signed together.
  if (try? Unverified<E2>(bytes)) != nil { return "E2" }
  return (try? Unverified<R2>(bytes)) == nil ? "P2" : "R2"
}

extension BankEffect {
  var summary: String {
    switch self {
    case .keep(let label, _): "keep \(label.rawValue)"
    case .enter(let phase): "enter \(phase)"
    case .lock(_, _, let amount, _): "lock \(amount)"
    case .spend: "spend"
    case .spendPart(_, let used, let rest): "spend \(used.map(\.amount)), free \(rest)"
    case .release: "release"
    case .credit(let merchant, let value, _): "credit \(Actor.named(merchant)) \(value)"
    case .confirmCredit: "confirm credit"
    case .reply(let bytes): "reply \(label(bytes))"
    case .refuse(let denial): "refuse \(denial.reason)"
    case .send(let bytes, let key): "send \(label(bytes)) to \(Actor.named(key))"
    case .publish(let bytes, _, _): "publish \(label(bytes))"
    case .receipt(let bytes, _, _, _): "receipt \(label(bytes))"
    }
  }
}

extension ArchiveEffect {
  var summary: String {
    switch self {
    case .publish(let body, _, _, _): "publish \(label(body))"
    case .reply(let bytes): "reply \(label(bytes))"
    case .refuse(let denial): "refuse \(denial.reason)"
    case .send(let bytes, let key): "send \(label(bytes)) to \(Actor.named(key))"
    }
  }
}

extension MerchantEffect {
  var summary: String {
    switch self {
    case .keep(let label, _): "keep \(label.rawValue)"
    case .enter(let phase, _): "enter \(phase)"
    case .submit(let bundle, _): "submit " + bundle.messages.map(label).joined(separator: "+")
    case .upload(let bundle, _): "upload " + bundle.messages.map(label).joined(separator: "+")
    case .send(let bytes, let key): "send \(label(bytes)) to \(Actor.named(key))"
    case .submitAgain: "ask again"
    case .requestAbort: "request abort"
    case .cancel(let bundle, _): "cancel " + bundle.messages.map(label).joined(separator: "+")
    case .bring(_, let key): "bring the token to \(Actor.named(key))"
    case .post(let bytes, let key, _): "post \(label(bytes)) at \(Actor.named(key))"
    case .reply(let bytes): "reply \(label(bytes))"
    case .refuse(let denial): "refuse \(denial.reason)"
    }
  }
}

extension CustomerEffect {
  var summary: String {
    switch self {
    case .keep(let label, _): "keep \(label.rawValue)"
    case .enter(let phase, _): "enter \(phase)"
    case .send(let bytes, let key): "send \(label(bytes)) to \(Actor.named(key))"
    case .spent(let tokens): "spent \(tokens.map(\.amount))"
    case .returned(let tokens): "returned \(tokens.map(\.amount))"
    case .freed(let tokens): "freed \(tokens.map(\.amount))"
    case .deny(let denial): "deny \(denial.reason)"
    }
  }
}

extension ArchiveTokenEffect {
  var summary: String {
    switch self {
    case .keep(let label, _): "keep \(label.rawValue)"
    case .enter(let phase): "enter \(phase)"
    case .reply(let bytes): "reply \(label(bytes))"
    case .refuse(let denial): "refuse \(denial.reason)"
    case .answer(let state, let proof):
      "answer \(state)" + proof.map { " " + label($0) }.joined()
    case .tellBank(let bytes): "tell bank \(label(bytes))"
    }
  }
}

extension BankDepositEffect {
  var summary: String {
    switch self {
    case .keep(let label, _): "keep \(label.rawValue)"
    case .keepToken: "keep token"
    case .enter(let phase): "enter \(phase)"
    case .pay(_, let value, let merchant, _): "pay \(Actor.named(merchant)) \(value)"
    case .reverse(_, let value, let merchant, _): "reverse \(Actor.named(merchant)) \(value)"
    case .confirmCredit: "confirm credit"
    case .post(let bytes, let archive, _): "post \(label(bytes)) at \(Actor.named(archive))"
    case .reply(let bytes): "reply \(label(bytes))"
    case .refuse(let denial): "refuse \(denial.reason)"
    case .answer(let state, let proof):
      "answer \(state)" + proof.map { " " + label($0) }.joined()
    case .notYet: "not yet"
    }
  }
}
