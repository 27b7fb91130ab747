// What a merchant offered under a number, of all modes in one form: P1, E1, R1, INV, PO.

import Messages

/// A contract; the merchant's signature holds.
struct OfferRecord {
  let type: MessageType
  let hash: Hash
  let merchant: PublicKey
  let n: TransactionID
  let mode: Mode
  let hx: Hash
  /// The ciphertext, where it is known with the contract.
  let goods: GoodsClaim?
  let digests: [Hash]
  /// The customer's P; nil where there is none.
  let pseudonym: PublicKey?
  /// r, where the published key is masked.
  let mask: Hash?
  /// r of a series, whose purchases have a mask each.
  var seriesMask: [UInt8]?
  /// The payload's one encoding: signing it again changes nothing.
  let content: [UInt8]
  /// Whether this message may carry a contract of that mode.
  let serves: Bool

  var transaction: TransactionKey { TransactionKey(merchant: merchant, n: n) }
  var fact: Fact { Fact("\(type.label): the merchant's signed contract", hash) }

  /// P1 (also JA1 and JB1), E1 or R1.
  init?<P: OfferPayload>(offer message: Verified<P>) {
    let payload = message.payload
    let modes: [Mode]
    switch P.type {
    case .p1: modes = [.core, .joint, .compact]
    case .e1: modes = [.early]
    default: modes = [.repeated]
    }
    guard let encoded = try? payload.encoded() else { return nil }
    (type, hash, merchant, n) = (P.type, message.hash, message.signer, payload.n)
    (mode, hx, goods, mask) = (payload.contract.mode, payload.hx, payload.goods, payload.mask)
    (digests, pseudonym) = (payload.contract.digests, payload.contract.pseudonym)
    (content, serves) = (encoded, modes.contains(payload.contract.mode))
    seriesMask = (payload as? R1)?.maskBytes
  }

  init?(invoice message: Verified<Invoice>) { self.init(message, message.payload.terms, .invoice) }

  init?(order message: Verified<PurchaseOrder>) { self.init(message, message.payload.terms, .announced) }

  private init?<P: Payload>(_ message: Verified<P>, _ terms: InvoiceTerms, _ mode: Mode) {
    guard let encoded = try? message.payload.encoded() else { return nil }
    (type, hash, merchant, n) = (P.type, message.hash, message.signer, terms.n)
    (self.mode, hx, goods, mask, pseudonym) = (mode, terms.hx, terms.goods, nil, nil)
    (digests, content, serves) = (terms.digests, encoded, true)
  }

  /// k_i of a series out of a commit: of the committed purchase, and where it was forced of the one before.
  func published(_ index: UInt64, hx: Hash, in submission: SubmissionRecord) -> [UInt8]? {
    guard case .series(let last, _, _) = submission.claim, let seriesMask else { return nil }
    let x = index == last ? submission.key : index + 1 == last ? submission.previousKey : nil
    guard let x, Hash.keyCommitment(.repeated, merchant: merchant, n: n, key: x) == hx else { return nil }
    return zip(x, Hash.seriesMask(seriesMask, index).bytes).map { $0 ^ $1 }
  }

  /// Nil if this is the contract of that submission; otherwise what does not agree.
  func mismatch(_ submission: SubmissionRecord) -> String? {
    guard submission.hP1 == hash else { return "it names another contract" }
    guard serves, submission.mode == mode else { return "it is of another mode" }
    return submission.transaction == transaction ? nil : "it is of another transaction"
  }
}
