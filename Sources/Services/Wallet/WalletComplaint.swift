// Complaints about invoice purchases, under the token's key and with no identity (FIG. 2): goods that are not
// what the invoice says, a token that the archive deposited elsewhere or took without the customer's word.

import Foundation
public import Messages
import Parties
import Storage

extension Wallet {
  /// Complains about a purchase. What stands is reversed by the bank, and the token pays again.
  /// - Throws: `ServiceError.refused` when the complaint does not stand, or is not decided yet.
  public func complain(_ number: UInt64, _ kind: ComplaintKind) async throws {
    guard Mode.invoices.contains(try await info(number).mode) else {
      throw ServiceError.configuration("complaints are of invoice purchases; others are for `acd judge`")
    }
    let (info, machine) = try await look(InvoicePurchase.self, number)
    let coin = try await paying(info)
    let kept = try await messages(number)
    let key = kept.last { $0.label == Label(.deposit).rawValue }.map { [$0.bytes] } ?? []
    guard let invoice = machine.p1,
      let complaint = machine.complaint(kind, evidence: kind == .invalidGoods ? key : [])
    else { throw ServiceError.configuration("purchase \(number) has no endorsed invoice to complain of") }
    let signed = try Verified(signing: complaint, with: seed.tokenKey(coin.keyIndex))
    let bank = invoice.payload.terms.bank
    var answer = try await complain(signed, to: bank)
    if kind == .invalidGoods, answer.payload.state == .open {
      answer = try await showGoods(signed, invoice, machine, bank)
    }
    guard answer.payload.state == .available else {
      throw ServiceError.refused(
        code: "\(answer.payload.state)",
        detail: answer.payload.state == .open
          ? "the bank has not decided yet: complain again later" : "the bank finds that the sale stands")
    }
    // The archive lets the token pay again once it sees the bank's word.
    if kind == .invalidGoods, machine.way != .invoicePassive {
      try await tellArchive(answer, machine, coin)
    }
    let given = answer
    let inputs = [TokenInput(token: try coin.decoded(), amount: coin.value)]
    try await apply(InvoicePurchase.self, number) { machine in
      machine.answered(given, to: signed, by: bank, inputs: inputs)
    }
  }

  private func tellArchive(
    _ answer: Verified<StatusAnswer>, _ machine: InvoicePurchase, _ coin: Coin
  ) async throws {
    guard let complaint = machine.complaint(.invalidGoods, evidence: [answer.bytes]) else { return }
    let signed = try Verified(signing: complaint, with: seed.tokenKey(coin.keyIndex))
    let freed = try await complain(signed, to: machine.registration.payload.archive)
    guard freed.payload.state == .available else {
      throw ServiceError.protocolViolation("the archive does not let the token pay again")
    }
  }

  /// One bad chunk, with its way to the invoice's root; or, where all chunks open, all of the goods.
  private func showGoods(
    _ complaint: Verified<Complaint>, _ invoice: Verified<Invoice>, _ machine: InvoicePurchase,
    _ bank: PublicKey
  ) async throws -> Verified<StatusAnswer> {
    let terms = invoice.payload.terms
    let path = sealedPath(terms.n)
    guard let key = machine.goodsKey, FileManager.default.fileExists(atPath: path) else {
      throw ServiceError.notFound("the wallet has no sealed goods of this purchase")
    }
    let url = try entry(bank).url! + "/v1/complaints/\(complaint.hash)"
    let chunk = try await surroundings.offTheLoop { try Self.badChunk(path, key: key, terms.n, terms.goods) }
    if let chunk { return try answer(await post(chunk.encoded, to: url), from: bank, complaint) }
    let file = try RawFile(reading: path)
    let part = 192 * 1024
    var reply: [UInt8] = []
    for offset in stride(from: 0, to: terms.length, by: part) {
      var bytes = [UInt8](repeating: 0, count: Int(min(UInt64(part), terms.length - offset)))
      try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
      reply = try await post(bytes, to: "\(url)?offset=\(offset)")
      report(.progress("complaint", done: offset + UInt64(bytes.count), total: terms.length))
    }
    return try answer(reply, from: bank, complaint)
  }

  private func post(_ bytes: [UInt8], to url: String) async throws -> [UInt8] {
    let reply = try await transport.send(
      "POST", url: url, body: bytes, contentType: "application/octet-stream")
    guard (200..<300).contains(reply.status) else {
      throw ServiceError.unreachable("the bank took no goods (HTTP \(reply.status))")
    }
    return reply.body
  }

  private func answer(
    _ bytes: [UInt8], from bank: PublicKey, _ complaint: Verified<Complaint>
  ) throws -> Verified<StatusAnswer> {
    let answer: Verified<StatusAnswer> = try expect(bytes, from: bank, for: complaint.bytes)
    guard answer.payload.hQuery == complaint.hash else {
      throw ServiceError.protocolViolation("the bank answered another complaint")
    }
    return answer
  }
}
